"""``crowdscale narrow``: a model with fewer channels at its fine levels, to be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import OptionError

__all__ = ["narrow"]


def narrow(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or a model folder.")],
    data: Annotated[list[str], typer.Option(help="Training photos: NAME[/SPLIT]:PATH; repeat for several.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    validation: Annotated[
        Path | None, typer.Option(help="List of photos to leave out, SET/NAME a line.")
    ] = None,
    widths: Annotated[str, typer.Option(help="Channels of the levels, finest first, such as 16,32.")] = "",
    hidden: Annotated[
        str,
        typer.Option(help="Channels inside the backbone's blocks, from the image on, such as 32,64,96,96."),
    ] = "",
    feature_stride: Annotated[
        int,
        typer.Option(help="Pixels per cell of the features that the scale net reads, 16 or 32; 0 leaves it."),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Draws the crops that are looked at.")] = 0,
) -> None:
    """Write a smaller model with fewer channels; where it says something else, train it on before using it (train --init)."""
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale narrow")
    from crowdscale.data.opening import open_samples
    from crowdscale.learn.export.onnx import export_folder
    from crowdscale.learn.narrowing import narrow_model

    levels, blocks = _numbers("--widths", widths), _numbers("--hidden", hidden)
    samples = open_samples(data, validation)
    narrow_model(model, levels, samples, out, seed, blocks, feature_stride)
    typer.echo(f"Narrowed into {out}: largest difference from torch {export_folder(out, [])}")


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")] if text else []
    except ValueError:
        raise OptionError(f"expected {option} as whole numbers parted by commas", repr(text)) from None
