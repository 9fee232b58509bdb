"""Heat: people per area over a photo, on a fixed scale with a legend, so that the heat of two photos can be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Maps, Pixels
from crowdscale.drawing.text import INK, PAPER, Colour, blend_text, checked_image, text_mask, text_size
from crowdscale.errors import ImageError
from crowdscale.points import Box, Points, nearest_distances

__all__ = [
    "GROUND",
    "PHOTO",
    "HeatScale",
    "draw_heat",
    "draw_legend",
    "heat_density",
    "heat_table",
    "paint_heat",
]

COLOURS: tuple[Colour, ...] = ((64, 130, 235), (38, 188, 190), (250, 220, 70), (240, 105, 30), (165, 0, 60))
"""From few to many people per area; the ends differ for colour-blind eyes, too."""
OPACITY = (0.45, 0.85)
"""Of the first and of the last colour. Below the scale the heat fades out."""
FADE = 0.3
"""Share of the scale's lowest value below which there is no heat."""

HEAT_NEIGHBOURS = 6
"""The heat of a head spreads over the distance to this many neighbours, so a crowd is one smooth area."""
HEAT_SPREAD = 1.3
"""Width of a head's heat over that distance."""
HEAT_NARROWEST, HEAT_WIDEST = 90, 26
"""Parts of the grid's √(width · height) between which the width of a head's heat lies, …"""
HEAT_EVEN = 0.8
"""… and its least width over the photo's median: two heads in one place are no crowd."""
HEAT_SIDE = 640
"""Longer side in cells of the grid on which heat is summed; it is smooth, so more shows nothing."""


@dataclass(frozen=True)
class HeatScale:
    """What the colours mean. The scale is logarithmic and the same for all photos."""

    unit: str
    ticks: tuple[float, ...]
    """The first has the first colour, the last one and all above it the last colour."""

    def shares(self, values: NDArray[Any]) -> Maps:
        """Return 0…1 for values from the first to the last tick."""
        low, high = self.ticks[0], self.ticks[-1]
        held = np.clip(np.asarray(values, np.float32), low, high)
        return np.asarray(np.log(held / low) / np.log(high / low), np.float32)

    def opacity(self, values: NDArray[Any]) -> Maps:
        """Return how much of the photo each value covers, 0…1."""
        fade = np.clip((np.asarray(values, np.float32) / self.ticks[0] - FADE) / (1 - FADE), 0, 1)
        most = OPACITY[0] + (OPACITY[1] - OPACITY[0]) * self.shares(values)
        return np.asarray(most * fade * fade * (3 - 2 * fade), np.float32)


PHOTO = HeatScale("people in each 1 % of the photo", (1, 3, 10, 30, 100, 300))
"""A person alone reaches 1, whatever the photo's size in pixels; dense photos of ShanghaiTech A reach 300."""
GROUND = HeatScale("people per square metre", (0.25, 0.5, 1, 2, 4, 8))
"""From 4 people per m² on a crowd moves little; from 6 on it is dangerous (Fruin, 1993)."""


def heat_table() -> str:
    """Return the colours and the scale as the JavaScript of the page, ``web/heat_table.js``."""
    names = {
        "unit": PHOTO.unit, "ticks": PHOTO.ticks, "colours": COLOURS, "opacity": OPACITY, "fade": FADE,
        "neighbours": HEAT_NEIGHBOURS, "spread": HEAT_SPREAD, "narrowest": HEAT_NARROWEST, "widest": HEAT_WIDEST,
        "even": HEAT_EVEN,
    }  # fmt: skip
    lines = [f"  {name}: {json.dumps(value)}," for name, value in names.items()]
    head = "// The heat's scale and colours. Written by `python docs/heat_table.py` from drawing/heat.py."
    return "\n".join([head, "", "export const HEAT = {", *lines, "};", ""])


def draw_heat(
    image: Pixels, people: Points | NDArray[Any], square_metres: NDArray[Any] | None = None
) -> Pixels:
    """Return the image under a heat of people per area; where there is nobody the photo stays unchanged.

    Args:
        image: (h, w, 3) RGB uint8.
        people: Heads in pixels of the image, or a (h', w') density map of the same photo at any size.
        square_metres: (h'', w'') area on the ground of each cell of a grid over the photo, NaN where there is no
            ground: heat is then people per m², else people in 1 % of the photo.
    """
    height, width = checked_image(image).shape[:2]
    density = heat_density(people, width, height)
    scale = PHOTO if square_metres is None else GROUND
    return paint_heat(image, _per_area(density, square_metres), scale)


