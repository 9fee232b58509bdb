"""Measures: scores as functions of sums over images, so that totals, intervals and comparisons agree.

Each score of the field (MAE, RMSE, NAE, GAME, precision, recall, F, …) is a function of sums of a few numbers
an image. Resampling images (bootstrap) only changes how often each image enters these sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.errors import DataError

__all__ = [
    "FEWEST_IMAGES",
    "Comparison",
    "Interval",
    "Measure",
    "compare_measures",
    "interval",
    "known_ratio",
    "plain_number",
    "ratio",
    "root_ratio",
]


DRAWS = 2000
"""Draws of an interval: 50 draws lie beyond each end of a 95 % interval."""

FEWEST_IMAGES = 10
"""Fewest photos for an interval: a handful of photos does not represent others."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One score over images.

    Args:
        name: Name for tables.
        terms: (images, k) numbers to sum over images.
        combine: Returns the score of (…, k) sums.
        higher_is_better: Whether more is better; None for bias.
        share: Whether tables print it in %.
    """

    name: str
    terms: Floats
    combine: Callable[[Floats], Floats]
    higher_is_better: bool | None = False
    share: bool = False

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.terms)

    @property
    def value(self) -> float:
        """The score over all images; NaN without one."""
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
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


def ratio(sums: Floats) -> Floats:
    """Return first sum / second sum; 0 where the second is 0."""
    top, bottom = sums[..., 0], sums[..., 1]
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)


def known_ratio(sums: Floats) -> Floats:
    """Return first sum / second sum; NaN where the second is 0."""
    return np.where(sums[..., 1] != 0, ratio(sums), np.nan)


def plain_number(value: float) -> float | None:
    """Return a number for JSON: None for NaN."""
    return float(value) if np.isfinite(value) else None


def root_ratio(sums: Floats) -> Floats:
    """Return √(first sum / second sum)."""
    return np.sqrt(ratio(sums))


def _resample(images: int, draws: int, seed: int) -> Floats:
    """Return (draws, images) how often each image is drawn."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(images, np.full(images, 1 / images), size=draws).astype(np.float64)


def interval(measure: Measure, level: float = 0.95, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the percentile bootstrap interval of a score over its images (Efron 1979).

    Draws without a score do not count; the interval is NaN if all are.
    """
    weights = _resample(len(measure.terms), draws, seed)
    return Interval(measure.value, *_edges(measure.combine(weights @ measure.terms), level))


def _edges(values: Floats, level: float) -> tuple[float, float]:
    """Return the percentiles that enclose a share of the finite values."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return float("nan"), float("nan")
    tail = 50 * (1 - level)
    low, high = np.percentile(finite, (tail, 100 - tail))
    return float(low), float(high)


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
    low, high = _edges(differences, level)
    better = None
    if first.higher_is_better is not None:
        sign = 1 if first.higher_is_better else -1
        finite = differences[np.isfinite(differences)]
        better = float((np.sign(sign * finite) + 1).mean() / 2) if finite.size else None
    difference = second.value - first.value
    return Comparison(first.name, first.value, second.value, difference, low, high, better)
