"""Dots that agree with a density: totals, capacities, proportion, order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from crowdscale.maps.agreement import allot, keep_best
from crowdscale.points import Points

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))
grids = shapes.flatmap(
    lambda shape: st.tuples(
        arrays.arrays(np.float64, shape, elements=st.floats(0, 40)),
        arrays.arrays(np.int64, shape, elements=st.integers(0, 30)),
    )
)


@settings(max_examples=300, deadline=None)
@given(grids)
def test_the_total_is_given_out_and_no_cell_takes_more_than_it_can(grid):
    masses, capacities = grid
    given_out = allot(masses, capacities)
    assert given_out.sum() == min(int(np.floor(masses.sum() + 0.5)), capacities.sum())
    assert (given_out >= 0).all()
    assert (given_out <= capacities).all()


@settings(max_examples=200, deadline=None)
@given(shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=st.floats(0, 40))))
def test_with_room_for_all_each_cell_is_near_its_mass(masses):
    """Rounded once at each of at most four levels of quarters, a cell is less than four people off."""
    assert np.abs(allot(masses, np.full(masses.shape, 10**6)) - masses).max() < 4


def test_by_hand():
    assert allot(np.array([[3.0, 1.0]]), np.array([[9, 9]])).tolist() == [[3, 1]]
    assert allot(np.array([[3.0, 1.0]]), np.array([[1, 9]])).tolist() == [[1, 3]], (
        "what does not fit moves on"
    )
    assert allot(np.array([[2.4, 2.4], [0.0, 0.2]]), np.full((2, 2), 9)).sum() == 5
    assert allot(np.zeros((2, 3)), np.full((2, 3), 9)).sum() == 0
    assert allot(np.array([[0.0, 4.0]]), np.array([[2, 3]])).tolist() == [[1, 3]], (
        "a cell without mass helps out"
    )


def heads(count, seed=0):
    random = np.random.default_rng(seed)
    return Points(random.uniform(0, 256, (count, 2)), random.uniform(0, 1, count))


def test_the_most_confident_of_each_part_are_kept():
    candidates = heads(200)
    masses = np.zeros((4, 4))
    masses[1, 2] = 3
    kept = keep_best(candidates, masses, 64)
    there = candidates.xy
    inside = (np.floor((there[:, 0] + 0.5) / 64) == 2) & (np.floor((there[:, 1] + 0.5) / 64) == 1)
    best = np.sort(candidates.confidence[inside])[-3:]
    assert np.sort(kept.confidence).tolist() == best.tolist()


def test_the_order_of_candidates_does_not_matter():
    candidates = heads(300)
    masses = np.random.default_rng(1).uniform(0, 12, (4, 4))
    shuffled = candidates.select(np.random.default_rng(2).permutation(300))
    ours, theirs = (keep_best(points, masses, 64).xy for points in (candidates, shuffled))
    assert sorted(map(tuple, ours)) == sorted(map(tuple, theirs))


@pytest.mark.parametrize("masses", [np.zeros((2, 2)), np.zeros((0, 0)), np.full((2, 2), -3.0)])
def test_nobody(masses):
    assert len(keep_best(heads(10), masses, 128)) == 0
    assert len(keep_best(Points(), masses, 128)) == 0
