"""Work: trains the networks of a study's lines, evaluates them and draws their pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from crowdscale.counting.predictor import PredictOptions
from crowdscale.files.images import write_image
from crowdscale.points import Points
from research.reproduce.cells import Cell, Evaluator
from research.reproduce.library import Library
from research.reproduce.networks import Trained, Trainer
from research.reproduce.pictures import draw_maps, write_pictures
from research.reproduce.recipe import Line, Recipe
from research.reproduce.request import Request

__all__ = ["Work"]

DRAWN = 3
"""Photos drawn per line."""


class Work:
    """Trains, evaluates and draws the lines of a study.

    Args:
        request: Data, budget, seeds and folder.
        report: Receives a sentence on each step of the work.
        held_out: Evaluate on the held-out photos.
    """

    def __init__(self, request: Request, report: Callable[[str], object], held_out: bool = False) -> None:
        if request.threads:
            torch.set_num_threads(request.threads)
        self.library, self.report = Library(request, held_out), report
        machine = {"device": request.device} if request.device != "cpu" else {}
        options = {**request.options, **machine}
        self.trainer = Trainer(request.out, request.budget, self.library.gather, options, report)
        self.evaluator = Evaluator(request.out, request.device, request.threads)

    def cell(self, line: Line, seed: int) -> Cell:
        """Return a line's cell for one seed; train and evaluate it now if it is missing."""
        base = self.trainer.network(replace(line, refined=False), seed)
        trained = self.trainer.network(line, seed) if line.refined else base
        self.report(f"evaluating {line.label}, {line.sets}, seed {seed}")
        cell = self.evaluator.cell(line, trained, base, self.library.test(line.test))
        scores = cell.measures()
        self.report(
            f"{line.label}, {line.sets}, seed {seed}: MAE {scores['MAE']:.1f}, RMSE {scores['RMSE']:.1f}"
        )
        return cell

    def draw(self, recipe: Recipe, line: Line, cells: Sequence[Cell], folder: Path) -> None:
        """Draw the pictures of a line: histograms, and its first dense photos beside the truth.

        A baseline is drawn beside its AutoScale, or alone in a table of baselines.
        """
        alone = all(each.refined is False for each in recipe.lines)
        if not recipe.pictures or not cells or not (line.refined or alone):
            return
        name = f"{line.label}-{line.train}-{line.test}".replace(" ", "-")
        write_pictures(recipe.pictures, f"{line.label}, {line.sets}", cells, folder / name)
        base, trained = self._networks(line, cells[0].about["seed"])
        if "maps" in recipe.pictures and base is not None and trained is not None:
            self._draw_maps(line, cells[0], base, trained, folder / name)

    def _networks(self, line: Line, seed: int) -> tuple[Trained | None, Trained | None]:
        """Return a line's baseline and its own network, None for one whose training has not finished."""
        return self.trainer.find(replace(line, refined=False), seed), self.trainer.find(line, seed)

    def _draw_maps(self, line: Line, cell: Cell, base: Trained, trained: Trained, stem: Path) -> None:
        """Draw the maps of the first photos with a dense region, or of the first photos."""
        rows = cell.result.rows
        names = [row.refined.name for row in rows if row.dense] or [row.refined.name for row in rows]
        first = self.evaluator.load(base, PredictOptions(refine=False))
        second = self.evaluator.load(trained, PredictOptions()) if line.refined else None
        for sample in self.library.test(line.test).samples:
            if sample.name in names[:DRAWN]:
                pixels, truth = sample.read(), sample.points or Points()
                refined = second.predict(pixels) if second else None
                shown = draw_maps(pixels, truth, first.predict(pixels), refined, first.config.codec)
                write_image(stem.with_name(f"{stem.name}-{sample.name}.jpg"), shown)

    def kept(self, line: Line, seed: int) -> Cell | None:
        """Return a line's cell for one seed, None if it was not measured."""
        base, trained = self._networks(line, seed)
        dataset = self.library.test(line.test)
        if base is None or trained is None or not self.evaluator.has(line, trained, dataset):
            return None
        return self.evaluator.cell(line, trained, base, dataset)
