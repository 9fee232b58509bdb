"""Tables of a study: our numbers beside the papers', mean and spread over seeds; cells that did not run are marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from crowdscale.metrics import ResultTable
from research.reproduce.cells import Cell
from research.reproduce.library import HELD_OUT
from research.reproduce.recipe import Line, Recipe

__all__ = ["NOT_RUN", "diagnosis_table", "main_table", "split_tables"]

NOT_RUN = "not run"
NOTHING = "–"
Cells = Mapping[int, Sequence[Cell]]
"""Cells of each line by its place in the recipe, one per seed."""

DIGITS = {"NAE": 3}


def main_table(recipe: Recipe, cells: Cells, budget: str) -> ResultTable:
    """Return the recipe's table: a line per model and data set, published numbers in columns of their own."""
    lines = recipe.lines
    measured = {name for each in cells.values() for cell in each for name in cell.measures()}
    published = {name for line in lines for name in line.published}
    measures = [name for name in recipe.measures if not measured or name in measured | published]
    header = _header(measures, published)
    body = [
        _row(line, list(cells.get(place, ())), measures, published, budget)
        for place, line in enumerate(lines)
    ]
    return ResultTable(header, tuple(body))


def _header(measures: Sequence[str], published: Collection[str]) -> tuple[str, ...]:
    header = ["data", "model"]
    for name in measures:
        unit = " (%)" if name.startswith("F ") else ""
        header += [name + unit, *([f"{name} of the paper"] if name in published else [])]
    return (*header, "images", "crops", "seeds", "release", "machine")


def _row(
    line: Line, cells: Sequence[Cell], measures: Sequence[str], published: Collection[str], budget: str
) -> tuple[str, ...]:
    """Return a line's measures, each followed by the published number if any line has one, and its facts."""
    row = [line.sets, line.label]
    for name in measures:
        row.append(_mean(name, [cell.measures().get(name) for cell in cells]) if cells else NOT_RUN)
        if name in published:
            row.append(line.published.get(name, NOTHING))
    return (*row, *_facts(cells, budget, line.train != line.test))


def _mean(name: str, values: Sequence[float | None]) -> str:
    finite = [value for value in values if value is not None and np.isfinite(value)]
    if not finite:
        return NOTHING
    digits = DIGITS.get(name, 1)
    text = f"{np.mean(finite):.{digits}f}"
    return f"{text} ± {np.std(finite, ddof=1):.{digits}f}" if len(finite) > 1 else text


def _facts(cells: Sequence[Cell], budget: str, abroad: bool) -> tuple[str, ...]:
    """Return images, crops, seeds, release and machine, or the budget if nothing ran.

    ``abroad``: the line's network was trained on another set. Held-out photos are then named beside their number.
    """
    if not cells:
        return (NOTHING, f"budget {budget}", NOTHING, NOTHING, NOTHING)
    about = cells[0].about
    crops = f"{about['crops']:,}" + (f" + {about['l2s_crops']:,}" if about["l2s_crops"] else "")
    seeds = ", ".join(str(cell.about["seed"]) for cell in cells)
    machines = ", ".join(dict.fromkeys(str(cell.about["machine"]) for cell in cells))
    photos = f"{len(cells[0].result.rows)}{', held out' if abroad and about['data'].endswith(f'/{HELD_OUT}') else ''}"
    return photos, crops, seeds, str(about["release"]) or NOTHING, machines


def split_tables(recipe: Recipe, cells: Cells) -> dict[str, ResultTable]:
    """Return a table of MAE / RMSE for each attribute by which a data set's protocol splits scores."""
    attributes = dict.fromkeys(
        name for each in cells.values() for cell in each[:1] for name in cell.result.scoring.attributes
    )
    return {attribute: _split_table(recipe, cells, attribute) for attribute in attributes}


