"""The one schema of a film: a row a counted frame, and what each line and area adds to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crowdscale.counting.columns import column, rounded

__all__ = ["CrowdColumns", "FrameRow", "LineColumns", "StayColumns", "after_name"]


@dataclass(frozen=True)
class FrameRow:
    """One counted frame of a video: ``watch --rows``. Each zone and line adds its own columns before ``alarms``."""

    time: float = column("number", "time from the first frame", "s", (), 3)
    clock: str | None = column(
        "text",
        "date and clock of the frame with the offset of its time zone (ISO 8601): arrival at a camera, --start or the "
        "film's own record; empty where nobody knows it",
    )
    frame: int = column("integer", "number of the frame in the source")
    count: float = column("number", "people in the frame", "people", ("people",), 2)
    count_low: int | None = column(
        "integer", "low end of the 90 % interval of the count; empty for a frame with warnings", "people"
    )
    count_high: int | None = column("integer", "high end of the 90 % interval of the count", "people")
    smoothed: float | None = column("number", "count smoothed over time, with --smooth", "people", (), 2)
    alarms: str = column("text", "alarms that change at this frame, such as `door raised`")
    raised: list[str] = column(
        "texts", "zones whose alarm stands at this frame; a later run starts with them"
    )
    warnings: list[str] = column(
        "texts", "a sentence for each way in which the frame differs from the training photos, or is damaged"
    )
    usable: bool = column(
        "boolean", "whether the count may be used; not for a frame unlike all training photos"
    )
    seconds: float = column("number", "time that the count takes", "s", (), 3)
    dropped: int = column("integer", "frames of a live source that passed uncounted so far", "frames")


@dataclass(frozen=True)
class LineColumns:
    """What a line adds to a frame: each column after the name of the line."""

    forward: int = column(
        "integer", "people who crossed from its left to its right so far, as its points run", "people"
    )
    backward: int = column("integer", "people who crossed the other way so far", "people")
    net: int = column("integer", "forward less backward", "people")
    forward_per_minute: float | None = column(
        "number",
        "forward in the last minute, or since the start or a gap; empty for the first ten seconds",
        "people/min",
        (),
        2,
    )
    backward_per_minute: float | None = column("number", "backward in the same time", "people/min", (), 2)


@dataclass(frozen=True)
class StayColumns:
    """What an area adds to a frame where heads are followed: each column after the name of the area."""

    different: int = column("integer", "tracks in the area so far", "people")
    entered: int = column("integer", "tracks that came in so far", "people")
    left: int = column("integer", "tracks that went out so far", "people")
    median_stay: float | None = column("number", "median time in the area of those who left", "s", (), 1)
    stay_90th_percentile: float | None = column("number", "90th percentile of the same", "s", (), 1)


@dataclass(frozen=True)
class CrowdColumns:
    """What an area on the ground adds to a frame where heads are followed: each column after the name of the area."""

    voronoi_per_m2: float = column("number", "mean density by Voronoi cells", "people/m²", (), 4)
    speed: float | None = column("number", "mean speed", "m/s", (), 4)
    specific_flow: float | None = column("number", "density times speed", "people/(m s)", (), 4)
    pressure: float | None = column("number", "density times variance of velocity", "1/s²", (), 4)


def after_name(name: str, added: Any) -> dict[str, Any]:
    """Return the rounded columns that a zone of this name adds to a frame, as in ``gate forward per minute``."""
    return {f"{name} {column.replace('_', ' ')}": value for column, value in rounded(added).items()}
