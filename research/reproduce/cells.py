"""Cells: a network evaluated on a data set, each in a file of its own, measured once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.data.opening import Dataset
from crowdscale.data.sample import Sample
from crowdscale.errors import OptionError
from crowdscale.evaluation.diagnosis import diagnose, region_f
from crowdscale.evaluation.regions import RegionRow, region_rows
from crowdscale.evaluation.run import Evaluation, PredictsPaths, Row, evaluate, open_journal, sample_truth
from crowdscale.files.images import Photo
from crowdscale.files.writing import write_atomic
from crowdscale.learn.scaling import closeness
from crowdscale.maps.regions import RuleChoice
from crowdscale.metrics import Scoring, count_scores
from crowdscale.models.package import file_sha256
from crowdscale.points import Box, Points
from research.looks.averaging import AveragingOptions, average_looks
from research.reproduce.networks import SPACINGS, Trained
from research.reproduce.recipe import Line

__all__ = ["Cell", "Evaluator"]


@dataclass(frozen=True)
class Cell:
    """One line of a table for one seed."""

    about: Mapping[str, Any]
    """Network, weights, data, release, seed, crops, options, machine."""
    result: Evaluation
    """One row per photo."""
    diagnosis: Mapping[str, Any]
    """Effect of the second pass; empty without one."""
    beside: Mapping[str, Any]
    """The baseline's errors in the same regions; empty for a baseline."""

    def measures(self) -> dict[str, float]:
        """Return the scores by name, shares in percent."""
        measures = self.result.scores("refined").measures()
        return {name: 100 * m.value if m.share else m.value for name, m in measures.items()}


RULE = {
    "region_minimum": "minimum", "region_below": "below", "region_times": "times_mean", "region_by": "by",
    "region_code": "published_code",
}  # fmt: skip
"""Options of the region rule: name in recipes and on the command line → field of ``RuleChoice``."""


class HeadCounter(Predictor):
    """Counts a density model's local maxima as heads instead of the map's sum (Fig. 10)."""

    def __init__(self, predictor: Predictor) -> None:
        config = replace(predictor.config, codec=predictor.config.codec.with_dots(True))
        super().__init__(predictor.backend, config, predictor.options)

    def predict_photo(self, photo: Photo) -> Prediction:
        """Return the local maxima of a photo as heads, and their number as count."""
        prediction = super().predict_photo(photo)
        first, last = (
            len(points or Points()) for points in (prediction.first_pass_points, prediction.points)
        )
        return replace(prediction, count=float(last), first_pass_count=float(first))


class TrueSpacing:
    """Zooms each region from its true spacing to the wanted one, within the limits of the learned zoom.

    Args:
        predictor: A network, with the options of prediction.
        samples: The photos with their heads.
        wanted: Spacing S̄ in pixels, for the law S·r.
    """

    def __init__(self, predictor: Predictor, samples: Sequence[Sample], wanted: float) -> None:
        self.predictor, self.wanted = predictor, wanted
        self.samples = {sample.image_path: sample for sample in samples if sample.size is None}
        if len(self.samples) < len(samples):
            raise OptionError("expected photos at their own size to zoom to true spacing", "resized ones")

    def predict(self, source: Path) -> Prediction:
        """Return the people in the photo of a sample."""
        heads, zoom = self.samples[source].points or Points(), self.predictor.config.zoom

        def factor(box: Box) -> float:
            wanted = self.wanted / max(closeness(heads, box), 0.5)
            return float(np.clip(wanted, zoom.area_low**0.5, zoom.area_high**0.5)) if wanted > 0 else 1.0

        return self.predictor.with_options(zoom=factor).predict(source)


