"""Pictures of a data set: a contact sheet of annotated photos and a histogram of heads a photo."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from crowdscale.data.check import PhotoFacts
from crowdscale.drawing.heads import draw_points
from crowdscale.errors import CrowdscaleError
from crowdscale.files.images import read_image, resize_image

__all__ = ["contact_sheet", "heads_histogram"]

Pixels = NDArray[np.uint8]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

CELL = (400, 300)
"""(width, height) in pixels of a photo on the contact sheet."""
CAPTION, GAP, COLUMNS = 34, 12, 4
INK, PAPER, BAR, FAINT = (26, 30, 38), (247, 247, 245), (38, 110, 190), (205, 208, 212)
EDGES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
"""Lower ends of the histogram's bins: 1-2-5 steps, and a bin of its own for photos without heads."""


def contact_sheet(photos: Sequence[PhotoFacts]) -> Pixels:
    """Return a sheet of annotated photos, heads marked, with name and number of heads under each."""
    columns = min(COLUMNS, max(1, len(photos)))
    rows = -(-max(1, len(photos)) // columns)
    cell_w, cell_h = CELL[0] + GAP, CELL[1] + CAPTION + GAP
    sheet = Image.new("RGB", (columns * cell_w + GAP, rows * cell_h + GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(18)
    for index, photo in enumerate(photos):
        left, top = GAP + index % columns * cell_w, GAP + index // columns * cell_h
        try:
            picture = Image.fromarray(_thumbnail(photo))
        except CrowdscaleError:
            continue  # it could be read a moment ago; the sheet does without
        sheet.paste(picture, (left + (CELL[0] - picture.width) // 2, top + CELL[1] - picture.height))
        heads = len(photo.points) if photo.points is not None else 0
        name = photo.name if len(photo.name) <= 26 else "…" + photo.name[-25:]
        draw.text((left, top + CELL[1] + 5), name, INK, font)
        text = f"{heads:,}"
        draw.text((left + CELL[0] - draw.textlength(text, font), top + CELL[1] + 5), text, BAR, font)
    return np.asarray(sheet)


def _thumbnail(photo: PhotoFacts) -> Pixels:
    pixels = read_image(photo.path).pixels
    factor = min(CELL[0] / pixels.shape[1], CELL[1] / pixels.shape[0])
    width, height = max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor))
    small = resize_image(pixels, width, height) if factor < 1 else cv2.resize(pixels, (width, height))
    if photo.points is None:
        return np.asarray(small, np.uint8)
    points = photo.points.scale(width / pixels.shape[1], height / pixels.shape[0])
    return draw_points(np.asarray(small, np.uint8), points)


def heads_histogram(counts: Sequence[int], title: str) -> Pixels:
    """Return a histogram of heads a photo with 1-2-5 bins, photos on each bar, as (h, w, 3) RGB."""
    edges = np.array((*EDGES, 10**9))
    heights = np.histogram(np.asarray(counts, np.int64), edges)[0]
    first, last = np.flatnonzero(heights)[[0, -1]] if len(counts) else (0, 0)
    shown = list(range(int(first), int(last) + 1))
    bar, base, top = 96, 400, 90
    width = max(120 + bar * len(shown), 720)
    picture = Image.new("RGB", (width, 500), PAPER)
    draw = ImageDraw.Draw(picture)
    large, small = ImageFont.load_default(24), ImageFont.load_default(16)
    draw.text((40, 20), title, INK, large)
    median = (
        f"median {np.median(counts):,.0f}, largest {max(counts):,}" if len(counts) else "no labelled photo"
    )
    draw.text((40, 52), f"{len(counts):,} photos, {sum(counts):,} heads, {median}", INK, small)
    start = (width - bar * len(shown)) // 2
    draw.line((start - 10, base, start + bar * len(shown) + 10, base), FAINT, 2)
    for place, index in enumerate(shown):
        left = start + place * bar
        tall = round((base - top - 30) * heights[index] / max(1, heights.max()))
        if heights[index]:
            draw.rectangle((left + 6, base - tall, left + bar - 6, base), BAR)
        _centred(draw, left + bar / 2, base - tall - 22, f"{heights[index]}" if heights[index] else "", small)
        _centred(draw, left + bar / 2, base + 8, _bin_name(index), small)
    _centred(draw, width / 2, base + 44, "heads a photo", small)
    return np.asarray(picture)


def _bin_name(index: int) -> str:
    low = EDGES[index]
    if index + 1 == len(EDGES):
        return f"{low} up"
    high = EDGES[index + 1] - 1
    return f"{low}" if low == high else f"{low}-{high}"  # the bundled font has no dash


def _centred(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, font: Font) -> None:
    draw.text((x - draw.textlength(text, font) / 2, y), text, INK, font)
