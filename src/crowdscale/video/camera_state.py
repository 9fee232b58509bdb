"""The state of one watched camera: written by its thread, read by status lines, the service and its page."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from crowdscale.counting.camera_table import CameraRow
from crowdscale.counting.table import EventRecord, LineRecord, zone_records
from crowdscale.video.curve import Curve
from crowdscale.video.frame import Source, SourceOptions
from crowdscale.video.highest import Highest
from crowdscale.video.watch import Watched, WatchOptions, WatchRow
from crowdscale.zones.zone import Zones

__all__ = ["Camera", "Status", "Watching"]

Status = Literal["starting", "counting", "lost", "ended", "failed"]

KEPT_NOTES = 20
KEPT_EVENTS = 50
KEPT_TIMES = 64
"""Counts over which the rate is taken."""


@dataclass(frozen=True)
class Camera:
    """One camera or film of several."""

    name: str
    source: str = field(repr=False)
    """An address, perhaps with a password."""
    opening: SourceOptions = field(default_factory=lambda: SourceOptions(retries=None))
    options: WatchOptions = field(default_factory=WatchOptions)
    zones: Zones | None = None
    zones_file: Path | None = None
    rows: Path | None = None


@dataclass
class Watching:
    """The state of one camera: written by its thread, read by status lines and pages."""

    camera: Camera
    status: Status = "starting"
    counts: int = 0
    people: float = 0.0
    """Sum of the counts."""
    last: Watched | None = None
    source: Source | None = None
    problems: list[str] = field(default_factory=list)
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_NOTES))
    noted: int = 0
    """Remarks so far."""
    raised: frozenset[str] = frozenset()
    """Zones with a raised alarm."""
    events: deque[EventRecord] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    """The last alarms."""
    alarmed: Counter[str] = field(default_factory=Counter)
    """Alarms raised so far, by zone."""
    highest: Highest = field(default_factory=Highest)
    """The highest density of each area so far."""
    hour: Curve = field(default_factory=lambda: Curve(10.0, 360))
    day: Curve = field(default_factory=lambda: Curve(300.0, 288))
    _begun: float = field(default_factory=time.time)
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_TIMES))
    """When the last counts came, by the clock of ``time.monotonic``."""

    def take(self, watched: Watched, raised: frozenset[str]) -> None:
        """Take in a count."""
        row = watched.row
        self.last, self.raised = watched, raised
        self.counts, self.people = self.counts + 1, self.people + row.count
        self._times.append(time.monotonic())
        self.highest.take(row)
        at = self._moment(watched)
        for curve in (self.hour, self.day):
            curve.add(at, row.count)
        people = {zone.name: zone.people for zone in row.zones}
        for change in row.alarms:
            zone, _, kind = change.rpartition(" ")
            self.alarmed[zone] += kind == "raised"
            self.events.append(EventRecord(zone, kind, people.get(zone), self.clock))

    def _moment(self, watched: Watched) -> float:
        """Return the Unix seconds of a frame; a film without a clock begins with the watch."""
        if watched.row.clock is not None:
            return watched.row.clock.timestamp()
        live = self.source is not None and self.source.live
        return time.time() if live else self._begun + watched.row.time

    def note(self, sentence: str) -> None:
        """Keep a remark."""
        self.notes.append(sentence)
        self.noted += 1

    @property
    def now(self) -> Status:
        """The status, by what the source itself knows of a lost camera."""
        lost = self.source is not None and self.source.lost
        return "lost" if lost and self.status == "counting" else self.status

    @property
    def clock(self) -> str | None:
        """Date and clock of the last counted frame."""
        clock = None if self.last is None else self.last.row.clock
        return None if clock is None else clock.isoformat(timespec="milliseconds")

    @property
    def age(self) -> float | None:
        """Seconds since the last count."""
        return time.monotonic() - self._times[-1] if self._times else None

    @property
    def rate(self) -> float | None:
        """Counts a minute, over the last ones."""
        times = list(self._times)
        return (
            60 * (len(times) - 1) / (times[-1] - times[0])
            if len(times) > 1 and times[-1] > times[0]
            else None
        )

    @property
    def mark(self) -> tuple[object, ...]:
        """What differs once there is something new to show."""
        return self.counts, self.now, self.noted, len(self.problems)

    def line(self) -> str:
        """Return the camera in one line."""
        if self.last is None:
            return f"{self.now} {self.notes[-1] if self.notes else ''}".strip()
        row = self.last.row
        interval = "" if row.interval is None else f" ({row.interval[0]:,}–{row.interval[1]:,})"
        alarms = f" · alarm: {', '.join(sorted(self.raised))}" if self.raised else ""
        return f"{self.now} · {row.time:,.0f} s · {row.count:,.0f} people{interval}{alarms}"

    def row(self) -> CameraRow:
        """Return the camera in the one schema."""
        basis = CameraRow(
            self.camera.name,
            self.now,
            None if self.source is None else self.source.live,
            counts=self.counts,
            dropped=0 if self.source is None else self.source.dropped,
            reconnects=0 if self.source is None else self.source.reconnects,
            raised=sorted(self.raised),
            alarms=self.alarmed.total(),
            events=list(self.events),
            notes=list(self.notes),
            problems=list(self.problems),
        )
        return basis if self.last is None else replace(basis, **self._counted(self.last.row))

    def _counted(self, row: WatchRow) -> dict[str, Any]:
        """Return what the last count adds to the row."""
        low, high = row.interval or (None, None)
        return {
            "clock": None if row.clock is None else row.clock.isoformat(timespec="milliseconds"),
            "time": row.time,
            "age": self.age,
            "count": row.count,
            "count_low": low,
            "count_high": high,
            "usable": row.usable,
            "warnings": list(row.warnings),
            "counts_per_minute": self.rate,
            "seconds": row.seconds,
            "zones": zone_records([zone for zone in row.zones if zone.name not in row.crossed]),
            "lines": [
                LineRecord(name, *crossed, *(row.per_minute.get(name) or (None, None)))
                for name, crossed in row.crossed.items()
            ],
        }
