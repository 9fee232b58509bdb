"""The summary of several cameras: counts, the highest density of each area with its level, and times that one was lost."""

from __future__ import annotations

from dataclasses import replace

from crowdscale.cli.watch_several import summary_lines
from crowdscale.video.camera_state import Camera, Watching
from crowdscale.video.frame import Source
from crowdscale.video.several import Cameras
from crowdscale.video.watch import Watched, WatchRow
from crowdscale.zones.crowd import NO_SAFETY_DEVICE
from crowdscale.zones.zone import ZoneCount

ROW = WatchRow(0.0, 0, 5.0, None, (), {}, (), 0.1, 0)


def shown(several: Cameras, name: str, *densities: tuple[float, str]) -> Watching:
    state = next(each for each in several.states if each.camera.name == name)
    state.source = Source(name, lambda _: iter(()), live=True)
    for time, (density, level) in enumerate(densities):
        zones = (ZoneCount("hall", 5, 5, square_metres=10, per_square_metre=density, level=level),)
        state.take(Watched(replace(ROW, time=float(time), zones=zones), None, None), frozenset())
    return state


def test_each_camera_has_its_line_and_its_highest_density():
    several = Cameras([Camera(name, name) for name in ("gate", "hall", "off")], None, lambda *_: None)
    shown(several, "gate", (0.5, "B"), (2.51, "F"), (0.2, "A")).source.reconnects = 3
    shown(several, "hall", (1.0, "C"))
    assert list(summary_lines(several)) == [
        "gate: 3 counts over 2.0 s: 5.0 people on average; lost and reached again 3 times",
        "gate: Highest density, hall: 2.51 people per m2 at 1.0 s (level F of Fruin's A to F)",
        "hall: 1 count over 0.0 s: 5.0 people on average",
        "hall: Highest density, hall: 1.00 people per m2 at 0.0 s (level C of Fruin's A to F)",
        NO_SAFETY_DEVICE,
    ]
