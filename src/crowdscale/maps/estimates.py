"""Estimates: the people of a map in the photo's own pixels, and the operations of every estimate.

The merge of both passes is the ownership rule: ``replace`` takes the people in a region's box from its second pass and
everyone else from the first. Nobody on the seam is counted twice or lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Floats, Maps
from crowdscale.maps.blocks import BLOCK, BlockEstimate
from crowdscale.maps.heads import join_heads, move_back, replace_heads
from crowdscale.maps.overlaps import interval_shares
from crowdscale.points import Box, Points

if TYPE_CHECKING:
    from typing import Self

__all__ = ["DensityEstimate", "Estimate", "PointsEstimate", "PublishedEstimate"]


class Estimate(Protocol):
    """People in a part of a photo."""

    @property
    def points(self) -> Points | None:
        """Head positions; None for a map without heads."""
        ...

    @property
    def count(self) -> float:
        """Number of people."""
        ...

    @property
    def density(self) -> Maps | None:
        """(rows, columns) people in each cell of a grid; None for heads alone."""
        ...

    @property
    def cell(self) -> int:
        """Side in pixels of a cell of ``density``."""
        ...

    def count_in(self, box: Box) -> float:
        """Return the number of people in the box."""
        ...

    def place(self, context: Box, width: int, height: int) -> Self:
        """Return the estimate of an enlarged (width, height) view of ``context`` in the photo's pixels."""
        ...

    def replace(self, box: Box, second: Self) -> Self:
        """Return the estimate with the people in ``box`` taken from ``second``."""
        ...

    def blend(self, second: Self, share: float) -> Self:
        """Return the mean with this share of another estimate of the same frame."""
        ...

    def of_tile(self, owned: Box) -> Estimate:
        """Return the estimate of a tile that owns this box, as ``join`` takes it."""
        ...

    @staticmethod
    def join(parts: Sequence[tuple[Box, Any]], width: int, height: int) -> Estimate:
        """Return the estimate of a (width, height) photo from those of its tiles, each with the box it owns."""
        ...


class PublishedEstimate(Estimate, Protocol):
    """An estimate that the published merge can add to another."""

    def add(self, second: Any) -> Any:
        """Return all people of both estimates."""
        ...


@dataclass(frozen=True, eq=False)
class PointsEstimate:
    """Heads found in a distance label map; the count is their number."""

    points: Points

    @property
    def count(self) -> float:
        """Number of people."""
        return float(len(self.points))

    @property
    def density(self) -> None:
        """None: heads alone have no density."""
        return None

    @property
    def cell(self) -> int:
        """Side in pixels of the cells of other estimates of labels."""
        return BLOCK

    def of_tile(self, owned: Box) -> PointsEstimate:
        """Return the estimate as it is."""
        del owned
        return self

    def count_in(self, box: Box) -> float:
        """Number of people in the box."""
        return float(len(self.points.inside(box)))

    def place(self, context: Box, width: int, height: int) -> PointsEstimate:
        """Return this estimate of an enlarged (width, height) view of ``context`` in the photo's pixels."""
        back = self.points.scale(context.width / width, context.height / height)
        return PointsEstimate(back.shift(context.left, context.top))

    def replace(self, box: Box, second: PointsEstimate) -> PointsEstimate:
        """Return the estimate with the people in ``box`` taken from ``second``."""
        return PointsEstimate(Points.concatenate([self.points.outside(box), second.points.inside(box)]))

    def blend(self, second: PointsEstimate, share: float) -> PointsEstimate:
        """Return the estimate with the larger share: heads are there or not."""
        return second if share >= 0.5 else self

    @staticmethod
    def join(parts: Sequence[tuple[Box, PointsEstimate]], width: int, height: int) -> PointsEstimate:
        """Return the estimate of a (width, height) photo from those of its parts, each owning its box."""
        del width, height  # points need no frame
        return PointsEstimate(Points.concatenate([part.points.inside(box) for box, part in parts]))

    def add(self, second: PointsEstimate) -> PointsEstimate:
        """Return all people of both estimates (the published merge)."""
        return PointsEstimate(Points.concatenate([self.points, second.points]))


