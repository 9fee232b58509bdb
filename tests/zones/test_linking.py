"""Identities hold while people walk, pass one another, are missed and come back."""

from __future__ import annotations

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.zones.linking import Linker, LinkOptions

DIAGONAL = 500.0


def link(paths, step=0.2, **options):
    """Feed (frames, people, 2) positions, NaN where a person is missed; return (frames, people) identities, -1 missed."""
    linker, rows = Linker(LinkOptions(**options)), []
    for index, frame in enumerate(np.asarray(paths, float)):
        present = ~np.isnan(frame).any(axis=1)
        row = np.full(len(frame), -1)
        row[present] = linker.update(frame[present], index * step, DIAGONAL)
        rows.append(row)
    return np.array(rows)


def walk(start, end, steps=30):
    return np.linspace(start, end, steps)


def test_each_person_keeps_one_identity():
    ids = link(np.stack([walk((10, y), (300, y + 20)) for y in range(20, 200, 20)], axis=1))
    assert (ids == ids[0]).all()
    assert len(set(ids[0].tolist())) == 9


def test_two_who_pass_each_other_keep_theirs():
    ids = link(np.stack([walk((100, 100), (300, 100)), walk((300, 108), (100, 108))], axis=1))
    assert (ids == ids[0]).all()


def test_a_person_missed_for_a_moment_comes_back_as_the_same():
    path = walk((50, 100), (350, 100))[:, None].copy()
    path[14:17] = np.nan
    ids = link(path)
    assert set(ids[:, 0].tolist()) == {0, -1}


def test_a_person_missed_for_longer_than_the_patience_is_a_new_one():
    path = walk((50, 100), (60, 100))[:, None].copy()
    path[10:20] = np.nan
    assert link(path, patience=0.5)[-1, 0] == 1


def test_a_runner_among_standing_people_is_followed():
    standing = np.array([[280, 130], [320, 130], [360, 130]], float)
    runner = walk((250, 100), (390, 100), 6)
    ids = link(np.stack([np.vstack([place, standing]) for place in runner]))
    assert (ids == ids[0]).all()


def test_nobody_and_time_that_goes_back_begin_anew():
    linker = Linker()
    assert len(linker.update(np.zeros((0, 2)), 0.0, DIAGONAL)) == 0
    assert linker.update(np.array([[5.0, 5.0]]), 1.0, DIAGONAL).tolist() == [0]
    assert linker.update(np.array([[5.0, 5.0]]), 0.5, DIAGONAL).tolist() == [1]


def test_velocities_are_those_of_the_walk():
    linker = Linker()
    for index, place in enumerate(walk((0, 0), (290, 0))):
        ids = linker.update(place[None], index * 0.1, DIAGONAL)
        if index < 2:
            assert np.isnan(linker.velocities(ids)).all()
    assert linker.velocities(ids)[0] == pytest.approx((100, 0), abs=2)


@pytest.mark.parametrize("wrong", [{"reach": 0}, {"smallest": 0.5, "largest": 0.1}, {"noise": 0}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(OptionError, match="expected"):
        LinkOptions(**wrong)
