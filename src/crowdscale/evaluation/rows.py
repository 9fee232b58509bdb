"""Rows of an evaluation, one for each photo, and the scores that follow from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crowdscale.counting.columns import columns, rounded
from crowdscale.counting.encoding import csv_text
from crowdscale.counting.table import EvaluationRow
from crowdscale.deprecation import renamed
from crowdscale.evaluation.regions import RegionRow
from crowdscale.files.writing import write_atomic
from crowdscale.metrics import (
    FEWEST_IMAGES,
    CountScores,
    ImageRow,
    LocalizationScores,
    ResultTable,
    Scores,
    Scoring,
    interval,
    plain_number,
)

__all__ = ["Evaluation", "Row"]

Pass = Literal["first", "refined"]

FORMER = {"regions": "region_count", "factor": "zoom", "spacing_before": "spacing"}
"""Names in files of the release before, by their current names."""


@renamed(**FORMER)
@dataclass(frozen=True)
class Row:
    """One photo of an evaluation, by both passes."""

    refined: ImageRow
    first: ImageRow
    region_count: int
    """Dense regions with a second pass."""
    zoom: float
    """Side factor of the largest region; NaN without one."""
    spacing: float
    """Mean distance of a true head in the largest region to its nearest true heads, in pixels of the photo; NaN
    without one."""
    seconds: float
    dense: tuple[RegionRow, ...] = ()
    """The regions alone."""

    @property
    def count(self) -> float:
        """The refined count."""
        return self.refined.count

    @property
    def first_pass_count(self) -> float:
        """The count of the first pass alone."""
        return self.first.count

    @property
    def truth(self) -> int:
        """Annotated heads."""
        return self.refined.truth

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Row:
        """Return the row that ``to_dict`` wrote."""
        values = {FORMER.get(name, name): value for name, value in values.items()}
        rows = {which: ImageRow.from_dict(values[which]) for which in ("refined", "first")}
        dense = tuple(map(RegionRow.from_dict, values.get("dense", ())))
        return cls(**{**values, **rows, "dense": dense})


@dataclass(frozen=True)
class Evaluation:
    """Rows and failures; all scores follow from the rows."""

    rows: tuple[Row, ...]
    failures: tuple[tuple[str, str], ...] = ()
    """(name, sentence) of each photo without a prediction."""
    scoring: Scoring = field(default_factory=Scoring)
    """The measures."""

    def scores(self, which: Pass) -> Scores:
        """Return the scores of a pass."""
        return Scores(
            tuple(row.refined if which == "refined" else row.first for row in self.rows), self.scoring
        )

    def counting(self, which: Pass) -> CountScores:
        """Return the counting errors of a pass."""
        return self.scores(which).counting()

    def localization(self, which: Pass) -> dict[str, LocalizationScores]:
        """Return precision, recall and F of a pass by threshold; nothing for a density model."""
        return self.scores(which).localization()

    def refinement(self) -> dict[str, float]:
        """Return the share of photos with a second pass, percentiles of the zoom, and the spacing of heads by both passes."""
        dense = [row for row in self.rows if row.region_count]
        if not dense:
            return {"refined": 0.0}
        factors = np.array([row.zoom for row in dense])
        before = np.array([row.spacing for row in dense])
        before, after = before[np.isfinite(before)], (before * factors)[np.isfinite(before)]
        low, middle, high = np.percentile(factors, (10, 50, 90)).tolist()
        return {
            "refined": len(dense) / len(self.rows),
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
                    "measures": {k: plain_number(m.value) for k, m in self.scores(which).measures().items()},
                }
                for which in passes
            },
            "refinement": {name: plain_number(value) for name, value in self.refinement().items()},
            "seconds": float(np.median([row.seconds for row in self.rows])),
        }

    def table(self) -> ResultTable:
        """Return the table: the first pass above the second pass."""
        header, lines = [""], []
        passes: tuple[tuple[Pass, str], ...] = (("first", "first pass"), ("refined", "second pass"))
        for which, label in passes:
            shown = _shown(self.scores(which))
            header = ["", *shown]
            lines.append((label, *shown.values()))
        return ResultTable(tuple(header), tuple(lines))

    def markdown(self) -> str:
        """Return the table as Markdown."""
        return self.table().markdown()

    def write_csv(self, path: Path) -> None:
        """Write a row for each photo, atomically; ``EvaluationRow`` has the columns."""
        thresholds = [threshold.name for threshold in self.scoring.thresholds]
        text = csv_text(
            (_csv_row(row, thresholds) for row in self.rows),
            [
                *(each.name for each in columns(EvaluationRow)),
                *(f"matched_{name}" for name in thresholds),
                *(f"first_pass_matched_{name}" for name in thresholds),
            ],
        )
        write_atomic(path, lambda stream: stream.write(text.encode()))

    def write_json(self, path: Path, about: dict[str, Any]) -> None:
        """Write the scores, their intervals and a row for each photo, atomically; few photos give no intervals.

        Args:
            path: The file.
            about: The model, the data and other facts that come first.
        """
        rows = [row.refined.to_dict() for row in self.rows]
        measures = self.scores("refined").measures() if len(rows) >= FEWEST_IMAGES else {}
        spreads = {name: interval(each) for name, each in measures.items()}
        intervals = {name: [plain_number(i.low), plain_number(i.high)] for name, i in spreads.items()}
        about = {**about, "intervals_95": intervals}
        whole = {**about, **self.to_dict(), "scoring": self.scoring.to_dict(), "rows": rows}
        text = json.dumps(whole, indent=1) + "\n"
        write_atomic(path, lambda stream: stream.write(text.encode()))


def _csv_row(row: Row, thresholds: Sequence[str]) -> dict[str, Any]:
    values = EvaluationRow(
        row.refined.set,
        row.refined.name,
        row.truth,
        row.count,
        row.first_pass_count,
        row.region_count,
        row.zoom,
        row.spacing,
        row.seconds,
    )
    matched = {f"matched_{name}": n for name, n in zip(thresholds, row.refined.matched, strict=False)}
    first = {f"first_pass_matched_{name}": n for name, n in zip(thresholds, row.first.matched, strict=False)}
    return {**rounded(values), **matched, **first}


def _shown(scores: Scores) -> dict[str, str]:
    """Return the scores of the plain table: counts, GAME and F."""
    cells = {}
    for name, measure in scores.measures().items():
        if np.isnan(measure.value):
            cells[name] = "–"
        elif name in ("MAE", "RMSE") or name.startswith("GAME"):
            cells[name] = f"{measure.value:.1f}"
        elif name == "NAE":
            cells[name] = f"{measure.value:.3f}"
        elif name == "bias":
            cells[name] = f"{measure.value:+.1f}"
        elif name.startswith("F "):
            cells[name] = f"{100 * measure.value:.1f}"
    return cells
