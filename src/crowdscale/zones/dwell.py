"""Zones over time: different people, how long they stay, and how many enter and leave, by tracks.

A person changes sides when clear of a zone's edge: swaying on the edge counts nothing, as on a line.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.points import Points
from crowdscale.zones.crossings import CLEAR, MEMORY
from crowdscale.zones.zone import Zone, Zones

__all__ = ["Dwell", "Stays"]

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

GRACE = 1.0
"""Seconds for which a person may be missed in a zone and still counts as present."""
MOST = 16_384
"""Stays of a zone that are kept for the median; when there are as many, every second one stays."""
NARROW = 0.5
"""Largest margin of an edge over the radius of the largest circle in the zone: each zone has a clear inside."""
HALVINGS = 8
"""Steps of the search for that radius."""


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
class _Visit:
    """A track and a zone."""

    inside: bool
    """Whether it counts as inside; it changes when the track is clear of the edge."""
    within: bool
    """Whether the last position lay in the zone."""
    began: float
    """When the last positions in a row within the zone began, or the stay."""
    last: float
    """When it last lay within the zone."""
    seen: float
    been: bool
    """Whether it was inside before."""


@dataclass
class _Times:
    """Times of stay, sorted, in memory that does not grow."""

    kept: list[float] = field(default_factory=list)
    number: int = 0
    each: int = 1

    def add(self, seconds: float) -> None:
        self.number += 1
        if self.number % self.each:
            return
        insort(self.kept, seconds)
        if len(self.kept) == MOST:
            self.kept, self.each = self.kept[::2], 2 * self.each

    def quantile(self, share: float) -> float | None:
        """Return the time that this share of the stays does not exceed; None without any."""
        if not self.kept:
            return None
        place = share * (len(self.kept) - 1)
        low, high = self.kept[int(place)], self.kept[min(int(place) + 1, len(self.kept) - 1)]
        return low + (place - int(place)) * (high - low)


@dataclass
class _Zone:
    visits: dict[int, _Visit] = field(default_factory=dict)
    times: _Times = field(default_factory=_Times)
    present: int = 0
    different: int = 0
    entered: int = 0

    def take(self, track: int, within: bool, clear: bool, time: float) -> None:
        """Take in a position: within the zone or not, clear of its edge or not."""
        visit = self.visits.get(track)
        if visit is None:
            visit = self.visits[track] = _Visit(within, within, time, time, time, within)
            self.present, self.different = self.present + within, self.different + within
        if within and not visit.within and not visit.inside:
            visit.began = time
        if clear and within != visit.inside:
            self._change(visit)
        visit.within, visit.seen = within, time
        visit.last = time if within else visit.last

    def _change(self, visit: _Visit) -> None:
        visit.inside = not visit.inside
        if visit.inside:
            self.present, self.entered = self.present + 1, self.entered + 1
            self.different, visit.been = self.different + (not visit.been), True
        else:
            self.present -= 1
            self.times.add(visit.last - visit.began)

    def forget(self, time: float) -> None:
        """Let those leave who were lost inside, and forget who has long been away."""
        for track, visit in list(self.visits.items()):
            if visit.inside and time - visit.seen > GRACE:
                self._change(visit)
                visit.within = False
            if not visit.inside and time - visit.seen > MEMORY:
                del self.visits[track]

    def stays(self, name: str) -> Stays:
        median, tenth = self.times.quantile(0.5), self.times.quantile(0.9)
        return Stays(name, self.present, self.different, self.entered, self.times.number, median, tenth)


class Dwell:
    """Times that tracks spend in each area.

    Args:
        zones: Zones with areas; lines are passed over.
    """

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self._zones = {zone.name: _Zone() for zone in zones.counted if zone.kind == "area"}

    def update(self, points: Points, ids: Integers, time: float, size: tuple[int, int]) -> list[Stays]:
        """Take in the heads of a frame and return what happened in each zone so far.

        Args:
            points: Heads in pixels.
            ids: (n,) identities.
            time: Seconds.
            size: (width, height) of the frame.
        """
        import shapely

        x, y = points.xy[:, 0] + 0.5, points.xy[:, 1] + 0.5
        for zone in self.zones.fit(size).counted:
            if zone.kind == "area":
                shape, inner, outer = _edge(zone, size)
                within = shapely.intersects_xy(shape, x, y)
                clear = shapely.intersects_xy(inner, x, y) | ~shapely.intersects_xy(outer, x, y)
                state = self._zones[zone.name]
                for track, inside, sure in zip(ids.tolist(), within.tolist(), clear.tolist(), strict=True):
                    state.take(track, inside, sure, time)
                state.forget(time)
        return [state.stays(name) for name, state in self._zones.items()]


@lru_cache(maxsize=256)
def _edge(zone: Zone, size: tuple[int, int]) -> tuple[Any, Any, Any]:
    """Return a zone, the part of it that is clear of its edge, and the zone grown by the same margin."""
    import shapely

    shape, most = zone.shape(size), CLEAR * float(np.hypot(*size))
    inner, outer = [], []
    for part in getattr(shape, "geoms", [shape]):
        margin = _margin(part, most)
        holes = [shapely.Polygon(hole) for hole in part.interiors]
        inner.append(part.buffer(-margin))
        grown = shapely.Polygon(part.exterior).buffer(margin)
        outer.append(
            grown.difference(shapely.union_all([hole.buffer(-_margin(hole, margin)) for hole in holes]))
        )
    shapes = shape, shapely.union_all(inner), shapely.union_all(outer)
    for each in shapes:
        shapely.prepare(each)
    return shapes


def _margin(polygon: Any, most: float) -> float:
    """Return the margin in pixels of a polygon's edge: ``most``, or less in a narrow one."""
    low, high = 0.0, most / NARROW
    if not polygon.buffer(-high).is_empty:
        return most
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if polygon.buffer(-middle).is_empty else (middle, high)
    return NARROW * low
