"""One-to-one matching of predicted and true heads: maximum cardinality among pairs within the radius (spec §9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_bipartite_matching
from scipy.spatial import cKDTree

__all__ = ["Matches", "match_points"]

SLACK = 1e-9
"""Relative slack of the inclusive radius, so that a distance of exactly the radius passes in floating point."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matches:
    """Pairs of a predicted and a true head, each in at most one pair."""

    pairs: Integers
    """(k, 2) index of the prediction and of the true head."""
    distances: Floats
    """(k,) their distances in pixels."""

    def __len__(self) -> int:
        return len(self.pairs)


def match_points(predicted: ArrayLike, truth: ArrayLike, radius: ArrayLike, closest: bool = False) -> Matches:
    """Match as many heads as can be matched within the radius, inclusive.

    Args:
        predicted: (n, 2) x, y in pixels.
        truth: (m, 2).
        radius: In pixels: one for all, or (m,) one for each true head.
        closest: Of all largest matchings take the one with the least total distance; slower.
    """
    ours = np.asarray(predicted, float).reshape(-1, 2)
    theirs = np.asarray(truth, float).reshape(-1, 2)
    rows, columns, distances = _candidates(ours, theirs, np.asarray(radius, float))
    if not len(rows):
        return Matches(np.zeros((0, 2), np.int64), np.zeros(0))
    if closest:
        return _closest(rows, columns, distances, len(ours), len(theirs))
    graph = _graph(rows, columns, (len(ours), len(theirs)))
    partner = np.asarray(maximum_bipartite_matching(graph, perm_type="column"), np.int64)
    chosen = np.flatnonzero(partner >= 0)
    pairs = np.column_stack([chosen, partner[chosen]])
    return Matches(pairs, np.linalg.norm(ours[pairs[:, 0]] - theirs[pairs[:, 1]], axis=1))


def _candidates(ours: Floats, theirs: Floats, radius: Floats) -> tuple[Integers, Integers, Floats]:
    """Return the pairs within the radius as (prediction, true head, distance): the gate before matching."""
    if not len(ours) or not len(theirs):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    radii = np.broadcast_to(radius, len(theirs)) * (1 + SLACK)
    near = cKDTree(ours).query_ball_point(theirs, radii)
    columns = np.repeat(np.arange(len(theirs)), [len(found) for found in near])
    rows = np.concatenate([np.asarray(found, np.int64) for found in near])
    return rows, columns, np.linalg.norm(ours[rows] - theirs[columns], axis=1)


def _graph(rows: Integers, columns: Integers, shape: tuple[int, int]) -> csr_array:
    """Return the pairs as a sparse matrix with 32-bit indices, which SciPy's graph routines read."""
    where = (rows.astype(np.int32), columns.astype(np.int32))
    return csr_array((np.ones(len(rows), np.int8), where), shape=shape)


def _closest(rows: Integers, columns: Integers, distances: Floats, n: int, m: int) -> Matches:
    """Least total distance among largest matchings: a dense assignment within each connected component.

    A pair that is out of reach costs more than all distances together, so none displaces one in reach.
    """
    graph = _graph(rows, n + columns, (n + m, n + m))
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component[rows], kind="stable")
    splits = np.flatnonzero(np.diff(component[rows][order])) + 1
    pairs = [_assign(rows[edges], columns[edges], distances[edges]) for edges in np.split(order, splits)]
    found = np.concatenate(pairs)
    return Matches(found[:, :2].astype(np.int64), found[:, 2])


def _assign(rows: Integers, columns: Integers, distances: Floats) -> Floats:
    row_names, row = np.unique(rows, return_inverse=True)
    column_names, column = np.unique(columns, return_inverse=True)
    out_of_reach = distances.sum() + 1.0
    costs = np.full((len(row_names), len(column_names)), out_of_reach)
    costs[row, column] = distances
    chosen = np.column_stack(linear_sum_assignment(costs))
    cost = costs[chosen[:, 0], chosen[:, 1]]
    kept = cost < out_of_reach
    return np.column_stack([row_names[chosen[kept, 0]], column_names[chosen[kept, 1]], cost[kept]])
