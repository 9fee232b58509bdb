"""Hybrid map: people in blocks give the count, minima of the distance labels give the heads, and both agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from crowdscale.arrays import Maps
from crowdscale.errors import ModelError, OptionError
from crowdscale.maps.agreement import keep_best
from crowdscale.maps.blocks import BLOCK, BlockEstimate
from crowdscale.maps.distance import DistanceLabels, window_minima
from crowdscale.maps.output import NetworkOutput
from crowdscale.points import Box, Points

__all__ = ["HybridEstimate", "HybridLabels"]


@dataclass(frozen=True, eq=False)
class HybridEstimate:
    """Candidates for heads and people in blocks; the blocks decide the number of heads in each part."""

    candidates: Points
    blocks: BlockEstimate
    part: int

    @property
    def count(self) -> float:
        """Number of people, by the blocks."""
        return self.blocks.count

    @property
    def density(self) -> Maps:
        """(rows, columns) people in each block."""
        return self.blocks.density

    @property
    def cell(self) -> int:
        """Side in pixels of a block."""
        return self.blocks.cell

    def of_tile(self, owned: Box) -> HybridEstimate:
        """Return the estimate as it is."""
        del owned
        return self

    @property
    def points(self) -> Points:
        """The candidates that agree with the blocks."""
        width, height = int(self.blocks.x_edges[-1]), int(self.blocks.y_edges[-1])
        x = np.arange(-(-width // self.part) + 1) * float(self.part)
        y = np.arange(-(-height // self.part) + 1) * float(self.part)
        masses = self.blocks.resample(np.asarray(x, np.float64), np.asarray(y, np.float64))
        return keep_best(self.candidates, masses, self.part)

    def count_in(self, box: Box) -> float:
        """Number of people in the box."""
        return self.blocks.count_in(box)

    def place(self, context: Box, width: int, height: int) -> HybridEstimate:
        """Return this estimate of an enlarged (width, height) view of ``context`` in the photo's pixels."""
        back = self.candidates.scale(context.width / width, context.height / height)
        moved = back.shift(context.left, context.top)
        return replace(self, candidates=moved, blocks=self.blocks.place(context, width, height))

    def replace(self, box: Box, second: HybridEstimate) -> HybridEstimate:
        """Return the estimate with people and candidates in ``box`` taken from ``second``."""
        heads = Points.concatenate([self.candidates.outside(box), second.candidates.inside(box)])
        return HybridEstimate(heads, self.blocks.replace(box, second.blocks), self.part)

    def blend(self, second: HybridEstimate, share: float) -> HybridEstimate:
        """Return the mean with this share of another estimate of the same frame, with the candidates of the larger share."""
        candidates = second.candidates if share >= 0.5 else self.candidates
        return HybridEstimate(candidates, self.blocks.blend(second.blocks, share), self.part)

    @staticmethod
    def join(parts: Sequence[tuple[Box, HybridEstimate]], width: int, height: int) -> HybridEstimate:
        """Return the estimate of a (width, height) photo from those of its parts, each owning its box."""
        heads = Points.concatenate([part.candidates.inside(box) for box, part in parts])
        blocks = BlockEstimate.join([(box, part.blocks) for box, part in parts], width, height, BLOCK)
        return HybridEstimate(heads, blocks, parts[0][1].part)


@dataclass(frozen=True)
class HybridLabels(DistanceLabels):
    """Distance labels whose minima are candidates: people in blocks decide how many of them are heads."""

    window: int = 3
    """Side in pixels (odd) of the neighbourhood in which a candidate is the lowest expected label."""
    ceiling: float = 6.0
    """An expected label at or above this is no candidate."""
    part: int = 64
    """Side in pixels of the smallest part of a photo in which heads and blocks agree."""

    counts_blocks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part < BLOCK:
            raise OptionError(f"expected a part of at least {BLOCK} pixels", str(self.part))

    def estimate(self, seen: NetworkOutput) -> HybridEstimate:
        """Return the candidates and the people in blocks of a network's output."""
        return self.read(seen.output, seen.blocks, seen.cell, seen.size)

    def read(  # type: ignore[override]
        self, output: Maps, blocks: Maps | None = None, cell: int = 1, size: tuple[int, int] | None = None
    ) -> HybridEstimate:
        """Return candidates and people in blocks of a network's output.

        Args:
            output: (2, ⌈h/cell⌉, ⌈w/cell⌉) expected and arg-max label.
            blocks: (⌈h/16⌉, ⌈w/16⌉) or more people in each block.
            cell: Side in pixels of the output's cells; candidates are the lowest of as many cells then.
            size: (h, w) of the view, for cells larger than pixels.

        Raises:
            ModelError: The network has no block counts.
        """
        if blocks is None:
            raise ModelError("expected block counts for a hybrid model", "none", "Export the model again")
        height, width = size or output.shape[1:]
        candidates = window_minima(output[0], self.window, self.ceiling)
        if cell > 1:
            last = np.array([width, height]) - 1.0
            places = np.clip((candidates.xy + 0.5) * cell - 0.5, 0, last)
            candidates = Points(places, candidates.confidence)
        return HybridEstimate(candidates, BlockEstimate.over(blocks, width, height), self.part)
