"""How the intervals of two divisions of a line overlap: a map is spread over other cells by these shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from crowdscale.arrays import Floats, Maps

__all__ = ["interval_shares", "overlap_matrix"]

DENSE = 1 << 20
"""Entries up to which a matrix is dense: nearly all are 0, but products of small ones are faster so."""


def interval_shares(ours: Floats, theirs: Floats, dense: int = DENSE) -> Any:
    """Return the (n, m) shares of the intervals between ``theirs`` that lie in those between ``ours``.

    Beyond ``dense`` entries the matrix is sparse (SciPy's CSR), as a dense one would grow with the square of a
    photo's longer side. The product of either kind with an array is an array.

    Args:
        ours: (n + 1,) borders that never descend.
        theirs: (m + 1,) ascending borders.
        dense: Entries up to which the matrix is dense.
    """
    if (len(ours) - 1) * (len(theirs) - 1) > dense:
        return _sparse_shares(ours, theirs)
    return _lengths(ours[:-1, None], ours[1:, None], theirs[None, :-1], theirs[None, 1:]) / np.diff(theirs)


def _lengths(low: Floats, high: Floats, other_low: Floats, other_high: Floats) -> Floats:
    """Return the lengths that intervals share with others."""
    return np.asarray(np.clip(np.minimum(high, other_high) - np.maximum(low, other_low), 0, None))


def _sparse_shares(ours: Floats, theirs: Floats) -> Any:
    from scipy.sparse import csr_array

    first = np.maximum(np.searchsorted(theirs, ours[:-1], side="right") - 1, 0)
    last = np.minimum(np.searchsorted(theirs, ours[1:], side="left"), len(theirs) - 1)
    numbers = np.maximum(last - first, 0)
    starts = np.concatenate([[0], np.cumsum(numbers)])
    columns = np.arange(starts[-1]) - np.repeat(starts[:-1] - first, numbers)
    rows = np.repeat(np.arange(len(numbers)), numbers)
    lengths = _lengths(ours[rows], ours[rows + 1], theirs[columns], theirs[columns + 1])
    shape = (len(ours) - 1, len(theirs) - 1)
    return csr_array((lengths / np.diff(theirs)[columns], columns, starts), shape=shape)


def overlap_matrix(start: float, stop: float, cells: int, bins: int) -> Maps:
    """Return the (bins, cells) lengths by which equal bins of [start, stop) overlap unit cells 0…cells."""
    edges, units = np.linspace(start, stop, bins + 1), np.arange(cells + 1, dtype=np.float64)
    return _lengths(edges[:-1, None], edges[1:, None], units[None, :-1], units[None, 1:]).astype(np.float32)
