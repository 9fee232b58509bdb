"""What a watch keeps: sums and extremes of all counts, lines that stay short without losing a peak."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.video import history
from crowdscale.video.history import History


def filled(counts, **lines):
    known = History()
    for index, people in enumerate(counts):
        known.add(index * 0.5, 0.1, {"people": people, **{name: line[index] for name, line in lines.items()}})
    return known


def test_few_counts_are_all_kept():
    known = filled([3, 1, 2], hall=[1, 0, 1])
    times, lines = known.lines()
    assert times.tolist() == [0, 0.5, 1]
    assert {name: line.tolist() for name, line in lines.items()} == {"people": [3, 1, 2], "hall": [1, 0, 1]}
    assert (known.number, known.people, known.least, known.most, known.last) == (3, 6, 1, 3, 1.0)
    assert known.seconds == pytest.approx(0.3)


@pytest.mark.parametrize("number", [64, 1000])
def test_many_counts_stay_few_and_keep_each_lines_extremes(monkeypatch, number):
    monkeypatch.setattr(history, "MOST", 64)
    random = np.random.default_rng(number)
    people, hall = random.normal(50, 5, (2, number)).tolist()
    people[number // 3], hall[number // 2] = 500.0, -70.0
    known = filled(people, hall=hall)
    times, lines = known.lines()
    assert 32 <= len(times) < 64 + known._each
    assert (np.diff(times) > 0).all()
    assert (known.number, known.most, known.least) == (number, 500, min(people))
    for name, line in (("people", people), ("hall", hall)):
        assert (lines[name].max(), lines[name].min()) == (max(line), min(line))
    assert abs(times[lines["people"].argmax()] - number // 3 * 0.5) <= number / 16  # where it was, about
