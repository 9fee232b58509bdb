"""``crowdscale train``: annotated photos in, a model folder out."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.declared import add_options, declared_options
from crowdscale.cli.options import INPUT, Border, Cache, LimitSize, option

if TYPE_CHECKING:
    from crowdscale.data.sample import Sample

__all__ = ["train"]

MOST, TRAINING = "Most used", "Training"
FIRST = ("data", "out", "init", "name", "hold_out", "crops", "l2s_crops", "batch", "device", "seed")
"""What most users need, in the first panel."""

CLASSES = {
    "learn.training.options:TrainOptions": TRAINING,
    "learn.training.preparation:Start": "Model",
    "learn.crops.transforms:CropOptions": "Crops",
    "learn.losses.choice:LossOptions": "Losses",
    "learn.scaling:CentreOptions": "Learning to scale",
}
"""The dataclasses that declare the options of training, and their panels."""


def training_options() -> Iterator[inspect.Parameter]:
    """Yield all options of training as parameters of a command."""
    for place, panel in CLASSES.items():
        for each in declared_options(*place.split(":")):
            yield each.parameter(MOST if each.name in FIRST else panel)


@add_options(training_options(), FIRST)
def train(
    data: Annotated[
        list[str],
        option(
            "--data",
            panel=MOST,
            metavar="SET",
            help="NAME[/SPLIT]:PATH or a folder; repeat for several sets.",
        ),
    ],
    out: Annotated[
        Path, option("--out", panel=MOST, metavar="DIR", help="Folder of the run; the same folder resumes.")
    ],
    hold_out: Annotated[
        Path | None,
        option("--hold-out", panel=MOST, metavar="LIST", help="Photos to validate on: one SET/NAME a line."),
    ] = None,
    only: Annotated[
        Path | None,
        option(
            "--only",
            panel=INPUT,
            metavar="LIST",
            help="Train on the photos of this list alone: one SET/NAME a line.",
        ),
    ] = None,
    hold_out_share: Annotated[
        float,
        option(
            "--hold-out-share", panel=INPUT, metavar="SHARE", help="Share to validate on, without --hold-out."
        ),
    ] = 0.1,
    weight: Annotated[
        list[float] | None,
        option(
            "--weight",
            panel=INPUT,
            metavar="X",
            help="How often each --data is drawn, in their order; default 1.",
        ),
    ] = None,
    border: Border = None,
    limit_size: LimitSize = False,
    cache: Cache = None,
    regime: Annotated[
        str | None,
        option(
            "--regime",
            panel=TRAINING,
            metavar="NAME",
            help="Defaults: ours, paper or teach. Given options count in each. Without it: teach for --init with at "
            "most 100 photos, else ours.",
        ),
    ] = None,
    **settings: Any,
) -> None:
    """Train a model on annotated photos; the same command resumes a stopped run."""
    from crowdscale.errors import need_learn

    need_learn("crowdscale train")
    from crowdscale.learn.networks.building import register_network
    from crowdscale.learn.training.loop import train as run
    from crowdscale.learn.training.options import TrainOptions
    from crowdscale.learn.training.preparation import gather, start_model
    from crowdscale.learn.training.settings import choose_settings, usual_regime
    from crowdscale.learn.training.validation import error_sentence

    given = {name: value for name, value in settings.items() if value is not None}
    register_network(given.get("network", ""))
    chosen = choose_settings(regime or "ours", **given)  # refuses bad options before photos are read
    held_out = hold_out, hold_out_share, given.get("seed", TrainOptions.seed)
    gathered = gather(data, weight, *held_out, limit_size, cache, border, only)
    if regime is None and usual_regime(given.get("init"), len(gathered.samples)) == "teach":
        regime, chosen = "teach", choose_settings("teach", **given)
    if regime == "teach":
        crops = chosen.train.crops + chosen.train.l2s_crops
        typer.echo(
            f"A lesson: {given['init']}, {len(gathered.samples)} photos, {crops} crops (--regime teach)."
        )
    model, config = start_model(chosen.start, gathered, chosen.centre, chosen.losses)
    best = run(model, config, gathered.samples, gathered.weights, gathered.held_out, out, chosen.train)
    typer.echo(f"Best model: {out / 'best'}. {error_sentence(best.training['validation'])}")
    _export(out / "best", gathered.held_out)
    _measure(out / "best", gathered.samples, gathered.held_out, chosen.start.init)


def _export(folder: Path, held_out: list[Sample]) -> None:
    """Write the best model's graphs beside its weights and compare them with torch on held-out photos."""
    from crowdscale.learn.export.onnx import export_folder

    difference = export_folder(folder, held_out)
    typer.echo(f"Exported {folder}: largest difference from torch {difference}")


def _measure(folder: Path, samples: list[Sample], held_out: list[Sample], init: str | None) -> None:
    """Print what the held-out photos say of the model."""
    from crowdscale.learn.training.measuring import measure_model

    for sentence in measure_model(folder, samples, held_out, init):
        typer.echo(sentence)
