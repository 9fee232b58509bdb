"""Points (head positions) and boxes in pixel coordinates: the values that flow through the whole package.

A point is ``(x, y)`` in pixels of the photo: x to the right, y down, the centre of the top-left
pixel at (0, 0). So a photo of width w spans x from -0.5 to w - 0.5. Arrays indexed ``[row, column]``
hold the pixel nearest to a point at ``[round(y), round(x)]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdscale.errors import DataError, OptionError

__all__ = ["Box", "Points", "nearest_distances"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels, half-open: left <= x < right, top <= y < bottom."""

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if self.right < self.left or self.bottom < self.top:
            raise OptionError("expected a box with left <= right and top <= bottom", str(self.as_tuple()))

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """The (row, column) slices that cut this box out of an array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def as_tuple(self) -> tuple[int, int, int, int]:
        """Return (left, top, right, bottom)."""
        return self.left, self.top, self.right, self.bottom

    def shift(self, dx: int, dy: int) -> Box:
        """Return the box moved by (dx, dy) pixels."""
        return Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def grow(self, margin: int, within: tuple[int, int]) -> Box:
        """Return the box enlarged by ``margin`` pixels on each side, cut to a (height, width) frame."""
        height, width = within
        return Box(
            max(0, self.left - margin),
            max(0, self.top - margin),
            min(width, self.right + margin),
            min(height, self.bottom + margin),
        )

    def in_cells(self, side: int) -> Box:
        """Return the box in cells of ``side`` pixels, those that it touches."""
        return Box(self.left // side, self.top // side, -(-self.right // side), -(-self.bottom // side))

    def in_pixels(self, side: int) -> Box:
        """Return a box in cells of ``side`` pixels in pixels."""
        return Box(side * self.left, side * self.top, side * self.right, side * self.bottom)

    def around(self, other: Box) -> Box:
        """Return the smallest box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def within(self, other: Box) -> Box:
        """Return the part that lies in ``other``; an empty box where nothing does."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Box(
            left, top, max(left, min(self.right, other.right)), max(top, min(self.bottom, other.bottom))
        )

    def touches(self, other: Box) -> bool:
        """Return whether both share a pixel, an edge or a corner."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )

    def contains(self, xy: Floats) -> NDArray[np.bool_]:
        """Return which of the (n, 2) points lie in a pixel of this box: the ownership rule of merging.

        A point belongs to the pixel that it rounds to (half up), so each point of the photo
        belongs to exactly one of two boxes that share an edge.
        """
        x, y = np.floor(xy[:, 0] + 0.5), np.floor(xy[:, 1] + 0.5)
        return (x >= self.left) & (x < self.right) & (y >= self.top) & (y < self.bottom)


