"""Evaluation: the predictor that users run, over a data set → scores, the first pass beside the refined result."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from crowdscale.data.sample import Sample
from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.images import write_atomic
from crowdscale.metrics import SHANGHAITECH, CountScores, LocalizationScores, count_scores, match_points
from crowdscale.points import Points
from crowdscale.result import Prediction

__all__ = ["Evaluation", "Row", "evaluate"]

Pass = Literal["first", "refined"]


class PredictsPaths(Protocol):
    """What evaluation asks of a predictor."""

    def predict(self, source: Path) -> Prediction:
        """Return the people in a photo."""
        ...


@dataclass(frozen=True)
class Row:
    """One image of an evaluation."""

    name: str
    set: str
    truth: int
    """Annotated heads."""
    count: float
    """The refined count."""
    first_count: float
    """The count of the first pass alone."""
    regions: int
    """Regions that were enlarged."""
    factor: float
    """Side factor of the first of them; NaN without any."""
    spacing_before: float
    """Mean distance between neighbours of the true heads in that region, in pixels; NaN without."""
    seconds: float
    matched: tuple[int, ...]
    """Matched heads of the refined result at each threshold; empty for a density model."""
    first_matched: tuple[int, ...]
    """The same of the first pass."""


@dataclass(frozen=True)
class Evaluation:
    """Rows, one an image, and what could not be evaluated; all scores are derived from the rows."""

    rows: tuple[Row, ...]
    failures: tuple[tuple[str, str], ...] = ()
    """(name, sentence) of each image that could not be predicted."""

    def counting(self, which: Pass) -> CountScores:
        """Return the counting errors of a pass."""
        counts = [row.count if which == "refined" else row.first_count for row in self.rows]
        return count_scores([row.truth for row in self.rows], counts)

    def localization(self, which: Pass) -> dict[str, LocalizationScores]:
        """Return precision, recall and F of a pass by threshold; nothing for a density model."""
        scores = {}
        for index, threshold in enumerate(SHANGHAITECH):
            found = [row.matched if which == "refined" else row.first_matched for row in self.rows]
            if not all(found):
                return {}
            counts = [row.count if which == "refined" else row.first_count for row in self.rows]
            totals = (sum(f[index] for f in found), int(sum(counts)), sum(row.truth for row in self.rows))
            scores[threshold.name] = LocalizationScores(*totals)
        return scores

    def refinement(self) -> dict[str, float]:
        """Return the share of images refined, percentiles of the factor, and what it does to the spacing."""
        known = [row for row in self.rows if row.regions]
        if not known:
            return {"refined": 0.0}
        factors = np.array([row.factor for row in known])
        before = np.array([row.spacing_before for row in known])
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
                }
                for which in passes
            },
            "refinement": self.refinement(),
            "seconds": float(np.median([row.seconds for row in self.rows])),
        }

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the header and the lines of the table: the first pass beside the refined result."""
        header = ["", "MAE", "RMSE", "NAE", "bias"]
        lines = []
        passes: tuple[tuple[Pass, str], ...] = (("first", "first pass"), ("refined", "refined"))
        for which, label in passes:
            scores, places = self.counting(which), self.localization(which)
            if len(header) == 5:
                header += [f"F {name}" for name in places]
            lines.append(
                [label, f"{scores.mae:.1f}", f"{scores.rmse:.1f}", f"{scores.nae:.3f}", f"{scores.bias:+.1f}"]
                + [f"{100 * place.f:.1f}" for place in places.values()]
            )
        return header, lines

    def markdown(self) -> str:
        """Return the table as Markdown."""
        header, lines = self.table()
        rule = ["---"] * len(header)
        return "\n".join("| " + " | ".join(line) + " |" for line in [header, rule, *lines])

    def write_csv(self, path: Path) -> None:
        """Write one row an image, atomically."""
        names = [threshold.name for threshold in SHANGHAITECH]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        plain = [
            "set",
            "name",
            "truth",
            "count",
            "first_count",
            "regions",
            "factor",
            "spacing_before",
            "seconds",
        ]
        writer.writerow(plain + [f"matched_{n}" for n in names] + [f"first_matched_{n}" for n in names])
        for row in self.rows:
            blank = [""] * len(names)
            matched = [list(row.matched) or blank, list(row.first_matched) or blank]
            values = [getattr(row, name) for name in plain]
            rounded = [round(v, 4) if isinstance(v, float) else v for v in values]
            writer.writerow([*rounded, *matched[0], *matched[1]])
        write_atomic(path, lambda stream: stream.write(text.getvalue().encode()))

    def write_json(self, path: Path, about: dict[str, Any]) -> None:
        """Write the scores with what they are about, atomically."""
        text = json.dumps({**about, **self.to_dict()}, indent=1) + "\n"
        write_atomic(path, lambda stream: stream.write(text.encode()))


def evaluate(
    predictor: PredictsPaths, samples: Sequence[Sample], on_row: Callable[[], object] | None = None
) -> Evaluation:
    """Predict annotated photos and compare; a photo that cannot be read is reported and the rest is kept.

    Args:
        predictor: A ``Predictor``, or whatever predicts a path.
        samples: Photos with points.
        on_row: Called after each photo, for progress. Ctrl-C keeps the rows so far.

    Raises:
        DataError: No photo could be evaluated.
    """
    rows, failures = [], []
    try:
        for sample in samples:
            try:
                rows.append(_row(predictor, sample))
            except CrowdscaleError as error:
                failures.append((sample.name, str(error)))
            if on_row is not None:
                on_row()
    except KeyboardInterrupt:
        failures.append(("the rest", "Interrupted."))
    if not rows:
        raise DataError("expected annotated photos to evaluate on", failures[0][1] if failures else "none")
    return Evaluation(tuple(rows), tuple(failures))


def _row(predictor: PredictsPaths, sample: Sample) -> Row:
    if sample.points is None:
        raise DataError("expected an annotated photo", f"{sample.name} without points")
    prediction = predictor.predict(sample.image_path)
    region = prediction.regions[0] if prediction.regions else None
    return Row(
        name=sample.name,
        set=sample.attributes.get("set", ""),
        truth=len(sample.points),
        count=prediction.count,
        first_count=prediction.first_count,
        regions=len(prediction.regions),
        factor=region.factor if region else float("nan"),
        spacing_before=sample.points.inside(region.box).spacing() if region else float("nan"),
        seconds=prediction.seconds,
        matched=_matched(prediction.points, sample.points),
        first_matched=_matched(prediction.first_points, sample.points),
    )


def _matched(points: Points | None, truth: Points) -> tuple[int, ...]:
    if points is None:
        return ()
    return tuple(len(match_points(points.xy, truth.xy, t.radii(truth))) for t in SHANGHAITECH)
