"""The scale at which a large photo is read: heads of 400 px and heads of 6 px both come near the size trained on.

A photo is looked at small, then its most crowded parts at twice the size, and again, as long as heads are
still seen about as surely: the evidence, the sum of the heads' confidences, falls off where heads grow too large
for the network and rises where they were too small. Learning to scale then decides relative to this base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crowdscale.files.images import resize_image
from crowdscale.points import Box, Points

__all__ = ["Glance", "ReadScaleOptions", "choose_read_scale"]

Pixels = NDArray[np.uint8]


class Glance(Protocol):
    """What a look at a view says: people, and heads where the model gives any."""

    @property
    def points(self) -> Points | None:
        """Heads in pixels of the view."""
        ...

    def count_in(self, box: Box) -> float:
        """Number of people in a box of the view."""
        ...


@dataclass(frozen=True)
class ReadScaleOptions:
    """How the base scale of a photo is chosen."""

    above: int = 1_500_000
    """Photos of at most this many pixels are read as they are."""
    overview: int = 500_000
    """The first look shows the whole photo in at most this many pixels."""
    window: int = 384
    """Side in pixels of the parts that are looked at larger."""
    windows: int = 4
    """Number of these parts: the most crowded ones."""
    keep: float = 0.7
    """A larger scale is taken while its evidence is at least this share of the best: chosen on validation photos."""
    border: int = 32
    """Pixels around a part that are seen but not judged."""


@dataclass(frozen=True)
class Part:
    """A part of the photo that was looked at, in pixels of the original, and the evidence in its quarters."""

    box: Box
    look: Glance
    seen: Box
    scale: float

    def evidence(self, box: Box) -> float:
        """Sum of the confidences of heads in a box of the photo; people, where a model gives no heads."""
        left, top = self.seen.left, self.seen.top
        local = Box(
            *(
                max(0, round((edge - start) * self.scale))
                for edge, start in zip(box.as_tuple(), (left, top, left, top), strict=True)
            )
        )
        points = self.look.points
        if points is None:
            return max(0.0, self.look.count_in(local))
        inside = points.inside(local)
        return float(inside.confidence.sum() if inside.confidence is not None else len(inside))


def choose_read_scale(see: Callable[[Pixels], Glance], pixels: Pixels, options: ReadScaleOptions) -> float:
    """Return the side factor, a power of ½ or 1, at which a photo is best read.

    Args:
        see: Looks at (h, w, 3) pixels.
        pixels: (h, w, 3) the photo.
        options: The sizes of looks and when to stop.
    """
    height, width = pixels.shape[:2]
    if width * height <= options.above:
        return 1.0
    halvings = int(np.ceil(np.log2(width * height / options.overview) / 2))
    frame = Box(0, 0, width, height)
    parts = [_look(see, pixels, frame, 0.5**halvings, 0)]
    evidence = best = parts[0].evidence(frame)
    chosen = halvings
    for level in range(halvings - 1, -1, -1):
        boxes = _most_crowded(parts, options, 0.5**level)
        before = sum(part.evidence(box) for part, box in boxes)
        parts = [_look(see, pixels, box, 0.5**level, options.border) for _, box in boxes]
        now = sum(part.evidence(part.box) for part in parts)
        evidence = evidence * now / before if before >= 1 else evidence + now
        if evidence < options.keep * best and best >= 1:
            break
        best = max(best, evidence)
        if evidence > 0:
            chosen = level
    return float(0.5**chosen)


def _look(see: Callable[[Pixels], Glance], pixels: Pixels, box: Box, scale: float, border: int) -> Part:
    seen = box.grow(round(border / scale), (pixels.shape[0], pixels.shape[1]))
    view = resize_image(
        pixels[seen.slices], max(1, round(seen.width * scale)), max(1, round(seen.height * scale))
    )
    return Part(box, see(view), seen, scale)


def _most_crowded(parts: list[Part], options: ReadScaleOptions, scale: float) -> list[tuple[Part, Box]]:
    """Return the cells with the most evidence that fill a window at the next scale, each with its part."""
    cells = [(part, box) for part in parts for box in _cells(part.box, round(options.window / scale))]
    scores = np.array([part.evidence(box) for part, box in cells])
    if not scores.any():  # nobody seen yet: look all over
        return [cells[i] for i in np.linspace(0, len(cells) - 1, options.windows + 2).astype(int)[1:-1]]
    order = np.argsort(-scores, kind="stable")
    return [cells[i] for i in order[: options.windows]]


def _cells(box: Box, side: int) -> list[Box]:
    """Cut a box into a grid of equal cells of about ``side``."""
    columns, rows = max(1, round(box.width / side)), max(1, round(box.height / side))
    x = np.linspace(box.left, box.right, columns + 1).astype(int).tolist()
    y = np.linspace(box.top, box.bottom, rows + 1).astype(int).tolist()
    return [Box(x[i], y[j], x[i + 1], y[j + 1]) for j in range(rows) for i in range(columns)]
