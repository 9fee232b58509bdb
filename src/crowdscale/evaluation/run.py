"""Evaluation: the predictor that users run, over a data set → scores, the first pass beside the refined result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.counting.attempts import attempt
from crowdscale.counting.encoding import csv_text
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.table import EvaluationRow, columns, rounded
from crowdscale.data.sample import Sample
from crowdscale.deprecation import renamed
from crowdscale.errors import DataError
from crowdscale.evaluation.regions import RegionRow, region_rows
from crowdscale.files.writing import write_atomic
from crowdscale.metrics import (
    FEWEST_IMAGES,
    CountScores,
    GroundTruth,
    ImageRow,
    LocalizationScores,
    ResultTable,
    Scores,
    Scoring,
    interval,
    plain_number,
    score_image,
)
from crowdscale.metrics.samples import check_scoring, inside_mask, sample_truth
from crowdscale.points import Points

__all__ = [
    "Evaluation",
    "Journal",
    "PredictsPaths",
    "Row",
    "check_scoring",
    "evaluate",
    "inside_mask",
    "open_journal",
    "sample_truth",
]

Pass = Literal["first", "refined"]


FORMER = {"regions": "region_count", "factor": "zoom", "spacing_before": "spacing"}
"""Names in files of the release before, by their current names."""


class PredictsPaths(Protocol):
    """What evaluation asks of a predictor."""

    def predict(self, source: Any) -> Prediction:
        """Return the people in a photo: a path, or (h, w, 3) RGB."""
        ...


@renamed(**FORMER)
@dataclass(frozen=True)
class Row:
    """One image of an evaluation, by both passes."""

    refined: ImageRow
    first: ImageRow
    region_count: int
    """Dense regions with a second pass."""
    zoom: float
    """Side factor of the largest region; NaN without one."""
    spacing: float
    """Mean distance of a true head in the largest region to its nearest true heads, in pixels of the photo; NaN
    without one."""
    seconds: float
    dense: tuple[RegionRow, ...] = ()
    """The regions alone."""

    @property
    def count(self) -> float:
        """The refined count."""
        return self.refined.count

    @property
    def first_pass_count(self) -> float:
        """The count of the first pass alone."""
        return self.first.count

    @property
    def truth(self) -> int:
        """Annotated heads."""
        return self.refined.truth

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Row:
        """Return the row that ``to_dict`` wrote."""
        values = {FORMER.get(name, name): value for name, value in values.items()}
        rows = {which: ImageRow.from_dict(values[which]) for which in ("refined", "first")}
        dense = tuple(map(RegionRow.from_dict, values.get("dense", ())))
        return cls(**{**values, **rows, "dense": dense})


@dataclass(frozen=True)
class Evaluation:
    """Rows, one an image, and what could not be evaluated; all scores are derived from the rows."""

    rows: tuple[Row, ...]
    failures: tuple[tuple[str, str], ...] = ()
    """(name, sentence) of each image that could not be predicted."""
    scoring: Scoring = field(default_factory=Scoring)
    """What was measured."""

    def scores(self, which: Pass) -> Scores:
        """Return the scores of a pass."""
        return Scores(
            tuple(row.refined if which == "refined" else row.first for row in self.rows), self.scoring
        )

    def counting(self, which: Pass) -> CountScores:
        """Return the counting errors of a pass."""
        return self.scores(which).counting()

    def localization(self, which: Pass) -> dict[str, LocalizationScores]:
        """Return precision, recall and F of a pass by threshold; nothing for a density model."""
        return self.scores(which).localization()

    def refinement(self) -> dict[str, float]:
        """Return the share of images refined, percentiles of the factor, and what it does to the spacing."""
        known = [row for row in self.rows if row.region_count]
        if not known:
            return {"refined": 0.0}
        factors = np.array([row.zoom for row in known])
        before = np.array([row.spacing for row in known])
        before, after = before[np.isfinite(before)], (before * factors)[np.isfinite(before)]
        low, middle, high = np.percentile(factors, (10, 50, 90)).tolist()
        return {
            "refined": len(known) / len(self.rows),
            "factor_10": low,
            "factor_50": middle,
            "factor_90": high,
            "spacing_before": float(np.median(before)) if len(before) else float("nan"),
            "spacing_after": float(np.median(after)) if len(after) else float("nan"),
            "log_spread_before": float(np.log10(before).std()) if len(before) else float("nan"),
            "log_spread_after": float(np.log10(after).std()) if len(after) else float("nan"),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values."""
        passes: tuple[Pass, ...] = ("first", "refined")
        return {
            "images": len(self.rows),
            "failures": [list(failure) for failure in self.failures],
            **{
                which: {
                    **self.counting(which).to_dict(),
                    "localization": {k: v.to_dict() for k, v in self.localization(which).items()},
                    "measures": {k: plain_number(m.value) for k, m in self.scores(which).measures().items()},
                }
                for which in passes
            },
            "refinement": {name: plain_number(value) for name, value in self.refinement().items()},
            "seconds": float(np.median([row.seconds for row in self.rows])),
        }

    def table(self) -> ResultTable:
        """Return the table: the first pass beside the refined result."""
        header, lines = [""], []
        passes: tuple[tuple[Pass, str], ...] = (("first", "first pass"), ("refined", "refined"))
        for which, label in passes:
            shown = _shown(self.scores(which))
            header = ["", *shown]
            lines.append((label, *shown.values()))
        return ResultTable(tuple(header), tuple(lines))

    def markdown(self) -> str:
        """Return the table as Markdown."""
        return self.table().markdown()

    def write_csv(self, path: Path) -> None:
        """Write a row for each photo, atomically; ``EvaluationRow`` has the columns."""
        thresholds = [threshold.name for threshold in self.scoring.thresholds]
        text = csv_text(
            (_csv_row(row, thresholds) for row in self.rows),
            [
                *(each.name for each in columns(EvaluationRow)),
                *(f"matched_{name}" for name in thresholds),
                *(f"first_pass_matched_{name}" for name in thresholds),
            ],
        )
        write_atomic(path, lambda stream: stream.write(text.encode()))

    def write_json(self, path: Path, about: dict[str, Any]) -> None:
        """Write the scores with what they are about and one row an image, atomically; few images give no intervals."""
        rows = [row.refined.to_dict() for row in self.rows]
        measures = self.scores("refined").measures() if len(rows) >= FEWEST_IMAGES else {}
        known = {name: interval(each) for name, each in measures.items()}
        intervals = {name: [plain_number(i.low), plain_number(i.high)] for name, i in known.items()}
        about = {**about, "intervals_95": intervals}
        whole = {**about, **self.to_dict(), "scoring": self.scoring.to_dict(), "rows": rows}
        text = json.dumps(whole, indent=1) + "\n"
        write_atomic(path, lambda stream: stream.write(text.encode()))


