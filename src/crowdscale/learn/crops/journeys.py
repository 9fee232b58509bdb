"""Journeys of photos: what happened to a user's photo on its way, drawn at random for training crops.

Photos are rescaled by every filter, scaled by screens, sharpened, blurred, compressed once or twice and grained. A network
that has seen all of it counts heads, and not the texture that one filter leaves.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FILTERS", "compress", "grain", "resample", "rescale", "sharpen", "travel"]

Pixels = NDArray[np.uint8]

FILTERS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)
"""OpenCV's filters. All but the first alias where they reduce, as many programs do."""
CHANCES = (0.4, 0.25, 0.17, 0.13, 0.05)
"""How often each is drawn."""
REDUCED = 0.5
"""A crop is reduced to this share of its side at least, before it is enlarged again."""
QUALITIES = (20, 96)
"""JPEG qualities from the first to below the second."""


def resample(pixels: Pixels, width: int, height: int, random: np.random.Generator) -> Pixels:
    """Return the photo at another size by a filter drawn at random."""
    chosen = FILTERS[int(random.choice(len(FILTERS), p=CHANCES))]
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=chosen), np.uint8)


def rescale(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Return the crop reduced and enlarged again, each by a filter of its own: fine detail is gone."""
    height, width = pixels.shape[:2]
    share = random.uniform(REDUCED, 1)
    small = resample(pixels, max(8, round(width * share)), max(8, round(height * share)), random)
    return resample(small, width, height, random)


def sharpen(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Return the crop with an unsharp mask of random width and strength."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.6, 2.0))
    amount = random.uniform(0.3, 1.8)
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0), np.uint8)


def blur(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Return the crop out of focus, or with the trace of a motion."""
    if random.random() < 0.75:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.6)), np.uint8)
    angle, length = random.uniform(0, np.pi), random.uniform(1, 3)
    kernel = np.zeros((7, 7), np.float32)
    ends = [
        (round(3 + sign * length * np.cos(angle)), round(3 + sign * length * np.sin(angle)))
        for sign in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def compress(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Return the crop after a JPEG of random quality whose blocks begin anywhere."""
    top, left = (int(n) for n in random.integers(8, size=2))
    padded = cv2.copyMakeBorder(pixels, top, 0, left, 0, cv2.BORDER_REFLECT_101)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*QUALITIES))]
    written = cv2.imencode(".jpg", padded, quality)[
        1
    ]  # the order of channels is taken as BGR: a little other colours
    return np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR), np.uint8)[top:, left:]


def grain(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Return the crop with grain: noise in brightness, often coarser than a pixel."""
    height, width = pixels.shape[:2]
    noise = random.standard_normal((height, width), np.float32)
    width_of_grain = random.uniform(0, 1.2)
    if width_of_grain > 0.3:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), width_of_grain), np.float32)
        noise /= max(float(noise.std()), 1e-6)
    noise *= random.uniform(2, 14)
    return np.asarray(np.clip(pixels + noise[..., None], 0, 255), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    """Return the crop without colours."""
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def travel(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Return a crop that went a random way: some of all changes, in the order in which they happen to photos."""
    if random.random() < 0.3:
        pixels = blur(pixels, random)
    if random.random() < 0.25:
        pixels = grain(pixels, random)
    if random.random() < 0.15:
        pixels = grey(pixels)
    if random.random() < 0.45:
        pixels = compress(pixels, random)
    if random.random() < 0.35:
        pixels = rescale(pixels, random)
    if random.random() < 0.3:
        pixels = sharpen(pixels, random)
    if random.random() < 0.4:
        pixels = compress(pixels, random)
    return np.ascontiguousarray(pixels)
