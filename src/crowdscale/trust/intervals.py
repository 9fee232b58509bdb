"""Calibration: how far a count may be off, by split conformal prediction on photos that were not trained on.

The score of a photo with n people counted as n̂ is |n - n̂| / w(n̂), the width w(n̂) = (n̂ + a)·((n̂ + a)/100)^g: an
offset a for small counts and a growth g, for larger crowds are counted less surely even by proportion. The quantile of
the scores at a level makes the interval n̂ ± q·w(n̂); it holds for photos like the calibration photos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, OptionError

__all__ = [
    "FEWEST_PHOTOS",
    "LEVELS",
    "Calibration",
    "Check",
    "Interval",
    "binomial_interval",
    "calibrate_counts",
    "cross_domains",
    "cross_fit",
]

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""How often intervals are to hold."""

OFFSETS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Candidates for the offset a, in people."""

GROWTHS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Candidates for the growth g."""

UNIT = 100.0
"""People at which growth changes nothing: quantiles read as relative errors there."""

FOLDS = 10

FEWEST_PHOTOS = 20
"""Fewer photos give no 90 % interval that is cross-fitted: it is the ⌈(n + 1)·0.9⌉-th of n sorted errors, and at least nine
tenths of the photos must give one, too."""

FOLDER = "folder"
"""First word of the label of a user's own photos."""

