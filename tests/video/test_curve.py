"""The curve of a camera: bins with their mean, lowest and highest count, in memory that does not grow."""

from __future__ import annotations

import numpy as np

from crowdscale.video.curve import Curve


def test_bins_hold_the_mean_the_lowest_and_the_highest_count():
    curve = Curve(10.0, 5)
    for at, people in [(100, 4), (103, 8), (109.9, 3), (110, 7)]:
        curve.add(at, people)
    first, second = curve.bins()
    assert (first.begin, first.mean, first.low, first.high, first.counts) == (100, 5, 3, 8, 3)
    assert (second.begin, second.mean, second.counts) == (110, 7, 1)


def test_memory_does_not_grow_and_a_pause_leaves_a_gap():
    curve, counts = Curve(10.0, 6), np.random.default_rng(0).random(5000)
    for at, people in enumerate(counts):
        curve.add(1000.0 + at, people)
    curve.add(7000.0, 1)
    begins = [each.begin for each in curve.bins()]
    assert begins == [5950, 5960, 5970, 5980, 5990, 7000]
    assert np.isclose(curve.bins()[0].mean, counts[4950:4960].mean())


def test_a_clock_that_was_set_back_drops_what_lies_beyond():
    curve = Curve(10.0, 6)
    for at in (100, 110, 120, 105):
        curve.add(at, 2)
    assert [(each.begin, each.counts) for each in curve.bins()] == [(100, 2)]
