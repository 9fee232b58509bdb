"""Which located heads of annotated photos are right, for the calibration of their confidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.counting.attempts import attempt
from crowdscale.counting.predictor import Predictor
from crowdscale.data.sample import Sample
from crowdscale.errors import ModelError
from crowdscale.evaluation.profiling import uncalibrated
from crowdscale.metrics.matching import match_points
from crowdscale.metrics.samples import inside_mask, sample_truth
from crowdscale.metrics.scoring import Scoring
from crowdscale.points import Points
from crowdscale.trust.confidence import RADIUS

__all__ = ["judge_heads", "right_heads"]


def judge_heads(
    predictor: Predictor,
    samples: Sequence[Sample],
    radius: float = RADIUS,
    on_photo: Callable[[], object] | None = None,
) -> tuple[list[tuple[Floats, Floats]], list[str]]:
    """Return for each photo the network's own values of its heads and whether each is right, and sentences of failures.

    Args:
        predictor: Locates heads; its calibration of heads is left out.
        samples: Photos with points.
        radius: Pixels of the photo within which a head is right.
        on_photo: Called after each photo.

    Raises:
        ModelError: The model locates no heads.
    """
    plain = uncalibrated(predictor)
    judged, failures = [], []
    for sample in samples:
        result, sentence = attempt(sample.name, partial(_judge, plain, sample, radius))
        if result is None:
            failures.append(f"{sample.name}: {sentence}")
        else:
            judged.append(result)
        if on_photo is not None:
            on_photo()
    return judged, failures


def _judge(predictor: Predictor, sample: Sample, radius: float) -> tuple[Floats, Floats]:
    truth = sample_truth(sample, Scoring())
    heads = predictor.predict(sample.image_path if sample.whole else sample.read()).points
    if heads is None or heads.confidence is None:
        raise ModelError.plain(f"{predictor.config.name} locates no heads")
    if truth.mask is not None:
        heads = heads.select(inside_mask(heads, truth.mask))
    return right_heads(heads, truth.points, radius)


def right_heads(heads: Points, truth: Points, radius: float) -> tuple[Floats, Floats]:
    """Return the (n,) confidences of heads and (n,) 1 for those that are matched to a true head, else 0."""
    right = np.zeros(len(heads))
    if len(heads) and len(truth):
        right[match_points(heads.xy, truth.xy, radius).pairs[:, 0]] = 1
    confidence = heads.confidence if heads.confidence is not None else np.ones(len(heads))
    return np.asarray(confidence, np.float64), right