@dataclass(frozen=True)
class Evaluator:
    """Evaluates networks below one folder."""

    out: Path
    device: str = "cpu"
    threads: int = 0

    def cell(self, line: Line, trained: Trained, base: Trained, dataset: Dataset) -> Cell:
        """Return a line's cell; measure it now if it is missing or was measured with other weights.

        Args:
            line: The line.
            trained: Its network.
            base: The baseline of the same seed, evaluated on the same regions.
            dataset: What to evaluate on.
        """
        about = self._about(line, trained, dataset)
        name = _file_name(line, trained.seed, about)
        scoring = Scoring.of(dataset.protocol)
        folder = self.out / "cells"
        folder.mkdir(parents=True, exist_ok=True)
        predictor = self._predictor(line, trained)
        shown: PredictsPaths = predictor
        if line.predict.get("true_spacing"):
            learned = line.refined and line.variant.l2s.get("law", "spacing") == "spacing"
            wanted = trained.centre_end if learned else SPACINGS[predictor.config.method]
            shown = TrueSpacing(predictor, dataset.samples, wanted)
        with open_journal(folder / f"{name}.rows", {**about, "scoring": scoring.to_dict()}) as journal:
            result = evaluate(shown, dataset.samples, None, scoring, journal)
        refined = any(row.dense for row in result.rows)
        diagnosis = diagnose(result, predictor.config.zoom).to_dict() if refined else {}
        beside = {}
        if refined and trained.folder != base.folder:
            beside = self._beside(folder / f"{name}.beside.json", base, result, dataset.samples, scoring)
        facts = {"machine": trained.machine, "centre": (trained.centre_start, trained.centre_end)}
        cell = Cell({**about, **facts}, result, diagnosis, beside)
        _write(folder / f"{name}.json", {
            **cell.about, "network": Path(trained.folder).parent.name, "trained": vars(trained),
            **result.to_dict(), "diagnosis": diagnosis, "baseline in the same regions": beside,
        })  # fmt: skip
        return cell

    def has(self, line: Line, trained: Trained, dataset: Dataset) -> bool:
        """Return whether a line's cell was measured completely."""
        name = _file_name(line, trained.seed, self._about(line, trained, dataset))
        return (self.out / "cells" / f"{name}.json").is_file()

    def _about(self, line: Line, trained: Trained, dataset: Dataset) -> dict[str, Any]:
        return {
            "line": line.label,
            "weights": file_sha256(Path(trained.folder) / "weights.safetensors"),
            "data": f"{dataset.name}/{dataset.split}",
            "release": dataset.release,
            "photos": len(dataset.samples),
            "seed": trained.seed,
            "crops": trained.crops,
            "l2s_crops": trained.l2s_crops,
            "trained on": list(trained.data),
            "predict": dict(line.predict),
        }

    def _predictor(self, line: Line, trained: Trained) -> Predictor:
        given = dict(line.predict)
        heads = given.pop("heads", False)
        zoomed = given.pop("true_spacing", False) or "zoom" in given
        looks = AveragingOptions(given.pop("average_flip", False), tuple(given.pop("average_scales", ())))
        rule = RuleChoice(**{name: given.pop(key) for key, name in RULE.items() if key in given})
        options = {"refine": line.refined or zoomed, **given}
        predictor = self.load(trained, PredictOptions(**options, rule=rule, keep_map=False))
        predictor = average_looks(predictor, looks)
        return HeadCounter(predictor) if heads else predictor

    def load(self, trained: Trained, options: PredictOptions) -> Predictor:
        """Return a predictor of a network with the backend ``torch``."""
        return load(
            trained.folder, backend="torch", device=self.device, threads=self.threads, options=options
        )

    def _beside(
        self, path: Path, base: Trained, result: Evaluation, samples: Sequence[Sample], scoring: Scoring
    ) -> dict[str, Any]:
        """Return the baseline's errors in the regions that AutoScale enlarged."""
        weights = file_sha256(Path(base.folder) / "weights.safetensors")
        wanted = {row.refined.name: [list(region.box) for region in row.dense] for row in result.rows}
        key = hashlib.sha256(json.dumps([weights, wanted], sort_keys=True).encode()).hexdigest()
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if kept.get("key") != key:
            predictor = self.load(base, PredictOptions(refine=False, keep_map=False))
            kept = {"key": key, **_regions_by(predictor, result.rows, samples, scoring)}
            _write(path, kept)
        return {name: value for name, value in kept.items() if name != "key"}


def _regions_by(
    predictor: Predictor, rows: Sequence[Row], samples: Sequence[Sample], scoring: Scoring
) -> dict[str, Any]:
    """Return a network's errors in given regions: counts, and F if it locates heads."""
    boxes = {row.refined.name: [Box(*region.box) for region in row.dense] for row in rows if row.dense}
    regions: list[RegionRow] = []
    errors = []
    for sample in samples:
        if sample.name in boxes:
            truth = sample_truth(sample, scoring)
            prediction = predictor.predict(sample.read())
            errors.append((len(truth), prediction.count))
            regions += region_rows(prediction, truth, scoring, boxes[sample.name])
    dense = count_scores([region.truth for region in regions], [region.count for region in regions])
    whole = count_scores([truth for truth, _ in errors], [count for _, count in errors])
    return {
        "mae": whole.mae,
        "dense_mae": dense.mae,
        "dense_rmse": dense.rmse,
        "dense_bias": dense.bias,
        "dense_f": region_f(regions, _pixel_thresholds(scoring), "refined"),
    }


def _pixel_thresholds(scoring: Scoring) -> list[str]:
    return [each.name for each in scoring.thresholds if each.name.endswith("px")]


def _file_name(line: Line, seed: int, about: Mapping[str, Any]) -> str:
    """Return a readable name with a digest of the measurement."""
    facts = json.dumps(about, sort_keys=True)
    plain = re.sub(r"[^\w.]+", "-", f"{line.label}-{line.train}-{line.test}").strip("-")
    return f"{plain}-s{seed}-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"


def _write(path: Path, values: Mapping[str, Any]) -> None:
    text = (json.dumps(values, indent=1, default=str) + "\n").encode()
    write_atomic(path, lambda stream: stream.write(text))


def limited(dataset: Dataset, photos: int) -> Dataset:
    """Return the data set with at most this many photos, spread over it; 0 keeps all."""
    if not photos or len(dataset.samples) <= photos:
        return dataset
    step = len(dataset.samples) / photos
    return replace(dataset, samples=[dataset.samples[int(i * step)] for i in range(photos)])
