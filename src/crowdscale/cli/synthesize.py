"""``crowdscale data synthesize``: drawn crowds with exact points, for whoever has no photos yet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["synthesize"]


def synthesize(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write, new or empty.")],
    photos: Annotated[int, typer.Option(help="How many scenes.")] = 20,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal scenes.")] = 0,
    width: Annotated[int, typer.Option(help="Width of a photo in pixels.")] = 1024,
    height: Annotated[int, typer.Option(help="Height of a photo in pixels.")] = 768,
    kind: Annotated[str, typer.Option(help="mixed, sparse, dense or empty.")] = "mixed",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the scenes of a folder that is not empty.")
    ] = False,
) -> None:
    """Draw crowds in perspective and write each photo with the points of its heads beside it."""
    from rich.console import Console
    from rich.progress import Progress

    from crowdscale.data.synthetic import SceneOptions, write_scenes

    options = SceneOptions(width=width, height=height, kind=kind, seed=seed)
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("drawing", total=max(photos, 1))
        people = write_scenes(out, photos, options, overwrite, lambda _: progress.advance(task))
    nobody = sum(not number for number in people)
    told = f", {nobody} of them empty" if nobody else ""
    typer.echo(f"{len(people)} scenes{told}, {sum(people):,} heads in {out}")
    typer.echo(f"Try: crowdscale evaluate lite --data folder:{out}")
