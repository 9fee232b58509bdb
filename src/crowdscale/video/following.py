"""Who is followed in a film: tracks, crossings of lines, stays and crowd measures of areas."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.prediction import Prediction
from crowdscale.points import Points
from crowdscale.video.tracks import Tracker
from crowdscale.zones.crossings import Crossings, Rates
from crowdscale.zones.crowd import CrowdMeasures, measure_zones
from crowdscale.zones.dwell import Dwell, Stays
from crowdscale.zones.zone import Zones

__all__ = ["Followed", "Movement"]


@dataclass(frozen=True)
class Movement:
    """What the tracks of a film show up to a frame."""

    tracks: NDArray[np.int64] | None = None
    """(n,) track numbers of the frame's heads; None where nobody is followed."""
    crossed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """People who crossed each line so far, (forward, backward)."""
    per_minute: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    """The same in the last minute."""
    stays: tuple[Stays, ...] = ()
    measures: dict[str, CrowdMeasures] = field(default_factory=dict)
    """Of each area on the ground."""


class Followed:
    """Heads of a film, followed where zones have lines or where that is asked for.

    Args:
        zones: Lines and areas.
        follow: Follow heads without lines too, for stays and crowd measures.
    """

    def __init__(self, zones: Zones | None, follow: bool) -> None:
        self.zones, self.follow = zones, follow
        self.crossings = Crossings(zones) if zones is not None else None
        needed = follow or (self.crossings is not None and bool(self.crossings.counts))
        self.tracker = Tracker() if needed else None
        self.dwell = Dwell(zones) if zones is not None and follow else None
        self.rates = Rates()

    def take(self, prediction: Prediction, time: float, size: tuple[int, int]) -> Movement:
        """Take in a frame's heads and return what happened so far.

        Heads of a frame of another size are followed in pixels of the first ``size``.
        """
        if self.tracker is None:
            return Movement()
        points = prediction.points or Points()
        if size != prediction.size:
            points = points.scale(size[0] / prediction.size[0], size[1] / prediction.size[1])
        tracks = self.tracker.update(points, time, size)
        crossed = self.crossings.update(points, size, time, tracks) if self.crossings is not None else {}
        stays = self.dwell.update(points, tracks, time, size) if self.dwell is not None else []
        measures = {}
        if self.zones is not None and self.follow:
            measures = measure_zones(points, self.tracker.linker.velocities(tracks), self.zones, size)
        return Movement(tracks, crossed, self.rates.update(crossed, time), tuple(stays), measures)
