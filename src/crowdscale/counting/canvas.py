"""Canvas: parts of a photo at its read scale, and parts enlarged from its own pixels."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from crowdscale.arrays import Pixels
from crowdscale.files.images import resize_image
from crowdscale.points import Box

__all__ = ["Canvas"]


class Canvas:
    """A photo at its read scale; boxes are in pixels of that scale.

    Args:
        pixels: (h, w, 3) the photo.
        read_scale: Side factor; above 1 the photo is enlarged.
    """

    def __init__(self, pixels: Pixels, read_scale: float = 1.0) -> None:
        self.pixels = pixels
        self.width = max(1, round(pixels.shape[1] * read_scale))
        self.height = max(1, round(pixels.shape[0] * read_scale))

    @property
    def scales(self) -> tuple[float, float]:
        """(x, y) factors from the photo's pixels to the read scale."""
        return self.width / self.pixels.shape[1], self.height / self.pixels.shape[0]

    @cached_property
    def reduced(self) -> Pixels:
        """(height, width, 3) the photo at its read scale; the photo itself at 1."""
        return resize_image(self.pixels, self.width, self.height)

    def cut(self, box: Box) -> Pixels:
        """Return the pixels of a box."""
        return np.ascontiguousarray(self.reduced[box.slices])

    def enlarge(self, box: Box, zoom: float) -> Pixels:
        """Return a box at ``zoom`` times the read scale, with the details of the photo's own pixels."""
        width, height = max(1, round(box.width * zoom)), max(1, round(box.height * zoom))
        x, y = self.scales
        if zoom <= 1 or (x, y) == (1, 1):
            return _resize(self.reduced[box.slices], width, height)
        rows = slice(round(box.top / y), round(box.bottom / y))
        columns = slice(round(box.left / x), round(box.right / x))
        return _resize(self.pixels[rows, columns], width, height)


def _resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize by area where more than half of the pixels go, otherwise bilinear as in training."""
    import cv2

    if width * height * 2 < pixels.shape[0] * pixels.shape[1]:
        return resize_image(pixels, width, height)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
