"""``crowdscale tune``: how heads are read from a points model's map, chosen on validation photos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["tune"]


def tune(
    model: Annotated[Path, typer.Argument(help="Folder of a points model.")],
    data: Annotated[list[str], typer.Option(help="NAME[/SPLIT]:PATH; repeat for several. Never a test set.")],
    listed: Annotated[Path | None, typer.Option("--list", help="Only the photos of this list.")] = None,
    window: Annotated[list[int] | None, typer.Option(help="Windows in pixels to try.")] = None,
    ceiling: Annotated[list[float] | None, typer.Option(help="Expected labels to try.")] = None,
    write: Annotated[bool, typer.Option(help="Write the best into the model's description.")] = False,
) -> None:
    """Try windows and ceilings, print their errors and, with --write, keep the one of least MAE."""
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import Progress

    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.images import write_atomic
    from crowdscale.prediction import load
    from crowdscale.tuning import tune as run
    from crowdscale.weights import DESCRIPTION, find_model, read_config

    names = read_list(listed) if listed else None
    samples = []
    for text in data:
        found = open_dataset(text).samples
        samples += split_samples(found, names)[1] if names else found
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("tuning", total=len(samples))
        trials = run(
            load(model),
            samples,
            window or (3, 5),
            ceiling or (5.0, 5.5, 6.0, 6.5, 7.0),
            lambda: progress.advance(task),
        )
    typer.echo("| window | ceiling | first MAE | MAE | bias | F 4px | F 8px |\n|---|---|---|---|---|---|---|")
    for trial in trials:
        first, scores = trial.evaluation.counting("first"), trial.evaluation.counting("refined")
        places = trial.evaluation.localization("refined")
        typer.echo(
            f"| {trial.window} | {trial.ceiling:g} | {first.mae:.1f} | {scores.mae:.1f} | {scores.bias:+.1f} "
            f"| {100 * places['4px'].f:.1f} | {100 * places['8px'].f:.1f} |"
        )
    if write:
        folder, best = find_model(model), trials[0]
        config = read_config(folder)
        described = replace(config, codec=best.codec(config)).to_json().encode()
        write_atomic(folder / DESCRIPTION, lambda stream: stream.write(described))
