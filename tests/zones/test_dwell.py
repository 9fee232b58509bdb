"""Different people, entries and times in a zone, by the numbers of their tracks."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.points import Points
from crowdscale.zones.crossings import MEMORY
from crowdscale.zones.dwell import MOST, Dwell, _Times
from crowdscale.zones.zone import Zone, Zones

SIZE = (100, 100)
SQUARE = Zones((Zone("square", ((20, 20), (80, 20), (80, 80), (20, 80))),))


def follow(paths):
    """Feed {track: [(x, y) or None a second]} and return the last stays of the square."""
    dwell, last = Dwell(SQUARE), None
    for second in range(len(next(iter(paths.values())))):
        there = {track: path[second] for track, path in paths.items() if path[second] is not None}
        ids = np.array(list(there), np.int64)
        (last,) = dwell.update(
            Points(np.array(list(there.values()), float).reshape(-1, 2)), ids, second, SIZE
        )
    return last


def test_a_person_who_walks_through_enters_stays_and_leaves():
    stays = follow({0: [(5, 50), (30, 50), (50, 50), (70, 50), (95, 50), (95, 50)]})
    assert (stays.present, stays.different, stays.entered, stays.left) == (0, 1, 1, 1)
    assert stays.median_seconds == stays.longest_tenth_seconds == 2


def test_a_person_who_was_there_from_the_start_has_not_entered():
    stays = follow({0: [(50, 50)] * 4, 1: [(10, 10), (50, 40), (50, 40), (50, 40)]})
    assert (stays.present, stays.different, stays.entered, stays.left) == (2, 2, 1, 0)
    assert stays.median_seconds is None


def test_a_person_missed_for_a_moment_stays():
    assert follow({0: [(50, 50), None, (50, 50), (50, 50)], 1: [(5, 5)] * 4}).left == 0
    gone = follow({0: [(50, 50), None, None, None], 1: [(5, 5)] * 4})
    assert (gone.present, gone.left) == (0, 1)


def swaying(edge, by, number=60, y=50):
    return [(edge + by * (-1) ** step, y) for step in range(number)]


RING = Zones(
    (
        Zone(
            "ring",
            ((100, 100), (500, 100), (500, 400), (100, 400)),
            holes=(((250, 200), (350, 200), (350, 300), (250, 300)),),
        ),
    )
)
"""In a picture of 640×480 a person within 9.6 pixels of an edge is not clear of it."""


def stays_of(zones, path, step=0.2, size=(640, 480)):
    """Return the stays of each zone after one person's path of (x, y) or None."""
    dwell = Dwell(zones)
    for number, place in enumerate(path):
        places = np.array([] if place is None else [place], float).reshape(-1, 2)
        stays = dwell.update(Points(places), np.zeros(len(places), np.int64), number * step, size)
    return stays


@pytest.mark.parametrize(
    "path",
    [
        swaying(100, 8, y=250),
        [(100 + 6 * np.cos(a), 100 + 6 * np.sin(a)) for a in np.linspace(0, 20, 80)],
        swaying(250, 8, y=250),
        [(250 + 8 * (-1) ** n, 250) if n % 4 else None for n in range(60)],
    ],
    ids=["edge", "corner", "hole", "lost at the hole's edge"],
)
@pytest.mark.parametrize("before", ["inside", "outside"])
def test_swaying_on_an_edge_is_no_coming_and_going(path, before):
    x, y = next(place for place in path if place)
    start = (175, 250) if before == "inside" else (20, y) if x < 200 else (300, 250)
    (stays,) = stays_of(RING, [start, *path, start])
    here = before == "inside"
    assert (stays.present, stays.different, stays.entered, stays.left) == (here, here, 0, 0)


def test_one_who_sways_and_then_walks_in_and_out_comes_and_goes_once():
    walk = [(x, 250) for x in range(40, 100, 10)] + swaying(100, 6, 20, 250)
    inside = [(x, 250) for x in range(110, 240, 10)]
    (stays,) = stays_of(RING, [*walk, *inside, *inside[::-1], *walk[::-1]])
    assert (stays.present, stays.different, stays.entered, stays.left) == (0, 1, 1, 1)
    # from the last time over the edge to the last time over it: the swaying on the way out is in it
    assert stays.median_seconds == pytest.approx((2 * len(inside) + 20) * 0.2, abs=0.5)


def test_one_who_sways_on_the_edge_of_two_zones_is_in_one_of_them():
    halves = Zones(
        (
            Zone("left", ((0, 0), (320, 0), (320, 480), (0, 480))),
            Zone("right", ((320, 0), (640, 0), (640, 480), (320, 480))),
        )
    )
    left, right = stays_of(halves, [(200, 240), *swaying(320, 7, 60, 240)])
    assert (left.present, left.left, right.present, right.entered) == (1, 0, 0, 0)
    left, right = stays_of(halves, [(200, 240), *swaying(320, 7, 60, 240), (400, 240)])
    assert (left.present, left.left, right.present, right.entered) == (0, 1, 1, 1)


def test_a_dot_lost_at_the_edge_for_some_frames_comes_in_once():
    path = [(70, 250), (85, 250), None, None, (112, 250), (130, 250), (150, 250)]
    (stays,) = stays_of(RING, path)
    assert (stays.present, stays.different, stays.entered, stays.left) == (1, 1, 1, 0)


def test_a_zone_narrower_than_the_margin_still_has_an_inside():
    strip = Zones((Zone("strip", ((100, 0), (108, 0), (108, 480), (100, 480))),))
    (stays,) = stays_of(strip, [(x, 240) for x in (80, 90, 104, 104, 118, 130)])
    assert (stays.present, stays.different, stays.entered, stays.left) == (0, 1, 1, 1)


def test_times_of_stay_take_bounded_memory_and_keep_their_quantiles():
    times = _Times()
    for seconds in np.random.default_rng(0).permutation(40_000):
        times.add(float(seconds))
    assert times.number == 40_000
    assert len(times.kept) < MOST
    assert (times.quantile(0.5), times.quantile(0.9)) == pytest.approx((20_000, 36_000), rel=0.02)


def test_who_has_gone_takes_no_memory():
    dwell = Dwell(SQUARE)
    for number in range(400):
        (stays,) = dwell.update(Points([[50.0, 50.0]]), np.array([number]), number * 0.5, SIZE)
    assert (stays.different, stays.present) == (400, 3)
    assert len(dwell._zones["square"].visits) <= (MEMORY + 1) / 0.5 + 1
