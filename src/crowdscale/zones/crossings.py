"""Crossings: how many people walk over a line, forward and backward, by their tracks.

A crossing counts when a track was clear of the line on one side and becomes clear of it on the other. Swaying on the
line counts nothing. A head that is missed at the line for less than the linker's patience is bridged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import OptionError
from crowdscale.points import Points
from crowdscale.zones.linking import Linker
from crowdscale.zones.zone import Zones

__all__ = ["Crossings", "Rates"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CLEAR = 0.012
"""Distance from a line, over the picture's diagonal, beyond which a person is clear of it."""
STEP = 0.2
"""Seconds between two frames whose times are not given."""
MEMORY = 30.0
"""Seconds for which the side of an absent track is kept."""
MINUTE = 60.0
"""Seconds over which a flow is taken."""
SHORTEST = 10.0
"""Seconds below which no flow is given, and longest gap between two frames within a flow."""


class Crossings:
    """Counts of people over each line: forward from its left to its right, as its points run, and backward.

    Args:
        zones: Zones with lines; areas are passed over.
    """

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self.counts = {zone.name: [0, 0] for zone in zones.counted if zone.kind == "line"}
        self._sides: dict[str, dict[int, tuple[int, Floats, float]]] = {name: {} for name in self.counts}
        """Of each line: the last clear side (+1 right, -1 left) of a track, where and when."""
        self._linker = Linker()
        self._time = 0.0

    def update(
        self, points: Points, size: tuple[int, int], time: float | None = None, ids: Integers | None = None
    ) -> dict[str, tuple[int, int]]:
        """Take in the heads of a frame and return the (forward, backward) crossings of each line so far.

        Args:
            points: Heads in pixels.
            size: (width, height) of the frame.
            time: Seconds of the frame; ``STEP`` after the last one if not given.
            ids: (n,) identities of the heads; linked here if not given.

        Raises:
            OptionError: There is not one identity for each head.
        """
        if not self.counts:
            return {}
        if ids is not None and len(ids) != len(points):
            raise OptionError("expected one identity for each head", f"{len(ids)} for {len(points)}")
        self._time = self._time + STEP if time is None else time
        diagonal, xy = float(np.hypot(*size)), points.xy + 0.5
        if ids is None:
            ids = self._linker.update(xy, self._time, diagonal)
        for zone in self.zones.fit(size).counted:
            if zone.kind == "line":
                self._judge(zone.name, zone.corners(size), xy, ids, CLEAR * diagonal)
        return {name: (forward, backward) for name, (forward, backward) in self.counts.items()}

    def _judge(self, name: str, line: Floats, xy: Floats, ids: Integers, clear: float) -> None:
        kept = self._sides[name]
        sides = _sides(xy, line, clear)
        for index in np.flatnonzero(sides).tolist():
            track, side = int(ids[index]), int(sides[index])
            before = kept.get(track)
            if before is not None and before[0] != side and _cuts(before[1], xy[index], line):
                self.counts[name][0 if side > 0 else 1] += 1
            kept[track] = side, xy[index], self._time
        for track in [track for track, (_, _, last) in kept.items() if self._time - last > MEMORY]:
            del kept[track]


class Rates:
    """People a minute over each line, during the last minute or the shorter time since the start or a gap."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, dict[str, tuple[int, int]]]] = deque()

    def update(
        self, crossed: Mapping[str, tuple[int, int]], time: float
    ) -> dict[str, tuple[float, float] | None]:
        """Take in the crossings so far; return (forward, backward) a minute of each line, None before ten seconds."""
        if self._seen and not 0 <= time - self._seen[-1][0] <= SHORTEST:
            self._seen.clear()
        self._seen.append((time, dict(crossed)))
        while time - self._seen[0][0] > MINUTE + 1e-6:
            self._seen.popleft()
        begin, before = self._seen[0]
        if time - begin < SHORTEST:
            return dict.fromkeys(crossed)
        scale = MINUTE / (time - begin)
        return {
            name: ((forward - before[name][0]) * scale, (backward - before[name][1]) * scale)
            for name, (forward, backward) in crossed.items()
        }


def _sides(xy: Floats, line: Floats, clear: float) -> Integers:
    """Return for each of (n, 2) positions +1 right of the line, -1 left of it, 0 closer than ``clear``."""
    start, step = line[:-1], np.diff(line, axis=0)
    gap = xy[:, None] - start
    share = np.clip((gap * step).sum(2) / np.maximum((step**2).sum(1), 1e-12), 0, 1)
    away = gap - share[..., None] * step
    nearest = np.hypot(away[..., 0], away[..., 1])
    chosen = nearest.argmin(axis=1)
    rows = np.arange(len(xy))
    along, beside = step[chosen], gap[rows, chosen]
    side = np.sign(
        along[:, 0] * beside[:, 1] - along[:, 1] * beside[:, 0]
    )  # y points down: positive is right
    return np.where(nearest[rows, chosen] < clear, 0, side).astype(np.int64)


def _cuts(begin: Floats, end: Floats, line: Floats) -> bool:
    """Whether the segment between two positions meets the line."""
    import shapely

    return bool(shapely.LineString([begin, end]).intersects(shapely.LineString(line)))
