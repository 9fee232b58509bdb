"""Scores: every score of a set of photos from its rows, and the comparison of two models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.errors import DataError
from crowdscale.metrics.counting import CountScores, count_scores
from crowdscale.metrics.localization import LocalizationScores
from crowdscale.metrics.measures import Comparison, Measure, compare_measures, known_ratio, ratio, root_ratio
from crowdscale.metrics.scoring import ImageRow, Scoring
from crowdscale.metrics.truth import BANDS

__all__ = ["Scores", "compare"]


@dataclass(frozen=True)
class Scores:
    """Scores over images, all derived from the rows.

    Args:
        rows: One for each photo.
        scoring: The measures.
    """

    rows: tuple[ImageRow, ...]
    scoring: Scoring = field(default_factory=Scoring)

    @classmethod
    def join(cls, parts: Iterable[Scores]) -> Scores:
        """Return the scores over the photos of several processes; a photo in two parts counts once.

        Raises:
            DataError: The parts measured different things, or an image has two different rows.
        """
        joined: dict[tuple[str, str], ImageRow] = {}
        scorings = []
        for part in parts:
            scorings.append(part.scoring)
            for row in part.rows:
                kept = joined.setdefault((row.set, row.name), row)
                if kept != row:
                    raise DataError("expected one result an image", f"two of {row.set}/{row.name}")
        if len(set(scorings)) > 1:
            raise DataError("expected the same thresholds in all parts", f"{len(set(scorings))} kinds")
        return cls(tuple(joined[key] for key in sorted(joined)), *scorings[:1])

    @property
    def located(self) -> bool:
        """Whether every photo has located heads."""
        return bool(self.rows) and all(row.predicted is not None for row in self.rows)

    def counting(self) -> CountScores:
        """Return the counting errors."""
        return count_scores([row.truth for row in self.rows], [row.count for row in self.rows])

    def localization(self) -> dict[str, LocalizationScores]:
        """Return precision, recall and F by threshold; empty if a photo has no located heads."""
        if not self.located:
            return {}
        sums = (sum(row.predicted or 0 for row in self.rows), sum(row.truth for row in self.rows))
        return {
            each.name: LocalizationScores(sum(row.matched[i] for row in self.rows), *sums)
            for i, each in enumerate(self.scoring.thresholds)
        }

    def by(self, attribute: str) -> dict[str, Scores]:
        """Return the scores of the images with each value of an attribute, by value."""
        values = sorted({row.attributes.get(attribute, "") for row in self.rows})
        return {
            value or "unknown": Scores(
                tuple(row for row in self.rows if row.attributes.get(attribute, "") == value), self.scoring
            )
            for value in values
        }

    def measures(self) -> dict[str, Measure]:
        """Return every score by name; those of localization need located heads in every photo."""
        measures = [*self._count_measures(), *self._game_measures()]
        if self.located:
            measures += [*self._place_measures(), *self._average_measures(), *self._band_measures()]
        return {measure.name: measure for measure in measures}

    def _column(self, read: Callable[[ImageRow], float]) -> Floats:
        return np.array([read(row) for row in self.rows], float)

    def _count_measures(self) -> list[Measure]:
        truth = self._column(lambda row: row.truth)
        error = self._column(lambda row: row.count) - truth
        one, peopled = np.ones_like(error), (truth > 0).astype(float)
        relative = np.abs(error) / np.maximum(truth, 1) * peopled
        return [
            Measure("MAE", np.column_stack([np.abs(error), one]), ratio),
            Measure("RMSE", np.column_stack([error**2, one]), root_ratio),
            Measure("NAE", np.column_stack([relative, peopled]), known_ratio),
            Measure("bias", np.column_stack([error, one]), ratio, None),
        ]

    def _game_measures(self) -> list[Measure]:
        if not self.rows or not all(row.game for row in self.rows):
            return []
        one = np.ones(len(self.rows))
        return [
            Measure(f"GAME{level}", np.column_stack([self._column(lambda r, i=level: r.game[i]), one]), ratio)  # type: ignore[misc]
            for level in range(self.scoring.game + 1)
        ]

    def _place_measures(self) -> list[Measure]:
        measures = []
        for index, each in enumerate(self.scoring.thresholds):
            matched = self._column(lambda row, i=index: row.matched[i])  # type: ignore[misc]
            distance = self._column(lambda row, i=index: row.distances[i])  # type: ignore[misc]
            measures += self._shares(each.name, matched)
            measures.append(Measure(f"MLE {each.name}", np.column_stack([distance, matched]), ratio))
        return measures

    def _average_measures(self) -> list[Measure]:
        if not self.scoring.averaged:
            return []
        low, high = self.scoring.averaged
        mean = self._column(lambda row: float(np.mean(row.averaged)))
        area = self._column(lambda row: float(np.trapezoid(row.averaged) / max(1, len(row.averaged) - 1)))
        name = f"{low}–{high}px"
        return [*self._shares(name, mean), self._shares(name, area)[2].named(f"AUC {name}")]

    def _shares(self, name: str, matched: Floats) -> list[Measure]:
        """Precision, recall and F of (images,) matched heads."""
        predicted = self._column(lambda row: row.predicted or 0)
        truth = self._column(lambda row: row.truth)
        both = [(f"P {name}", matched, predicted), (f"R {name}", matched, truth)]
        both.append((f"F {name}", 2 * matched, predicted + truth))
        return [Measure(n, np.column_stack([top, bottom]), ratio, True, True) for n, top, bottom in both]

    def _band_measures(self) -> list[Measure]:
        if not self.scoring.bands or not all(row.band_truth for row in self.rows if row.truth):
            return []
        measures, bands = [], len(BANDS) + 1
        nothing = (0,) * bands
        for band in range(bands):
            hit = self._column(lambda row, i=band: (row.band_matched or nothing)[i])  # type: ignore[misc]
            there = self._column(lambda row, i=band: (row.band_truth or nothing)[i])  # type: ignore[misc]
            measures.append(Measure(f"R A{band}", np.column_stack([hit, there]), ratio, True, True))
        return measures


def compare(first: Scores, second: Scores) -> list[Comparison]:
    """Compare two models photo by photo: every common score, with an interval of the difference.

    Scores without a value, such as NAE for photos without people, are left out.

    Raises:
        DataError: They were not scored on the same images.
    """
    ours, theirs = ({(row.set, row.name): row for row in part.rows} for part in (first, second))
    _check_same(ours, theirs)
    pair = [
        Scores(tuple(rows[key] for key in sorted(ours)), part.scoring).measures()
        for rows, part in ((ours, first), (theirs, second))
    ]
    names = [name for name, each in pair[0].items() if name in pair[1] and not np.isnan(each.value)]
    return [compare_measures(pair[0][name], pair[1][name]) for name in names]


def _check_same(ours: Mapping[tuple[str, str], ImageRow], theirs: Mapping[tuple[str, str], ImageRow]) -> None:
    """Refuse rows of different photos, or of the same photos with another truth."""
    lone = sorted(ours.keys() ^ theirs.keys())
    if lone or not ours:
        shown = ", ".join(name for _, name in lone[:5])
        raise DataError("expected two results on the same images", f"{len(lone)} in one alone: {shown}")
    for key, row in ours.items():
        if row.truth != theirs[key].truth:
            raise DataError(
                "expected the same truth", f"{row.truth} and {theirs[key].truth} heads in {key[1]}"
            )
