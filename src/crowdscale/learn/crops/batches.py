"""A crop with its heads, and a batch of them with the targets of a codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray

from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Points

__all__ = ["BLOCK", "Batch", "Crop", "block_counts", "collate"]

Codec = Density | DistanceLabels

BLOCK = 16
"""Side in pixels of the blocks of the auxiliary count."""


class Crop(NamedTuple):
    """A training crop."""

    pixels: NDArray[np.uint8]
    """(h, w, 3) RGB."""
    points: Points
    """Heads in its pixels, with those around it; none in ignored pixels."""
    counted: NDArray[np.bool_] | None = None
    """(h, w) pixels that are not ignored; None where all count."""


class Batch(TypedDict):
    """A batch of crops."""

    images: torch.Tensor
    """(b, 3, h, w) RGB in 0…1."""
    target: torch.Tensor
    """(b, h, w) labels or (b, 1, h, w) density."""
    blocks: torch.Tensor
    """(b, h/16, w/16) people in each block."""
    points: list[NDArray[np.float64]]
    """(n, 2) for each crop, in its pixels, with heads around the crop."""
    counted: torch.Tensor | None
    """(b, h, w) pixels that are not ignored; None where all count."""
    certain: torch.Tensor | None
    """(b, h, w) pixels whose target no head in an ignored pixel could change; None where nothing is ignored."""


def block_counts(points: Points, width: int, height: int, block: int = BLOCK) -> NDArray[np.float32]:
    """Return the (⌈height/block⌉, ⌈width/block⌉) number of points in each block of the frame."""
    columns, rows = np.floor((points.xy.T + 0.5) / block).astype(np.int64)
    counts = np.zeros((-(-height // block), -(-width // block)), np.float32)
    inside = (columns >= 0) & (columns < counts.shape[1]) & (rows >= 0) & (rows < counts.shape[0])
    np.add.at(counts, (rows[inside], columns[inside]), 1)
    return counts


@dataclass(frozen=True)
class collate:
    """Turns a list of crops into a ``Batch`` with the codec's targets."""

    codec: Codec

    def __call__(self, items: Sequence[Crop]) -> Batch:
        """Return the batch; all items have the same height and width."""
        height, width = items[0].pixels.shape[:2]
        targets = np.stack([self.codec.encode(item.points, width, height) for item in items])
        counts = np.stack([block_counts(item.points, width, height) for item in items])
        counted, certain = self._masks(items, targets)
        return Batch(
            images=torch.from_numpy(np.stack([item.pixels for item in items])).permute(0, 3, 1, 2),
            target=torch.from_numpy(targets if targets.dtype == np.uint8 else targets[:, None]),
            blocks=torch.from_numpy(counts),
            points=[item.points.xy for item in items],
            counted=counted,
            certain=certain,
        )

    def _masks(
        self, items: Sequence[Crop], targets: NDArray[Any]
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Return the pixels that count, and those of them whose target is certain; None where all are."""
        if all(item.counted is None for item in items):
            return None, None
        shape = items[0].pixels.shape[:2]
        masks = [np.ones(shape, bool) if item.counted is None else item.counted for item in items]
        certain = [self.codec.certain(target, mask) for target, mask in zip(targets, masks, strict=True)]
        return torch.from_numpy(np.stack(masks)), torch.from_numpy(np.stack(certain))
