"""Date and clock of frames: by a film's own record, by a camera's arrival, or as the user says."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crowdscale.errors import OptionError
from crowdscale.video.frame import Frame, Source

__all__ = ["Calendar", "read_start", "recorded_start", "time_zone"]

RECORDS = ("com.apple.quicktime.creationdate", "creation_time", "DATE_RECORDED", "date")
"""Names under which containers keep the date of a recording, the most exact first."""
EARLIEST = 1990
"""Year before which a date is that of a clock that was never set: 1904 in MP4, 1970 or 1980 elsewhere."""
SHORT_OFFSET = re.compile(r"([+-]\d{2})(\d{2})$")


def time_zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone by its IANA name, such as Europe/Berlin. Raises OptionError."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        remedy = "" if zoneinfo.available_timezones() else "Run: pip install tzdata"
        raise OptionError("expected a time zone such as Europe/Berlin or UTC", repr(name), remedy) from None


def read_start(text: str, zone: zoneinfo.ZoneInfo | None) -> tuple[datetime, str]:
    """Return the date and clock of ``--start`` and a remark, empty where there is none.

    Args:
        text: Such as ``2026-05-01 14:00``, with seconds and an offset (``+02:00``, ``Z``) where wanted.
        zone: Of a text without an offset; None is the system's.

    Raises:
        OptionError: It is no date with a clock, or a time that the change to summer time leaves out.
    """
    start = _parsed(text)
    if start is None:
        raise OptionError('expected --start such as "2026-05-01 14:00"', repr(text))
    if start.tzinfo is not None:
        return start, ""
    first, second = (_in_zone(start.replace(fold=fold), zone) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first, ""
    where = f" in {zone.key}" if zone is not None else ""
    back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back != start:
        raise OptionError(
            f"expected --start as a time that exists{where}", f"{text}, which summer time leaves out"
        )
    later = second.isoformat(" ", "seconds")
    return first, f"{text} comes twice{where}: the first is taken. For the second write {later}."


def _in_zone(local: datetime, zone: zoneinfo.ZoneInfo | None) -> datetime:
    return local.replace(tzinfo=zone) if zone is not None else local.astimezone()


def _parsed(text: str) -> datetime | None:
    """Return a date with a clock, or None."""
    text = SHORT_OFFSET.sub(r"\1:\2", text.strip())
    if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def recorded_start(*metadata: Mapping[str, str]) -> float | None:
    """Return the Unix seconds at which a film says that it was recorded; None where it does not.

    Args:
        metadata: Of the container and of its streams. Times without an offset are UTC, as MP4 and Matroska define.
    """
    for name in RECORDS:
        for each in metadata:
            found = _parsed(each.get(name, ""))
            if found is not None and found.year >= EARLIEST:
                return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    return None


@dataclass(frozen=True)
class Calendar:
    """Gives frames their date and clock.

    Args:
        zone: In which they are written; None is the system's.
        start: Date and clock of a film's first frame; None takes the film's own record.
    """

    zone: zoneinfo.ZoneInfo | None = None
    start: datetime | None = None

    def of(self, frame: Frame, source: Source) -> datetime | None:
        """Return the date and clock of a frame; None where nobody knows it."""
        if frame.arrived is not None:
            return self._local(frame.arrived)
        begun = source.recorded if self.start is None else self.start.timestamp()
        return None if begun is None else self._local(begun + frame.time)

    def _local(self, seconds: float) -> datetime | None:
        try:
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
            return moment.astimezone(self.zone)
        except OverflowError:  # a record of the year 9999
            return None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        zone = None if self.zone is None else self.zone.key
        return {"time_zone": zone, "start": None if self.start is None else self.start.isoformat()}
