"""Pictures of a count: heads, heat, regions, captions; each takes an RGB image and returns a new one.

Sizes follow the photo and the crowd in it: a mark never hides its neighbours, a label never fills a thumbnail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.drawing.text import INK, PAPER, Colour, blend_text, text_mask, text_size
from crowdscale.errors import ImageError, OptionError
from crowdscale.files.images import resize_image
from crowdscale.points import Box, Points, nearest_distances

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction, Region

__all__ = [
    "annotate",
    "draw_caption",
    "draw_heat",
    "draw_points",
    "draw_regions",
    "draw_zoom",
    "drawable",
    "heat_density",
    "side_by_side",
    "summary",
]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

YELLOW: Colour = (255, 221, 26)
CYAN: Colour = (60, 230, 255)
AMBER: Colour = (255, 176, 32)

DOT_SPACING = 0.24
"""Radius of a mark over the distance to its nearest neighbours: two marks and their rims just do not touch."""
DOT_SIDE = 0.0035
"""Largest radius of a mark over the photo's √(width · height): 5.5 px at 1920×1282."""
DRAWN_PIXELS = 6_000_000
"""Larger photos are reduced to this many pixels before they are drawn: 3000×2000, about 0.5 GB at the peak."""
HEAT_NEIGHBOURS = 6
"""The heat of a head spreads over the distance to this many neighbours, so a crowd is one smooth area."""
HEAT_NARROWEST, HEAT_WIDEST = 56, 26
"""Parts of the grid's √(width · height) between which the width of a head's heat lies, …"""
HEAT_EVEN = 0.8
"""… and its least width over the photo's median: two heads in one place are no crowd."""
HEAT_FEWEST = 3
"""Heads in one place, with no other near, that take the hottest colour: two of one person never do."""
HEAT_SIDE = 640
"""Longer side in cells of the grid on which heat is summed; it is smooth, so more shows nothing."""
HEAT_TOP = 0.995
"""Quantile of the occupied heat that takes the hottest colour: one tight pair must not dim a crowd."""
HEAT_GAMMA = 0.55
"""Exponent that lifts sparse places: people per area spans two decades in one photo."""


def draw_points(
    image: Pixels, points: Points, colour: Colour = YELLOW, radius: float | None = None
) -> Pixels:
    """Return the image with a bright, dark-rimmed mark on every head.

    Args:
        image: (h, w, 3) RGB uint8.
        points: Heads in pixels of the image.
        colour: RGB of the marks.
        radius: Radius in pixels of all marks; None follows local spacing and the photo's size.
    """
    canvas = _checked(image).astype(np.float32)
    radii = _radii(points, image.shape[:2]) if radius is None else np.full(len(points), float(radius))
    for (x, y), r in zip(points.xy, radii, strict=True):
        _disc(canvas, x, y, r + max(0.6, 0.35 * r), INK, 0.75)
    for (x, y), r in zip(points.xy, radii, strict=True):
        _disc(canvas, x, y, r, colour, 1.0)
    return np.rint(canvas).astype(np.uint8)


def drawable(image: Pixels) -> Pixels:
    """Return the image, reduced to ``DRAWN_PIXELS`` where it is larger."""
    height, width = image.shape[:2]
    factor = min(1.0, (DRAWN_PIXELS / (width * height)) ** 0.5)
    return resize_image(image, max(1, int(width * factor)), max(1, int(height * factor)))


