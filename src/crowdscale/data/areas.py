"""Areas of a photo whose people are not annotated, as an annotation marks them: boxes and polygons → a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.files.decoder import photo_size
from crowdscale.points import Points

__all__ = ["Area", "Areas", "inside_mask", "run_areas"]

SHIFT = 4
"""Bits behind the point of the corners that OpenCV fills."""


@dataclass(frozen=True, eq=False)
class Area:
    """A polygon in pixels of the photo, the first pixel's centre at 0.

    Args:
        corners: (k, 2) x, y with k ≥ 3. An upright box of the pixels 0 … 9 has its corners at -0.5 and 9.5.
        label: Class of the shape; empty without one.

    Raises:
        DataError: There are fewer than 3 corners, or one is no finite number.
    """

    corners: NDArray[np.float64]
    label: str = ""

    def __post_init__(self) -> None:
        corners = Points(self.corners).xy
        if len(corners) < 3:
            raise DataError("expected an area of at least 3 corners", f"{len(corners)}")
        object.__setattr__(self, "corners", corners)

    @classmethod
    def of_box(cls, left: float, top: float, right: float, bottom: float, label: str = "") -> Area:
        """Return the area of the pixels from left and top to below right and bottom."""
        x, y = (left - 0.5, right - 0.5), (top - 0.5, bottom - 0.5)
        return cls(np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]), label)

    @classmethod
    def of_polygon(cls, xy: Sequence[Sequence[float]], label: str = "") -> Area:
        """Return the area of a polygon whose pixel 0 reaches from 0 to 1, as annotation tools count."""
        return cls(np.array([pair[:2] for pair in xy], np.float64).reshape(-1, 2) - 0.5, label)

    @property
    def upright(self) -> bool:
        """Whether it is a box with sides along the photo's."""
        return len(self.corners) == 4 and all(len(np.unique(axis)) <= 2 for axis in self.corners.T)

    def moved(self, move: Callable[[Points], Points]) -> Area:
        """Return the area with its corners moved."""
        return replace(self, corners=move(Points(self.corners)).xy)

    def to_list(self) -> list[Any]:
        """Return left, top, right, bottom of a box of whole pixels, or the [x, y] of the corners of another area."""
        edges = np.concatenate([self.corners.min(axis=0), self.corners.max(axis=0)]) + 0.5
        if self.upright and np.array_equal(edges, np.rint(edges)):
            whole: list[int] = edges.astype(int).tolist()
            return whole
        corners: list[list[float]] = (self.corners + 0.5).tolist()
        return corners

    def fill(self, mask: NDArray[np.uint8], value: int) -> None:
        """Set the pixels of a (h, w) mask whose centres lie in the area; of other polygons those on the edge, too."""
        if not self.upright:
            fixed = np.rint(self.corners * 2**SHIFT).astype(np.int32)
            cv2.fillPoly(mask, [fixed], value, shift=SHIFT)
            return
        height, width = mask.shape
        left, top = np.ceil(np.clip(self.corners.min(axis=0), 0, (width, height))).astype(int)
        right, bottom = np.ceil(np.clip(self.corners.max(axis=0), 0, (width, height))).astype(int)
        mask[top:bottom, left:right] = value


@dataclass(frozen=True, eq=False)
class Areas:
    """What of a photo counts, by areas: a region of interest like ``Mask``, without a file of its own.

    Args:
        size: (width, height) of the photo, or its file, whose header has them.
        ignored: Areas whose people are not annotated.
        only: Where there are any, nothing outside them is annotated, as outside the tiles of an audit.
    """

    size: tuple[int, int] | Path
    ignored: tuple[Area, ...] = ()
    only: tuple[Area, ...] = ()

    def read(self) -> NDArray[np.bool_]:
        """Return the (h, w) mask of the pixels that count."""
        width, height = photo_size(self.size) if isinstance(self.size, Path) else self.size
        mask = np.full((height, width), not self.only, np.uint8)
        for area in self.only:
            area.fill(mask, 1)
        for area in self.ignored:
            area.fill(mask, 0)
        return mask > 0


def run_areas(starts: Iterable[int], ends: Iterable[int], height: int, label: str = "") -> Iterator[Area]:
    """Yield areas of the pixels of runs down the columns of a mask of this height, each from start to below end."""
    for start, end in zip(starts, ends, strict=True):
        if end <= start:
            continue
        first, top = divmod(int(start), height)
        last, bottom = divmod(int(end) - 1, height)
        if first == last:
            yield Area.of_box(first, top, first + 1, bottom + 1, label)
            continue
        yield Area.of_box(first, top, first + 1, height, label)
        yield Area.of_box(last, 0, last + 1, bottom + 1, label)
        if last > first + 1:
            yield Area.of_box(first + 1, 0, last, height, label)


def inside_mask(points: Points, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which points lie in the (h, w) mask; those outside the photo do not."""
    columns, rows = np.floor(points.xy + 0.5).astype(np.int64).T
    height, width = mask.shape
    on = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    on[on] = mask[rows[on], columns[on]]
    return np.asarray(on)
