"""Localization scores: precision, recall and F from totals of matched heads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from crowdscale.metrics.matching import match_points
from crowdscale.metrics.thresholds import Threshold
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import Points

__all__ = ["LocalizationScores", "localization_scores"]


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


def localization_scores(
    images: Iterable[tuple[Points, Points | GroundTruth]], threshold: Threshold
) -> LocalizationScores:
    """Return the scores of (predicted, true) points of images at a threshold, inclusive."""
    total = LocalizationScores(0, 0, 0)
    for predicted, heads in images:
        truth = heads if isinstance(heads, GroundTruth) else GroundTruth(heads)
        matches = match_points(predicted.xy, truth.points.xy, threshold.radii(truth))
        total += LocalizationScores(len(matches), len(predicted), len(truth))
    return total
