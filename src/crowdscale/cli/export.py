"""``crowdscale export``: a trained folder's weights → ONNX graphs, checked against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    folder: Annotated[Path, typer.Argument(help="Model folder with weights.safetensors and model.json.")],
    data: Annotated[str, typer.Option(help="Photos to compare on: NAME[/SPLIT]:PATH; noise without.")] = "",
    name: Annotated[str, typer.Option(help="New name of the model; kept where empty.")] = "",
    method: Annotated[
        str, typer.Option(help="Read the same weights as points or hybrid; kept where empty.")
    ] = "",
    dots: Annotated[
        bool | None,
        typer.Option("--dots/--no-dots", help="Density: read local maxima as heads; kept if not given."),
    ] = None,
    licence: Annotated[str, typer.Option(help="Terms of the weights, written to the description.")] = "",
) -> None:
    """Write network.onnx and scale.onnx into a model folder and check that they say what torch says."""
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale export")
    _refuse_name(folder)
    from crowdscale.data.opening import open_dataset
    from crowdscale.learn.export.onnx import describe_folder, export_folder

    describe_folder(folder, name, licence, method, dots)
    samples = list(open_dataset(data).samples[:6]) if data else []
    typer.echo(f"Exported {folder}: largest difference from torch {export_folder(folder, samples)}")


def _refuse_name(folder: Path) -> None:
    """Refuse the name of a model on this machine: its graphs are there, and what is bundled stays as it is."""
    from crowdscale.errors import OptionError
    from crowdscale.models.finding import known_models

    if str(folder) in known_models() and not folder.exists():
        raise OptionError(
            "expected the folder of a trained model", f"{folder}, a model whose graphs are there already"
        )
