"""Measures: scores as functions of sums over images, so that totals, intervals and comparisons agree.

Each score of the field (MAE, RMSE, NAE, GAME, precision, recall, F, …) is a function of sums of a few numbers
an image. Resampling images (bootstrap) only changes how often each image enters these sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError

__all__ = ["Comparison", "Interval", "Measure", "compare_measures", "interval", "ratio", "root_ratio"]

Floats = NDArray[np.float64]

DRAWS = 2000
"""Resamplings behind an interval: the ends of a 95 % interval then rest on 50 draws each."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One score over images.

    Args:
        name: As tables show it.
        terms: (images, k) numbers of which the sums over images are taken.
        combine: The score from (…, k) sums.
        higher_is_better: Which way is better; None where neither is (bias).
        share: Whether it is a share of 1 that tables print in %.
    """

    name: str
    terms: Floats
    combine: Callable[[Floats], Floats]
    higher_is_better: bool | None = False
    share: bool = False

    @property
    def value(self) -> float:
        """The score over all images."""
        return float(self.combine(self.terms.sum(axis=0)))

    def named(self, name: str) -> Measure:
        """Return the same measure under another name."""
        return replace(self, name=name)


@dataclass(frozen=True)
class Interval:
    """A bootstrap interval of a score."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """One score of two models on the same images."""

    name: str
    first: float
    second: float
    difference: float
    """second − first."""
    low: float
    high: float
    """95 % bootstrap interval of the difference, images resampled in pairs."""
    second_better: float | None
    """Share of the resamplings in which the second model is better, ties half; None for bias."""

    @property
    def sure(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def ratio(sums: Floats) -> Floats:
    """Return first sum / second sum; 0 where the second is 0."""
    top, bottom = sums[..., 0], sums[..., 1]
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)


def root_ratio(sums: Floats) -> Floats:
    """Return √(first sum / second sum)."""
    return np.sqrt(ratio(sums))


def _resample(images: int, draws: int, seed: int) -> Floats:
    """Return (draws, images) how often each image is drawn."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(images, np.full(images, 1 / images), size=draws).astype(np.float64)


def interval(measure: Measure, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the percentile bootstrap interval of a score over its images (Efron 1979)."""
    weights = _resample(len(measure.terms), draws, seed)
    tail = 50 * (1 - level)
    low, high = np.percentile(measure.combine(weights @ measure.terms), (tail, 100 - tail))
    return Interval(measure.value, float(low), float(high))


def compare_measures(
    first: Measure, second: Measure, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Comparison:
    """Compare a score of two models on the same images in the same order: images are drawn in pairs."""
    if first.name != second.name or len(first.terms) != len(second.terms):
        raise DataError(
            "expected one score on the same images twice",
            f"{first.name} on {len(first.terms)} and {second.name} on {len(second.terms)}",
        )
    weights = _resample(len(first.terms), draws, seed)
    differences = second.combine(weights @ second.terms) - first.combine(weights @ first.terms)
    tail = 50 * (1 - level)
    low, high = np.percentile(differences, (tail, 100 - tail))
    better = None
    if first.higher_is_better is not None:
        sign = 1 if first.higher_is_better else -1
        better = float((np.sign(sign * differences) + 1).mean() / 2)
    difference = second.value - first.value
    return Comparison(first.name, first.value, second.value, difference, float(low), float(high), better)
