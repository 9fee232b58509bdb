"""Pictures of a count: heads and regions; each function takes an RGB image and returns a new one.

Sizes follow the photo and the crowd in it: a mark never hides its neighbours, a label never fills a thumbnail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crowdscale.arrays import Booleans, Floats, Maps, Pixels
from crowdscale.drawing.captions import draw_caption, draw_captions, people_text
from crowdscale.drawing.text import INK, PAPER, Colour, blend_text, checked_image, text_mask, text_size
from crowdscale.errors import OptionError
from crowdscale.files.images import resize_image
from crowdscale.points import Box, Points, nearest_distances

if TYPE_CHECKING:
    from datetime import datetime

    from crowdscale.counting.prediction import Prediction, Region

__all__ = [
    "annotate",
    "draw_points",
    "draw_regions",
    "draw_zoom",
    "drawable",
    "side_by_side",
]

YELLOW: Colour = (255, 221, 26)
CYAN: Colour = (60, 230, 255)

RING_SPACING = 0.4
"""Radius of a ring over the distance to the nearest neighbours: two rings just do not touch."""
RING_LEAST = 5.0
"""Radius in pixels below which a ring would be no more than a blot: a small point stands there instead."""
POINT_SPACING = 0.16
"""Radius of a point over the distance to its nearest neighbours."""
DRAWN_PIXELS = 6_000_000
"""Larger photos are reduced to this many pixels before they are drawn: 3000×2000, about 0.5 GB at the peak."""


def draw_points(
    image: Pixels, points: Points, colour: Colour = YELLOW, radius: float | None = None
) -> Pixels:
    """Return the image with a mark on every head: an open ring where there is room, a small point in a crowd.

    Args:
        image: (h, w, 3) RGB uint8.
        points: Heads in pixels of the image.
        colour: RGB of the marks.
        radius: Radius in pixels of all marks, which are points; None follows local spacing and the photo's size.
    """
    canvas = checked_image(image).astype(np.float32)
    if radius is None:
        rings, radii = _marks(points, image.shape[:2])
    else:
        rings, radii = np.zeros(len(points), bool), np.full(len(points), float(radius))
    widths = np.where(rings, np.maximum(1.5, 0.17 * radii), radii)
    rims = np.where(rings, 0.8, np.maximum(0.6, 0.3 * radii))
    marks = list(zip(points.xy.tolist(), radii.tolist(), widths.tolist(), rims.tolist(), strict=True))
    for (x, y), outer, width, rim in marks:
        _ring(canvas, x, y, (outer - width - rim, outer + rim), INK, 0.7)
    for (x, y), outer, width, _ in marks:
        _ring(canvas, x, y, (outer - width, outer), colour, 1.0)
    return np.asarray(np.rint(canvas), np.uint8)


def drawable(image: Pixels) -> Pixels:
    """Return the image, reduced to ``DRAWN_PIXELS`` where it is larger."""
    height, width = image.shape[:2]
    factor = min(1.0, (DRAWN_PIXELS / (width * height)) ** 0.5)
    return resize_image(image, max(1, int(width * factor)), max(1, int(height * factor)))


def _marks(points: Points, shape: tuple[int, ...]) -> tuple[Booleans, Floats]:
    """Return which marks are rings, and the outer radius in pixels of each mark.

    Both follow the local spacing, within bounds of the photo's size.
    """
    side = float(np.sqrt(shape[0] * shape[1]))
    near = nearest_distances(points.xy, 3)
    near = np.where(np.isnan(near), side, near)
    ring = np.minimum(RING_SPACING * near, 5 + 0.0055 * side)
    point = np.clip(POINT_SPACING * near, min(1.2, 0.01 * side), 1.2 + 0.0012 * side)
    rings = ring >= RING_LEAST
    return rings, np.where(rings, ring, point)


def _ring(canvas: Maps, x: float, y: float, radii: tuple[float, float], colour: Colour, alpha: float) -> None:
    """Blend an anti-aliased ring into a float canvas, cut at its border; an inner radius below 0 gives a disc."""
    height, width = canvas.shape[:2]
    inner, outer = radii
    reach = outer + 1
    left, right = max(0, int(np.ceil(x - reach))), min(width, int(x + reach) + 1)
    top, bottom = max(0, int(np.ceil(y - reach))), min(height, int(y + reach) + 1)
    if left >= right or top >= bottom:
        return
    distance = np.hypot(np.arange(left, right)[None] - x, np.arange(top, bottom)[:, None] - y)
    cover = np.clip(outer + 0.5 - distance, 0, 1)
    if inner > 0:
        cover *= np.clip(distance - inner + 0.5, 0, 1)
    patch = canvas[top:bottom, left:right]
    patch += (np.asarray(colour, np.float32) - patch) * (alpha * cover)[..., None]


def draw_regions(image: Pixels, regions: Sequence[Region], colour: Colour = CYAN) -> Pixels:
    """Return the image with each region's box, the size at which it is read again, and its people."""
    canvas = checked_image(image).copy()
    thickness = max(1, round(text_size(canvas) / 8))
    for region in regions:
        left, top, right, bottom = region.box.as_tuple()
        corners = (left, top), (max(left, right - 1), max(top, bottom - 1))
        cv2.rectangle(canvas, *corners, INK, thickness + 2)
        cv2.rectangle(canvas, *corners, colour, thickness)
    for region in regions:
        text = f"read again at {region.zoom:.1f}× size: {people_text(region.count)}"
        _tag(canvas, region.box, text, colour, thickness)
    return canvas


