"""Tuning what needs no training: how heads are read, how far regions are enlarged, and where heads are put.

The first two are chosen on validation photos, the last is measured on annotated ones of any set but a test set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.arrays import Maps
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
    """One way to read a model and how well it does."""

    config: ModelConfig
    """The model's description with this way in it."""
    evaluation: Evaluation


@dataclass(frozen=True)
class Offset:
    """Where annotated heads lie beside those that a model finds."""

    xy: tuple[float, float]
    """Medians of annotated minus found, in pixels of the photo."""
    pairs: int
    """Heads that they are of."""


NEAR, FEWEST_PAIRS = 8.0, 100
"""Pixels within which a found head is taken for an annotated one; pairs below which nothing is said."""


def measure_offset(
    predictor: Predictor, samples: Sequence[Sample], on_photo: Callable[[], object] | None = None
) -> Offset:
    """Return by how much annotated heads lie beside those found; two numbers of thousands of heads fit nothing by heart.

    Training mirrors every other crop, so that what lies on one side in the annotations is on either side in what a network
    learns: ShanghaiTech's points lie 0.8 pixels to the right of its dots, up and down hardly at all.

    Args:
        predictor: The model; its own offset is left out.
        samples: Annotated photos, never those of a test set; others say nothing.
        on_photo: Called after each photo.

    Returns:
        Medians over the pairs within ``NEAR`` pixels, of the largest matching the closest, rounded to 0.01 pixels.

    Raises:
        DataError: Fewer than ``FEWEST_PAIRS`` heads are found where there are any.
        OptionError: The model tells no places.
    """
    codec = predictor.config.codec
    if not codec.locates:
        raise OptionError("expected a model that locates heads", predictor.config.name)
    plain = predictor.with_options(config=replace(predictor.config, offset=(0.0, 0.0)))
    beside = []
    for sample in samples:
        found = None if sample.points is None else plain.predict(sample.read()).points
        if found is not None and sample.points is not None:
            pairs = match_points(found.xy, sample.points.xy, NEAR, closest=True).pairs
            beside.append(sample.points.xy[pairs[:, 1]] - found.xy[pairs[:, 0]])
        if on_photo is not None:
            on_photo()
    differences = np.concatenate([np.zeros((0, 2)), *beside])
    if len(differences) < FEWEST_PAIRS:
        raise DataError(f"expected {FEWEST_PAIRS} annotated heads that are found", str(len(differences)))
    x, y = (np.median(differences, 0).round(2) + 0.0).tolist()  # no -0
    return Offset((x, y), len(differences))


class _Remembering:
    """A backend that runs each view of a photo once, however often it is read."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.seen: dict[bytes, NetworkOutput] = {}

    def predict(self, pixels: NDArray[np.uint8]) -> NetworkOutput:
        key = repr(pixels.shape).encode() + pixels.tobytes()
        if key not in self.seen:
            self.seen[key] = self.backend.predict(pixels)
        return self.seen[key]

    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[NetworkOutput]:
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
    """Evaluate every combination and return the trials, the least refined MAE first, of equal ones the model as it is.

    Args:
        predictor: The model as it is; what is not given stays as it has it.
        samples: Validation photos: never those of a test set.
        windows: Sides in pixels of the neighbourhood in which a head is the lowest label.
        ceilings: Expected labels below which it counts.
        gains: Side factors on top of the learned one: by the law S·r the centre S̄ moves by as much.
        enlarged: Pixels below which a photo is read enlarged.
        on_photo: Called after each photo.

    Raises:
        OptionError: Windows or ceilings for a density model, gains for one without a scale net, or nothing to try.
    """
    configs = _ways(predictor.config, windows, ceilings, gains, enlarged)
    rows: list[list[Row]] = [[] for _ in configs]
    for sample in samples:
        backend = _Remembering(predictor.backend)
        for config, found in zip(configs, rows, strict=True):
            found.extend(evaluate(predictor.with_options(backend=backend, config=config), [sample]).rows)
        if on_photo is not None:
            on_photo()
    trials = [Trial(config, Evaluation(tuple(found))) for config, found in zip(configs, rows, strict=True)]
    known = predictor.config
    return sorted(trials, key=lambda trial: (trial.evaluation.counting("refined").mae, trial.config != known))


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
    zooms = [replace(config.zoom, gain=gain) for gain in gains or (config.zoom.gain,)]
    codec = config.codec
    codecs: Sequence[Any] = codec.variants(windows, ceilings)
    return [
        replace(config, codec=codec, zoom=zoom, enlarge_below=below)
        for below, codec, zoom in product(enlarged or (config.enlarge_below,), codecs, zooms)
    ]
