"""What the network is shown of a photo: parts at its base scale, and parts enlarged out of its own pixels."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crowdscale.files.images import resize_image
from crowdscale.points import Box

__all__ = ["Canvas"]

Pixels = NDArray[np.uint8]


class Canvas:
    """A photo read at a base scale; boxes are in pixels of that scale.

    Args:
        pixels: (h, w, 3) the photo.
        base: Side factor of the base scale; above 1 the photo is enlarged.
    """

    def __init__(self, pixels: Pixels, base: float = 1.0) -> None:
        self.pixels = pixels
        self.width = max(1, round(pixels.shape[1] * base))
        self.height = max(1, round(pixels.shape[0] * base))

    @property
    def reduction(self) -> tuple[float, float]:
        """(x, y) factors that lead from the photo's pixels to the base scale."""
        return self.width / self.pixels.shape[1], self.height / self.pixels.shape[0]

    @cached_property
    def reduced(self) -> Pixels:
        """(height, width, 3) the photo at its base scale; the photo itself where that is 1."""
        return resize_image(self.pixels, self.width, self.height)

    def cut(self, box: Box) -> Pixels:
        """Return the pixels of a box."""
        return np.ascontiguousarray(self.reduced[box.slices])

    def enlarge(self, box: Box, factor: float) -> Pixels:
        """Return a box at ``factor`` times the base scale, with the details that the photo has."""
        width, height = max(1, round(box.width * factor)), max(1, round(box.height * factor))
        x, y = self.reduction
        if factor <= 1 or (x, y) == (1, 1):
            return _resize(self.reduced[box.slices], width, height)
        rows = slice(round(box.top / y), round(box.bottom / y))
        columns = slice(round(box.left / x), round(box.right / x))
        return _resize(self.pixels[rows, columns], width, height)


def _resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize by area where that loses more than half of the pixels, or the network's training way: bilinear."""
    import cv2

    if width * height * 2 < pixels.shape[0] * pixels.shape[1]:
        return resize_image(pixels, width, height)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
