"""Agreement of heads with a density: the number of candidate heads to keep in each part of a photo."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Floats, Integers
from crowdscale.points import Points

__all__ = ["allot", "keep_best"]

Number = TypeVar("Number", np.float64, np.int64)


def keep_best(candidates: Points, masses: Floats, part: int) -> Points:
    """Return as many candidates as there are people, the best of each part of the photo.

    The number of people, rounded, is divided top-down: each square of parts gives each of its four quarters
    a share by mass, at most its number of candidates; the rest goes to the other quarters.

    Args:
        candidates: Heads with a confidence each.
        masses: (rows, columns) people in each part of the photo.
        part: Side of a part in pixels.
    """
    if not len(candidates) or masses.size == 0:
        return candidates.select(np.zeros(len(candidates), bool))
    columns, rows = np.floor((candidates.xy + 0.5) / part).astype(np.int64).T
    rows, columns = np.clip(rows, 0, masses.shape[0] - 1), np.clip(columns, 0, masses.shape[1] - 1)
    capacities = np.zeros(masses.shape, np.int64)
    np.add.at(capacities, (rows, columns), 1)
    budgets = allot(np.maximum(masses, 0.0), capacities)
    cell = rows * masses.shape[1] + columns
    confidence = candidates.confidence if candidates.confidence is not None else np.ones(len(candidates))
    x, y = candidates.xy.T
    order = np.lexsort((x, y, -confidence, cell))  # within a part the most confident first; ties by place
    first = np.searchsorted(cell[order], cell[order], side="left")
    kept = np.zeros(len(candidates), bool)
    kept[order] = np.arange(len(order)) - first < budgets.ravel()[cell[order]]
    return candidates.select(kept)


def allot(masses: Floats, capacities: Integers) -> Integers:
    """Divide the rounded sum of masses among the cells of a grid, in proportion and within capacities.

    Args:
        masses: (rows, columns), none below 0.
        capacities: (rows, columns) the most that each cell can take.

    Returns:
        (rows, columns); their sum is min(round(Σ masses), Σ capacities).
    """
    side = 1 << int(np.ceil(np.log2(max(masses.shape))))
    room = tuple((0, side - length) for length in masses.shape)
    pyramid = [(np.pad(masses, room), np.pad(capacities, room))]
    while len(pyramid[-1][0]) > 1:
        pyramid.append((_quarters(pyramid[-1][0]).sum(-1), _quarters(pyramid[-1][1]).sum(-1)))
    total = min(int(np.floor(masses.sum() + 0.5)), int(capacities.sum()))
    budgets = np.array([[total]])
    for mass, capacity in reversed(pyramid[:-1]):
        shares = _divide(budgets.ravel(), _quarters(mass).reshape(-1, 4), _quarters(capacity).reshape(-1, 4))
        budgets = _join(shares.reshape(*budgets.shape, 4))
    return budgets[: masses.shape[0], : masses.shape[1]]


def _quarters(grid: NDArray[Number]) -> NDArray[Number]:
    """Return the (n/2, n/2, 4) cells of each square of four."""
    half = len(grid) // 2
    return grid.reshape(half, 2, half, 2).transpose(0, 2, 1, 3).reshape(half, half, 4)


def _join(cells: Integers) -> Integers:
    half = len(cells)
    return cells.reshape(half, half, 2, 2).transpose(0, 2, 1, 3).reshape(2 * half, 2 * half)


def _divide(budgets: Integers, masses: Floats, capacities: Integers) -> Integers:
    """Return the (n, k) whole shares of (n,) budgets, by (n, k) masses and at most the capacities.

    Shares are filled in turns, since what one cannot take is offered to the others, then rounded down;
    the largest remainders get what is left. Budgets never exceed the sum of their capacities.
    """
    shares = np.zeros(masses.shape)
    for _ in range(masses.shape[1] + 1):
        left = budgets - shares.sum(1)
        free = capacities - shares > 1e-9
        weights = np.where(free, masses, 0.0)
        # Where only cells without mass have room, they share alike.
        weights = np.where(weights.sum(1, keepdims=True) > 0, weights, free)
        total = weights.sum(1, keepdims=True)
        step = np.divide(left[:, None] * weights, total, out=np.zeros_like(shares), where=total > 0)
        filled = shares + step
        shares = np.minimum(filled, capacities)
        if (filled <= capacities).all():
            break  # nothing is left to offer
    whole = np.floor(shares + 1e-9).astype(np.int64)
    left = budgets - whole.sum(1)
    while (left > 0).any():
        remainder = np.where(whole < capacities, shares - whole, -np.inf)
        rank = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
        given = (rank < left[:, None]) & (whole < capacities)
        whole += given
        left = budgets - whole.sum(1)
    return whole