ACROSS = "each domain judged by the others"
"""How the coverage of a calibration across domains was counted."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Whole numbers of people between which the true number lies, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low:,}–{self.high:,}"


@dataclass(frozen=True)
class Check:
    """How often intervals held on photos."""

    data: str
    """What the photos are."""
    images: int
    levels: tuple[float, ...]
    inside: tuple[int, ...]
    """Photos at each level whose true number lay in the interval."""

    def sentences(self) -> list[str]:
        """Return a line for each level: the coverage and its 95 % interval (Clopper and Pearson)."""
        lines = []
        for level, inside in zip(self.levels, self.inside, strict=True):
            low, high = binomial_interval(inside, self.images)
            share = f"{100 * inside / self.images:.1f} %"
            lines.append(
                f"{100 * level:g} % interval: held on {inside} of {self.images} photos, {share} "
                f"(95 % interval {100 * low:.1f}–{100 * high:.1f} %)"
            )
        return lines


@dataclass(frozen=True)
class Calibration:
    """What turns a count into an interval, and where that comes from."""

    levels: tuple[float, ...]
    quantiles: tuple[float, ...]
    """Of the scores, at each level."""
    offset: float
    """a, in people."""
    growth: float
    """g; 0 for intervals in proportion to the count."""
    smallest: float
    largest: float
    """Counts among which growth was seen; beyond them intervals stay in proportion."""
    images: int
    """Photos that it comes from."""
    data: tuple[str, ...] = ()
    """What these photos are."""
    note: str = ""
    """What else these photos were used for."""
    cross_fitted: Check | None = None
    """Coverage on these photos, each judged by the others; offset and growth chosen anew each time."""
    checks: tuple[Check, ...] = ()
    """Coverage on other photos."""

    def width(self, counts: float | Floats) -> Floats:
        """Return the width w that a score of 1 stands for, in people."""
        counts = np.asarray(counts, np.float64)
        grown = (np.clip(counts, self.smallest, self.largest) + self.offset) / UNIT
        return np.asarray((np.maximum(counts, 0) + self.offset) * grown**self.growth, np.float64)

    def interval(self, count: float, level: float = 0.9) -> Interval:
        """Return the interval about a count.

        Args:
            count: People counted.
            level: One of ``levels``.

        Raises:
            OptionError: No quantile is known for this level.
        """
        if level not in self.levels:
            known = ", ".join(f"{each:g}" for each in self.levels)
            raise OptionError(f"expected a level out of {known}", f"{level!r}")
        reach = self.quantiles[self.levels.index(level)] * float(self.width(count))
        return Interval(max(0, math.floor(count - reach)), math.ceil(count + reach))

    @property
    def own(self) -> bool:
        """Whether it comes from a user's own folders alone, and not from public sets."""
        return bool(self.data) and all(label.split()[0] == FOLDER for label in self.data)

    def holds_for(self, model: str) -> str:
        """Return for which photos 90 % intervals hold, as a sentence that names the remedy where it is needed.

        Args:
            model: The model's name.
        """
        if self.own:
            return f"In 9 of 10 photos like those of the calibration: {', '.join(self.data)}."
        return (
            "In 9 of 10 photos like those trained on. Your camera is not calibrated: "
            f"crowdscale models calibrate {model} --data my_photos/ --write"
        )

    def check(self, truth: Sequence[float], counts: Sequence[float], data: str) -> Check:
        """Return how often the intervals hold on other photos."""
        inside = [
            sum(
                each.low <= n <= each.high
                for n, each in zip(truth, (self.interval(c, level) for c in counts), strict=True)
            )
            for level in self.levels
        ]
        return Check(data, len(truth), self.levels, tuple(inside))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Return the calibration that ``dataclasses.asdict`` took apart, from JSON."""
        cross, checks = values.get("cross_fitted"), values.get("checks", ())
        nested = {
            "cross_fitted": Check(**_tuples(cross)) if cross else None,
            "checks": tuple(Check(**_tuples(each)) for each in checks),
        }
        return cls(**{**_tuples(values), **nested})


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def calibrate_counts(
    truth: Sequence[float],
    counts: Sequence[float],
    data: Sequence[str] = (),
    note: str = "",
    domains: Sequence[str] | None = None,
) -> Calibration:
    """Return the calibration of counts against the truth, with its cross-fitted coverage.

    Of offsets and growths the pair with the least mean interval score (Gneiting and Raftery, 2007), relative to
    the count, is taken; levels that so few photos cannot give are left out.

    Args:
        truth: Annotated people of each photo.
        counts: People counted.
        data: What the photos are.
        note: What else they were used for.
        domains: Camera or data set of each photo. Each domain then has the same weight, whatever its photos, and coverage
            is that of each domain by a calibration on the others.

    Raises:
        DataError: There are fewer than 20 photos, or domains of fewer than two kinds.
    """
    n, counted = np.asarray(truth, np.float64), np.asarray(counts, np.float64)
    if len(n) < FEWEST_PHOTOS or n.shape != counted.shape:
        raise DataError(
            f"expected {FEWEST_PHOTOS} annotated photos or more to calibrate on",
            str(len(n)),
            "Name more data",
        )
    if domains is None:
        fitted, checked = _fit(n, counted), cross_fit(n, counted, ", ".join(data))
    else:
        kinds = np.asarray(domains)
        fitted, checked = _fit(n, counted, kinds), cross_domains(n, counted, kinds, ", ".join(data))
    return replace(fitted, data=tuple(data), note=note, cross_fitted=checked)


def cross_domains(truth: Floats, counts: Floats, domains: NDArray[Any], data: str = "") -> Check:
    """Return how often intervals hold on photos of each domain by a calibration on all others.

    Raises:
        DataError: There is one domain only.
    """
    kinds = list(dict.fromkeys(domains.tolist()))
    if len(kinds) < 2:
        raise DataError("expected photos of two domains or more", str(len(kinds)), "Name more data")
    parts = []
    for kind in kinds:
        out = domains == kind
        fitted = _fit(truth[~out], counts[~out], domains[~out])
        parts.append(fitted.check(truth[out].tolist(), counts[out].tolist(), data))
    levels = tuple(level for level in LEVELS if all(level in part.levels for part in parts))
    inside = tuple(sum(p.inside[p.levels.index(level)] for p in parts) for level in levels)
    return Check(f"{data}; {ACROSS}", len(truth), levels, inside)


def cross_fit(truth: Floats, counts: Floats, data: str = "") -> Check:
    """Return how often intervals hold on photos of which each is judged by a calibration on the others."""
    order = np.random.default_rng(0).permutation(len(truth))
    levels: tuple[float, ...] = LEVELS
    parts = []
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        rest = np.setdiff1d(order, out)
        fitted = _fit(truth[rest], counts[rest])
        levels = tuple(level for level in levels if level in fitted.levels)
        parts.append(fitted.check(truth[out].tolist(), counts[out].tolist(), data))
    inside = tuple(sum(p.inside[p.levels.index(level)] for p in parts) for level in levels)
    return Check(data, len(truth), levels, inside)


def _fit(truth: Floats, counts: Floats, domains: NDArray[Any] | None = None) -> Calibration:
    bounds = float(counts.min()), float(counts.max())
    levels = tuple(level for level in LEVELS if _rank(len(truth), level) <= len(truth))
    candidates = []
    for offset, growth in product(OFFSETS, GROWTHS):
        shape = Calibration(levels, (), offset, growth, *bounds, len(truth))
        scores = np.abs(truth - counts) / shape.width(counts)
        quantiles = tuple(round(_quantile(scores, level, domains), 5) for level in levels)
        candidates.append(replace(shape, quantiles=quantiles))
    weights = _equal_weights(domains, len(truth))
    return min(candidates, key=lambda each: _interval_score(each, truth, counts, weights))


def _quantile(scores: Floats, level: float, domains: NDArray[Any] | None) -> float:
    """Return the conformal quantile of the scores, or the mean of the quantiles of the domains."""
    if domains is not None:
        return float(
            np.mean([_quantile(scores[domains == kind], level, None) for kind in np.unique(domains)])
        )
    return float(np.sort(scores)[min(_rank(len(scores), level), len(scores)) - 1])


def _equal_weights(domains: NDArray[Any] | None, photos: int) -> Floats:
    """Weights of photos that sum to 1, each domain with the same part."""
    if domains is None:
        return np.full(photos, 1 / photos)
    kinds, places, numbers = np.unique(domains, return_inverse=True, return_counts=True)
    return np.asarray(1 / (len(kinds) * numbers[places]), np.float64)


def _rank(photos: int, level: float) -> int:
    """Which of the sorted scores is the conformal quantile: ⌈(n + 1)·level⌉."""
    return math.ceil((photos + 1) * level - 1e-9)


def _interval_score(calibration: Calibration, truth: Floats, counts: Floats, weights: Floats) -> float:
    """Weighted mean over photos and levels of width + 2/(1 - level)·(what lies outside), relative to the count."""
    reach = np.outer(calibration.quantiles, calibration.width(counts))
    outside = np.maximum(0, np.abs(truth - counts) - reach)
    penalty = 2 / (1 - np.asarray(calibration.levels))[:, None]
    return float(((2 * reach + penalty * outside) / (counts + 10) @ weights).mean())


def binomial_interval(inside: int, images: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share (Clopper and Pearson, 1934)."""
    from scipy.special import betaincinv

    if not 0 <= inside <= images or images < 1:
        raise OptionError("expected 0 <= inside <= images and an image", f"{inside} of {images}")
    tail = (1 - confidence) / 2
    low = float(betaincinv(inside, images - inside + 1, tail)) if inside else 0.0
    high = float(betaincinv(inside + 1, images - inside, 1 - tail)) if inside < images else 1.0
    return low, high