def paint_heat(image: Pixels, values: Maps, scale: HeatScale) -> Pixels:
    """Return the image under the colours of (rows, columns) values of a scale."""
    height, width = checked_image(image).shape[:2]
    size = (width, height)
    colours = np.asarray(cv2.resize(_colours(scale.shares(values)), size, interpolation=cv2.INTER_LINEAR))
    cover = np.asarray(cv2.resize(scale.opacity(values), size, interpolation=cv2.INTER_LINEAR))
    cover = cover.reshape(height, width, 1)
    return np.asarray(np.rint(image + (colours.reshape(image.shape) - image) * cover), np.uint8)


def _per_area(density: Maps, square_metres: NDArray[Any] | None) -> Maps:
    """Return people in 1 % of the photo, or per m², from people per cell; 0 where there is no ground."""
    if square_metres is None:
        return density * np.float32(0.01 * density.size)
    cells = np.asarray(square_metres, np.float32)
    factor = cells.size / density.size
    size = (density.shape[1], density.shape[0])
    areas = np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST), np.float32) * factor
    valid = np.isfinite(areas) & (areas > 0)
    return np.asarray(np.where(valid, density / np.where(valid, areas, 1), 0), np.float32)


def _colours(shares: Maps) -> Maps:
    """Return the (h, w, 3) colours of shares 0…1."""
    places = np.linspace(0, 1, len(COLOURS))
    table = np.array(COLOURS, np.float32).T
    return np.stack([np.interp(shares, places, channel) for channel in table], axis=-1).astype(np.float32)


def heat_density(people: Points | NDArray[Any], width: int, height: int) -> Maps:
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


def _spread(points: Points, columns: int, rows: int) -> Maps:
    """Sum unit-mass Gaussians of the points on the grid, in classes of similar width."""
    inside = points.inside(Box(0, 0, columns, rows))
    side = float(np.sqrt(columns * rows))
    near = nearest_distances(inside.xy, HEAT_NEIGHBOURS)
    wanted = HEAT_SPREAD * np.where(np.isnan(near), side, near)
    widths = np.clip(wanted, side / HEAT_NARROWEST, side / HEAT_WIDEST)
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


def _blur(cells: Maps, sigma: float) -> Maps:
    """Gaussian smoothing that keeps the sum: values beyond the frame are reflected."""
    side = 2 * int(np.ceil(3 * max(sigma, 0.1))) + 1
    border = cv2.BORDER_REFLECT
    return np.asarray(cv2.GaussianBlur(cells, (side, side), max(sigma, 0.1), borderType=border), np.float32)


def draw_legend(image: Pixels, scale: HeatScale = PHOTO) -> Pixels:
    """Return the image above a dark bar with the colours of the heat, their numbers and the unit."""
    size = text_size(checked_image(image))
    width, pad = image.shape[1], size // 2
    bar = np.full((round(3.2 * size), width, 3), INK, np.uint8)
    length = max(1, min(width - 2 * pad, 22 * size))
    strip = bar[pad : pad + size, pad : pad + length]
    strip[:] = np.rint(_colours(np.linspace(0, 1, strip.shape[1], dtype=np.float32)[None]))
    for tick, share in zip(scale.ticks, scale.shares(np.array(scale.ticks)), strict=True):
        text = f"{tick:g}" if tick < scale.ticks[-1] else f"{tick:g}+"
        mask = text_mask(text, max(10, round(0.9 * size)), length // len(scale.ticks))
        left = round(pad + float(share) * length - mask.shape[1] / 2)
        blend_text(bar, mask, min(max(pad, left), pad + length - mask.shape[1]), round(1.7 * size), PAPER)
    left = 2 * pad + length
    room = width - left - pad
    unit = text_mask(scale.unit, size, width - size)
    if unit.shape[1] <= room:
        blend_text(bar, unit, left, round(0.45 * size), PAPER)
        return np.concatenate([image, bar])
    line = np.full((round(1.9 * size), width, 3), INK, np.uint8)
    blend_text(line, unit, pad, pad // 2, PAPER)
    return np.concatenate([image, line, bar])
