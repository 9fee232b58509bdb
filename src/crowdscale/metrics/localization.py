"""Localization scores: precision, recall and F from totals of matched heads, at thresholds given as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import OptionError
from crowdscale.metrics.matching import match_points
from crowdscale.points import Points, nearest_distances

__all__ = [
    "SHANGHAITECH",
    "Fixed",
    "LocalizationScores",
    "NearestNeighbours",
    "Threshold",
    "localization_scores",
]


class Threshold(Protocol):
    """How near a prediction must be to a true head."""

    @property
    def name(self) -> str:
        """Short name, as tables show it."""
        ...

    def radii(self, truth: Points) -> NDArray[np.float64]:
        """Return the (m,) radius in pixels around each true head."""
        ...


@dataclass(frozen=True)
class Fixed:
    """The same number of pixels for all heads."""

    pixels: float

    def __post_init__(self) -> None:
        if not self.pixels > 0:
            raise OptionError("expected a threshold above 0 pixels", str(self.pixels))

    @property
    def name(self) -> str:
        """Short name."""
        return f"{self.pixels:g}px"

    def radii(self, truth: Points) -> NDArray[np.float64]:
        """Return the (m,) radii."""
        return np.full(len(truth), float(self.pixels))


@dataclass(frozen=True)
class NearestNeighbours:
    """The mean distance of each true head to its k nearest true heads (AutoScale's adaptive threshold)."""

    k: int = 8
    lone: float = 16.0
    """Pixels for a head that has no neighbour."""

    @property
    def name(self) -> str:
        """Short name."""
        return f"knn{self.k}"

    def radii(self, truth: Points) -> NDArray[np.float64]:
        """Return the (m,) radii; with fewer than k others those that exist are used."""
        distances = nearest_distances(truth.xy, self.k)
        return np.where(np.isnan(distances), self.lone, distances)


SHANGHAITECH: tuple[Threshold, ...] = (Fixed(4), Fixed(8), Fixed(16), NearestNeighbours())
"""The thresholds of ShanghaiTech A (spec, section 9)."""


@dataclass(frozen=True)
class LocalizationScores:
    """Precision, recall and F over a set: from totals, not means of ratios."""

    matched: int
    predicted: int
    truth: int

    @property
    def precision(self) -> float:
        """Matched share of the predictions; 0 where nothing is predicted."""
        return self.matched / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Matched share of the true heads; 0 where there are none."""
        return self.matched / self.truth if self.truth else 0.0

    @property
    def f(self) -> float:
        """Harmonic mean of both; 0 where nothing is matched."""
        total = self.predicted + self.truth
        return 2 * self.matched / total if total else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the totals and the scores as plain values."""
        return {**asdict(self), "precision": self.precision, "recall": self.recall, "f": self.f}

    def __add__(self, other: LocalizationScores) -> LocalizationScores:
        return LocalizationScores(
            self.matched + other.matched, self.predicted + other.predicted, self.truth + other.truth
        )


def localization_scores(images: Iterable[tuple[Points, Points]], threshold: Threshold) -> LocalizationScores:
    """Return the scores of (predicted, true) points of images at a threshold, inclusive."""
    total = LocalizationScores(0, 0, 0)
    for predicted, truth in images:
        matches = match_points(predicted.xy, truth.xy, threshold.radii(truth))
        total += LocalizationScores(len(matches), len(predicted), len(truth))
    return total
