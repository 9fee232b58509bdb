"""Validation during training: the users' predictor over held-out photos, with both passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.data.lists import domain_of
from crowdscale.data.sample import Sample
from crowdscale.evaluation.run import counts_within
from crowdscale.files.images import Photo, write_image
from crowdscale.learn.backend import TorchBackend
from crowdscale.learn.model import AutoScale
from crowdscale.models.description import ModelConfig

__all__ = ["Validation", "error_sentence", "validate"]


@dataclass(frozen=True)
class Validation:
    """Counting errors over the held-out photos, of both passes."""

    mae: float
    """Mean absolute error of the final count (of the first pass for models without a second one)."""
    rmse: float
    first_mae: float
    first_rmse: float
    bias: float
    refined: float
    """Share of the photos with a refined region."""
    factor_median: float
    """Median side factor r of the regions; NaN without any."""
    factor_low: float
    factor_high: float
    """10th and 90th percentile."""
    domains: float = 0.0
    """Mean over sets of the sum of absolute errors divided by the set's people."""
    first_domains: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values."""
        rounded = {name: round(value, 4) for name, value in asdict(self).items()}
        return {name: value if np.isfinite(value) else None for name, value in rounded.items()}


def error_sentence(errors: Mapping[str, float | None]) -> str:
    """Return the errors of ``Validation.to_dict`` as a sentence."""
    sentence = f"Mean error on the held-out photos: {errors['mae']:,.1f} people"
    if errors["first_mae"] != errors["mae"]:
        sentence += f", {errors['first_mae']:,.1f} by the first pass alone"
    return f"{sentence}."


def validate(
    model: AutoScale,
    config: ModelConfig,
    held_out: Sequence[Sample],
    pictures: Path | None,
    draw: int,
    bf16: bool = False,
) -> Validation:
    """Return the errors of the counts of held-out photos, and draw the first ``draw`` of them.

    What a photo's mask leaves out counts neither in the prediction nor in the truth.
    """
    predictor = Predictor(TorchBackend.from_model(model, config, bf16), config, PredictOptions())
    errors, first_errors, truths, factors, refined = [], [], [], [], 0
    for index, sample in enumerate(held_out):
        pixels = sample.read()
        prediction = predictor.predict_photo(Photo(pixels, (pixels.shape[1], pixels.shape[0])))
        counted = sample.without_ignored()
        truth = len(counted.points) if counted.points is not None else 0
        truths.append(truth)
        final, first = counts_within(prediction, sample.read_mask())
        errors.append(final - truth)
        first_errors.append(first - truth)
        factors += [region.zoom for region in prediction.regions]
        refined += bool(prediction.regions)
        if pictures is not None and index < draw:
            _draw(pictures / f"{sample.name}.jpg", pixels, prediction)
    low, middle, high = np.percentile(np.array(factors or [np.nan]), (10, 50, 90))
    return Validation(
        *_errors(errors), *_errors(first_errors), float(np.mean(errors or [0.0])),
        refined / max(1, len(held_out)), float(middle), float(low), float(high),
        *(_by_domain(held_out, each, truths) for each in (errors, first_errors)),
    )  # fmt: skip


def _by_domain(held_out: Sequence[Sample], errors: list[float], truths: list[int]) -> float:
    """Return the mean over domains of the sum of absolute errors divided by the domain's people."""
    sums: dict[str, tuple[float, int]] = {}
    for sample, error, truth in zip(held_out, errors, truths, strict=True):
        wrong, people = sums.get(domain_of(sample), (0.0, 0))
        sums[domain_of(sample)] = wrong + abs(error), people + truth
    return float(np.mean([wrong / max(1, people) for wrong, people in sums.values()] or [0.0]))


def _errors(errors: list[float]) -> tuple[float, float]:
    values = np.asarray(errors or [0.0])
    return float(np.abs(values).mean()), float(np.sqrt(np.square(values).mean()))


def _draw(path: Path, pixels: Any, prediction: Prediction) -> None:
    from crowdscale.drawing.heads import annotate

    write_image(path, annotate(pixels, prediction), drawn=True)
