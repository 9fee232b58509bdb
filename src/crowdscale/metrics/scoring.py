"""Scoring: a prediction against the truth → one row an image; everything else is derived from the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.protocol import Protocol
from crowdscale.errors import DataError, OptionError
from crowdscale.metrics.counting import CountScores, count_scores
from crowdscale.metrics.game import game_errors
from crowdscale.metrics.localization import LocalizationScores
from crowdscale.metrics.matching import match_counts, match_points
from crowdscale.metrics.measures import Comparison, Measure, compare_measures, known_ratio, ratio, root_ratio
from crowdscale.metrics.thresholds import SHANGHAITECH, BoxRadius, Threshold, threshold
from crowdscale.metrics.truth import BANDS, GroundTruth
from crowdscale.points import Points

__all__ = ["ImageRow", "Scores", "Scoring", "compare", "score_image"]


@dataclass(frozen=True)
class Scoring:
    """What is measured on each image."""

    thresholds: tuple[Threshold, ...] = SHANGHAITECH
    """Localization thresholds."""
    averaged: tuple[int, int] | None = None
    """Whole pixels from … to over which precision, recall and F are averaged."""
    game: int = 0
    """The highest level of GAME; 0 for none."""
    attributes: tuple[str, ...] = ()
    """Attributes by which scores are split."""

    @classmethod
    def of(cls, protocol: Protocol) -> Scoring:
        """Return what a data set's protocol measures."""
        averaged = protocol.averaged and (int(protocol.averaged[0]), int(protocol.averaged[1]))
        return cls(
            tuple(map(threshold, protocol.thresholds)),
            averaged or None,
            protocol.game,
            tuple(dict.fromkeys((*protocol.attributes, *(("level",) if protocol.levels else ())))),
        )

    def choose(self, thresholds: str = "", average: str = "", game: int | None = None) -> Scoring:
        """Return this with what a user chose instead: ``4px,knn8``, ``1-100``, the highest level of GAME.

        Raises:
            OptionError: One of them cannot be read.
        """
        chosen = self
        if thresholds:
            chosen = replace(chosen, thresholds=tuple(map(threshold, thresholds.split(","))))
        if average:
            low, _, high = average.partition("-")
            if not (low.isdigit() and high.isdigit() and 0 < int(low) < int(high)):
                raise OptionError("expected --average as two whole pixels such as 1-100", repr(average))
            chosen = replace(chosen, averaged=(int(low), int(high)))
        return chosen if game is None else replace(chosen, game=game)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        names = [each.name for each in self.thresholds]
        return {**asdict(self), "thresholds": names}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scoring:
        """Return what ``to_dict`` wrote."""
        averaged = values["averaged"]
        return cls(
            tuple(map(threshold, values["thresholds"])),
            None if averaged is None else (averaged[0], averaged[1]),
            values["game"],
            tuple(values["attributes"]),
        )

    @property
    def pixels(self) -> NDArray[np.float64]:
        """The radii that are averaged over."""
        return np.arange(self.averaged[0], self.averaged[1] + 1.0) if self.averaged else np.zeros(0)

    @property
    def bands(self) -> bool:
        """Whether recall is told by size band, as with NWPU's box thresholds."""
        return any(isinstance(each, BoxRadius) for each in self.thresholds)


@dataclass(frozen=True)
class ImageRow:
    """One image: the numbers from which every score is derived."""

    name: str
    set: str
    truth: int
    """Annotated heads."""
    count: float
    """Predicted people."""
    predicted: int | None = None
    """Predicted points; None where there are none to match."""
    matched: tuple[int, ...] = ()
    """Matched heads at each threshold."""
    distances: tuple[float, ...] = ()
    """Total distance in pixels of the matched pairs at each threshold, the least of all largest matchings."""
    averaged: tuple[int, ...] = ()
    """Matched heads at each of the averaged pixels."""
    game: tuple[float, ...] = ()
    """Sum of the cells' errors at each level of GAME."""
    band_truth: tuple[int, ...] = ()
    band_matched: tuple[int, ...] = ()
    """Heads of each size band, and those matched at the largest box threshold."""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImageRow:
        """Return the row that ``to_dict`` wrote."""
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**plain)


def score_image(
    name: str,
    truth: GroundTruth,
    count: float,
    points: Points | None,
    scoring: Scoring,
    density: NDArray[np.float32] | None = None,
) -> ImageRow:
    """Compare one image's prediction with its truth.

    Args:
        name: The image's name.
        truth: What is true of it.
        count: Predicted people.
        points: Predicted heads in the same pixels; None where only the count (or a density) is known.
        scoring: What is measured.
        density: (h, w) people a cell over the whole image, from which GAME is taken where there is one.
    """
    heads = truth.points
    row: dict[str, Any] = {}
    if points is not None:
        row = _matched(points, truth, scoring)
    if scoring.game and truth.size is not None:
        found = points if density is None else density
        if found is not None:
            row["game"] = tuple(game_errors(found, heads, truth.size, scoring.game).tolist())
    set_name = truth.attributes.get("set", "")
    return ImageRow(name, set_name, len(truth), float(count), attributes=dict(truth.attributes), **row)


