"""``python -m research.shrink.distill``: a faster copy of a model, with a small head in place of its finest level."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import need_learn
from research.commands import new_app, run

__all__ = ["app", "distill"]


def distill(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or a model folder.")],
    data: Annotated[list[str], typer.Option(help="Training photos: NAME[/SPLIT]:PATH; repeat for several.")],
    out: Annotated[Path, typer.Option(help="The model folder to write; the same folder resumes a run.")],
    hold_out: Annotated[
        Path | None, typer.Option(help="List of photos to leave out, SET/NAME a line.")
    ] = None,
    crops: Annotated[int, typer.Option(help="Crops that train the labels.")] = 9_600,
    views: Annotated[int, typer.Option(help="Views of whole photos that train the scale net.")] = 400,
    channels: Annotated[int, typer.Option(help="Channels of the head.")] = 32,
    width: Annotated[int, typer.Option(help="Channels of the copy's finest level; 0 keeps them.")] = 0,
    seed: Annotated[int, typer.Option(help="Draws crops and views.")] = 0,
    rate: Annotated[float, typer.Option(help="Peak of the learning rate.")] = 2e-3,
    start: Annotated[str, typer.Option(help="A copy whose finest level and head are trained on.")] = "",
    threads: Annotated[int, typer.Option(min=0, help="Threads of PyTorch; 0 leaves it the choice.")] = 0,
) -> None:
    """Write a faster copy of a model: heads from a coarser map, the same first pass count. It gains most in 8 bits."""
    need_learn("research.shrink.distill")
    import torch
    from rich.console import Console
    from rich.progress import Progress, TaskID, TextColumn

    from crowdscale.data.opening import open_samples
    from crowdscale.learn.export.onnx import export_folder
    from research.shrink.distillation import DistillOptions, distill_model

    if threads:
        torch.set_num_threads(threads)
    samples = open_samples(data, hold_out)
    options = DistillOptions(channels, width, crops, views, rate=rate, seed=seed, start=start)
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[error]}"))
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:

        def report(work: str, done: int, total: int, error: str) -> None:
            if work not in tasks:
                tasks[work] = progress.add_task(work, total=total, error=error)
            progress.update(tasks[work], completed=done, error=error)
            if progress.disable and done * 10 // total > (done - 1) * 10 // total:
                typer.echo(f"{done}/{total} {work}: {error}", err=True)

        distill_model(model, samples, out, options, report)
    typer.echo(f"Distilled into {out}: largest difference from torch {export_folder(out, [])}")


app = new_app(distill)

if __name__ == "__main__":
    run(app, "research.shrink.distill")
