"""Tiles: cells as people see them, enlarged, with a margin that is darkened and not counted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.points import Box

__all__ = ["TileView"]

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

SHOWN = 1000
"""Longest side in pixels to which a small tile is enlarged."""
MOST_SHOWN = 1600
"""Longest side in pixels of a large tile, which is not enlarged."""
MOST_ZOOM = 8.0
MARGIN = 0.15
"""Darkened margin, as a part of the longer side."""
LEAST_MARGIN = 12
"""In pixels of the photo."""
DARKENED = 0.4
BORDER = (255, 214, 0)
"""RGB of the line around the cell."""


@dataclass(frozen=True)
class TileView:
    """How a cell is shown."""

    box: Box
    """The cell."""
    shown: Box
    """The cell with its margin."""
    zoom: float
    """Side factor."""

    @classmethod
    def of(cls, box: Box, size: tuple[int, int]) -> TileView:
        """Return the view of a cell of a (width, height) photo."""
        margin = max(LEAST_MARGIN, round(MARGIN * max(box.width, box.height)))
        shown = box.grow(margin, (size[1], size[0]))
        longest = max(shown.width, shown.height)
        return cls(box, shown, min(MOST_ZOOM, max(SHOWN / longest, min(1.0, MOST_SHOWN / longest))))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture."""
        return max(1, round(self.shown.width * self.zoom)), max(1, round(self.shown.height * self.zoom))

    @property
    def _factors(self) -> Floats:
        return np.array(self.size) / (self.shown.width, self.shown.height)

    def to_photo(self, xy: Floats) -> Floats:
        """Return (n, 2) positions of the picture in pixels of the photo, by the half-pixel rule."""
        return (np.asarray(xy, np.float64) + 0.5) / self._factors - 0.5 + (self.shown.left, self.shown.top)

    def to_picture(self, xy: Floats) -> Floats:
        """Return (n, 2) positions of the photo in pixels of the picture."""
        return (np.asarray(xy, np.float64) - (self.shown.left, self.shown.top) + 0.5) * self._factors - 0.5

    def frame(self) -> tuple[int, int, int, int]:
        """Return (left, top, right, bottom) of the cell in pixels of the picture."""
        x, y = self._factors
        left, top = self.shown.left, self.shown.top
        edges = ((self.box.left - left) * x, (self.box.top - top) * y)
        ends = ((self.box.right - left) * x, (self.box.bottom - top) * y)
        return round(edges[0]), round(edges[1]), round(ends[0]), round(ends[1])

    def picture(self, pixels: Pixels, marked: bool = True) -> Pixels:
        """Return the (h, w, 3) picture of the cell, cut out of the photo.

        Args:
            pixels: (h, w, 3) RGB of the photo.
            marked: Darken the margin and draw the border.
        """
        method = cv2.INTER_CUBIC if self.zoom > 1 else cv2.INTER_AREA
        picture = cv2.resize(np.ascontiguousarray(pixels[self.shown.slices]), self.size, interpolation=method)
        if not marked:
            return np.asarray(picture, np.uint8)
        left, top, right, bottom = self.frame()
        result = (picture * DARKENED).astype(np.uint8)
        result[top:bottom, left:right] = picture[top:bottom, left:right]
        cv2.rectangle(result, (left - 2, top - 2), (right + 1, bottom + 1), BORDER, 2)
        return result