def _csv_row(row: Row, thresholds: Sequence[str]) -> dict[str, Any]:
    values = EvaluationRow(
        row.refined.set,
        row.refined.name,
        row.truth,
        row.count,
        row.first_pass_count,
        row.region_count,
        row.zoom,
        row.spacing,
        row.seconds,
    )
    matched = {f"matched_{name}": n for name, n in zip(thresholds, row.refined.matched, strict=False)}
    first = {f"first_pass_matched_{name}": n for name, n in zip(thresholds, row.first.matched, strict=False)}
    return {**rounded(values), **matched, **first}


def _shown(scores: Scores) -> dict[str, str]:
    """Return the scores that the plain table shows: counts, GAME and F."""
    cells = {}
    for name, measure in scores.measures().items():
        if np.isnan(measure.value):
            cells[name] = "–"
        elif name in ("MAE", "RMSE") or name.startswith("GAME"):
            cells[name] = f"{measure.value:.1f}"
        elif name == "NAE":
            cells[name] = f"{measure.value:.3f}"
        elif name == "bias":
            cells[name] = f"{measure.value:+.1f}"
        elif name.startswith("F "):
            cells[name] = f"{100 * measure.value:.1f}"
    return cells


class Journal:
    """Rows kept in a file as they come, so that an interrupted evaluation goes on where it stopped.

    One JSON line an image after a first line that says what is evaluated. A last line that was cut short
    is left out and evaluated again.

    Args:
        stream: The open file, or None to keep nothing.
        rows: What the file held.
    """

    def __init__(self, stream: IO[str] | None, rows: Sequence[Row] = ()) -> None:
        self._stream = stream
        self._rows = {(row.refined.set, row.refined.name): row for row in rows}

    def find(self, sample: Sample) -> Row | None:
        """Return the row of a photo that was evaluated before."""
        return self._rows.get((sample.attributes.get("set", ""), sample.name))

    def add(self, row: Row) -> None:
        """Keep a row."""
        if self._stream is not None:
            self._stream.write(json.dumps(row.to_dict()) + "\n")
            self._stream.flush()


