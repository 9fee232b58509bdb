"""People in the cells of a grid: the estimate of block counts and of densities in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crowdscale.arrays import Floats, Maps
from crowdscale.maps.heads import join_heads, move_back, replace_heads
from crowdscale.maps.overlaps import interval_shares
from crowdscale.points import Box, Points

__all__ = ["BLOCK", "BlockEstimate"]

BLOCK = 16
"""Side in pixels of the blocks whose people a network counts."""


@dataclass(frozen=True, eq=False)
class BlockEstimate:
    """People in a grid of cells; a cell's people are spread evenly over it.

    Args:
        people: (rows, columns) people in each cell.
        x_edges: (columns + 1,) borders in pixels of the photo, whose first pixel spans 0 to 1.
        y_edges: (rows + 1,).
        points: Heads, or None.
    """

    people: Floats
    x_edges: Floats
    y_edges: Floats
    points: Points | None = None
    """Heads of the map that the cells sum up; cells alone give no positions."""

    @classmethod
    def over(cls, blocks: Maps, width: int, height: int) -> BlockEstimate:
        """Return the estimate of a (rows, columns) output over a view; the last blocks end with the view."""
        rows, columns = -(-height // BLOCK), -(-width // BLOCK)
        x = np.minimum(np.arange(columns + 1) * BLOCK, width).astype(np.float64)
        y = np.minimum(np.arange(rows + 1) * BLOCK, height).astype(np.float64)
        return cls(np.maximum(blocks[:rows, :columns], 0).astype(np.float64), x, y)

    @property
    def count(self) -> float:
        """Number of people."""
        return float(self.people.sum())

    @property
    def density(self) -> Maps:
        """(rows, columns) people in each cell."""
        return self.people.astype(np.float32)

    @property
    def cell(self) -> int:
        """Side in pixels of a cell of a whole photo's grid."""
        return BLOCK

    def of_tile(self, owned: Box) -> BlockEstimate:
        """Return the estimate as it is."""
        del owned
        return self

    def count_in(self, box: Box) -> float:
        """Number of people in the box."""
        x, y = np.array([box.left, box.right], float), np.array([box.top, box.bottom], float)
        return float(self.resample(x, y).sum())

    def resample(self, x_edges: Floats, y_edges: Floats) -> Floats:
        """Return the people in each cell of another grid; what lies beside it is left out."""
        rows, columns = interval_shares(y_edges, self.y_edges), interval_shares(x_edges, self.x_edges)
        return np.asarray(rows @ self.people @ columns.T)

    def place(self, context: Box, width: int, height: int) -> BlockEstimate:
        """Return this estimate of an enlarged (width, height) view of ``context`` in the photo's pixels."""
        x = self.x_edges * (context.width / width) + context.left
        y = self.y_edges * (context.height / height) + context.top
        return BlockEstimate(self.people, x, y, move_back(self.points, context, width, height))

    def replace(self, box: Box, second: BlockEstimate) -> BlockEstimate:
        """Return the estimate with the people in ``box`` taken from ``second``; mass is kept exactly."""
        x, y = (np.clip(self.x_edges, box.left, box.right), np.clip(self.y_edges, box.top, box.bottom))
        covered = np.outer(np.diff(y) / np.diff(self.y_edges), np.diff(x) / np.diff(self.x_edges))
        inside = second.resample(np.asarray(x, np.float64), np.asarray(y, np.float64))
        heads = replace_heads(self.points, box, second.points)
        return BlockEstimate(self.people * (1 - covered) + inside, self.x_edges, self.y_edges, heads)

    def blend(self, second: BlockEstimate, share: float) -> BlockEstimate:
        """Return the mean with this share of another estimate in the same cells, with the heads of the larger share."""
        heads = second.points if share >= 0.5 else self.points
        people = (1 - share) * self.people + share * second.people
        return BlockEstimate(people, self.x_edges, self.y_edges, heads)

    @staticmethod
    def join(
        parts: Sequence[tuple[Box, BlockEstimate]], width: int, height: int, side: int = BLOCK
    ) -> BlockEstimate:
        """Return the estimate of a (width, height) photo from those of its tiles, each with the box it owns.

        Boxes begin at multiples of ``side``, the side of a cell of the whole.
        """
        x = np.append(np.arange(0, width, side), width).astype(np.float64)
        y = np.append(np.arange(0, height, side), height).astype(np.float64)
        people = np.zeros((len(y) - 1, len(x) - 1))
        for box, part in parts:
            rows = slice(box.top // side, -(-box.bottom // side))
            columns = slice(box.left // side, -(-box.right // side))
            ours = x[columns.start : columns.stop + 1], y[rows.start : rows.stop + 1]
            people[rows, columns] = part.resample(*ours)
        return BlockEstimate(people, x, y, join_heads([(box, part.points) for box, part in parts]))
