"""What a profile is learned from: the appearance of photos as a model reads them, upright and turned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import Predictor
from crowdscale.data.sample import Sample
from crowdscale.errors import ModelError
from crowdscale.trust.appearance import ProfiledPhoto
from crowdscale.trust.upright import TURNS

__all__ = ["drawn_evenly", "measured", "turned_features", "uncalibrated"]


def uncalibrated(predictor: Predictor) -> Predictor:
    """Return the predictor with the network's own confidences of heads: a profile and its warnings read those."""
    return predictor.with_options(config=replace(predictor.config, confidence=None))


def measured(prediction: Prediction) -> ProfiledPhoto:
    """Return the measurements of a photo from its prediction. Raises ModelError."""
    heads = prediction.points
    if heads is not None and prediction.read_scale != 1:
        heads = heads.scale(prediction.read_scale)
    if prediction.appearance is None:
        raise ModelError("expected a backend that returns features", f"{prediction.model} without")
    return ProfiledPhoto(prediction.appearance, heads, prediction.count, prediction.size)


def drawn_evenly(photos: int, most: int) -> list[int]:
    """Return at most ``most`` indices of photos, evenly drawn."""
    drawn = np.linspace(0, photos - 1, min(most, photos)).round().astype(int)
    return sorted({*drawn.tolist()})


def turned_features(
    predictor: Predictor, samples: Sequence[Sample], indices: Iterable[int]
) -> dict[int, Floats]:
    """Return the (3, c) mean features of photos turned by 90, 180 and 270°, by their index."""
    plain = predictor.with_options(refine=False)
    features = {}
    for index in indices:
        pixels = samples[index].read()
        views = [np.ascontiguousarray(np.rot90(pixels, turn)) for turn in TURNS]
        features[index] = np.stack([measured(plain.predict(view)).appearance.features for view in views])
    return features
