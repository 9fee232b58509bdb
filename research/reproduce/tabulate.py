"""The table: our numbers beside the papers', mean and spread over seeds; a cell that was not run says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from crowdscale.metrics import ResultTable
from research.reproduce.cells import Cell
from research.reproduce.recipe import Line, Recipe

__all__ = ["NOT_RUN", "diagnosis_table", "main_table", "split_tables"]

NOT_RUN = "not run"
NOTHING = "–"
Cells = Mapping[int, Sequence[Cell]]
"""Cells of each line by its place in the recipe, one a seed."""

DIGITS = {"NAE": 3}


def main_table(recipe: Recipe, cells: Cells, budget: str) -> ResultTable:
    """Return the recipe's table: a line a model and data set, published numbers in columns of their own."""
    lines = recipe.lines
    known = {name for found in cells.values() for cell in found for name in cell.measures()}
    told = {name for line in lines for name in line.published}
    measures = [name for name in recipe.measures if not known or name in known | told]
    header = ["data", "model"]
    for name in measures:
        unit = " (%)" if name.startswith("F ") else ""
        header += [name + unit, *([f"{name} of the paper"] if name in told else [])]
    header += ["images", "crops", "seeds", "release", "machine"]
    body = []
    for place, line in enumerate(lines):
        found = list(cells.get(place, ()))
        row = [line.sets, line.label]
        for name in measures:
            row.append(_mean(name, [cell.measures().get(name) for cell in found]) if found else NOT_RUN)
            if name in told:
                row.append(line.published.get(name, NOTHING))
        body.append((*row, *_facts(found, budget)))
    return ResultTable(tuple(header), tuple(body))


def _mean(name: str, values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None and np.isfinite(value)]
    if not known:
        return NOTHING
    digits = DIGITS.get(name, 1)
    text = f"{np.mean(known):.{digits}f}"
    return f"{text} ± {np.std(known, ddof=1):.{digits}f}" if len(known) > 1 else text


def _facts(found: Sequence[Cell], budget: str) -> tuple[str, ...]:
    """Images, crops seen, seeds, release and machine; the budget where nothing was run."""
    if not found:
        return (NOTHING, f"budget {budget}", NOTHING, NOTHING, NOTHING)
    about = found[0].about
    crops = f"{about['crops']:,}" + (f" + {about['l2s_crops']:,}" if about["l2s_crops"] else "")
    seeds = ", ".join(str(cell.about["seed"]) for cell in found)
    machines = ", ".join(dict.fromkeys(str(cell.about["machine"]) for cell in found))
    return str(len(found[0].result.rows)), crops, seeds, str(about["release"]) or NOTHING, machines


def split_tables(recipe: Recipe, cells: Cells) -> dict[str, ResultTable]:
    """Return a table of MAE / RMSE for each attribute by which a data set's protocol splits scores."""
    tables = {}
    attributes = dict.fromkeys(
        name for found in cells.values() for cell in found[:1] for name in cell.result.scoring.attributes
    )
    for attribute in attributes:
        columns: dict[str, None] = {}
        rows = []
        for place, line in enumerate(recipe.lines):
            parts = [cell.result.scores("refined").by(attribute) for cell in cells.get(place, ())]
            if parts and attribute in cells[place][0].result.scoring.attributes:
                columns |= dict.fromkeys(parts[0])
                rows.append((line, parts))
        body = [
            (
                line.sets,
                line.label,
                *(_both([part[name] for part in parts if name in part]) for name in columns),
            )
            for line, parts in rows
        ]
        tables[attribute] = ResultTable(("data", "model", *columns), tuple(body))
    return tables


def _both(parts: Sequence[Any]) -> str:
    if not parts:
        return NOTHING
    scores = [part.counting() for part in parts]
    return f"{np.mean([s.mae for s in scores]):.1f} / {np.mean([s.rmse for s in scores]):.1f}"


COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("regions", "", "regions"),
    ("dense MAE, baseline", "beside", "dense_mae"),
    ("first pass", "", "dense_mae_first"),
    ("refined", "", "dense_mae_refined"),
    ("dense bias, baseline", "beside", "dense_bias"),
    ("first pass", "", "dense_bias_first"),
    ("refined", "", "dense_bias_refined"),
    ("MAE of images with a region, baseline", "beside", "mae"),
    ("first pass", "", "mae_first"),
    ("refined", "", "mae_refined"),
    ("clamped low (%)", "share", "clamped_low"),
    ("clamped high (%)", "share", "clamped_high"),
    ("capped (%)", "share", "capped"),
    ("factor fits the truth (r)", "fine", "factor_fit"),
    ("log-spread before", "fine", "log_spread_before"),
    ("log-spread after", "fine", "log_spread_after"),
)
"""(column, where it stands, name) of the diagnosis."""


def diagnosis_table(lines: Sequence[Line], cells: Cells) -> ResultTable:
    """Return what the second look did, a line a model with one: means over seeds."""
    body = []
    for place, line in enumerate(lines):
        found = [cell for cell in cells.get(place, ()) if cell.diagnosis]
        if found:
            body.append((line.sets, line.label, *_diagnosed(found)))
    names = [name for name, _, _ in COLUMNS]
    header = ("data", "model", *names, "dense F 4px / 8px (%), baseline", "first pass", "refined",
              "factor, 10th / 50th / 90th percentile", "centre, start → end")  # fmt: skip
    return ResultTable(header, tuple(body))


def _diagnosed(found: Sequence[Cell]) -> tuple[str, ...]:
    cells = []
    for _, where, name in COLUMNS:
        values = [(cell.beside if where == "beside" else cell.diagnosis).get(name) for cell in found]
        known = [value for value in values if value is not None]
        scale, digits = {"share": (100, 0), "fine": (1, 3)}.get(where, (1, 1))
        cells.append(f"{scale * np.mean(known):.{digits}f}" if known else NOTHING)
    shares = [
        _shares([(cell.beside if which == "dense_f" else cell.diagnosis).get(which, {}) for cell in found])
        for which in ("dense_f", "dense_f_first", "dense_f_refined")
    ]
    factors = np.mean([cell.diagnosis["factors"] for cell in found], axis=0)
    moved = [f"{start:.2f} → {end:.2f}" for start, end in (cell.about["centre"] for cell in found)]
    return (*cells, *shares, " / ".join(f"{value:.2f}" for value in factors), ", ".join(dict.fromkeys(moved)))


def _shares(found: Sequence[Mapping[str, float]]) -> str:
    names = [name for name in ("4px", "8px") if found and all(name in each for each in found)]
    return " / ".join(f"{100 * np.mean([each[name] for each in found]):.1f}" for name in names) or NOTHING
