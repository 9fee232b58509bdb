"""``crowdscale models export``: the ONNX graphs of trained weights, compared with torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.cli.options import INPUT, OUTPUT, option

__all__ = ["export"]


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Model folder with weights.safetensors and model.json.")
    ],
    data: Annotated[
        str, option("--data", panel=INPUT, metavar="SET", help="Photos to compare on; noise without them.")
    ] = "",
    name: Annotated[str, option("--name", panel=OUTPUT, metavar="NAME", help="New name of the model.")] = "",
    method: Annotated[
        str,
        option("--method", panel=OUTPUT, metavar="METHOD", help="Read the same weights as points or hybrid."),
    ] = "",
    dots: Annotated[
        bool | None,
        option("--dots/--no-dots", panel=OUTPUT, help="Density: take local maxima as heads."),
    ] = None,
    licence: Annotated[
        str, option("--licence", panel=OUTPUT, metavar="TEXT", help="Terms of use of the weights.")
    ] = "",
) -> None:
    """Write the graphs network.onnx and scale.onnx, and compare their results with those of torch."""
    from crowdscale.errors import need_learn

    need_learn("crowdscale models export")
    _refuse_name(folder)
    from crowdscale.data.opening import open_dataset
    from crowdscale.learn.export.onnx import describe_folder, export_folder

    describe_folder(folder, name, licence, method, dots)
    samples = list(open_dataset(data).samples[:6]) if data else []
    typer.echo(f"Exported {folder}: largest difference from torch {export_folder(folder, samples)}")


def _refuse_name(folder: Path) -> None:
    """Refuse the name of an installed model: its graphs exist, and it stays as it is."""
    from crowdscale.errors import OptionError
    from crowdscale.models.finding import known_models

    if str(folder) in known_models() and not folder.exists():
        raise OptionError("expected the folder of a trained model", f"{folder}, a model that has its graphs")
