"""``python -m research.shrink.narrow``: a model with fewer channels at its fine levels, to be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import OptionError, need_learn
from research.commands import new_app, run

__all__ = ["app", "narrow"]


def narrow(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or a model folder.")],
    data: Annotated[list[str], typer.Option(help="Training photos: NAME[/SPLIT]:PATH; repeat for several.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    hold_out: Annotated[
        Path | None, typer.Option(help="List of photos to leave out, SET/NAME a line.")
    ] = None,
    widths: Annotated[str, typer.Option(help="Channels of the levels, finest first, such as 16,32.")] = "",
    hidden: Annotated[
        str,
        typer.Option(help="Channels inside the backbone's blocks, from the image on, such as 32,64,96,96."),
    ] = "",
    feature_stride: Annotated[
        int,
        typer.Option(help="Pixels per cell of the features that the scale net reads, 16 or 32; 0 keeps it."),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Draws the crops whose features are measured.")] = 0,
) -> None:
    """Write a smaller model with fewer channels. Train it (crowdscale train --init) where its counts differ."""
    need_learn("research.shrink.narrow")
    from crowdscale.data.opening import open_samples
    from crowdscale.learn.export.onnx import export_folder
    from research.shrink.narrowing import narrow_model

    levels, blocks = _numbers("--widths", widths), _numbers("--hidden", hidden)
    samples = open_samples(data, hold_out)
    narrow_model(model, levels, samples, out, seed, blocks, feature_stride)
    typer.echo(f"Narrowed into {out}: largest difference from torch {export_folder(out, [])}")


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")] if text else []
    except ValueError:
        raise OptionError(f"expected {option} as whole numbers parted by commas", repr(text)) from None


app = new_app(narrow)

if __name__ == "__main__":
    run(app, "research.shrink.narrow")
