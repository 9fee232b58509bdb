"""The estimate of an audit: the model's total, corrected by the cells that were counted by hand.

Difference estimator (Särndal, Swensson and Wretman, 1992, §6.3) with the weights of Horvitz and Thompson (1952):
Σ all cells predicted + Σ audited (counted - predicted)/π. It is unbiased over the draw, whatever the model predicts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, OptionError
from crowdscale.trust.audit.design import AuditPlan

__all__ = ["AuditEstimate", "estimate", "estimates", "missed_share"]

Floats = NDArray[np.float64]

GOAL = 0.10
"""Half-width of the interval, over the estimate, at which an audit may stop."""


@dataclass(frozen=True)
class AuditEstimate:
    """A number that follows from audited cells."""

    count: float
    """Estimated people in all photos, at least as many as were counted by hand."""
    unbiased: float
    """The same before that limit: its mean over draws is the true number."""
    low: float | None
    """Low end of the interval; None with fewer than two audited cells, unless all are."""
    high: float | None
    """High end of the interval; None as ``low``."""
    predicted: float
    """People by the model alone."""
    variance: float | None
    """Estimated variance of the number over draws; None as ``low``."""
    remaining: int | None
    """Further cells after which about ±10 % is reached; 0 where it is; None as ``low``."""
    level: float
    """How often intervals hold, over draws."""
    audited: int
    """Cells counted by hand."""
    cells: int
    """Cells in all."""
    counted: int
    """People counted by hand."""

    @property
    def exact(self) -> bool:
        """Whether every cell was counted by hand."""
        return self.audited == self.cells

    @property
    def half_width(self) -> float | None:
        """Half the interval relative to the number; None without an interval or people."""
        if self.low is None or self.high is None or self.count <= 0:
            return None
        return (self.high - self.low) / 2 / self.count

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "exact": self.exact, "half_width": self.half_width}


def estimates(plan: AuditPlan, counts: Sequence[int], level: float = 0.9) -> list[AuditEstimate]:
    """Return the estimate after 0, 1, 2, … audited cells."""
    return [estimate(plan, counts[:n], level) for n in range(len(counts) + 1)]


def estimate(plan: AuditPlan, counts: Sequence[int], level: float = 0.9) -> AuditEstimate:
    """Return the number of people and its interval.

    Args:
        plan: The audit.
        counts: People counted by hand in the cells of ``plan.order()``, from the first on.
        level: How often the interval holds, over draws.

    Raises:
        DataError: There are more counts than cells, or one is negative.
        OptionError: The level is not between 0.5 and 0.999.
    """
    if not 0.5 <= level <= 0.999:
        raise OptionError("expected a level from 0.5 to 0.999", f"{level:g}")
    if len(counts) > len(plan.cells) or any(n < 0 for n in counts):
        raise DataError(f"expected counts of 0 or more for at most {len(plan.cells)} cells", "others")
    audited, cells, counted = len(counts), len(plan.cells), int(sum(counts))
    state: dict[str, Any] = {"level": level, "audited": audited, "cells": cells, "counted": counted}
    if audited == cells:
        return AuditEstimate(counted, counted, counted, counted, plan.predicted, 0.0, 0, **state)
    errors, chances = _drawn(plan, counts)
    unbiased = plan.predicted + float((errors / chances).sum())
    count = max(unbiased, counted)
    if audited < 2:
        return AuditEstimate(count, unbiased, None, None, plan.predicted, None, None, **state)
    least = _least_variance(chances)
    variance = max(_variance(errors, chances), least)
    times = _quantile(level, audited)
    unseen = count * _unseen_share(plan, audited)
    above = math.sqrt(variance + (unseen * missed_share(audited)) ** 2)
    low = max(unbiased - times * math.sqrt(variance), counted)
    high = max(unbiased + times * above, counted + times * math.sqrt(least))
    remaining = _remaining(count, variance, unseen, audited, cells, level)
    return AuditEstimate(count, unbiased, low, high, plan.predicted, variance, remaining, **state)


def _drawn(plan: AuditPlan, counts: Sequence[int]) -> tuple[Floats, Floats]:
    """Return the errors of audited cells and their inclusion probabilities, in the order of the tree."""
    order = np.array(plan.order(len(counts)), np.int64)
    errors = np.array(counts, np.float64) - [plan.cells[index].predicted for index in order]
    place = np.argsort(order)
    return errors[place], plan.inclusion(len(counts), order[place])


def _variance(errors: Floats, chances: Floats) -> float:
    """Return the variance over draws, from the errors of audited cells in the order of the tree.

    The mean of two estimators. Hájek's (1964) ignores that the draw is spread and is a little too large where
    neighbours err alike. Successive differences (Wolter, 2007, §8.2) follow the spread, from fewer degrees of freedom.
    """
    number, weights = len(errors), 1 - chances
    values = errors / chances
    if weights.sum() <= 1e-12:
        return 0.0
    centre = (weights * values).sum() / weights.sum()
    hajek = (weights * (values - centre) ** 2).sum()
    pairs = (weights[1:] + weights[:-1]) / 2
    successive = (pairs * np.diff(values) ** 2).sum() / 2
    return float(number / (number - 1) * (hajek + successive) / 2)


def _least_variance(chances: Floats) -> float:
    """Return the variance of an error of one head in one cell: cells without an error do not feign certainty."""
    return float(((1 - chances) / chances**2).mean())


def _unseen_share(plan: AuditPlan, audited: int) -> float:
    """Return the share of the photos without an audited cell, by their part of the draw; 0 where it leaves no room."""
    if not plan.options.unseen_photos:
        return 0.0
    sampled = {plan.cells[index].photo for index in plan.order(audited)}
    unseen = sum(cell.size for cell in plan.cells if cell.photo not in sampled)
    return unseen / plan.nodes[""].size


def missed_share(audited: int) -> float:
    """Return the standard deviation of the share of people in cells whom a model misses altogether.

    None of the audited cells was such a cell, so by Jeffreys' prior the share has a Beta(1/2, audited + 1/2)
    distribution. A model fails in whole photos, so this adds to the variance in photos without an audited cell. It adds
    above alone: the people counted too many are in the prediction already.
    """
    return math.sqrt(0.5 * (audited + 0.5) / ((audited + 1) ** 2 * (audited + 2)))


def _quantile(level: float, audited: int) -> float:
    """Return the quantile of Student's t with a degree of freedom less than audited cells."""
    from scipy.special import stdtrit

    return float(stdtrit(audited - 1, (1 + level) / 2))


def _remaining(count: float, variance: float, unseen: float, audited: int, cells: int, level: float) -> int:
    """Return how many further cells bring the half-width to the goal, if errors and unseen photos stay as they are."""
    one = variance / (1 / audited - 1 / cells)
    for number in range(audited, cells):
        later = one * (1 / number - 1 / cells)
        both = math.sqrt(later) + math.sqrt(later + (unseen * missed_share(number)) ** 2)
        if _quantile(level, number) * both / 2 <= GOAL * count:
            return number - audited
    return cells - audited
