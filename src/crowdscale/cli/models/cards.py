"""``crowdscale models list``, ``show``, ``card`` and ``note``: what is known of each model."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.options import INPUT, OUTPUT, ModelArgument, option

if TYPE_CHECKING:
    from crowdscale.models.description import ModelConfig

__all__ = ["card", "list_models", "note", "show", "validation_scores"]

SCORES = {"mae": "MAE", "rmse": "RMSE"}
"""Validation scores of the list, and their names."""


def list_models() -> None:
    """List the models on this machine: method, backbone, size, validation scores; then their licences."""
    from crowdscale.cli.tables import new_table, print_table, wrapped
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_model, known_models

    table = new_table(model="left", method="left", backbone="left", size="right", validation="left")
    licences: dict[str, list[str]] = {}
    for name in known_models():
        folder = find_model(name)
        config = read_config(folder, verify=False)
        table.add_row(*_row(name, folder, config))
        licences.setdefault(config.licence or "not stated", []).append(name)
    if not licences:
        print("This installation has no models. Give --model the path of a model folder.")
        return
    print_table(table)
    print("\nLicences (more of each: crowdscale models show MODEL)")
    for licence, names in licences.items():
        print(wrapped(f"{', '.join(names)}: {licence}", "  ", "    "))


def _row(name: str, folder: Path, config: ModelConfig) -> list[str]:
    from rich.markup import escape

    size = f"{_size(folder, config) / 1e6:.1f} MB"
    cells = [name, config.method, config.backbone, size, validation_scores(config)]
    return [escape(cell) for cell in cells]


def _size(folder: Path, config: ModelConfig) -> int:
    """Return the bytes of a model's files."""
    return sum((folder / name).stat().st_size for name in config.files if (folder / name).is_file())


def validation_scores(config: ModelConfig) -> str:
    """Return the errors on the validation photos: those noted for the card, or else those of the training."""
    noted = [each for each in config.notes.get("scores", ()) if "validation" in str(each["data"])]
    scores = _over_all_sets(noted) or config.training.get("validation")
    if not isinstance(scores, Mapping):
        return "unknown"
    shown = [f"{SCORES[key]} {value:.1f}" for key, value in scores.items() if key in SCORES]
    return ", ".join(shown) or "unknown"


def _over_all_sets(noted: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the errors over the photos of all sets from the errors on each set."""
    photos = sum(each["images"] for each in noted)
    if not photos or any(name not in each["measures"] for each in noted for name in SCORES.values()):
        return {}
    sums = {power: sum(each["images"] * each["measures"][name][0] ** power for each in noted)
            for name, power in (("MAE", 1), ("RMSE", 2))}  # fmt: skip
    return {"mae": sums[1] / photos, "rmse": math.sqrt(sums[2] / photos)}


def show(model: ModelArgument) -> None:
    """Print a model's card: data, scores with intervals, limits, time, licence."""
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_model

    folder = find_model(model)
    text = _card(folder, read_config(folder, verify=False))
    if sys.stdout.isatty():  # in a file or a pipe it is Markdown as it is
        text = "\n".join(_fitted(line) for line in text.splitlines()) + "\n"
    typer.echo(text, nl=False)


def _fitted(line: str) -> str:
    """Return a line of Markdown in 80 columns; rows of tables stay whole."""
    from crowdscale.cli.tables import wrapped

    return line if line.startswith("|") else wrapped(line, "", "  " * line.startswith("- "))


def card(
    model: ModelArgument,
    out: Annotated[
        Path | None,
        option("--out", panel=OUTPUT, metavar="FILE", help="Default: MODEL_CARD.md in the model's folder."),
    ] = None,
) -> None:
    """Write a model's card as Markdown."""
    from crowdscale.models.card import CARD
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_folder, find_model

    folder = find_folder(model) if out is None else find_model(model)
    target = out or folder / CARD
    _write(target, _card(folder, read_config(folder, verify=False)))
    typer.echo(f"Wrote {target}")


def note(
    model: ModelArgument,
    scores: Annotated[
        list[Path] | None,
        option(
            "--scores",
            panel=INPUT,
            metavar="FILE",
            help="From crowdscale evaluate --json; repeat for several.",
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        option(
            "--limit",
            panel=INPUT,
            metavar="SENTENCE",
            help="A limit of the model; repeat. Replaces all old ones.",
        ),
    ] = None,
    picture: Annotated[
        list[str] | None,
        option(
            "--picture",
            panel=INPUT,
            metavar="PATH=CAPTION",
            help="A photo that fails; repeat. Replaces all old ones.",
        ),
    ] = None,
    seconds: Annotated[
        str,
        option(
            "--seconds", panel=INPUT, metavar="TEXT", help="Seconds a photo, and the machine they hold for."
        ),
    ] = "",
) -> None:
    """Add scores, limits, pictures and times to a model's description, and write its card anew."""
    from crowdscale.models.card import CARD, add_notes, parse_picture, read_scores
    from crowdscale.models.description import read_config, write_config
    from crowdscale.models.finding import find_folder

    folder = find_folder(model)
    pictures = [parse_picture(text) for text in picture or ()]
    new_scores = [read_scores(path) for path in scores or ()]
    config = add_notes(read_config(folder), new_scores, limit or (), pictures, seconds)
    write_config(folder, config)
    _write(folder / CARD, _card(folder, config))


def _card(folder: Path, config: ModelConfig) -> str:
    from crowdscale.models.card import card_text

    return card_text(config, _size(folder, config))


def _write(path: Path, text: str) -> None:
    from crowdscale.files.writing import write_atomic

    content = text.encode()
    write_atomic(path, lambda stream: stream.write(content))
