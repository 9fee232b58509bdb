"""The picture of a counted frame: zones, heads, regions and the count, at the size of a screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from crowdscale.drawing.heads import annotate
from crowdscale.drawing.trails import Trails
from crowdscale.files.images import Pixels, resize_image
from crowdscale.zones.pictures import draw_zones

if TYPE_CHECKING:
    from crowdscale.video.watch import Watched

__all__ = ["SHOWN_SIDE", "counted_frame"]

SHOWN_SIDE = 1280
"""Longest side in pixels of the annotated video."""


def counted_frame(watched: Watched, side: int = SHOWN_SIDE, trails: Trails | None = None) -> Pixels:
    """Return the counted frame with zones, heads, regions and count; zones whose alarm stands are red.

    Args:
        watched: A count with its frame.
        side: Longest side of the picture in pixels, at most.
        trails: Of those who are followed; it takes this frame in.
    """
    pixels = watched.frame.pixels
    height, width = pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    shown = resize_image(pixels, max(1, round(width * factor)), max(1, round(height * factor)))
    overlay, zones = None, watched.zones
    if zones is not None:
        fitted = zones.fit((width, height)).resized((shown.shape[1], shown.shape[0]), (width, height))
        row = watched.row
        overlay = partial(draw_zones, zones=fitted, counts=row.zones, alarmed=row.raised, crossed=row.crossed)
    heads = watched.prediction.points
    if trails is not None and watched.tracks is not None and heads is not None:
        trails.take(heads.xy, watched.tracks, watched.row.time, watched.prediction.size)
        shown = trails.draw(shown)
    return annotate(shown, watched.prediction, overlay)
