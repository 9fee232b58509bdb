"""``python -m research.shrink.average``: one model from several that were trained on from each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import OptionError, need_learn
from research.commands import new_app, run

__all__ = ["app", "average"]


def average(
    models: Annotated[list[str], typer.Argument(help="Models' names or folders, of the same network.")],
    shares: Annotated[str, typer.Option(help="Share of each model, such as 0.65,0.35.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
) -> None:
    """Average the weights of models and export the result; the first model's description is kept."""
    need_learn("research.shrink.average")
    from crowdscale.learn.export.onnx import export_folder
    from research.shrink.averaging import average_models

    try:
        numbers = [float(share) for share in shares.split(",")]
    except ValueError:
        raise OptionError("expected --shares as numbers parted by commas", repr(shares)) from None
    average_models(models, numbers, out)
    typer.echo(f"Averaged into {out}: largest difference from torch {export_folder(out, [])}")


app = new_app(average)

if __name__ == "__main__":
    run(app, "research.shrink.average")