def _tag(canvas: Pixels, box: Box, text: str, colour: Colour, thickness: int) -> None:
    """Write a label, at most as wide as the box where that is legible, on a plate above it or inside its top."""
    size = text_size(canvas)
    mask = text_mask(text, size, canvas.shape[1] - size)
    most = max(box.width - 2 * max(2, size // 3), 90)
    if mask.shape[1] > most:
        size = max(10, size * most // mask.shape[1])
        mask = text_mask(text, size, canvas.shape[1] - size)
    pad = max(2, size // 3)
    height, width = mask.shape[0] + pad, mask.shape[1] + 2 * pad
    left = min(max(0, box.left - thickness // 2), max(0, canvas.shape[1] - width))
    above = box.top - thickness // 2 - height
    top = above if above >= 0 else max(0, box.top)
    canvas[top : top + height, left : left + width] = colour
    blend_text(canvas, mask, left + pad, top + pad // 2, INK)


def draw_zoom(image: Pixels, prediction: Prediction) -> Pixels:
    """Return the photo as a map of how much each region was enlarged: blue below 1, orange above, with its zoom.

    Args:
        image: (h, w, 3) RGB uint8, the photo at its original size or reduced.
        prediction: Its regions, and the base scale that the factors are relative to.
    """
    height, width = checked_image(image).shape[:2]
    x, y = width / prediction.size[0], height / prediction.size[1]
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    canvas = np.rint(0.55 * grey + 0.45 * 255).astype(np.uint8)
    for region in prediction.regions:
        left, top, right, bottom = _scaled(region.box, x, y).as_tuple()
        place = canvas[top:bottom, left:right]
        place[:] = np.rint(0.35 * place + 0.65 * np.asarray(_zoom_colour(region.zoom))).astype(np.uint8)
        size = int(np.clip((bottom - top) / 3, 10, 2 * text_size(canvas)))
        mask = text_mask(f"{region.zoom:.2f}×", size, max(1, right - left))
        across, down = (left + right - mask.shape[1]) // 2, (top + bottom - mask.shape[0]) // 2
        blend_text(canvas, mask, across, down, INK)
    scale = prediction.read_scale
    base = "read at its own size" if scale == 1 else f"read at {scale:.2g}× size"
    people = people_text(prediction.first_pass_count)
    return draw_caption(canvas, f"First pass: {base}, {people} · {_zooms(prediction.regions)}")


def _zoom_colour(factor: float) -> Colour:
    """Blue at half the size or less, white at 1, orange at twice or more."""
    share = float(np.clip(np.log2(factor), -1, 1))
    end = np.array((214, 94, 0) if share > 0 else (0, 90, 181), float)
    red, green, blue = np.rint(255 + (end - 255) * abs(share)).astype(int).tolist()
    return red, green, blue


def _zooms(regions: Sequence[Region]) -> str:
    """Return at which size dense regions are read again, in words."""
    factors = [region.zoom for region in regions]
    if not factors:
        return "no dense region"
    low, high = f"{min(factors):.1f}×", f"{max(factors):.1f}×"
    name = "the dense region" if len(factors) == 1 else f"{len(factors)} dense regions"
    return f"{name} again at {low if low == high else f'{low} to {high}'} size"


def annotate(
    image: Pixels,
    prediction: Prediction,
    overlay: Callable[[Pixels], Pixels] | None = None,
    taken: datetime | None = None,
) -> Pixels:
    """Return the photo, at its original size or reduced, with heads, regions and the count.

    Args:
        image: (h, w, 3) RGB uint8.
        prediction: What is drawn.
        overlay: Draws more over the heads, before the caption: zones.
        taken: When the photo was taken, for the caption.
    """
    height, width = checked_image(image).shape[:2]
    x, y = width / prediction.size[0], height / prediction.size[1]
    if prediction.points is not None:
        image = draw_points(image, prediction.points.scale(x, y))
    regions = [replace(r, box=_scaled(r.box, x, y)) for r in prediction.regions]
    image = draw_regions(image, regions)
    return draw_captions(overlay(image) if overlay is not None else image, prediction, taken)


def _scaled(box: Box, x: float, y: float) -> Box:
    left, top, right, bottom = box.as_tuple()
    return Box(round(left * x), round(top * y), round(right * x), round(bottom * y))


def side_by_side(images: Sequence[Pixels], titles: Sequence[str] = ()) -> Pixels:
    """Return the images in a row at the height of the first, each under its title.

    Raises:
        OptionError: There is no image, or not as many titles as images.
    """
    if not images or len(titles) not in (0, len(images)):
        raise OptionError(
            "expected at least one image and a title for each", f"{len(images)} and {len(titles)}"
        )
    height = checked_image(images[0]).shape[0]
    shown = [
        resize_image(checked_image(image), max(1, round(image.shape[1] * height / image.shape[0])), height)
        for image in images
    ]
    size = text_size(shown[0])
    gap, head = max(2, size // 2), 2 * size if titles else 0
    width = sum(image.shape[1] for image in shown) + gap * (len(shown) - 1)
    canvas = np.full((head + height, width, 3), PAPER, np.uint8)
    left = 0
    for index, image in enumerate(shown):
        canvas[head:, left : left + image.shape[1]] = image
        if titles:
            mask = text_mask(titles[index], size, image.shape[1] - size)
            blend_text(canvas, mask, left + size // 2, (head - mask.shape[0]) // 2, INK)
        left += image.shape[1] + gap
    return canvas
