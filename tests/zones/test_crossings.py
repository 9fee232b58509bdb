"""People who walk over a line are counted once each way; who stands on it, or passes beside it, is not."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.points import Points
from crowdscale.zones.crossings import Crossings, Rates
from crowdscale.zones.zone import Zone, Zones

SIZE = (400, 300)
LINE = Zone("door", ((200, 50), (200, 250)), "line")


def run(paths, line=LINE):
    """Feed (frames, people, 2) positions, NaN where somebody is not seen; return the last counts."""
    crossings, counts = Crossings(Zones((line,))), {}
    for frame in paths:
        counts = crossings.update(Points(frame[~np.isnan(frame).any(axis=1)]), SIZE)
    return counts["door"]


def walk(start, end, steps=40):
    return np.linspace(start, end, steps)


@pytest.mark.parametrize(
    ("people", "wanted"),
    [
        ([walk((120, 100), (280, 120))], (0, 1)),
        ([walk((280, 100), (120, 120))], (1, 0)),
        ([walk((120, 270), (280, 290))], (0, 0)),
        ([walk((120, 100), (195, 100))], (0, 0)),
        ([np.concatenate([walk((120, 100), (280, 100)), walk((280, 100), (120, 100))])], (1, 1)),
        ([walk((120, y), (280, y)) for y in (80, 110, 140)] + [walk((280, 200), (120, 200))], (1, 3)),
    ],
    ids=["left to right", "right to left", "beside it", "short of it", "there and back", "several"],
)
def test_walks(people, wanted):
    """Drawn downwards, the line's right side is the picture's left: who walks to the left goes forward."""
    assert run(np.stack(people, axis=1)) == wanted


def test_standing_on_the_line_is_no_crossing():
    rng = np.random.default_rng(0)
    jitter = np.array([200, 150]) + rng.uniform(-1.5, 1.5, (200, 2))
    assert run(jitter[:, None]) == (0, 0)


@pytest.mark.parametrize("sway", [3, 5])
def test_swaying_over_the_line_is_no_crossing(sway):
    path = np.array([[200 + sway * (-1) ** step, 150] for step in range(60)], float)
    assert run(path[:, None]) == (0, 0)


def test_a_walker_among_standing_people_crosses_once():
    walker = walk((160, 120), (270, 120), 6)
    standing = np.array([[150, 150], [190, 150], [230, 150]], float)
    assert run(np.stack([np.vstack([place, standing]) for place in walker])) == (0, 1)


def test_given_identities_are_taken():
    crossings = Crossings(Zones((LINE,)))
    for x in (120, 160, 240, 280):
        counts = crossings.update(Points([[x, 100]]), SIZE, ids=np.array([7]))
    assert counts["door"] == (0, 1)
    with pytest.raises(OptionError, match="one identity"):
        crossings.update(Points([[1, 2]]), SIZE, ids=np.array([1, 2]))


def test_who_is_missed_for_a_moment_is_still_followed():
    path = walk((120, 100), (280, 100), 80)[:, None]
    path[38:40] = np.nan
    assert run(path) == (0, 1)


def test_two_who_meet_on_the_line_are_told_apart_by_their_distance():
    one, other = walk((120, 100), (280, 100)), walk((280, 130), (120, 130))
    assert run(np.stack([one, other], axis=1)) == (1, 1)


def test_a_bent_line_and_relative_corners():
    bent = Zone("door", ((0.5, 0.1), (0.5, 0.5), (0.9, 0.5)), "line", relative=True)
    path = walk((300, 100), (300, 220))[:, None]  # out of the corner, downwards
    assert run(path, bent) in {(1, 0), (0, 1)}
    assert run(path[::-1], bent) == tuple(reversed(run(path, bent)))


def test_no_lines_no_work():
    assert Crossings(Zones(())).update(Points([[1, 2]]), SIZE) == {}


def test_rates_are_those_of_the_last_minute_and_begin_anew_after_a_gap():
    rates = Rates()
    seen = [rates.update({"gate": (second // 2, 0)}, float(second))["gate"] for second in range(121)]
    assert seen[:10] == [None] * 10
    assert seen[20] == pytest.approx((30, 0))  # ten in twenty seconds
    assert seen[120] == pytest.approx((30, 0))
    assert rates.update({"gate": (99, 0)}, 300.0)["gate"] is None
    for second in range(301, 311):
        last = rates.update({"gate": (99, second - 300)}, float(second))["gate"]
    assert last == pytest.approx((0, 60))
