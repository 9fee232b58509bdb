"""``crowdscale calibrate``: how far a model's counts may be off, measured on photos that were not trained on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crowdscale.evaluation import Evaluation

__all__ = ["calibrate"]

HOLDS = "This holds for photos like these; other cameras, crowds and light may be counted less well."


def calibrate(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH; repeat for several. Never photos trained on.")
    ],
    listed: Annotated[Path | None, typer.Option("--list", help="Only the photos of this list.")] = None,
    note: Annotated[str, typer.Option(help="What else these photos were used for, kept with it.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="See how often the known intervals hold here; change none.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the result into the model's description.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the engine; 0 leaves it the choice.")] = 0,
) -> None:
    """Measure on annotated photos how far counts may be off, and how often the intervals made of it hold."""
    from dataclasses import replace

    from crowdscale.calibration import calibrate_counts
    from crowdscale.errors import OptionError
    from crowdscale.weights import find_model, read_config

    folder = find_model(model)
    known = read_config(folder, verify=False).calibration
    if check and known is None:
        raise OptionError("expected a calibrated model for --check", model, "Run it without --check first")
    result, sets = _evaluate(model, data, listed, threads)
    truth, counts = [row.truth for row in result.rows], [row.count for row in result.rows]
    if check and known is not None:
        checked = known.check(truth, counts, ", ".join(sets))
        typer.echo("\n".join([f"{model} on {checked.data}, {checked.images} photos", *checked.sentences()]))
        known = replace(known, checks=(*(c for c in known.checks if c.data != checked.data), checked))
    else:
        known = calibrate_counts(truth, counts, sets, note)
        typer.echo(
            f"{model} on {', '.join(sets)}: {known.images} photos, offset {known.offset:g}, growth {known.growth:g}"
        )
        for level, quantile in zip(known.levels, known.quantiles, strict=True):
            typer.echo(f"{100 * level:g} %: quantile {quantile:g}; 100 people: {known.interval(100, level)}")
        if known.cross_fitted is not None:
            typer.echo("Cross-fitted, each photo judged by the others:")
            typer.echo("\n".join(known.cross_fitted.sentences()))
    typer.echo(HOLDS)
    if write:
        from crowdscale.images import write_atomic
        from crowdscale.weights import DESCRIPTION

        described = replace(read_config(folder), calibration=known).to_json().encode()
        write_atomic(folder / DESCRIPTION, lambda stream: stream.write(described))


def _evaluate(model: str, data: list[str], listed: Path | None, threads: int) -> tuple[Evaluation, list[str]]:
    """Predict the photos as users do; returns the rows and what each data set is."""
    from rich.console import Console
    from rich.progress import Progress

    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.evaluation import evaluate
    from crowdscale.prediction import load

    names = read_list(listed) if listed else None
    samples, sets = [], []
    for text in data:
        dataset = open_dataset(text)
        chosen = split_samples(dataset.samples, names)[1] if names else list(dataset.samples)
        samples += chosen
        label = f"{dataset.name}/{dataset.split} {dataset.release}".strip(" /")
        sets.append(f"{label}: {len(chosen)} photos" + (f" of {listed.name}" if listed else ""))
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("calibrating", total=len(samples))
        result = evaluate(load(model, threads=threads), samples, lambda _: progress.advance(task))
    for name, sentence in result.failures:
        typer.echo(f"{name}: {sentence}", err=True)
    return result, sets
