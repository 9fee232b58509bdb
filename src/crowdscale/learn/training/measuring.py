"""After training: the error on the held-out photos before and after, intervals from them, and warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from crowdscale.counting.predictor import Predictor, load
from crowdscale.data.sample import Sample
from crowdscale.errors import CrowdscaleError
from crowdscale.evaluation.profiling import drawn_evenly, measured, turned_features, uncalibrated
from crowdscale.evaluation.rows import Row
from crowdscale.evaluation.run import evaluate
from crowdscale.metrics import Scoring
from crowdscale.models.description import read_config, write_config
from crowdscale.models.finding import find_model
from crowdscale.trust.intervals import FEWEST_PHOTOS, Calibration, calibrate_counts
from crowdscale.trust.profile import LEAST_PHOTOS, Profile, learn_profile

__all__ = ["measure_model"]

MOST_PROFILED = 200
"""Training photos that a profile is learned from."""
MOST_TURNED = 80
"""Training photos that are read in all four orientations."""
NOTE = "These photos also chose the best of the training's checkpoints, so the intervals are a little too narrow."


def measure_model(
    folder: Path, trained: Sequence[Sample], held_out: Sequence[Sample], start: str | Path | None = None
) -> list[str]:
    """Add intervals and warnings to a trained and exported model, and return sentences for the user.

    Args:
        folder: The model folder with its graphs.
        trained: The training photos.
        held_out: Photos that were not trained on.
        start: The model that training started from: its error is the one before, its warnings are kept.
    """
    predictor = load(folder)
    rows = _rows(predictor, held_out)
    before = [] if start is None else _rows_before(start, held_out)
    calibration, intervals = _intervals(rows)
    profile, warnings = _profile(predictor, trained, start)
    config = read_config(folder)
    write_config(folder, replace(config, calibration=calibration, familiar=profile))
    return [_errors(rows, before, start), intervals, warnings]


def _rows(predictor: Predictor, samples: Sequence[Sample]) -> list[Row]:
    """Return the rows of the photos that can be read; none of these may stop a finished training."""
    if not samples:
        return []
    try:
        return list(evaluate(predictor, samples, scoring=Scoring()).rows)
    except CrowdscaleError:
        return []


def _rows_before(start: str | Path, samples: Sequence[Sample]) -> list[Row]:
    try:
        return _rows(load(find_model(start)), samples)
    except CrowdscaleError:  # a folder of weights alone
        return []


def _error(rows: Sequence[Row]) -> float:
    return float(np.mean([abs(row.count - row.truth) for row in rows]))


def _errors(rows: Sequence[Row], before: Sequence[Row], start: str | Path | None) -> str:
    """Return the mean error on the held-out photos, and the one before the training."""
    if not rows:
        return "No photo was held out, so the error is unknown."
    people = float(np.mean([row.truth for row in rows]))
    after = _error(rows)
    photos = "1 held-out photo" if len(rows) == 1 else f"{len(rows)} held-out photos"
    text = f"Error on {photos} ({people:.0f} people on average): {after:.1f} people"
    if len(before) != len(rows):
        return f"{text}."
    text = f"{text}, {_error(before):.1f} before the training."
    return text if after < _error(before) else f"{text} Keep {start}: the training did not help."


def _intervals(rows: Sequence[Row]) -> tuple[Calibration | None, str]:
    """Return intervals from the held-out photos if there are enough, and a sentence."""
    if len(rows) < FEWEST_PHOTOS:
        return None, (
            f"Counts come without intervals: {len(rows)} of {FEWEST_PHOTOS} held-out photos that are needed, because a 90 % interval "
            "is the second largest of 20 errors. Hold out more (--hold-out-share), or run: crowdscale models calibrate"
        )
    truth, counts = [row.truth for row in rows], [row.count for row in rows]
    calibration = calibrate_counts(truth, counts, [f"{len(rows)} held-out photos of the training"], NOTE)
    return (
        calibration,
        f"Counts come with intervals from these photos: {calibration.interval(100)} for 100 people.",
    )


def _profile(
    predictor: Predictor, trained: Sequence[Sample], start: str | Path | None
) -> tuple[Profile | None, str]:
    """Return the profile of the training photos and a sentence.

    Fifty photos give one of their own. Fewer widen the profile of the model that training started from.
    """
    chosen = [trained[index] for index in drawn_evenly(len(trained), MOST_PROFILED)]
    plain = uncalibrated(predictor)
    photos = [measured(plain.predict(sample.read())) for sample in chosen]
    if len(photos) >= LEAST_PHOTOS:
        turned = turned_features(predictor, chosen, drawn_evenly(len(chosen), MOST_TURNED))
        return learn_profile(
            photos, turned
        ), f"Photos unlike the {len(photos)} training photos get a warning."
    parent = None if start is None else read_config(find_model(start), verify=False).familiar
    if parent is None:
        return None, f"No photo gets a warning: {len(photos)} training photos, {LEAST_PHOTOS} are needed."
    return parent.widened(photos), (
        f"Photos unlike those of {start} and the {len(photos)} new ones get a warning. Turned photos get one from "
        f"{LEAST_PHOTOS} training photos on."
    )
