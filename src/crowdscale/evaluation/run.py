"""Evaluation: the predictor of ``count`` over a data set, scored for the first pass and the refined result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import cv2
import numpy as np

from crowdscale.arrays import Booleans, Maps
from crowdscale.counting.attempts import attempt
from crowdscale.counting.prediction import Prediction
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError
from crowdscale.evaluation.regions import region_rows
from crowdscale.evaluation.resume import Journal, open_journal
from crowdscale.evaluation.rows import Evaluation, Row
from crowdscale.metrics import GroundTruth, ImageRow, Scoring, score_image
from crowdscale.metrics.samples import check_scoring, inside_mask, sample_truth
from crowdscale.points import Points

__all__ = [
    "Evaluation",
    "Journal",
    "PredictsPaths",
    "Row",
    "check_scoring",
    "counts_within",
    "evaluate",
    "inside_mask",
    "open_journal",
    "sample_truth",
]


class PredictsPaths(Protocol):
    """The part of a predictor that an evaluation needs."""

    def predict(self, source: Any) -> Prediction:
        """Return the people in a photo: a path, or (h, w, 3) RGB."""
        ...


def evaluate(
    predictor: PredictsPaths,
    samples: Sequence[Sample],
    on_row: Callable[[Row | None], object] | None = None,
    scoring: Scoring | None = None,
    journal: Journal | None = None,
) -> Evaluation:
    """Predict annotated photos and score them; a photo that cannot be read becomes a failure.

    Args:
        predictor: A ``Predictor``, or another object that predicts a path.
        samples: Photos with points.
        on_row: Called after each photo with its row, or None after a failure. Ctrl-C keeps the rows so far.
        scoring: The measures; None for ShanghaiTech's thresholds.
        journal: Keeps the rows, and has those of an interrupted run.

    Raises:
        DataError: Every photo failed; the sentence is that of the first.
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
        nothing = DataError("expected annotated photos to evaluate on", "none")
        raise DataError(failures[0][1]) if failures else nothing
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
    # The prediction has the density of the final result alone.
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
    density: Maps | None,
    scoring: Scoring,
) -> ImageRow:
    """Score one pass; a mask limits the heads and, by the share of each cell, the density."""
    if truth.mask is not None:
        count, points, density = _within(count, points, density, truth.mask)
    return score_image(name, truth, count, points, scoring, density)


def _within(
    count: float, points: Points | None, density: Maps | None, mask: Booleans
) -> tuple[float, Points | None, Maps | None]:
    """Return count, heads and density of one pass in the pixels of a mask."""
    if points is not None:
        points = points.select(inside_mask(points, mask))
        count = float(len(points))
    if density is not None:
        height, width = density.shape
        share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        density = density * share
        count = float(density.sum(dtype=np.float64))
    return count, points, density


def counts_within(prediction: Prediction, mask: Booleans | None) -> tuple[float, float]:
    """Return the final count and that of the first pass in the pixels of a (h, w) mask; None for the whole photo."""
    if mask is None:
        return prediction.count, prediction.first_pass_count
    final = _within(prediction.count, prediction.points, prediction.density, mask)
    # The prediction has the density of the final result alone.
    before = None if prediction.regions else prediction.density
    first = _within(prediction.first_pass_count, prediction.first_pass_points, before, mask)
    return final[0], first[0]
