"""One-to-one matching of predicted and true heads: maximum cardinality among pairs within the radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_flow, min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from crowdscale.arrays import Floats, Integers

__all__ = ["Matches", "match_counts", "match_points"]

SLACK = 1e-9
"""Relative slack of the inclusive radius, so that a distance of exactly the radius passes in floating point."""

DENSE = 300
"""Largest side of a component that is assigned by a dense cost matrix; larger ones stay sparse."""


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
    """Return a largest matching of heads within the radius, inclusive.

    Args:
        predicted: (n, 2) x, y in pixels.
        truth: (m, 2).
        radius: In pixels: one for all, or (m,) one for each true head.
        closest: Return the largest matching with the least total distance; slower.
    """
    ours = np.asarray(predicted, float).reshape(-1, 2)
    theirs = np.asarray(truth, float).reshape(-1, 2)
    rows, columns, distances = _candidates(ours, theirs, np.asarray(radius, float))
    if not len(rows):
        return Matches(np.zeros((0, 2), np.int64), np.zeros(0))
    if closest:
        return _closest(rows, columns, distances, len(ours), len(theirs))
    pairs = _largest(rows, columns, (len(ours), len(theirs)))
    return Matches(pairs, np.linalg.norm(ours[pairs[:, 0]] - theirs[pairs[:, 1]], axis=1))


def match_counts(predicted: ArrayLike, truth: ArrayLike, radii: ArrayLike) -> Integers:
    """Return the size of a largest matching for each of many radii, inclusive.

    The size never falls as the radius grows. A span of radii with equal sizes at both ends has that size throughout, so
    nothing is matched inside. Pairs are searched once, for the largest radius.

    Args:
        predicted: (n, 2) x, y in pixels.
        truth: (m, 2).
        radii: (k,) in pixels, in any order.
    """
    ours = np.asarray(predicted, float).reshape(-1, 2)
    theirs = np.asarray(truth, float).reshape(-1, 2)
    wanted, back = np.unique(np.asarray(radii, float), return_inverse=True)
    if not len(wanted):
        return np.zeros(0, np.int64)
    rows, columns, distances = _candidates(ours, theirs, wanted[-1])
    order = np.argsort(distances)
    rows, columns = rows[order], columns[order]
    ends = np.searchsorted(distances[order], wanted * (1 + SLACK), side="right")
    shape = (len(ours), len(theirs))
    counts = np.full(len(wanted), -1, np.int64)

    def at(index: int) -> int:
        if counts[index] < 0:
            counts[index] = len(_largest(rows[: ends[index]], columns[: ends[index]], shape))
        return int(counts[index])

    spans = [(0, len(wanted) - 1)]
    while spans:
        low, high = spans.pop()
        if at(low) == min(shape) or at(low) == at(high):
            counts[low : high + 1] = at(low)
        elif high - low > 1:
            middle = (low + high) // 2
            spans += [(middle, high), (low, middle)]
    return counts[back.reshape(-1)]


def _largest(rows: Integers, columns: Integers, shape: tuple[int, int]) -> Integers:
    """Return the (k, 2) pairs of a largest matching, as a flow of one unit a head (Dinic).

    SciPy's own bipartite matching takes minutes when nearly all heads of a big crowd match.
    """
    if not len(rows):
        return np.zeros((0, 2), np.int64)
    n, m = shape
    source, sink = 0, n + m + 1
    heads = np.concatenate([np.full(n, source), 1 + rows, 1 + n + np.arange(m)]).astype(np.int32)
    tails = np.concatenate([1 + np.arange(n), 1 + n + columns, np.full(m, sink)]).astype(np.int32)
    units = csr_array((np.ones(len(heads), np.int32), (heads, tails)), shape=(sink + 1, sink + 1))
    flow = maximum_flow(units, source, sink, method="dinic").flow.tocoo()
    used = (flow.data > 0) & (flow.row > source) & (flow.row <= n) & (flow.col < sink)
    return np.column_stack([flow.row[used] - 1, flow.col[used] - 1 - n]).astype(np.int64)


def _candidates(ours: Floats, theirs: Floats, radius: ArrayLike) -> tuple[Integers, Integers, Floats]:
    """Return the pairs within the radius as (prediction, true head, distance): the gate before matching."""
    if not len(ours) or not len(theirs):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    radii = np.asarray(radius, float) * (1 + SLACK)
    tree = cKDTree(ours)
    if radii.ndim == 0:
        pairs = tree.sparse_distance_matrix(cKDTree(theirs), float(radii), output_type="ndarray")
        return pairs["i"], pairs["j"], pairs["v"]
    near = tree.query_ball_point(theirs, np.broadcast_to(radii, len(theirs)))
    columns = np.repeat(np.arange(len(theirs)), [len(group) for group in near])
    rows = np.concatenate([np.asarray(group, np.int64) for group in near])
    return rows, columns, np.linalg.norm(ours[rows] - theirs[columns], axis=1)


def _graph(rows: Integers, columns: Integers, shape: tuple[int, int]) -> csr_array:
    """Return the pairs as a sparse matrix with 32-bit indices, which SciPy's graph routines read."""
    where = (rows.astype(np.int32), columns.astype(np.int32))
    return csr_array((np.ones(len(rows), np.int8), where), shape=shape)