@dataclass(frozen=True, eq=False)
class Points:
    """Head positions of one photo, with an optional confidence for each.

    Args:
        xy: (n, 2) array of (x, y) in pixels; no points is shape (0, 2).
        confidence: (n,) array in 0…1, or None where nothing is known of it.

    Raises:
        DataError: The shape is not (n, 2), or a value is NaN or infinite.
    """

    xy: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    confidence: Floats | None = None

    def __post_init__(self) -> None:
        xy = _readonly(self.xy)
        if xy.size == 0:
            xy = _readonly(np.zeros((0, 2)))
        if xy.ndim != 2 or xy.shape[1] != 2:
            raise DataError("expected points as an (n, 2) array of (x, y)", f"shape {xy.shape}")
        if not np.isfinite(xy).all():
            bad = int((~np.isfinite(xy)).any(axis=1).sum())
            raise DataError("expected finite point coordinates", f"{bad} with NaN or infinity")
        object.__setattr__(self, "xy", xy)
        if self.confidence is not None:
            confidence = _readonly(self.confidence)
            if confidence.shape != (len(xy),):
                raise DataError(f"expected {len(xy)} confidences", f"shape {confidence.shape}")
            object.__setattr__(self, "confidence", confidence)

    def __len__(self) -> int:
        return len(self.xy)

    __hash__ = None  # type: ignore[assignment]  # compared by value, like an array

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Points):
            return NotImplemented
        same = np.array_equal(self.xy, other.xy)
        if self.confidence is None or other.confidence is None:
            return same and self.confidence is other.confidence
        return same and np.array_equal(self.confidence, other.confidence)

    def select(self, mask: NDArray[Any]) -> Points:
        """Return the points chosen by a boolean mask or an index array."""
        return Points(self.xy[mask], None if self.confidence is None else self.confidence[mask])

    def inside(self, box: Box) -> Points:
        """Return the points in the half-open ``box``, in the same coordinates."""
        return self.select(box.contains(self.xy))

    def outside(self, box: Box) -> Points:
        """Return the points not in the half-open ``box``."""
        return self.select(~box.contains(self.xy))

    def crop(self, box: Box) -> Points:
        """Return the points in ``box``, moved into its coordinates."""
        return self.inside(box).shift(-box.left, -box.top)

    def shift(self, dx: float, dy: float) -> Points:
        """Return the points moved by (dx, dy) pixels."""
        return Points(self.xy + np.array((dx, dy)), self.confidence)

    def within(self, width: int, height: int) -> Points:
        """Return the points, those beyond the outermost pixels' centres of a photo of this size moved onto these."""
        return Points(np.clip(self.xy, 0, (width - 1, height - 1)), self.confidence)

    def scale(self, factor_x: float, factor_y: float | None = None) -> Points:
        """Return the points where a resize by these factors moves them.

        Pixel centres follow the half-pixel rule of image resizing: x' = (x + 0.5)·f - 0.5.
        """
        factors = np.array([factor_x, factor_x if factor_y is None else factor_y])
        if not (factors > 0).all():
            raise OptionError("expected positive scale factors", str(factors.tolist()))
        return Points((self.xy + 0.5) * factors - 0.5, self.confidence)

    def flip(self, width: int) -> Points:
        """Return the points of the photo of this width mirrored left to right."""
        return Points(self.xy * (-1, 1) + (width - 1, 0), self.confidence)

    def spacing(self) -> float:
        """Return the mean distance to the nearest neighbour in pixels: the closeness S of Eq. 1.

        NaN with fewer than two points, which have no neighbour.
        """
        return float(nearest_distances(self.xy).mean()) if len(self) > 1 else float("nan")

    @classmethod
    def concatenate(cls, parts: list[Points]) -> Points:
        """Return all points of the parts in order; confidence is kept where every part has it."""
        if not parts:
            return cls()
        xy = np.concatenate([part.xy for part in parts])
        confidences = [part.confidence for part in parts if part.confidence is not None]
        return cls(xy, np.concatenate(confidences) if len(confidences) == len(parts) else None)


FEW = 1000
"""Up to as many points all distances are computed: the count of one photo need not wait for SciPy to load."""

ROWS = 64
"""Points whose distances to all others are held at a time: what fits into a cache."""


def nearest_distances(xy: Floats, k: int = 1) -> Floats:
    """Return for each of the (n, 2) points the mean distance to its k nearest others, in pixels.

    With fewer than k others those that exist are used; a lone point has distance NaN.
    """
    if len(xy) < 2:
        return np.full(len(xy), np.nan)
    neighbours = min(k, len(xy) - 1)
    if len(xy) <= FEW:
        near = _nearest_few(xy, neighbours)
    else:
        from scipy.spatial import cKDTree

        near = np.asarray(cKDTree(xy).query(xy, k=neighbours + 1)[0])  # itself among them, at 0
    return np.asarray(near.sum(axis=1) / neighbours, dtype=np.float64)


def _nearest_few(xy: Floats, neighbours: int) -> Floats:
    """Return the (n, neighbours) distances to the nearest others, by all distances."""
    x, y = np.ascontiguousarray(xy.T)
    near = np.empty((len(x), neighbours))
    for first in range(0, len(x), ROWS):
        rows = slice(first, first + ROWS)
        squares = (x[rows, None] - x) ** 2 + (y[rows, None] - y) ** 2
        own = np.arange(len(squares))
        squares[own, first + own] = np.inf  # no point is its own neighbour
        if neighbours > 1:
            squares.partition(neighbours - 1, axis=1)
            near[rows] = squares[:, :neighbours]
        else:
            squares.min(axis=1, keepdims=True, out=near[rows])
    return np.sqrt(near)


def _readonly(values: ArrayLike) -> Floats:
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array
