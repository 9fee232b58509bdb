"""The highest density of each area is kept, with its level, its time and what it is not."""

from __future__ import annotations

from dataclasses import replace

from crowdscale.video.highest import Highest
from crowdscale.video.watch import WatchRow
from crowdscale.zones.crowd import NO_SAFETY_DEVICE
from crowdscale.zones.zone import ZoneCount

ROW = WatchRow(0.0, 0, 5.0, None, (), {}, (), 0.1, 0)


def hall(density, level):
    return ZoneCount("hall", 5, 5, square_metres=10, per_square_metre=density, level=level)


def test_the_peak_is_kept_with_its_level_and_time():
    highest = Highest()
    for time, density, level in ((0, 0.5, "B"), (7, 2.51, "F"), (9, 0.2, "A")):
        highest.take(replace(ROW, time=float(time), zones=(hall(density, level),)))
    assert highest.sentences() == (
        "Highest density, hall: 2.51 people per m2 at 7.0 s (level F of Fruin's A to F)",
        NO_SAFETY_DEVICE,
    )


def test_what_has_no_density_says_nothing():
    highest = Highest()
    highest.take(replace(ROW, zones=(ZoneCount("hall", 5, 5),)))
    highest.take(replace(ROW, zones=(hall(9.0, "F"),), usable=False))
    highest.take(replace(ROW, zones=(hall(9.0, "F"),), crossed={"hall": (0, 0)}))
    assert highest.sentences() == ()
