"""A study: a recipe run by budget and seeds on the data at hand; stopped at any point, it goes on there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from crowdscale.counting.predictor import PredictOptions
from crowdscale.data.opening import Dataset, open_dataset
from crowdscale.data.sizing import limit_sizes
from crowdscale.errors import CrowdscaleError, DataError, OptionError
from crowdscale.files.images import write_image
from crowdscale.files.writing import write_atomic
from crowdscale.learn.training.preparation import Gathered, gather
from crowdscale.metrics import ResultTable
from crowdscale.points import Points
from research.reproduce.budget import Budget
from research.reproduce.cells import Cell, Evaluator, limited
from research.reproduce.networks import Trainer
from research.reproduce.pictures import draw_maps, write_pictures
from research.reproduce.recipe import Line, Recipe
from research.reproduce.tabulate import diagnosis_table, main_table, split_tables

__all__ = ["Request", "Study", "parse_data", "parse_options", "run_recipe"]


@dataclass(frozen=True)
class Request:
    """What a table is run with."""

    data: Mapping[str, str]
    """Folder of each data set by its short name; lines of the others are not run."""
    budget: Budget
    seeds: tuple[int, ...]
    out: Path
    """Networks, cells and tables; studies that share it share what they have in common."""
    validation: Path | None = None
    """List of held-out photos; None holds a tenth out, by count strata."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Training options that stand above the recipe's."""
    device: str = "cpu"
    threads: int = 0

    def __post_init__(self) -> None:
        if not self.seeds or min(self.seeds) < 0:
            raise OptionError("expected --seeds of at least 0, one or more", f"{list(self.seeds)}")
        if self.threads < 0:
            raise OptionError("expected --threads of at least 0", str(self.threads))


@dataclass(frozen=True)
class Study:
    """A recipe's cells so far."""

    recipe: Recipe
    request: Request
    cells: Mapping[int, Sequence[Cell]]
    """Cells of each line by its place in the recipe, one a seed."""
    problems: tuple[str, ...] = ()
    """A sentence for each data set that could not be read, each line that failed."""

    def tables(self) -> dict[str, ResultTable]:
        """Return the table, the diagnosis of the second look, and tables by attributes of the photos."""
        found = {self.recipe.name: main_table(self.recipe, self.cells, self.request.budget.name)}
        diagnosis = diagnosis_table(self.recipe.lines, self.cells)
        if diagnosis.lines:
            found["diagnosis"] = diagnosis
        split = split_tables(self.recipe, self.cells)
        return {**found, **{f"by-{name}": table for name, table in split.items() if table.lines}}

    def write(self) -> Path:
        """Write every table as .md, .csv and .json; returns the folder."""
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
        told = [
            f"{self.recipe.title}. Budget {budget.name}: {budget.crops:,} crops, then {budget.l2s_crops:,} with learning "
            "to scale from the baseline's weights. Columns \"of the paper\" are the papers' numbers, the others "
            "ours, mean ± standard deviation where there are several seeds. The weights of least validation MAE "
            f"are evaluated {'on the same held-out photos' if self.recipe.held_out else 'once on the test photos'}.",
            self.recipe.remark,
        ]
        if budget.photos:
            told.append(
                f"Only {budget.photos} photos were held out and {budget.photos} evaluated: a trial, no result."
            )
        return " ".join(part for part in told if part)


@dataclass
class Library:
    """The data sets of a study, each opened once."""

    request: Request
    held_out: bool = False
    """Evaluate on the held-out photos: no test split is needed."""
    problems: dict[str, str] = field(default_factory=dict)
    """Short name → why its data cannot be used."""
    tests: dict[str, Dataset] = field(default_factory=dict)
    """Photos to evaluate on, at their own size: those of ``test``, or of the last split whose heads are public."""
    gathered: dict[str, Gathered] = field(default_factory=dict)

    @cached_property
    def known(self) -> dict[str, Dataset]:
        """The sets that can be read, by short name, at the split to train on."""
        found = {}
        for name, path in self.request.data.items():
            try:
                dataset = open_dataset(f"{name}:{path}")
                splits = dataset.protocol.splits
                split = "test" if "test" in splits and name != "nwpu" else splits[min(1, len(splits) - 1)]
                if not self.held_out:
                    self.tests[name] = open_dataset(f"{name}/{split}:{path}")
                found[name] = dataset
            except (DataError, OptionError) as error:
                self.problems[name] = f"{name}: {error}"
        return found

    def has(self, line: Line) -> bool:
        """Return whether a line's data is at hand."""
        return {*line.train.split("+"), line.test} <= {*self.known}

    def gather(self, name: str) -> Gathered:
        """Return the photos to train and to validate on, of one set or of several (``sha+shb``)."""
        if name not in self.gathered:
            request = self.request
            data = [f"{each}:{request.data[each]}" for each in name.split("+")]
            cache = request.out / "resized"
            found = gather(data, None, self._listed(name), 0.1, 0, True, cache)
            self.gathered[name] = replace(found, held_out=found.held_out[: request.budget.photos or None])
        return self.gathered[name]

    def _listed(self, name: str) -> Path | None:
        """The validation list, where it has photos of this set."""
        listed = self.request.validation
        if listed is None:
            return None
        from crowdscale.data.lists import read_list

        entries = read_list(listed)
        if all(any(entry.startswith(f"{each}/") for entry in entries) for each in name.split("+")):
            return listed
        return None

    def test(self, name: str) -> Dataset:
        """Return the photos to evaluate on, within the set's limits of size: of its test split, or held out."""
        if self.held_out:
            return replace(self.known[name], samples=self.gather(name).held_out, split="held out")
        dataset = self.tests[name]
        sized = limit_sizes(dataset.samples, dataset.protocol.limits, self.request.out / "resized")
        return limited(replace(dataset, samples=list(sized)), self.request.budget.photos)