def _split_table(recipe: Recipe, cells: Cells, attribute: str) -> ResultTable:
    """Return MAE / RMSE of each line that has this attribute, by its values."""
    columns: dict[str, None] = {}
    rows = []
    for place, line in enumerate(recipe.lines):
        parts = [cell.result.scores("refined").by(attribute) for cell in cells.get(place, ())]
        if parts and attribute in cells[place][0].result.scoring.attributes:
            columns |= dict.fromkeys(parts[0])
            rows.append((line, parts))
    body = [
        (line.sets, line.label, *(_both([part[name] for part in parts if name in part]) for name in columns))
        for line, parts in rows
    ]
    return ResultTable(("data", "model", *columns), tuple(body))


def _both(parts: Sequence[Any]) -> str:
    if not parts:
        return NOTHING
    scores = [part.counting() for part in parts]
    return f"{np.mean([s.mae for s in scores]):.1f} / {np.mean([s.rmse for s in scores]):.1f}"


COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("regions", "", "regions"),
    ("dense MAE, baseline", "beside", "dense_mae"),
    ("first pass", "", "dense_mae_first"),
    ("second pass", "", "dense_mae_refined"),
    ("dense bias, baseline", "beside", "dense_bias"),
    ("first pass", "", "dense_bias_first"),
    ("second pass", "", "dense_bias_refined"),
    ("MAE of images with a region, baseline", "beside", "mae"),
    ("first pass", "", "mae_first"),
    ("second pass", "", "mae_refined"),
    ("clamped low (%)", "share", "clamped_low"),
    ("clamped high (%)", "share", "clamped_high"),
    ("capped (%)", "share", "capped"),
    ("factor fits the truth (r)", "fine", "factor_fit"),
    ("log-spread before", "fine", "log_spread_before"),
    ("log-spread after", "fine", "log_spread_after"),
)
"""(column, source, name) of the diagnosis; the source is the baseline ``beside``, or the unit of a number."""


def diagnosis_table(lines: Sequence[Line], cells: Cells) -> ResultTable:
    """Return the effect of the second pass, a line per model that has one: means over seeds."""
    body = []
    for place, line in enumerate(lines):
        diagnosed = [cell for cell in cells.get(place, ()) if cell.diagnosis]
        if diagnosed:
            body.append((line.sets, line.label, *_diagnosed(diagnosed)))
    names = [name for name, _, _ in COLUMNS]
    header = ("data", "model", *names, "dense F 4px / 8px (%), baseline", "first pass", "second pass",
              "factor, 10th / 50th / 90th percentile", "centre, start → end")  # fmt: skip
    return ResultTable(header, tuple(body))


def _diagnosed(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return the columns of a diagnosis as means over the cells."""
    means = [_diagnosis_mean(cells, source, name) for _, source, name in COLUMNS]
    shares = [
        _shares([_source(cell, "beside" if name == "dense_f" else "").get(name, {}) for cell in cells])
        for name in ("dense_f", "dense_f_first", "dense_f_refined")
    ]
    factors = np.mean([cell.diagnosis["factors"] for cell in cells], axis=0)
    moved = [f"{start:.2f} → {end:.2f}" for start, end in (cell.about["centre"] for cell in cells)]
    percentiles = " / ".join(f"{value:.2f}" for value in factors)
    return (*means, *shares, percentiles, ", ".join(dict.fromkeys(moved)))


def _source(cell: Cell, source: str) -> Mapping[str, Any]:
    return cell.beside if source == "beside" else cell.diagnosis


def _diagnosis_mean(cells: Sequence[Cell], source: str, name: str) -> str:
    """Return the mean of a number of the diagnosis over the cells that have it."""
    values = [value for cell in cells if (value := _source(cell, source).get(name)) is not None]
    scale, digits = {"share": (100, 0), "fine": (1, 3)}.get(source, (1, 1))
    return f"{scale * np.mean(values):.{digits}f}" if values else NOTHING


def _shares(parts: Sequence[Mapping[str, float]]) -> str:
    names = [name for name in ("4px", "8px") if parts and all(name in each for each in parts)]
    return " / ".join(f"{100 * np.mean([each[name] for each in parts]):.1f}" for name in names) or NOTHING