@contextmanager
def open_journal(path: Path | None, about: dict[str, Any]) -> Iterator[Journal]:
    """Open the journal of an evaluation; one of another evaluation is refused.

    Raises:
        DataError: The file holds the rows of another model, data set or protocol.
    """
    if path is None:
        yield Journal(None)
        return
    head = json.dumps(about, sort_keys=True)
    rows = _kept_rows(path, head) if path.exists() else []
    whole = "".join(f"{line}\n" for line in [head, *(json.dumps(row.to_dict()) for row in rows)])
    write_atomic(path, lambda stream: stream.write(whole.encode()))
    with path.open("a", encoding="utf-8") as stream:
        yield Journal(stream, rows)


def _kept_rows(path: Path, head: str) -> list[Row]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != head:
        raise DataError(
            "expected the rows of this very evaluation",
            f"those of another in {path}",
            "Name another file with --resume, or remove it",
        )
    rows = []
    for line in lines[1:]:
        try:
            rows.append(Row.from_dict(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            break  # the line that was being written when the run was killed
    return rows


def evaluate(
    predictor: PredictsPaths,
    samples: Sequence[Sample],
    on_row: Callable[[Row | None], object] | None = None,
    scoring: Scoring | None = None,
    journal: Journal | None = None,
) -> Evaluation:
    """Predict annotated photos and compare; a photo that cannot be read is reported and the rest is kept.

    Args:
        predictor: A ``Predictor``, or whatever predicts a path.
        samples: Photos with points.
        on_row: Called after each photo with its row, or None where it failed. Ctrl-C keeps the rows so far.
        scoring: What is measured; ShanghaiTech's thresholds where None.
        journal: Rows of an earlier, interrupted run, to which new ones are added.

    Raises:
        DataError: No photo could be evaluated: what is wrong with the first.
    """
    rows, failures = [], []
    scoring = scoring or Scoring()
    try:
        for sample in samples:
            row, sentence = _kept_or_new(predictor, sample, scoring, journal or Journal(None))
            if row is None:
                failures.append((sample.name, sentence))
            else:
                rows.append(row)
            if on_row is not None:
                on_row(row)
    except KeyboardInterrupt:
        if not rows:
            raise
        failures.append(("the rest", "Interrupted."))
    if not rows:
        said = ("expected annotated photos to evaluate on", "none")
        raise DataError(failures[0][1]) if failures else DataError(*said)
    return Evaluation(tuple(rows), tuple(failures), scoring)


def _kept_or_new(
    predictor: PredictsPaths, sample: Sample, scoring: Scoring, journal: Journal
) -> tuple[Row | None, str]:
    """Return the row that the journal holds or a new one, or None and the sentence of an error."""
    if kept := journal.find(sample):
        return kept, ""
    row, sentence = attempt(sample.name, partial(_row, predictor, sample, scoring))
    if row is not None:
        journal.add(row)
    return row, sentence


def _row(predictor: PredictsPaths, sample: Sample, scoring: Scoring) -> Row:
    truth = sample_truth(sample, scoring)
    prediction = predictor.predict(sample.image_path if sample.whole else sample.read())
    region = prediction.regions[0] if prediction.regions else None
    density = prediction.density
    refined = _score(sample.name, truth, prediction.count, prediction.points, density, scoring)
    # Where a region was refined, the density of the first pass is not kept.
    before = None if prediction.regions else density
    first = _score(
        sample.name, truth, prediction.first_pass_count, prediction.first_pass_points, before, scoring
    )
    return Row(
        refined=refined,
        first=first,
        region_count=len(prediction.regions),
        zoom=region.zoom if region else float("nan"),
        spacing=truth.points.inside(region.box).spacing() if region else float("nan"),
        seconds=prediction.seconds,
        dense=region_rows(prediction, truth, scoring),
    )


def _score(
    name: str,
    truth: GroundTruth,
    count: float,
    points: Points | None,
    density: NDArray[np.float32] | None,
    scoring: Scoring,
) -> ImageRow:
    """Score one pass; in a masked photo only what lies in the mask counts, a density by its share there."""
    if truth.mask is not None:
        if points is not None:
            points = points.select(inside_mask(points, truth.mask))
            count = float(len(points))
        if density is not None:
            height, width = density.shape
            share = cv2.resize(truth.mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
            density = density * share
            count = float(density.sum(dtype=np.float64))
    return score_image(name, truth, count, points, scoring, density)
