"""The one schema of a watched camera: what ``GET /cameras`` of the service returns for each."""

from __future__ import annotations

from dataclasses import dataclass

from crowdscale.counting.columns import column
from crowdscale.counting.table import EventRecord, LineRecord, ZoneRecord

__all__ = ["BinRecord", "CameraRow"]


@dataclass(frozen=True)
class CameraRow:
    """The state of one camera, with its last count. Sums begin when the watch begins."""

    camera: str = column("text", "name of the camera in the file of cameras")
    status: str = column("text", "`starting`, `counting`, `lost`, `ended` or `failed`")
    live: bool | None = column(
        "boolean", "whether it is a camera, not a film; empty before it was reached", default=None
    )
    clock: str | None = column("text", "date and clock of the last counted frame (ISO 8601)", default=None)
    time: float | None = column(
        "number", "time of that frame from the first one", "s", decimals=3, default=None
    )
    age: float | None = column("number", "time since the last count", "s", decimals=1, default=None)
    count: float | None = column("number", "people in the frame", "people", decimals=2, default=None)
    count_low: int | None = column(
        "integer", "low end of the 90 % interval of the count", "people", default=None
    )
    count_high: int | None = column(
        "integer", "high end of the 90 % interval of the count", "people", default=None
    )
    usable: bool = column("boolean", "whether the count may be used", default=True)
    warnings: list[str] = column("texts", "warnings on the frame", default=list)
    counts: int = column("integer", "frames counted", "frames", default=0)
    counts_per_minute: float | None = column(
        "number", "rate of the last counts", "1/min", decimals=1, default=None
    )
    seconds: float | None = column("number", "time that the count took", "s", decimals=3, default=None)
    dropped: int = column("integer", "frames that passed uncounted", "frames", default=0)
    reconnects: int = column("integer", "times that a lost camera was reached again", default=0)
    zones: list[ZoneRecord] = column("zones", "people in each zone", default=list)
    lines: list[LineRecord] = column("lines", "people who crossed each line", default=list)
    raised: list[str] = column("texts", "zones whose alarm stands", default=list)
    alarms: int = column("integer", "alarms that were raised", default=0)
    events: list[EventRecord] = column("events", "the last alarms, the newest at the end", default=list)
    notes: list[str] = column("texts", "the last remarks on the camera, the newest at the end", default=list)
    problems: list[str] = column("texts", "why it failed, or what is missing", default=list)


@dataclass(frozen=True)
class BinRecord:
    """The counts of a short time."""

    begin: float = column("number", "Unix seconds of its beginning", "s", decimals=0)
    mean: float = column("number", "mean of the counts", "people", decimals=2)
    low: float = column("number", "lowest count", "people", decimals=2)
    high: float = column("number", "highest count", "people", decimals=2)
    counts: int = column("integer", "counts in it", "frames")
