"""Zones over time: different people, how long they stay, and how many enter and leave, by tracks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdscale.points import Points
from crowdscale.zones.zone import Zones

__all__ = ["Dwell", "Stays"]

Integers = NDArray[np.int64]

GRACE = 1.0
"""Seconds for which a person may be missed in a zone and still counts as present."""


@dataclass(frozen=True)
class Stays:
    """What happened in a zone so far."""

    name: str
    present: int
    """Tracks in the zone now."""
    different: int
    """Tracks that were in the zone at any time."""
    entered: int
    """Tracks that came in after they had been outside."""
    left: int
    """Tracks that went out and are still followed, or were lost inside after ``GRACE``."""
    median_seconds: float | None
    """Median time in the zone of those who left; None if nobody has."""
    longest_tenth_seconds: float | None
    """90th percentile of the same."""


@dataclass
class _Zone:
    began: dict[int, float] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)
    different: set[int] = field(default_factory=set)
    entered: int = 0
    times: list[float] = field(default_factory=list)


class Dwell:
    """Times that tracks spend in each area.

    Args:
        zones: Zones with areas; lines are passed over.
    """

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self._zones = {zone.name: _Zone() for zone in zones.counted if zone.kind == "area"}
        self._outside: set[int] = set()

    def update(self, points: Points, ids: Integers, time: float, size: tuple[int, int]) -> list[Stays]:
        """Take in the heads of a frame and return what happened in each zone so far.

        Args:
            points: Heads in pixels.
            ids: (n,) identities.
            time: Seconds.
            size: (width, height) of the frame.
        """
        import shapely

        xy = points.xy + 0.5
        for zone in self.zones.fit(size).counted:
            if zone.kind == "area":
                inside = shapely.intersects_xy(zone.shape(size), xy[:, 0], xy[:, 1])
                self._take(
                    self._zones[zone.name], set(ids[inside].tolist()), set(ids[~inside].tolist()), time
                )
        return [self._stays(name) for name in self._zones]

    def _take(self, zone: _Zone, inside: set[int], outside: set[int], time: float) -> None:
        for track in inside:
            if track not in zone.began:
                zone.began[track] = time
                zone.entered += track in self._outside
            zone.last[track] = time
        zone.different |= inside
        self._outside |= outside
        gone = {track for track, last in zone.last.items() if track in outside or time - last > GRACE}
        for track in gone:
            zone.times.append(zone.last.pop(track) - zone.began.pop(track))

    def _stays(self, name: str) -> Stays:
        zone = self._zones[name]
        median, tenth = np.quantile(zone.times, [0.5, 0.9]).tolist() if zone.times else (None, None)
        return Stays(name, len(zone.began), len(zone.different), zone.entered, len(zone.times), median, tenth)
