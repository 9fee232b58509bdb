"""``crowdscale models``: list, show, fetch and pack models, and keep their cards."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crowdscale.models.description import ModelConfig
    from crowdscale.models.download import Progress

__all__ = ["models_app"]

models_app = typer.Typer(
    add_completion=False, invoke_without_command=True, rich_markup_mode=None,
    help="List the models on this machine; show, fetch, pack and describe them.",
)  # fmt: skip

SCORES = {"mae": "MAE", "rmse": "RMSE"}
"""Validation scores that are shown, and their names."""

Model = Annotated[
    str, typer.Argument(help="A bundled or fetched model's name, or the path of its folder or file.")
]


@models_app.callback()
def models(context: typer.Context) -> None:
    """List the models on this machine: method, backbone, size, validation scores, licence."""
    if context.invoked_subcommand is None:
        list_models()


def list_models() -> None:
    """Print a row for each bundled and fetched model."""
    from crowdscale.cli.tables import new_table, print_table
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_model, known_models

    table = new_table(
        model="left", method="left", backbone="left", size="right", validation="left", licence="left"
    )
    found = known_models()
    for name in found:
        folder = find_model(name)
        table.add_row(*_row(name, folder, read_config(folder, verify=False)))
    if found:
        print_table(table)
    else:
        print("No model comes with this installation; give --model the path of a model folder.")


def _row(name: str, folder: Path, config: ModelConfig) -> list[str]:
    from rich.markup import escape

    size = f"{_size(folder, config) / 1e6:.1f} MB"
    cells = [name, config.method, config.backbone, size, _scores(config), config.licence]
    return [escape(cell) for cell in cells]


def _size(folder: Path, config: ModelConfig) -> int:
    return sum((folder / name).stat().st_size for name in config.files if (folder / name).is_file())


def _scores(config: ModelConfig) -> str:
    """Counting errors of the held-out photos, where the model knows them: as noted, else as training left them."""
    noted = [each for each in config.notes.get("scores", ()) if "validation" in str(each["data"])]
    known = _joined(noted) or config.training.get("validation")
    if not isinstance(known, Mapping):
        return "unknown"
    shown = [f"{SCORES[key]} {value:.1f}" for key, value in known.items() if key in SCORES]
    return ", ".join(shown) or "unknown"


def _joined(noted: list[Mapping[str, Any]]) -> dict[str, float]:
    """Return the errors over the photos of several data sets together, from those of each."""
    photos = sum(each["images"] for each in noted)
    if not photos or any(name not in each["measures"] for each in noted for name in SCORES.values()):
        return {}
    sums = {power: sum(each["images"] * each["measures"][name][0] ** power for each in noted)
            for name, power in (("MAE", 1), ("RMSE", 2))}  # fmt: skip
    return {"mae": sums[1] / photos, "rmse": math.sqrt(sums[2] / photos)}


@models_app.command()
def show(model: Model) -> None:
    """Print a model's card: data, licence, scores with intervals, limits, time."""
    from crowdscale.models.card import card_text
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_model

    folder = find_model(model)
    config = read_config(folder, verify=False)
    typer.echo(card_text(config, _size(folder, config)), nl=False)


@models_app.command()
def card(
    model: Model,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; MODEL_CARD.md in its folder by default.")
    ] = None,
) -> None:
    """Write a model's card as Markdown."""
    from crowdscale.files.writing import write_atomic
    from crowdscale.models.card import CARD, card_text
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_folder, find_model

    folder = find_folder(model) if out is None else find_model(model)
    config = read_config(folder, verify=False)
    text = card_text(config, _size(folder, config)).encode()
    write_atomic(out or folder / CARD, lambda stream: stream.write(text))
    typer.echo(f"Wrote {out or folder / CARD}")


@models_app.command()
def note(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    scores: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Of crowdscale evaluate --json; repeat for several."),
    ] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="What it cannot do, a sentence; repeat. Replaces those known.")
    ] = None,
    picture: Annotated[
        list[str] | None, typer.Option(metavar="PATH=CAPTION", help="What goes wrong; repeat. Replaces, too.")
    ] = None,
    seconds: Annotated[str, typer.Option(help="How long it takes, and on what.")] = "",
) -> None:
    """Keep scores, limits, pictures and times in a model's description, and write its card anew."""
    from crowdscale.files.writing import write_atomic
    from crowdscale.models.card import CARD, add_notes, card_text, parse_picture, read_scores
    from crowdscale.models.description import DESCRIPTION, read_config
    from crowdscale.models.finding import find_folder

    folder = find_folder(model)
    pictures = [parse_picture(text) for text in picture or ()]
    config = add_notes(
        read_config(folder), [read_scores(path) for path in scores or ()], limit or (), pictures, seconds
    )
    text = card_text(config, _size(folder, config)).encode()
    write_atomic(folder / DESCRIPTION, lambda stream: stream.write(config.to_json().encode()))
    write_atomic(folder / CARD, lambda stream: stream.write(text))


@models_app.command()
def pack(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to, as NAME.crowdscale.")],
) -> None:
    """Write a model as one file that describes itself, and print its sha256."""
    from crowdscale.errors import OptionError
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_model
    from crowdscale.models.package import SUFFIX, file_sha256, pack_folder

    if out.suffix != SUFFIX:
        raise OptionError(f"expected a file named NAME{SUFFIX}", str(out))
    folder = find_model(model)
    pack_folder(folder, tuple(read_config(folder).files), out)
    typer.echo(f"{file_sha256(out)}  {out}")


@models_app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="The model's name, under which it is known from then on.")],
    origin: Annotated[
        str,
        typer.Option(
            "--from", metavar="URL|FILE", help="An index (.json), or the model's own address or path."
        ),
    ],
    sha256: Annotated[str, typer.Option(help="Of the model's file, where --from is its own address.")] = "",
) -> None:
    """Fetch a model into the cache (CROWDSCALE_CACHE), verified; a broken download goes on where it broke."""
    from crowdscale.errors import OptionError
    from crowdscale.models.description import read_config
    from crowdscale.models.download import Source, as_address, download, find_source
    from crowdscale.models.finding import BUNDLED, find_model
    from crowdscale.models.package import SUFFIX, WEIGHTS, cache_folder

    complete = name in BUNDLED and (BUNDLED[name] / WEIGHTS).is_file()
    if complete or Path(name).name != name or "." in name:
        raise OptionError("expected a new model's plain name", repr(name), "Bundled ones need no fetching")
    if origin.endswith(".json"):
        if sha256:
            raise OptionError("expected --sha256 with a model's own address", "an index, which has it")
        source = find_source(origin, name)
    else:
        source = Source(as_address(origin), sha256.lower())
    with _progress(name) as progress:
        download(source, cache_folder() / "models" / f"{name}{SUFFIX}", progress=progress)
    config = read_config(find_model(name))
    typer.echo(f"{name}: {config.method} model {config.name}. Try: crowdscale count PHOTO --model {name}")


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

    console = Console(stderr=True)
    columns = *Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as live:
        task = live.add_task(name, total=None)
        yield lambda have, total: live.update(task, completed=have, total=total)