def _radii(points: Points, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Radius in pixels of each mark: a share of the local spacing, within bounds of the photo's size."""
    most = max(1.2, DOT_SIDE * float(np.sqrt(shape[0] * shape[1])))
    near = nearest_distances(points.xy, 3)
    return np.clip(np.where(np.isnan(near), most, DOT_SPACING * near), min(1.2, most), most)


def _disc(canvas: Floats, x: float, y: float, radius: float, colour: Colour, alpha: float) -> None:
    """Blend an anti-aliased disc into a float canvas, cut at its border."""
    height, width = canvas.shape[:2]
    reach = radius + 1
    left, right = max(0, int(np.ceil(x - reach))), min(width, int(x + reach) + 1)
    top, bottom = max(0, int(np.ceil(y - reach))), min(height, int(y + reach) + 1)
    if left >= right or top >= bottom:
        return
    distance = np.hypot(np.arange(left, right)[None] - x, np.arange(top, bottom)[:, None] - y)
    cover = alpha * np.clip(radius + 0.5 - distance, 0, 1)[..., None]
    patch = canvas[top:bottom, left:right]
    patch += (np.asarray(colour, np.float32) - patch) * cover


def draw_regions(image: Pixels, regions: Sequence[Region], colour: Colour = CYAN) -> Pixels:
    """Return the image with each region's box, its factor and its count before → after."""
    canvas = _checked(image).copy()
    thickness = max(1, round(text_size(canvas) / 8))
    for region in regions:
        left, top, right, bottom = region.box.as_tuple()
        corners = (left, top), (max(left, right - 1), max(top, bottom - 1))
        cv2.rectangle(canvas, *corners, INK, thickness + 2)
        cv2.rectangle(canvas, *corners, colour, thickness)
    for region in regions:
        before, after = _people(region.first_pass_count), _people(region.count)
        _tag(canvas, region.box, f"×{region.zoom:.2f}  {before} → {after}", colour, thickness)
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


def draw_heat(image: Pixels, people: Points | NDArray[Any], strength: float = 0.8) -> Pixels:
    """Return the image under a heat map of people per area; where there is nobody the photo stays unchanged.

    Args:
        image: (h, w, 3) RGB uint8.
        people: Heads in pixels of the image, or a (h', w') density map of the same photo at any size.
        strength: Opacity of the densest places, 0…1.
    """
    height, width = _checked(image).shape[:2]
    density = heat_density(people, width, height)
    occupied = density[density > density.max(initial=0) * 0.02]
    if occupied.size == 0:
        return image.copy()
    top = float(np.quantile(occupied, HEAT_TOP))
    if isinstance(people, Points):  # so that a head or two never take the hottest colour
        top = max(top, HEAT_FEWEST * _peak(density))
    heat = np.power(np.clip(density / top, 0, 1), HEAT_GAMMA)
    heat = np.clip(cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)
    # INFERNO grows evenly in lightness; its first quarter is nearly black, which reads as shade, and is left out.
    colours = cv2.applyColorMap(np.rint(64 + 191 * heat).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    alpha = (strength * _smooth_step(heat / 0.5)).astype(np.float32)[..., None]
    blended: Pixels = np.rint(image + (colours.astype(np.float32) - image) * alpha).astype(np.uint8)
    return blended


def heat_density(people: Points | NDArray[Any], width: int, height: int) -> Floats:
    """Return the people per grid cell, smoothed, of a (width, height) photo on a grid of at most 640 cells.

    Points spread by Gaussians as wide as the distance to their neighbours; a density map is smoothed.
    """
    shrink = min(1.0, HEAT_SIDE / max(width, height))
    columns, rows = max(1, round(width * shrink)), max(1, round(height * shrink))
    if isinstance(people, Points):
        return _spread(people.scale(columns / width, rows / height), columns, rows)
    density = np.clip(np.asarray(people, np.float32), 0, None)
    if density.ndim != 2 or density.size == 0:
        raise ImageError("expected a density map of shape (h, w)", f"shape {density.shape}")
    means = np.asarray(cv2.resize(density, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    return _blur(means * np.float32(density.size / means.size), max(columns, rows) / 90)


def _spread(points: Points, columns: int, rows: int) -> Floats:
    """Sum unit-mass Gaussians of the points on the grid, in classes of similar width."""
    inside = points.inside(Box(0, 0, columns, rows))
    side = float(np.sqrt(columns * rows))
    near = nearest_distances(inside.xy, HEAT_NEIGHBOURS)
    widths = np.clip(1.3 * np.where(np.isnan(near), side, near), side / HEAT_NARROWEST, side / HEAT_WIDEST)
    if len(inside):
        widths = np.maximum(widths, HEAT_EVEN * np.median(widths))
    classes = np.rint(np.log2(widths) * 3).astype(int)
    total = np.zeros((rows, columns), np.float32)
    at = np.floor(inside.xy + 0.5).astype(int)
    for each in np.unique(classes):
        cells = np.zeros_like(total)
        chosen = at[classes == each]
        np.add.at(cells, (chosen[:, 1], chosen[:, 0]), 1)
        total += _blur(cells, 2 ** (each / 3))
    return total


def _peak(density: Floats) -> float:
    """Return the heat of one head where nobody else is about."""
    return HEAT_WIDEST**2 / (2 * math.pi * density.size)


def _blur(cells: Floats, sigma: float) -> Floats:
    """Gaussian smoothing that keeps the sum: values beyond the frame are reflected."""
    side = 2 * int(np.ceil(3 * max(sigma, 0.1))) + 1
    border = cv2.BORDER_REFLECT
    return np.asarray(cv2.GaussianBlur(cells, (side, side), max(sigma, 0.1), borderType=border), np.float32)


def _smooth_step(values: Floats) -> Floats:
    t = np.clip(values, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def draw_caption(image: Pixels, text: str, colour: Colour = PAPER) -> Pixels:
    """Return the image above a slim dark bar with one line of text: taller, so that nobody is covered."""
    size = text_size(_checked(image))
    mask = text_mask(text, size, image.shape[1] - size)
    bar = np.full((round(1.25 * size) + max(4, round(0.7 * size)), image.shape[1], 3), INK, np.uint8)
    blend_text(bar, mask, size // 2, (bar.shape[0] - mask.shape[0]) // 2, colour)
    return np.concatenate([image, bar])


LOCATED = 0.05
"""Captions mention located heads when they differ from the count by more than this share."""


def summary(prediction: Prediction) -> str:
    """Return a prediction in one line, as ``412 people, 90 %: 371–453 · first pass 388 · 1 region ×1.6``.

    It mentions the located heads where their number differs from the count by more than a twentieth.
    """
    parts = [f"{_people(prediction.count)} {'person' if round(prediction.count) == 1 else 'people'}"]
    if (interval := prediction.interval()) is not None:
        parts[0] += f", 90 %: {interval}"
    dots = None if prediction.points is None else len(prediction.points)
    if dots is not None and abs(dots - prediction.count) > max(1, LOCATED * prediction.count):
        parts.append(f"{_people(dots)} located")
    if prediction.regions:
        parts.append(f"first pass {_people(prediction.first_pass_count)}")
        parts.append(_zooms([region.zoom for region in prediction.regions]))
    return " · ".join(parts)


def draw_zoom(image: Pixels, prediction: Prediction) -> Pixels:
    """Return the photo as a map of how much each region was enlarged: blue below 1, orange above, with its factor.

    Args:
        image: (h, w, 3) RGB uint8, the photo at its original size or reduced.
        prediction: Its regions, and the base scale that the factors are relative to.
    """
    height, width = _checked(image).shape[:2]
    x, y = width / prediction.size[0], height / prediction.size[1]
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    canvas = np.rint(0.55 * grey + 0.45 * 255).astype(np.uint8)
    for region in prediction.regions:
        left, top, right, bottom = _scaled(region.box, x, y).as_tuple()
        place = canvas[top:bottom, left:right]
        place[:] = np.rint(0.35 * place + 0.65 * np.asarray(_zoom_colour(region.zoom))).astype(np.uint8)
        size = int(np.clip((bottom - top) / 3, 10, 2 * text_size(canvas)))
        mask = text_mask(f"×{region.zoom:.2f}", size, max(1, right - left))
        across, down = (left + right - mask.shape[1]) // 2, (top + bottom - mask.shape[0]) // 2
        blend_text(canvas, mask, across, down, INK)
    base = f"base scale {prediction.read_scale:.3g}" if prediction.read_scale != 1 else "read at full size"
    return draw_caption(canvas, f"{base} · {_zooms([each.zoom for each in prediction.regions])}")


def _zoom_colour(factor: float) -> Colour:
    """Blue at half the size or less, white at 1, orange at twice or more."""
    share = float(np.clip(np.log2(factor), -1, 1))
    end = np.array((214, 94, 0) if share > 0 else (0, 90, 181), float)
    red, green, blue = np.rint(255 + (end - 255) * abs(share)).astype(int).tolist()
    return red, green, blue


def _zooms(factors: list[float]) -> str:
    if len(factors) > 3:
        return f"{len(factors)} regions ×{min(factors):.1f} to ×{max(factors):.1f}"
    return (
        f"{len(factors)} region{'s' * (len(factors) > 1)} {', '.join(f'×{factor:.1f}' for factor in factors)}"
    )


def annotate(
    image: Pixels, prediction: Prediction, overlay: Callable[[Pixels], Pixels] | None = None
) -> Pixels:
    """Return the photo, at its original size or reduced, with heads, regions and the count.

    Args:
        image: (h, w, 3) RGB uint8.
        prediction: What is drawn.
        overlay: Draws more over the heads, before the caption: zones.
    """
    height, width = _checked(image).shape[:2]
    x, y = width / prediction.size[0], height / prediction.size[1]
    if prediction.points is not None:
        image = draw_points(image, prediction.points.scale(x, y))
    regions = [replace(r, box=_scaled(r.box, x, y)) for r in prediction.regions]
    image = draw_regions(image, regions)
    image = draw_caption(overlay(image) if overlay is not None else image, summary(prediction))
    for sentence in prediction.warnings:
        image = draw_caption(image, sentence, AMBER)
    return image


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
    height = _checked(images[0]).shape[0]
    shown = [
        resize_image(_checked(image), max(1, round(image.shape[1] * height / image.shape[0])), height)
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


def _people(count: float) -> str:
    return f"{round(count):,}"


def _checked(image: Pixels) -> Pixels:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ImageError("expected RGB pixels as (h, w, 3) uint8", f"shape {image.shape} of {image.dtype}")
    return image
