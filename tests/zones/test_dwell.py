"""Different people, entries and times in a zone, by the numbers of their tracks."""

from __future__ import annotations

import numpy as np

from crowdscale.points import Points
from crowdscale.zones.dwell import Dwell
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
