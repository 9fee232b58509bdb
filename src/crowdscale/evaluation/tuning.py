"""Tuning without training: the reading of heads, the zoom of regions, and the offset of heads.

The first two are chosen on validation photos. The offset is measured on annotated photos of any set but a test set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from crowdscale.arrays import Maps, Pixels
from crowdscale.backends import Backend, NetworkOutput
from crowdscale.counting.predictor import Predictor
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.evaluation.run import Evaluation, Row, evaluate
from crowdscale.metrics.matching import match_points
from crowdscale.models.description import ModelConfig

__all__ = ["Offset", "Trial", "measure_offset", "tune"]


@dataclass(frozen=True)
class Trial:
    """One description of a model and its evaluation."""

    config: ModelConfig
    """The model's description with the settings of the trial."""
    evaluation: Evaluation


@dataclass(frozen=True)
class Offset:
    """The distance from located heads to annotated heads."""

    xy: tuple[float, float]
    """Medians of annotated minus located positions, in pixels of the photo."""
    pairs: int
    """Pairs of heads behind the medians."""


NEAR, FEWEST_PAIRS = 8.0, 100
"""Largest distance in pixels of a located head from its annotated head; fewest pairs for an offset."""


def measure_offset(
    predictor: Predictor, samples: Sequence[Sample], on_photo: Callable[[], object] | None = None
) -> Offset:
    """Return the median distance from located heads to annotated heads.

    Training mirrors every other crop, so a network cannot learn that annotators click to one side. ShanghaiTech's heads
    lie 0.8 pixels to the right of the located ones. Two medians of thousands of heads do not overfit.

    Args:
        predictor: The model; its own offset is not applied.
        samples: Annotated photos, never those of a test set; photos without points do not count.
        on_photo: Called after each photo.

    Returns:
        Medians over the pairs within ``NEAR`` pixels of the closest largest matching, rounded to 0.01 pixels.

    Raises:
        DataError: There are fewer than ``FEWEST_PAIRS`` pairs.
        OptionError: The model does not locate heads.
    """
    codec = predictor.config.codec
    if not codec.locates:
        raise OptionError("expected a model that locates heads", predictor.config.name)
    plain = predictor.with_options(config=replace(predictor.config, offset=(0.0, 0.0)))
    beside = []
    for sample in samples:
        heads = None if sample.points is None else plain.predict(sample.read()).points
        if heads is not None and sample.points is not None:
            pairs = match_points(heads.xy, sample.points.xy, NEAR, closest=True).pairs
            beside.append(sample.points.xy[pairs[:, 1]] - heads.xy[pairs[:, 0]])
        if on_photo is not None:
            on_photo()
    differences = np.concatenate([np.zeros((0, 2)), *beside])
    if len(differences) < FEWEST_PAIRS:
        raise DataError(f"expected {FEWEST_PAIRS} annotated heads near a located one", str(len(differences)))
    x, y = (np.median(differences, 0).round(2) + 0.0).tolist()  # no -0
    return Offset((x, y), len(differences))


class _Cached:
    """A backend that runs each view of a photo once."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.outputs: dict[bytes, NetworkOutput] = {}

    def predict(self, pixels: Pixels) -> NetworkOutput:
        key = repr(pixels.shape).encode() + pixels.tobytes()
        if key not in self.outputs:
            self.outputs[key] = self.backend.predict(pixels)
        return self.outputs[key]

    def predict_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        return [self.predict(view) for view in views]

    def area_factor(self, pooled: Maps) -> float:
        return self.backend.area_factor(pooled)


def tune(
    predictor: Predictor,
    samples: Sequence[Sample],
    windows: Sequence[int] = (),
    ceilings: Sequence[float] = (),
    gains: Sequence[float] = (),
    enlarged: Sequence[int] = (),
    on_photo: Callable[[], object] | None = None,
) -> list[Trial]:
    """Evaluate every combination and return the trials, the lowest MAE first, and the present model first among equals.

    Args:
        predictor: The present model; settings without candidates stay.
        samples: Validation photos, never those of a test set.
        windows: Sides in pixels of the neighbourhood in which a head is the lowest label.
        ceilings: Largest expected labels of a head.
        gains: Factors of the learned zoom; by the law S·r they multiply the centre S̄.
        enlarged: Photos of fewer pixels are read enlarged.
        on_photo: Called after each photo.

    Raises:
        OptionError: Windows or ceilings for a density model, gains for one without a scale net, or nothing to try.
    """
    configs = _ways(predictor.config, windows, ceilings, gains, enlarged)
    rows: list[list[Row]] = [[] for _ in configs]
    for sample in samples:
        backend = _Cached(predictor.backend)
        for config, own in zip(configs, rows, strict=True):
            own.extend(evaluate(predictor.with_options(backend=backend, config=config), [sample]).rows)
        if on_photo is not None:
            on_photo()
    trials = [Trial(config, Evaluation(tuple(own))) for config, own in zip(configs, rows, strict=True)]
    present = predictor.config
    return sorted(
        trials, key=lambda trial: (trial.evaluation.counting("refined").mae, trial.config != present)
    )


def _ways(
    config: ModelConfig,
    windows: Sequence[int],
    ceilings: Sequence[float],
    gains: Sequence[float],
    enlarged: Sequence[int],
) -> list[ModelConfig]:
    """Return the descriptions to try."""
    if not (windows or ceilings or gains or enlarged):
        raise OptionError("expected windows, ceilings, gains or sizes to try", "none")
    if gains and not config.refines:
        raise OptionError("expected a model that learned to scale to try gains", f"{config.name}, a baseline")
    codecs: Sequence[Any] = config.codec.variants(windows, ceilings)
    settings = product(enlarged or (config.enlarge_below,), codecs, gains or (config.zoom.gain,))
    return [
        replace(config, codec=codec, zoom=replace(config.zoom, gain=gain), enlarge_below=below)
        for below, codec, gain in settings
    ]
