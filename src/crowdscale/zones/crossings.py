"""People who cross lines: dots of successive frames are paired, and a pair's path is followed over each line.

It needs frames a fraction of a second apart: between two frames nobody may go further than half of the way to
the next person, or dots are taken for one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdscale.metrics.matching import match_points
from crowdscale.points import Points, nearest_distances
from crowdscale.zones.zone import Zones

__all__ = ["Crossings"]

Floats = NDArray[np.float64]

SPACING_SHARE = 0.5
"""Furthest that a dot is looked for, over the distance to its nearest neighbour."""
LARGEST_STEP = 0.05
"""The same at most, over the picture's diagonal."""
CLEAR = 0.005
"""Distance from a line, over the diagonal, at which somebody is surely on one side: standing on it is no crossing."""
PATIENCE = 2
"""Counts in which a person may be missed without being lost."""


@dataclass
class Track:
    """A person followed from frame to frame."""

    xy: Floats
    missed: int = 0
    sides: dict[str, tuple[int, Floats]] = field(default_factory=dict)
    """Of each line: the side on which he last surely was, and where."""


class Crossings:
    """Counts of people over each line, forward (from its left to its right, seen from first to last point) and back.

    Args:
        zones: Whose lines are watched.
    """

    def __init__(self, zones: Zones) -> None:
        self.zones = zones
        self.counts = {zone.name: [0, 0] for zone in zones.counted if zone.kind == "line"}
        self._tracks: list[Track] = []

    def update(self, points: Points, size: tuple[int, int]) -> dict[str, tuple[int, int]]:
        """Take in the dots of a (width, height) frame and return the crossings of each line so far."""
        if not self.counts:
            return {}
        lines = {z.name: z.corners(size) for z in self.zones.fit(size).counted if z.kind == "line"}
        diagonal = float(np.hypot(*size))
        self._follow(points.xy + 0.5, diagonal)
        for track in self._tracks:
            if not track.missed:
                for name, line in lines.items():
                    self._judge(track, name, line, CLEAR * diagonal)
        return {name: (forward, backward) for name, (forward, backward) in self.counts.items()}

    def _follow(self, xy: Floats, diagonal: float) -> None:
        """Pair the tracks with the dots, nearest in all; the rest of the dots begin tracks."""
        near = np.nan_to_num(nearest_distances(xy), nan=np.inf)
        reach = np.minimum(SPACING_SHARE * near, LARGEST_STEP * diagonal)
        before = np.array([track.xy for track in self._tracks]).reshape(-1, 2)
        pairs = match_points(before, xy, reach, closest=True).pairs
        found = dict(pairs.tolist())
        for index, track in enumerate(self._tracks):
            if index in found:
                track.xy, track.missed = xy[found[index]], 0
            else:
                track.missed += 1
        new = np.setdiff1d(np.arange(len(xy)), pairs[:, 1])
        self._tracks = [track for track in self._tracks if track.missed <= PATIENCE]
        self._tracks += [Track(xy[index]) for index in new]

    def _judge(self, track: Track, name: str, line: Floats, clear: float) -> None:
        side = _side(track.xy, line, clear)
        if side == 0:
            return
        known = track.sides.get(name)
        if known is not None and known[0] != side and _cuts(known[1], track.xy, line):
            self.counts[name][0 if side > 0 else 1] += 1
        track.sides[name] = (side, track.xy)


def _side(xy: Floats, line: Floats, clear: float) -> int:
    """Return +1 right of the line, -1 left of it, 0 closer than ``clear``: by its nearest piece."""
    start, step = line[:-1], np.diff(line, axis=0)
    share = np.clip(((xy - start) * step).sum(1) / np.maximum((step**2).sum(1), 1e-12), 0, 1)
    gaps = xy - (start + share[:, None] * step)
    nearest = int((gaps**2).sum(1).argmin())
    if np.hypot(*gaps[nearest]) < clear:
        return 0
    dx, dy = step[nearest]
    px, py = xy - start[nearest]
    return int(np.sign(dx * py - dy * px))  # y points down: positive is on the right


def _cuts(begin: Floats, end: Floats, line: Floats) -> bool:
    """Whether the way from one place to another meets the line."""
    import shapely

    return bool(shapely.LineString([begin, end]).intersects(shapely.LineString(line)))
