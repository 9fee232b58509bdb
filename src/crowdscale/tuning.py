"""Tuning how heads are read from a points model's map, on validation photos: window and ceiling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from crowdscale.backends import Array, Backend, FirstPass
from crowdscale.backends.averaging import AveragingOptions
from crowdscale.data.sample import Sample
from crowdscale.errors import OptionError
from crowdscale.evaluation import Evaluation, Row, evaluate
from crowdscale.maps import DistanceLabels
from crowdscale.prediction import Predictor
from crowdscale.weights import ModelConfig

__all__ = ["Trial", "tune"]


@dataclass(frozen=True)
class Trial:
    """One way to read heads and how well it does."""

    window: int
    """Side in pixels of the neighbourhood in which a head is the lowest."""
    ceiling: float
    """Expected label below which it counts."""
    evaluation: Evaluation

    def codec(self, config: ModelConfig) -> DistanceLabels:
        """Return the codec of a points model, reading heads this way."""
        return replace(_labels(config), window=self.window, ceiling=self.ceiling)


class _Remembering:
    """A backend that runs each view of a photo once, however often it is read."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.seen: dict[bytes, FirstPass] = {}

    def predict(self, pixels: NDArray[np.uint8]) -> FirstPass:
        key = repr(pixels.shape).encode() + pixels.tobytes()
        if key not in self.seen:
            self.seen[key] = self.backend.predict(pixels)
        return self.seen[key]

    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[FirstPass]:
        return [self.predict(view) for view in views]

    def area_factor(self, pooled: Array) -> float:
        return self.backend.area_factor(pooled)


def tune(
    predictor: Predictor,
    samples: Sequence[Sample],
    windows: Sequence[int] = (3, 5),
    ceilings: Sequence[float] = (5.0, 5.5, 6.0, 6.5, 7.0),
    on_photo: Callable[[], object] | None = None,
) -> list[Trial]:
    """Evaluate every window with every ceiling and return the trials, the least refined MAE first.

    Args:
        predictor: A points model.
        samples: Validation photos: never those of a test set.
        windows: Sides in pixels.
        ceilings: Expected labels.
        on_photo: Called after each photo.

    Raises:
        OptionError: The model is no points model.
    """
    codec = _labels(predictor.config)
    ways = list(product(windows, ceilings))
    options = replace(predictor.options, average=AveragingOptions())  # its engine averages already, if at all
    rows: dict[tuple[int, float], list[Row]] = {way: [] for way in ways}
    for sample in samples:
        backend = _Remembering(predictor.backend)
        for window, ceiling in ways:
            config = replace(predictor.config, codec=replace(codec, window=window, ceiling=ceiling))
            reader = Predictor(backend, config, options)
            rows[window, ceiling] += evaluate(reader, [sample]).rows
        if on_photo is not None:
            on_photo()
    trials = [Trial(*way, Evaluation(tuple(found))) for way, found in rows.items()]
    return sorted(trials, key=lambda trial: trial.evaluation.counting("refined").mae)


def _labels(config: ModelConfig) -> DistanceLabels:
    if not isinstance(config.codec, DistanceLabels):
        raise OptionError("expected a points model, whose heads are read from labels", config.method)
    return config.codec