def _matched(points: Points, truth: GroundTruth, scoring: Scoring) -> dict[str, Any]:
    matched, distances = [], []
    row: dict[str, Any] = {"predicted": len(points)}
    for each in scoring.thresholds:
        found = match_points(points.xy, truth.points.xy, each.radii(truth), closest=True)
        matched.append(len(found))
        distances.append(round(float(found.distances.sum()), 6))
        if isinstance(each, BoxRadius) and truth.bands is not None:
            bins = len(BANDS) + 1
            row["band_truth"] = tuple(np.bincount(truth.bands, minlength=bins).tolist())
            hit = truth.bands[found.pairs[:, 1]]
            row["band_matched"] = tuple(np.bincount(hit, minlength=bins).tolist())
    row |= {"matched": tuple(matched), "distances": tuple(distances)}
    if scoring.averaged:
        row["averaged"] = tuple(match_counts(points.xy, truth.points.xy, scoring.pixels).tolist())
    return row


@dataclass(frozen=True)
class Scores:
    """Scores over images, all derived from the rows.

    Args:
        rows: One an image.
        scoring: What was measured.
    """

    rows: tuple[ImageRow, ...]
    scoring: Scoring = field(default_factory=Scoring)

    @classmethod
    def join(cls, parts: Iterable[Scores]) -> Scores:
        """Return the scores over all images of several processes; an image that two of them saw counts once.

        Raises:
            DataError: The parts measured different things, or an image has two different rows.
        """
        joined: dict[tuple[str, str], ImageRow] = {}
        scorings = []
        for part in parts:
            scorings.append(part.scoring)
            for row in part.rows:
                known = joined.setdefault((row.set, row.name), row)
                if known != row:
                    raise DataError("expected one result an image", f"two of {row.set}/{row.name}")
        if len(set(scorings)) > 1:
            raise DataError("expected the same thresholds in all parts", f"{len(set(scorings))} kinds")
        return cls(tuple(joined[key] for key in sorted(joined)), *scorings[:1])

    @property
    def located(self) -> bool:
        """Whether every image has predicted points."""
        return bool(self.rows) and all(row.predicted is not None for row in self.rows)

    def counting(self) -> CountScores:
        """Return the counting errors."""
        return count_scores([row.truth for row in self.rows], [row.count for row in self.rows])

    def localization(self) -> dict[str, LocalizationScores]:
        """Return precision, recall and F by threshold; nothing where an image has no points."""
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
        """Return every score by name; those of localization only where every image has points."""
        found = [*self._count_measures(), *self._game_measures()]
        if self.located:
            found += [*self._place_measures(), *self._average_measures(), *self._band_measures()]
        return {measure.name: measure for measure in found}

    def _column(self, read: Callable[[ImageRow], float]) -> NDArray[np.float64]:
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
        found = []
        for index, each in enumerate(self.scoring.thresholds):
            matched = self._column(lambda row, i=index: row.matched[i])  # type: ignore[misc]
            distance = self._column(lambda row, i=index: row.distances[i])  # type: ignore[misc]
            found += self._shares(each.name, matched)
            found.append(Measure(f"MLE {each.name}", np.column_stack([distance, matched]), ratio))
        return found

    def _average_measures(self) -> list[Measure]:
        if not self.scoring.averaged:
            return []
        low, high = self.scoring.averaged
        mean = self._column(lambda row: float(np.mean(row.averaged)))
        area = self._column(lambda row: float(np.trapezoid(row.averaged) / max(1, len(row.averaged) - 1)))
        name = f"{low}–{high}px"
        return [*self._shares(name, mean), self._shares(name, area)[2].named(f"AUC {name}")]

    def _shares(self, name: str, matched: NDArray[np.float64]) -> list[Measure]:
        """Precision, recall and F of (images,) matched heads."""
        predicted = self._column(lambda row: row.predicted or 0)
        truth = self._column(lambda row: row.truth)
        both = [(f"P {name}", matched, predicted), (f"R {name}", matched, truth)]
        both.append((f"F {name}", 2 * matched, predicted + truth))
        return [Measure(n, np.column_stack([top, bottom]), ratio, True, True) for n, top, bottom in both]

    def _band_measures(self) -> list[Measure]:
        if not self.scoring.bands or not all(row.band_truth for row in self.rows if row.truth):
            return []
        found, bands = [], len(BANDS) + 1
        nothing = (0,) * bands
        for band in range(bands):
            hit = self._column(lambda row, i=band: (row.band_matched or nothing)[i])  # type: ignore[misc]
            there = self._column(lambda row, i=band: (row.band_truth or nothing)[i])  # type: ignore[misc]
            found.append(Measure(f"R A{band}", np.column_stack([hit, there]), ratio, True, True))
        return found


def compare(first: Scores, second: Scores) -> list[Comparison]:
    """Compare two models image by image: every score that both have, with an interval of the difference.

    Scores that these images do not give (NAE where nobody is anywhere) are left out.

    Raises:
        DataError: They were not scored on the same images.
    """
    ours = {(row.set, row.name): row for row in first.rows}
    theirs = {(row.set, row.name): row for row in second.rows}
    lone = sorted(ours.keys() ^ theirs.keys())
    if lone or not ours:
        shown = ", ".join(name for _, name in lone[:5])
        raise DataError("expected two results on the same images", f"{len(lone)} in one alone: {shown}")
    for key, row in ours.items():
        if row.truth != theirs[key].truth:
            raise DataError(
                "expected the same truth", f"{row.truth} and {theirs[key].truth} heads in {key[1]}"
            )
    keys: Sequence[tuple[str, str]] = sorted(ours)
    pair = [Scores(tuple(rows[key] for key in keys), part.scoring).measures()
            for rows, part in ((ours, first), (theirs, second))]  # fmt: skip
    names = [name for name, each in pair[0].items() if name in pair[1] and not np.isnan(each.value)]
    return [compare_measures(pair[0][name], pair[1][name]) for name in names]