@dataclass(frozen=True, eq=False)
class DensityEstimate:
    """A density map over ``frame`` of the photo, one value a pixel; the count is its sum."""

    density: Maps
    frame: Box
    points: Points | None = None
    """The map's local maxima, where they are read as heads; the count is the sum all the same."""

    @property
    def cell(self) -> int:
        """Side in pixels of a value."""
        return 1

    def of_tile(self, owned: Box) -> BlockEstimate:
        """Return the people of the box in blocks, which need less memory than pixels."""
        return self.in_cells(owned, BLOCK)

    @property
    def count(self) -> float:
        """Number of people: never below zero."""
        return max(0.0, float(self.density.sum(dtype=np.float64)))

    def count_in(self, box: Box) -> float:
        """Number of people in the box."""
        return float(self.density[self._local(box)].sum(dtype=np.float64))

    def place(self, context: Box, width: int, height: int) -> DensityEstimate:
        """Return this estimate of an enlarged view of ``context`` in the photo's pixels; mass is kept."""
        heads = move_back(self.points, context, width, height)
        if (width, height) == (context.width, context.height):
            return DensityEstimate(self.density, context, heads)
        rows, columns = _pixel_shares(height, context.height), _pixel_shares(width, context.width)
        return DensityEstimate((rows @ self.density @ columns.T).astype(np.float32), context, heads)

    def replace(self, box: Box, second: DensityEstimate) -> DensityEstimate:
        """Return the estimate with the density in ``box`` taken from ``second``."""
        merged = self.density.copy()
        merged[self._local(box)] = second.density[second._local(box)]
        return DensityEstimate(merged, self.frame, replace_heads(self.points, box, second.points))

    def blend(self, second: DensityEstimate, share: float) -> DensityEstimate:
        """Return the mean with this share of another estimate of the same frame, with the heads of the larger share."""
        heads = second.points if share >= 0.5 else self.points
        density = (1 - share) * self.density + share * second.density
        return DensityEstimate(density.astype(np.float32), self.frame, heads)

    @staticmethod
    def join(parts: Sequence[tuple[Box, DensityEstimate]], width: int, height: int) -> DensityEstimate:
        """Return the estimate of a (width, height) photo from those of its parts, each owning its box."""
        whole = np.zeros((height, width), np.float32)
        for box, part in parts:
            whole[box.slices] = part.density[part._local(box)]
        heads = join_heads([(box, part.points) for box, part in parts])
        return DensityEstimate(whole, Box(0, 0, width, height), heads)

    def in_cells(self, box: Box, side: int) -> BlockEstimate:
        """Return the people of ``box`` summed over cells of ``side`` pixels; the last ones end with the box."""
        sums = _sum_rows(_sum_rows(self.density[self._local(box)], side).T, side).T
        rows, columns = (np.arange(0, length, side) for length in (box.height, box.width))
        x = np.append(columns, box.width).astype(np.float64) + box.left
        y = np.append(rows, box.height).astype(np.float64) + box.top
        return BlockEstimate(sums, x, y, self.points)

    def add(self, second: DensityEstimate) -> DensityEstimate:
        """Return the sum of both estimates (the published merge)."""
        merged = self.density.copy()
        merged[self._local(second.frame)] += second.density
        both = None if self.points is None or second.points is None else [self.points, second.points]
        return DensityEstimate(merged, self.frame, Points.concatenate(both) if both else None)

    def _local(self, box: Box) -> tuple[slice, slice]:
        left, top = self.frame.left, self.frame.top
        return slice(box.top - top, box.bottom - top), slice(box.left - left, box.right - left)


def _pixel_shares(cells: int, bins: int) -> Any:
    """Return the (bins, cells) shares of equal cells in equal bins of the same line, as float32."""
    return interval_shares(np.linspace(0, cells, bins + 1), np.arange(cells + 1.0)).astype(np.float32)


def _sum_rows(values: NDArray[Any], side: int) -> Floats:
    """Return (⌈h/side⌉, w) sums over each ``side`` rows; several times faster than np.add.reduceat."""
    whole = len(values) // side * side
    sums = values[:whole].reshape(-1, side, values.shape[1]).sum(axis=1, dtype=np.float64)
    if whole == len(values):
        return np.asarray(sums)
    return np.concatenate([sums, values[whole:].sum(axis=0, keepdims=True, dtype=np.float64)])
