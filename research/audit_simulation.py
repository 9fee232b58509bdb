"""Many audits of one plan at once: the draws and estimates of ``crowdscale.trust.audit``, for all seeds together.

A test compares every number with the package's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from crowdscale.trust.audit import AuditPlan
from crowdscale.trust.audit.design import uniform
from crowdscale.trust.audit.estimate import missed_share

__all__ = ["Audits", "draw_orders", "simulate"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Audits:
    """Results by seed; each array is (seeds,)."""

    unbiased: Floats
    count: Floats
    low: Floats
    high: Floats
    counted: Floats

    @property
    def half_width(self) -> Floats:
        """Half the interval relative to the number; NaN without people."""
        half = (self.high - self.low) / 2
        width = np.full(len(half), np.nan)
        np.divide(half, self.count, out=width, where=self.count > 0)
        return width

    def held(self, people: int) -> Floats:
        """Return 1 where the interval holds the true number, else 0."""
        return ((self.low <= people) & (people <= self.high)).astype(np.float64)


@lru_cache(maxsize=200_000)
def _uniforms(path: str, seeds: int) -> Floats:
    return np.array([uniform(str(seed), path) for seed in range(seeds)])


def draw_orders(plan: AuditPlan, tiles: int, seeds: int) -> NDArray[np.int64]:
    """Return the (seeds, tiles) beginnings of the orders under the seeds 0, 1, …."""
    orders = np.zeros((seeds, tiles), np.int64)
    index = {cell.path: place for place, cell in enumerate(plan.cells)}
    nodes = plan.nodes
    waiting = [("", np.ones((seeds, tiles), bool))]
    while waiting:
        path, steps = waiting.pop()
        if path in index:
            orders[np.nonzero(steps)] = index[path]
            continue
        left, right = nodes[f"{path}0"], nodes[f"{path}1"]
        weight = left.size / (left.size + right.size)
        draws = np.cumsum(steps, axis=1)
        wanted = np.floor(draws * weight + _uniforms(path, seeds)[:, None])
        passed = np.minimum(np.minimum(np.maximum(wanted, draws - right.cells), left.cells), draws)
        first = np.diff(passed, axis=1, prepend=0) > 0
        waiting += [(f"{path}0", steps & first), (f"{path}1", steps & ~first)]
    return orders


def simulate(plan: AuditPlan, truth: Sequence[int], orders: NDArray[np.int64], level: float = 0.9) -> Audits:
    """Return the estimates after the cells of the orders, of two or more but not all of the plan's cells.

    Args:
        plan: The audit.
        truth: True people of each cell.
        orders: (seeds, tiles) of cells.
        level: Of the intervals.
    """
    tiles = orders.shape[1]
    people, predicted = np.asarray(truth, np.float64), np.array([cell.predicted for cell in plan.cells])
    drawn = np.sort(orders, axis=1)
    chances = plan.inclusion(tiles)[drawn]
    values = (people - predicted)[drawn] / chances
    counted = people[drawn].sum(axis=1)
    unbiased = plan.predicted + values.sum(axis=1)
    weights = 1 - chances
    total = np.maximum(weights.sum(axis=1), 1e-300)
    centre = (weights * values).sum(axis=1) / total
    hajek = (weights * (values - centre[:, None]) ** 2).sum(axis=1)
    pairs = (weights[:, 1:] + weights[:, :-1]) / 2
    successive = (pairs * np.diff(values, axis=1) ** 2).sum(axis=1) / 2
    least = (weights / chances**2).mean(axis=1)
    variance = np.maximum(tiles / (tiles - 1) * (hajek + successive) / 2, least)
    times = stdtrit(tiles - 1, (1 + level) / 2)
    count = np.maximum(unbiased, counted)
    missed = count * _unseen_shares(plan, drawn) * missed_share(tiles)
    low = np.maximum(unbiased - times * np.sqrt(variance), counted)
    above = times * np.sqrt(variance + missed**2)
    high = np.maximum(unbiased + above, counted + times * np.sqrt(least))
    return Audits(unbiased, count, low, high, counted)


def _unseen_shares(plan: AuditPlan, drawn: NDArray[np.int64]) -> Floats:
    """Return for each seed the share of the draw that belongs to photos without a drawn cell."""
    if not plan.options.unseen_photos:
        return np.zeros(len(drawn))
    photo = np.array([cell.photo for cell in plan.cells])
    sizes = np.bincount(photo, [cell.size for cell in plan.cells], len(plan.photos))
    seen = np.zeros((len(drawn), len(plan.photos)), bool)
    np.put_along_axis(seen, photo[drawn], True, axis=1)
    return np.asarray(1 - (seen * sizes).sum(axis=1) / sizes.sum(), np.float64)
