"""Legible text on pictures: its size, its pixels, and the signs that the built-in font lacks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from crowdscale.errors import ImageError

__all__ = ["INK", "PAPER", "Colour", "blend_text", "checked_image", "text_mask", "text_size"]

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

INK: Colour = (12, 14, 20)
PAPER: Colour = (245, 246, 248)


def checked_image(image: Pixels) -> Pixels:
    """Return the image. Raises ImageError unless it is (h, w, 3) uint8 with a pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ImageError("expected RGB pixels as (h, w, 3) uint8", f"shape {image.shape} of {image.dtype}")
    return image


def text_size(image: Pixels) -> int:
    """Size of text in pixels that is legible on a photo of this size and no larger."""
    return int(np.clip(np.sqrt(image.shape[0] * image.shape[1]) / 54, 12, 96))


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def text_mask(text: str, size: int, most: int) -> Pixels:
    """Return the (h, w) coverage of one line of text, made smaller where wider than ``most`` pixels."""
    face, text = _font(size), text.replace("\n", " ")
    pieces = [piece for piece in re.split("([ ×–→])", text) if piece]
    widths = [_drawn_width(p, size) if p in DRAWN else round(face.getlength(p)) for p in pieces]
    mask = Image.new("L", (max(1, sum(widths)), round(1.25 * size)))
    pen, left = ImageDraw.Draw(mask), 0
    for piece, width in zip(pieces, widths, strict=True):
        if piece not in DRAWN:
            pen.text((left, 0.98 * size), piece, fill=255, font=face, anchor="ls")
        left += width
    pixels, left = np.asarray(mask).copy(), 0
    for piece, width in zip(pieces, widths, strict=True):
        if piece in DRAWN:
            _draw_sign(pixels, piece, left, size)
        left += width
    if pixels.shape[1] > max(1, most):
        factor = max(1, most) / pixels.shape[1]
        pixels = cv2.resize(
            pixels, (max(1, most), max(1, round(pixels.shape[0] * factor))), interpolation=cv2.INTER_AREA
        )
    return pixels


DRAWN: dict[str, tuple[float, list[tuple[float, float, float, float]]]] = {
    " ": (0.34, []),
    "×": (0.62, [(0.12, 0.46, 0.5, 0.84), (0.12, 0.84, 0.5, 0.46)]),
    "–": (0.58, [(0.06, 0.68, 0.5, 0.68)]),
    "→": (0.95, [(0.08, 0.65, 0.87, 0.65), (0.62, 0.42, 0.87, 0.65), (0.62, 0.88, 0.87, 0.65)]),
}
"""Signs that Pillow's built-in font lacks (its space is too narrow): width, strokes (x, y, x, y), in text sizes."""


def _drawn_width(sign: str, size: int) -> int:
    return round(DRAWN[sign][0] * size)


def _draw_sign(mask: Pixels, sign: str, left: int, size: int) -> None:
    """Draw a missing sign with strokes as heavy as the font's."""
    for stroke in DRAWN[sign][1]:
        x, y, to_x, to_y = (round(16 * value * size) for value in stroke)
        start, end = (16 * left + x, y), (16 * left + to_x, to_y)
        cv2.line(mask, start, end, 255, max(1, round(size / 17)), cv2.LINE_AA, 4)


def blend_text(canvas: Pixels, mask: Pixels, left: int, top: int, colour: Colour) -> None:
    """Blend text coverage into the canvas at (left, top), cut at its border."""
    top, left = max(0, top), max(0, left)
    place = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    cover = mask[: place.shape[0], : place.shape[1], None] / 255.0
    place[:] = np.rint(place + (np.asarray(colour) - place) * cover).astype(np.uint8)
