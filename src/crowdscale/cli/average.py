"""``crowdscale average``: one model from several that were trained on from each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import OptionError

__all__ = ["average"]


def average(
    models: Annotated[list[str], typer.Argument(help="Models' names or folders, of the same network.")],
    shares: Annotated[str, typer.Option(help="How much of each, such as 0.65,0.35.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
) -> None:
    """Average the weights of models and export the result; the first model's description is kept."""
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale average")
    from crowdscale.learn.averaging import average_models
    from crowdscale.learn.export.onnx import export_folder

    try:
        known = [float(share) for share in shares.split(",")]
    except ValueError:
        raise OptionError("expected --shares as numbers parted by commas", repr(shares)) from None
    average_models(models, known, out)
    typer.echo(f"Averaged into {out}: largest difference from torch {export_folder(out, [])}")