def _closest(rows: Integers, columns: Integers, distances: Floats, n: int, m: int) -> Matches:
    """Least total distance among largest matchings: an assignment within each connected component.

    A pair out of reach costs more than all distances together, so it never displaces a pair in reach.
    """
    graph = _graph(rows, n + columns, (n + m, n + m))
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component[rows], kind="stable")
    splits = np.flatnonzero(np.diff(component[rows][order])) + 1
    pairs = [_assign(rows[edges], columns[edges], distances[edges]) for edges in np.split(order, splits)]
    joined = np.concatenate(pairs)
    return Matches(joined[:, :2].astype(np.int64), joined[:, 2])


def _assign(rows: Integers, columns: Integers, distances: Floats) -> Floats:
    """Return (k, 3) row, column and distance of one component's best matching."""
    row_names, row = np.unique(rows, return_inverse=True)
    column_names, column = np.unique(columns, return_inverse=True)
    shape = (len(row_names), len(column_names))
    assign = _assign_dense if max(shape) <= DENSE else _assign_sparse
    chosen_rows, chosen_columns, cost = assign(row, column, distances, shape)
    return np.column_stack([row_names[chosen_rows], column_names[chosen_columns], cost])


def _assign_dense(
    row: Integers, column: Integers, distances: Floats, shape: tuple[int, int]
) -> tuple[Integers, Integers, Floats]:
    out_of_reach = distances.sum() + 1.0
    costs = np.full(shape, out_of_reach)
    costs[row, column] = distances
    chosen_rows, chosen_columns = linear_sum_assignment(costs)
    cost = costs[chosen_rows, chosen_columns]
    kept = cost < out_of_reach
    return chosen_rows[kept].astype(np.int64), chosen_columns[kept].astype(np.int64), cost[kept]


def _assign_sparse(
    row: Integers, column: Integers, distances: Floats, shape: tuple[int, int]
) -> tuple[Integers, Integers, Floats]:
    """The same by a sparse assignment, in which each row can take its own extra column at a high price.

    Costs start at 1, since a sparse matrix holds no 0.
    """
    n, m = shape
    price = 1.0 + min(n, m) * (1.0 + float(distances.max()))
    rows = np.concatenate([row, np.arange(n)]).astype(np.int32)
    columns = np.concatenate([column, m + np.arange(n)]).astype(np.int32)
    costs = np.concatenate([1.0 + distances, np.full(n, price)])
    graph = csr_array((costs, (rows, columns)), shape=(n, m + n))
    all_rows, all_columns = min_weight_full_bipartite_matching(graph)
    kept = all_columns < m
    chosen_rows, chosen_columns = all_rows[kept].astype(np.int64), all_columns[kept].astype(np.int64)
    costs_of = csr_array((1.0 + distances, (row.astype(np.int32), column.astype(np.int32))), shape=shape)
    return chosen_rows, chosen_columns, np.asarray(costs_of[chosen_rows, chosen_columns]).ravel() - 1.0
