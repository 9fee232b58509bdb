"""What ``crowdscale watch`` makes of each count: an output that survives faults, the frame of the video, the live line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdscale.files.images import Pixels
    from crowdscale.video.watch import Watched, WatchRow
    from crowdscale.zones.alarms import Alarms

__all__ = ["counted_frame", "live_note"]

SHOWN_SIDE = 1280
"""Longest side in pixels of the annotated video."""


def counted_frame(watched: Watched, alarms: Alarms | None) -> Pixels:
    """Return the counted frame with zones, heads, regions and count, at the size of a screen."""
    from crowdscale.drawing.heads import annotate
    from crowdscale.files.images import resize_image
    from crowdscale.zones.pictures import draw_zones

    pixels = watched.frame.pixels
    height, width = pixels.shape[:2]
    factor = min(1.0, SHOWN_SIDE / max(height, width))
    shown = resize_image(pixels, round(width * factor), round(height * factor))
    overlay, zones = None, watched.zones
    if zones is not None:
        fitted = zones.fit((width, height)).resized((shown.shape[1], shown.shape[0]), (width, height))
        raised = alarms.raised if alarms is not None else set()
        overlay = partial(draw_zones, zones=fitted, counts=watched.row.zones, alarmed=raised)
    return annotate(shown, watched.prediction, overlay)


def live_note(row: WatchRow, seconds: float, live: bool) -> str:
    """Return the text of the live line after a count."""
    speed = f" · {row.time / seconds:.2g} × real time" if seconds > 1 and not live else ""
    dropped = f" · {row.dropped:,} dropped" if row.dropped else ""
    interval = "" if row.interval is None else f" ({row.interval[0]:,}–{row.interval[1]:,})"
    return f"{row.time:,.1f} s · {row.count:,.0f} people{interval}{speed}{dropped}"
