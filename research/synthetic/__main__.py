"""``python -m research.synthetic``: drawn crowds with exact points, and drawn pictures with nobody in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from research.commands import new_app, run

__all__ = ["app", "synthesize"]


def synthesize(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write, new or empty.")],
    photos: Annotated[int, typer.Option(help="How many scenes.")] = 20,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal scenes.")] = 0,
    width: Annotated[int, typer.Option(help="Width of a photo in pixels.")] = 1024,
    height: Annotated[int, typer.Option(help="Height of a photo in pixels.")] = 768,
    kind: Annotated[str, typer.Option(help="mixed, sparse, dense or empty.")] = "mixed",
    empty: Annotated[
        bool, typer.Option("--empty", help="Draw textures, patterns and text without people, no scenes.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the scenes of a folder that is not empty.")
    ] = False,
) -> None:
    """Draw crowds in perspective and write each photo with the points of its heads beside it.

    With --empty the photos show nobody and their points files are empty: hard negatives for training.
    """
    from rich.console import Console
    from rich.progress import Progress

    from research.synthetic import SceneOptions, draw_nobody, draw_scene, write_scenes

    options = SceneOptions(width=width, height=height, kind="empty" if empty else kind, seed=seed)
    draw = draw_nobody if empty else draw_scene
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("drawing", total=max(photos, 1))
        people = write_scenes(out, photos, options, overwrite, lambda _: progress.advance(task), draw)
    nobody = sum(not number for number in people)
    share = f", {nobody} of them empty" if nobody else ""
    typer.echo(f"{len(people)} scenes{share}, {sum(people):,} heads in {out}")
    command = "train --data … --data" if empty else "evaluate lite --data"
    typer.echo(f"Try: crowdscale {command} folder:{out}")


app = new_app(synthesize)

if __name__ == "__main__":
    run(app, "research.synthetic")
