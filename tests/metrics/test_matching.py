"""Matching against brute force and against a dense assignment."""

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from crowdscale.metrics import match_counts, match_points, matching


def brute_force(ours, theirs, radius):
    """Return (size, least total distance) over all one-to-one matchings."""
    if len(ours) > len(theirs):
        return brute_force(theirs, ours, radius)
    distance = np.linalg.norm(ours[:, None] - theirs[None], axis=2).reshape(len(ours), len(theirs))
    for size in range(len(ours), 0, -1):
        totals = [
            sum(distance[pair] for pair in zip(rows, columns, strict=True))
            for rows in combinations(range(len(ours)), size)
            for columns in permutations(range(len(theirs)), size)
            if all(distance[pair] <= radius for pair in zip(rows, columns, strict=True))
        ]
        if totals:
            return size, min(totals)
    return 0, 0.0


def test_thousands_of_small_cases_against_brute_force():
    random = np.random.default_rng(0)
    for _ in range(3000):
        n, m = random.integers(0, 5, 2)
        ours, theirs = (
            random.integers(0, 8, (n, 2)).astype(float),
            random.integers(0, 8, (m, 2)).astype(float),
        )
        radius = float(random.integers(1, 5))
        size, total = brute_force(ours, theirs, radius)
        assert len(match_points(ours, theirs, radius)) == size
        closest = match_points(ours, theirs, radius, closest=True)
        assert len(closest) == size
        assert closest.distances.sum() == pytest.approx(total)


@pytest.mark.parametrize("radius", [1.5, 6.0, 20.0])
def test_cardinality_against_a_dense_assignment(radius):
    random = np.random.default_rng(1)
    ours, theirs = random.uniform(0, 100, (220, 2)), random.uniform(0, 100, (180, 2))
    within = np.linalg.norm(ours[:, None] - theirs[None], axis=2) <= radius
    rows, columns = linear_sum_assignment(within, maximize=True)
    assert len(match_points(ours, theirs, radius)) == within[rows, columns].sum()


def test_nobody_is_matched_twice_and_all_are_within_reach():
    random = np.random.default_rng(2)
    ours, theirs = random.uniform(0, 50, (300, 2)), random.uniform(0, 50, (300, 2))
    for closest in (False, True):
        matches = match_points(ours, theirs, 3.0, closest=closest)
        assert all(len(set(side)) == len(matches) for side in matches.pairs.T.tolist())
        assert matches.distances.max() <= 3.0


def test_the_radius_is_inclusive():
    assert len(match_points([[0, 0]], [[3, 4]], 5.0)) == 1
    assert len(match_points([[0, 0]], [[3, 4]], 4.999)) == 0
    assert len(match_points([[0.1, 0]], [[0.3 + 0.1, 0]], 0.3)) == 1


def test_a_nearest_first_choice_would_lose_a_pair():
    assert len(match_points([[0, 0], [4, 0]], [[3, 0], [7.5, 0]], 4.0)) == 2


def test_each_true_head_may_have_its_own_radius():
    assert len(match_points([[0, 0], [10, 0]], [[2, 0], [12, 0]], [1.0, 3.0])) == 1


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_nobody(n, m):
    matches = match_points(np.zeros((n, 2)), np.zeros((m, 2)), 4.0)
    assert matches.pairs.shape == (0, 2)


def test_many_radii_at_once_are_as_one_by_one():
    random = np.random.default_rng(3)
    for n, m in ((40, 60), (60, 40), (1, 1), (0, 5)):
        ours, theirs = random.integers(0, 60, (n, 2)), random.integers(0, 60, (m, 2))
        radii = [7, 1, 100, 2.5, 7, 30]
        assert match_counts(ours, theirs, radii).tolist() == [
            len(match_points(ours, theirs, r)) for r in radii
        ]
    assert match_counts([[0, 0]], [[0, 0]], []).tolist() == []


def test_a_large_component_is_assigned_as_a_small_one(monkeypatch):
    random = np.random.default_rng(4)
    for _ in range(100):
        n, m = random.integers(1, 30, 2)
        ours, theirs = random.integers(0, 25, (n, 2)), random.integers(0, 25, (m, 2))
        dense = match_points(ours, theirs, 5.0, closest=True)
        monkeypatch.setattr(matching, "DENSE", 0)
        sparse = match_points(ours, theirs, 5.0, closest=True)
        monkeypatch.undo()
        assert len(sparse) == len(dense)
        assert sparse.distances.sum() == pytest.approx(dense.distances.sum())
        assert np.allclose(
            sparse.distances, np.linalg.norm(ours[sparse.pairs[:, 0]] - theirs[sparse.pairs[:, 1]], axis=1)
        )


def test_thousands_of_heads_nearly_all_matched_is_not_slow():
    """A crowd in which the last few heads need long augmenting paths; SciPy's bipartite matching took minutes."""
    random = np.random.default_rng(0)
    theirs = random.uniform(0, 1, (6000, 2)) * (4200, 2800)
    ours = np.concatenate(
        [theirs[:4700] + random.normal(0, 4, (4700, 2)), random.uniform(0, 1, (1400, 2)) * (4200, 2800)]
    )
    counts = match_counts(ours, theirs, np.arange(1, 101))
    assert (np.diff(counts) >= 0).all()
    assert counts[-1] > 5900
