"""Hard negatives: training crops with nobody in them, cut from where nobody stands in the photos."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.points import Points

__all__ = ["empty_crop"]

Pixels = NDArray[np.uint8]

TRIES = 20
"""Windows tried in a photo before it counts as full of people."""

SMALLEST = 64
"""Side in pixels of the smallest window: below it, enlargement leaves nothing but blur."""

AROUND = 2.0
"""Spacings of the nearest head by which it stays away from an empty window: its body and its neighbours do, too."""


def empty_crop(
    pixels: Pixels,
    points: Points,
    side: int,
    random: np.random.Generator,
    counted: NDArray[np.bool_] | None = None,
) -> Pixels | None:
    """Return a (side, side, 3) crop without people, None where the photo has no empty window.

    Args:
        pixels: (h, w, 3) a training photo.
        points: Its heads.
        side: Side of the crop in pixels.
        random: The crop's random numbers.
        counted: (h, w) pixels that are not ignored, the only ones of which it is known that nobody is there; None: all.
    """
    window = _empty_window(pixels, points, side, random, counted)
    if window is None:
        return None
    left, top, size = window
    method = cv2.INTER_AREA if size > side else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(pixels[top : top + size, left : left + size], (side, side), interpolation=method), np.uint8
    )


def _empty_window(
    pixels: Pixels,
    points: Points,
    side: int,
    random: np.random.Generator,
    counted: NDArray[np.bool_] | None,
) -> tuple[int, int, int] | None:
    """Return left, top and side of a square without a head in or near it; None after ``TRIES`` others."""
    height, width = pixels.shape[:2]
    largest = min(height, width, 2 * side)
    if largest < SMALLEST:
        return None
    spacing = points.spacing()
    away = AROUND * (min(spacing, 64.0) if np.isfinite(spacing) else 64.0)
    for _ in range(TRIES):
        size = round(math.exp(random.uniform(math.log(SMALLEST), math.log(largest))))
        left = int(random.integers(0, width - size + 1))
        top = int(random.integers(0, height - size + 1))
        near = (points.xy > (left - away, top - away)) & (points.xy < (left + size + away, top + size + away))
        whole = counted is None or counted[top : top + size, left : left + size].all()
        if whole and not near.all(axis=1).any():
            return left, top, size
    return None
