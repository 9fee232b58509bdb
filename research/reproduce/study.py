"""Study: a recipe run with a budget and seeds on the data at hand; after a stop it resumes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdscale.errors import CrowdscaleError, DataError, OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.metrics import ResultTable
from research.reproduce.cells import Cell
from research.reproduce.library import Library
from research.reproduce.recipe import Line, Recipe
from research.reproduce.request import Request
from research.reproduce.tabulate import diagnosis_table, main_table, split_tables
from research.reproduce.work import Work

__all__ = ["Study", "run_recipe"]


@dataclass(frozen=True)
class Study:
    """A recipe with its cells so far."""

    recipe: Recipe
    request: Request
    cells: Mapping[int, Sequence[Cell]]
    """Cells of each line by its place in the recipe, one per seed."""
    problems: tuple[str, ...] = ()
    """A sentence for each unreadable data set and each failed line."""

    def tables(self) -> dict[str, ResultTable]:
        """Return the table, the diagnosis of the second pass, and tables by attributes of the photos."""
        tables = {self.recipe.name: main_table(self.recipe, self.cells, self.request.budget.name)}
        diagnosis = diagnosis_table(self.recipe.lines, self.cells)
        if diagnosis.lines:
            tables["diagnosis"] = diagnosis
        split = split_tables(self.recipe, self.cells)
        return {**tables, **{f"by-{name}": table for name, table in split.items() if table.lines}}

    def write(self) -> Path:
        """Write every table as .md, .csv and .json, and return the folder."""
        folder = self.request.out / self.recipe.name
        for name, table in self.tables().items():
            for suffix in (".csv", ".json"):
                table.write(folder / f"{name}{suffix}")
            text = f"{table.markdown()}\n"
            if name == self.recipe.name:
                text = f"{self._heading()}\n\n{text}"
            data = text.encode()
            write_atomic(folder / f"{name}.md", lambda stream, data=data: stream.write(data))  # type: ignore[misc]
        return folder

    def _heading(self) -> str:
        budget = self.request.budget
        parts = [
            f"{self.recipe.title}. Budget {budget.name}: {budget.crops:,} crops, then {budget.l2s_crops:,} with learning "
            "to scale from the baseline's weights. Columns \"of the paper\" are the papers' numbers, the others "
            "ours, mean ± standard deviation where there are several seeds. The weights of least validation MAE "
            f"are evaluated {'on the same held-out photos' if self.recipe.held_out else 'once on the test photos'}.",
            self.recipe.remark,
        ]
        if budget.photos:
            parts.append(
                f"Only {budget.photos} photos were held out and {budget.photos} evaluated: a trial, no result."
            )
        return " ".join(part for part in parts if part)


def run_recipe(
    recipe: Recipe, request: Request, only: Sequence[str] = (), report: Callable[[str], object] = print
) -> Study:
    """Run a recipe: train what is missing, evaluate it, write the tables after each cell.

    Args:
        recipe: The table.
        request: Data, budget, seeds and folder.
        only: Labels or networks of the lines to run; a label counts before a network of the same name. Other lines show
            the cells that exist.
        report: Receives a sentence on each step of the work.

    Returns:
        The study, with a sentence for each part that could not be run.

    Raises:
        DataError: There is no data for any line.
        OptionError: No line has such a label or network.
    """
    work = Work(request, report, recipe.held_out)
    lines = [(place, line) for place, line in enumerate(recipe.lines) if work.library.has(line)]
    chosen, others = _part(lines, recipe, only)
    if not chosen:
        raise _nothing_to_run(recipe, work.library, only)
    work.trainer.check([line.variant for _, line in chosen])
    cells = _kept_cells(work, others, request.seeds)
    problems = list(work.library.problems.values())
    for place, line in chosen:
        for seed in request.seeds:
            problems += _add_cell(cells[place], work, line, seed)
            Study(recipe, request, cells).write()
    study = Study(recipe, request, cells, tuple(problems))
    folder = study.write() / "pictures"
    for place, line in lines:
        work.draw(recipe, line, cells[place], folder)
    return study


def _kept_cells(work: Work, lines: Sequence[tuple[int, Line]], seeds: Sequence[int]) -> dict[int, list[Cell]]:
    """Return the cells of lines that were measured before, by the lines' places."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    for place, line in lines:
        cells[place] += [cell for seed in seeds if (cell := work.kept(line, seed))]
    return cells


def _add_cell(cells: list[Cell], work: Work, line: Line, seed: int) -> list[str]:
    """Add a line's cell; return a sentence if it could not be trained or evaluated."""
    try:
        cells.append(work.cell(line, seed))
    except CrowdscaleError as error:
        problem = f"{line.label}, seed {seed}: {error}"
        work.report(problem)
        return [problem]
    return []


Places = list[tuple[int, Line]]
"""Lines with their places in the recipe."""


def _part(lines: Places, recipe: Recipe, only: Sequence[str]) -> tuple[Places, Places]:
    """Return the lines to run, by label or by network if no line has that label, and the others."""
    networks = {*only} - {each.label for each in recipe.lines}
    chosen: Places = []
    others: Places = []
    for place, line in lines:
        runs = not only or line.label in only or line.variant.name in networks
        (chosen if runs else others).append((place, line))
    return chosen, others


def _nothing_to_run(recipe: Recipe, library: Library, only: Sequence[str]) -> CrowdscaleError:
    labels = [line.label for line in recipe.lines] + [line.variant.name for line in recipe.lines]
    if only and not {*labels} & {*only}:
        return OptionError(f"expected --only out of {', '.join(dict.fromkeys(labels))}", ", ".join(only))
    needed = sorted({name for line in recipe.lines for name in (*line.train.split("+"), line.test)})
    return DataError(
        f"expected the data of a line of {recipe.name} (of {', '.join(needed)})",
        " ".join(library.problems.values()) or f"--data of {', '.join(library.request.data) or 'none'}",
        "Give --data NAME:PATH",
    )