def run_recipe(
    recipe: Recipe, request: Request, only: Sequence[str] = (), say: Callable[[str], object] = print
) -> Study:
    """Run a recipe: train what is missing, evaluate it, write the tables after each cell.

    Args:
        recipe: The table.
        request: Data, budget, seeds and folder.
        only: Labels of the lines to run, or networks, where no label is the same; of the others, cells that are
            there are shown.
        say: Called with a sentence as the work goes on.

    Returns:
        The study, with a sentence for whatever could not be run.

    Raises:
        DataError: There is no data for any line.
    """
    work = Work(request, say, recipe.held_out)
    lines = [(place, line) for place, line in enumerate(recipe.lines) if work.library.has(line)]
    labels = {line.label for line in recipe.lines}
    networks = {*only} - labels
    chosen = [
        (p, line) for p, line in lines if not only or line.label in only or line.variant.name in networks
    ]
    if not chosen:
        raise _nothing_to_run(recipe, work.library, only)
    work.trainer.check([line.variant for _, line in chosen])
    problems = dict(work.library.problems)
    cells: dict[int, list[Cell]] = defaultdict(list)
    for place, line in lines:
        if (place, line) not in chosen:
            cells[place] += [cell for seed in request.seeds if (cell := work.kept(line, seed))]
    for place, line in chosen:
        for seed in request.seeds:
            try:
                cells[place].append(work.cell(line, seed))
            except CrowdscaleError as error:
                problems[f"{line.label} {seed}"] = f"{line.label}, seed {seed}: {error}"
                say(problems[f"{line.label} {seed}"])
            Study(recipe, request, cells).write()
    study = Study(recipe, request, cells, tuple(problems.values()))
    folder = study.write() / "pictures"
    for place, line in lines:
        work.draw(recipe, line, cells[place], folder)
    return study


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


DRAWN = 3
"""Photos drawn of a line."""


class Work:
    """What trains and evaluates the lines of a study.

    Args:
        request: Data, budget, seeds and folder.
        say: Called with a sentence as the work goes on.
        held_out: Evaluate on the held-out photos.
    """

    def __init__(self, request: Request, say: Callable[[str], object], held_out: bool = False) -> None:
        if request.threads:
            torch.set_num_threads(request.threads)
        self.library, self.say = Library(request, held_out), say
        machine = {"device": request.device} if request.device != "cpu" else {}
        options = {**request.options, **machine}
        self.trainer = Trainer(request.out, request.budget, self.library.gather, options, say)
        self.evaluator = Evaluator(request.out, request.device, request.threads)

    def cell(self, line: Line, seed: int) -> Cell:
        """Return a line's cell by one seed; what is missing is trained and evaluated now."""
        base = self.trainer.network(replace(line, refined=False), seed)
        trained = self.trainer.network(line, seed) if line.refined else base
        self.say(f"evaluating {line.label}, {line.sets}, seed {seed}")
        cell = self.evaluator.cell(line, trained, base, self.library.test(line.test))
        scores = cell.measures()
        self.say(
            f"{line.label}, {line.sets}, seed {seed}: MAE {scores['MAE']:.1f}, RMSE {scores['RMSE']:.1f}"
        )
        return cell

    def draw(self, recipe: Recipe, line: Line, cells: Sequence[Cell], folder: Path) -> None:
        """Draw what a recipe shows of a line: histograms, and its first dense photos beside the truth.

        A baseline is drawn beside its AutoScale, and alone where the table has none.
        """
        alone = all(each.refined is False for each in recipe.lines)
        if not recipe.pictures or not cells or not (line.refined or alone):
            return
        name = f"{line.label}-{line.train}-{line.test}".replace(" ", "-")
        write_pictures(recipe.pictures, f"{line.label}, {line.sets}", cells, folder / name)
        base, trained = (
            self.trainer.find(each, cells[0].about["seed"]) for each in (replace(line, refined=False), line)
        )
        if "maps" not in recipe.pictures or base is None or trained is None:
            return
        rows = cells[0].result.rows
        names = [row.refined.name for row in rows if row.dense] or [row.refined.name for row in rows]
        first = self.evaluator.load(base, PredictOptions(refine=False))
        second = self.evaluator.load(trained, PredictOptions()) if line.refined else None
        for sample in self.library.test(line.test).samples:
            if sample.name in names[:DRAWN]:
                pixels, truth = sample.read(), sample.points or Points()
                refined = second.predict(pixels) if second else None
                shown = draw_maps(pixels, truth, first.predict(pixels), refined, first.config.codec)
                write_image(folder / f"{name}-{sample.name}.jpg", shown)

    def kept(self, line: Line, seed: int) -> Cell | None:
        """Return a line's cell by one seed where it was measured before."""
        base, trained = (self.trainer.find(each, seed) for each in (replace(line, refined=False), line))
        dataset = self.library.test(line.test)
        if base is None or trained is None or not self.evaluator.has(line, trained, dataset):
            return None
        return self.evaluator.cell(line, trained, base, dataset)


def parse_data(texts: Sequence[str]) -> dict[str, str]:
    """Return the folder of each ``NAME:PATH``. Raises OptionError where one is none."""
    found = {}
    for text in texts:
        name, colon, path = text.partition(":")
        if not colon or not path or "/" in name:
            raise OptionError("expected --data NAME:PATH, such as sha:ShanghaiTech", repr(text))
        found[name] = path
    return found


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Return the training options of ``name=value`` texts; values are read as JSON where they are such."""
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise OptionError("expected --set NAME=VALUE, such as backbone=vgg16", repr(text))
        try:
            found[name.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            found[name.strip().replace("-", "_")] = value
    return found
