"""Estimate: what a map says of people, in the photo's own pixels, and the operations that every estimate has.

The merge of both passes is the ownership rule: ``replace`` takes the people in a region's box from its second pass and
everyone else from the first. Nobody on the seam is counted twice or lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from crowdscale.arrays import Maps
from crowdscale.points import Box, Points

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Estimate", "PublishedEstimate"]


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
