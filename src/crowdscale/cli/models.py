"""``crowdscale models``: the models that come with the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from crowdscale.weights import ModelConfig

__all__ = ["models"]

SCORES = {"mae": "MAE", "rmse": "RMSE"}
"""Validation scores that are shown, and their names."""


def models() -> None:
    """List the models that come with crowdscale: method, backbone, size, validation scores, licence."""
    from crowdscale.cli.tables import new_table, print_table
    from crowdscale.weights import BUNDLED, DESCRIPTION, read_config

    table = new_table(
        model="left", method="left", backbone="left", size="right", validation="left", licence="left"
    )
    present = {name: folder for name, folder in BUNDLED.items() if (folder / DESCRIPTION).is_file()}
    for name, folder in present.items():
        table.add_row(*_row(name, folder, read_config(folder, verify=False)))
    if present:
        print_table(table)
    else:
        print("No model comes with this installation; give --model the path of a model folder.")


def _row(name: str, folder: Path, config: ModelConfig) -> list[str]:
    from rich.markup import escape

    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    validation = config.training.get("validation")
    cells = [
        name,
        config.method,
        config.backbone,
        f"{size / 1e6:.1f} MB",
        _scores(validation),
        config.licence,
    ]
    return [escape(cell) for cell in cells]


def _scores(validation: Any) -> str:
    """Counting errors of the held-out photos, where the model knows them."""
    if not isinstance(validation, Mapping):
        return "unknown"
    shown = [f"{SCORES[key]} {value:.1f}" for key, value in validation.items() if key in SCORES]
    return ", ".join(shown) or "unknown"
