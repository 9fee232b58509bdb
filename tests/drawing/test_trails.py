"""Trails fade, stay short, and keep the memory of those alone who were just seen."""

from __future__ import annotations

import numpy as np

from crowdscale.drawing.trails import MOST, TAIL, Trails

SIZE = (400, 300)
GREY = np.full((300, 400, 3), 128, np.uint8)


def walked(seconds, step=0.1, people=1):
    trails = Trails()
    for time in np.arange(0, seconds, step):
        xy = np.array([[50 + 40 * time, 50 + 20 * person] for person in range(people)])
        trails.take(xy, np.arange(people), float(time), SIZE)
    return trails


def test_a_trail_fades_and_is_as_long_as_its_seconds():
    picture = walked(6).draw(GREY).astype(int)
    change = np.abs(picture - 128).max(axis=2)[50]  # along the way, which ends at 286
    now, start = 50 + 40 * 5.9, 50 + 40 * (5.9 - TAIL)
    assert change[int(now) - 6] > change[int(start) + 8] > 0
    assert change[: int(start) - 8].max() == 0
    assert change[int(now) + 6 :].max() == 0
    np.testing.assert_array_equal(GREY, 128)  # a new picture was drawn


def test_who_has_gone_has_no_trail_and_takes_no_memory():
    trails = walked(3, people=50)
    for number in range(30):
        trails.take(np.array([[10.0, 10.0]]), np.array([1000 + number]), 3 + 0.2 * number, SIZE)
    assert len(trails._ways) <= TAIL / 0.2 + 1
    fast = walked(4, step=1 / 100)
    assert max(map(len, fast._ways.values())) == MOST


def test_a_trail_follows_the_picture_s_size_and_a_clock_that_begins_anew():
    trails = walked(3)
    wide = np.full((600, 800, 3), 128, np.uint8)
    assert np.abs(trails.draw(wide).astype(int) - 128).max(axis=2)[100].any()
    trails.take(np.array([[10.0, 10.0]]), np.array([0]), 0.0, SIZE)
    np.testing.assert_array_equal(trails.draw(GREY), GREY)
