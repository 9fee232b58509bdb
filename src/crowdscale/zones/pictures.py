"""Zones drawn on a photo, each with its people and its capacity; zones over capacity are red."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.drawing.text import INK, Colour, blend_text, text_mask, text_size
from crowdscale.zones.zone import ZoneCount, Zones, area_of_interest

__all__ = ["draw_zones"]

Pixels = NDArray[np.uint8]

CALM: Colour = (150, 235, 120)
FULL: Colour = (255, 92, 70)
INTEREST: Colour = (245, 246, 248)
TINT = 0.15
"""Share of a zone's colour laid over the picture."""
OUTSIDE = 0.55
"""Brightness of the area outside the regions of interest."""


def draw_zones(
    image: Pixels,
    zones: Zones,
    counts: Sequence[ZoneCount] = (),
    alarmed: Collection[str] = (),
    crossed: Mapping[str, tuple[int, int]] | None = None,
) -> Pixels:
    """Return the image with each zone's outline, name and people; red where over capacity or alarmed.

    Args:
        image: (h, w, 3) RGB uint8.
        zones: Fitting a picture of this size.
        counts: People of the zones.
        alarmed: Names of zones whose alarm stands.
        crossed: People who crossed each line so far, (forward, backward): they stand on its plate.
    """
    canvas = image.copy()
    size = (image.shape[1], image.shape[0])
    fitted = zones.fit(size)
    by_name = {count.name: count for count in counts}
    _shade_outside(canvas, fitted, size)
    thickness = max(2, text_size(canvas) // 8)
    for zone in fitted.counted:
        full = zone.name in alarmed or _over(by_name.get(zone.name))
        rings = _rings(zone.shape(size))
        layer = canvas.copy()
        cv2.fillPoly(layer, rings, FULL if full else CALM)
        canvas = np.asarray(cv2.addWeighted(layer, TINT, canvas, 1 - TINT, 0), np.uint8)
        cv2.polylines(canvas, rings, True, INK, thickness + 2, cv2.LINE_AA)
        cv2.polylines(canvas, rings, True, FULL if full else CALM, thickness, cv2.LINE_AA)
    for zone in fitted.counted:
        full = zone.name in alarmed or _over(by_name.get(zone.name))
        label = _label(zone.name, by_name.get(zone.name), (crossed or {}).get(zone.name))
        _plate(canvas, label, zone.shape(size), FULL if full else CALM)
    return canvas


def _over(count: ZoneCount | None) -> bool:
    return count is not None and count.capacity is not None and count.people > count.capacity


def _rings(shape: object) -> list[NDArray[np.int32]]:
    """Return the outer and inner rings of a polygon or of several: filled together, inner ones stay open."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if getattr(part, "exterior", None) is not None]
    rings = [ring for part in parts if not part.is_empty for ring in (part.exterior, *part.interiors)]
    return [np.rint(np.asarray(ring.coords) - 0.5).astype(np.int32) for ring in rings]


def _shade_outside(canvas: Pixels, zones: Zones, size: tuple[int, int]) -> None:
    """Darken the area that is not counted, in place."""
    interest = area_of_interest(zones, size)
    if interest is None:
        return
    regions = _rings(interest)
    inside = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(inside, regions, 255)
    canvas[inside == 0] = (canvas[inside == 0] * OUTSIDE).astype(np.uint8)
    cv2.polylines(canvas, regions, True, INTEREST, max(1, text_size(canvas) // 12), cv2.LINE_AA)


def _label(name: str, count: ZoneCount | None, crossed: tuple[int, int] | None) -> list[str]:
    if crossed is not None:
        return [name, f"{crossed[0]:,} forward, {crossed[1]:,} backward"]
    if count is None:
        return [name]
    people = f"{count.people:,.0f}"
    if count.capacity is not None:
        people += f" of {count.capacity:,}"
    if count.per_square_metre is not None:
        people += f" · {count.per_square_metre:.2f} per m2 {count.level or ''}"
    return [name, people.rstrip()]


def _plate(canvas: Pixels, lines: list[str], shape: Any, colour: Colour) -> None:
    """Write lines on a filled plate above the zone's upper edge, moved into the picture."""
    size = max(11, round(0.8 * text_size(canvas)))
    masks = [text_mask(line, size, canvas.shape[1] - size) for line in lines]
    pad = max(3, size // 3)
    height = sum(mask.shape[0] for mask in masks) + pad
    width = max(mask.shape[1] for mask in masks) + 2 * pad
    left = min(max(0, round(shape.centroid.x - width / 2)), max(0, canvas.shape[1] - width))
    top = min(max(0, round(shape.bounds[1]) - height), max(0, canvas.shape[0] - height))
    canvas[top : top + height, left : left + width] = colour
    down = top + pad // 2
    for mask in masks:
        blend_text(canvas, mask, left + pad, down, INK)
        down += mask.shape[0]
