"""Tables of scores: one model with intervals, split by attribute, two models compared, models × data sets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from crowdscale.metrics import FEWEST_IMAGES, Comparison, Measure, ResultTable, Scores, interval

__all__ = ["FEW", "comparison_table", "cross_table", "score_table", "split_table"]

FAR = 3
"""Decimals of NAE, whose values lie near 0.1."""

DASH = "–"
"""In place of a missing number."""

FEW = f"No 95 % intervals from fewer than {FEWEST_IMAGES} photos."
"""In place of intervals."""


def written(measure: Measure, value: float) -> str:
    """Return the text of a value: shares in %, NAE with three decimals, others with one; NaN is a dash."""
    if math.isnan(value):
        return DASH
    if measure.share:
        return f"{100 * value:.1f}"
    if measure.name.startswith("MLE"):
        return f"{value:.2f}"
    return f"{value:.{FAR}f}" if measure.name == "NAE" else f"{value:.1f}"


def score_table(scores: Scores, seed: int = 0) -> ResultTable:
    """Return a line for each score with its 95 % bootstrap interval over photos; dashes if there are too few photos."""
    lines = []
    for measure in scores.measures().values():
        bounds = interval(measure, seed=seed)
        edges = (bounds.low, bounds.high) if measure.images >= FEWEST_IMAGES else (math.nan, math.nan)
        cells = (written(measure, value) for value in (bounds.value, *edges))
        lines.append((measure.name + (" (%)" if measure.share else ""), *cells))
    return ResultTable(("score", "value", "95 % from", "to"), tuple(lines))


def split_table(scores: Scores, attribute: str) -> ResultTable:
    """Return a line for each value of an attribute, with its photos, heads and scores."""
    parts = scores.by(attribute)
    names = [name for name in scores.measures() if not name.startswith(("P ", "R ", "MLE"))]
    lines = []
    for value, part in parts.items():
        measures = part.measures()
        cells = (written(measures[name], measures[name].value) if name in measures else "" for name in names)
        lines.append((value, str(len(part.rows)), str(sum(row.truth for row in part.rows)), *cells))
    return ResultTable((attribute, "images", "heads", *names), tuple(lines))


def comparison_table(pairs: Sequence[Comparison]) -> ResultTable:
    """Return a line for each score: both values, their difference with its interval, and its certainty."""
    lines = []
    for pair in pairs:
        factor, digits = (
            (100, 1) if pair.name[:2] in ("P ", "R ", "F ") or pair.name.startswith("AUC") else (1, 1)
        )
        digits = FAR if pair.name == "NAE" else digits
        numbers = (pair.first, pair.second, pair.difference, pair.low, pair.high)
        cells = [f"{factor * value:{'+' if i > 1 else ''}.{digits}f}" for i, value in enumerate(numbers)]
        better = "" if pair.second_better is None else f"{100 * pair.second_better:.1f} %"
        lines.append((pair.name, *cells, better, "yes" if pair.sure else "no"))
    header = ("score", "first", "second", "difference", "95 % from", "to", "second better", "sure")
    return ResultTable(header, tuple(lines))


def cross_table(cells: Mapping[str, Mapping[str, Scores]]) -> ResultTable:
    """Return models × data sets, with MAE / RMSE and the interval of the MAE if there are enough photos."""
    columns = list(dict.fromkeys(name for row in cells.values() for name in row))
    lines = []
    for model, row in cells.items():
        shown = []
        for column in columns:
            if column not in row:
                shown.append("not run")
                continue
            measures = row[column].measures()
            mae = interval(measures["MAE"])
            edges = f" ({mae.low:.1f}–{mae.high:.1f})" if measures["MAE"].images >= FEWEST_IMAGES else ""
            shown.append(f"{mae.value:.1f} / {measures['RMSE'].value:.1f}{edges}")
        lines.append((model, *shown))
    return ResultTable(("model", *columns), tuple(lines))
