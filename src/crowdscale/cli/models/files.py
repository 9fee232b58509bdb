"""``crowdscale models fetch`` and ``pack``: a model as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.cli.options import INPUT, ModelArgument, option

__all__ = ["fetch", "pack"]


def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name to keep the model under.")],
    origin: Annotated[
        str,
        option(
            "--from",
            panel=INPUT,
            metavar="URL|FILE",
            help="An index (.json), or the address or path of the model.",
        ),
    ],
    sha256: Annotated[
        str,
        option("--sha256", panel=INPUT, metavar="HEX", help="Of the model's file, unless an index gives it."),
    ] = "",
) -> None:
    """Fetch a model into the cache (CROWDSCALE_CACHE) and verify it.

    The same command resumes a broken download.
    """
    from crowdscale.cli.progress import progress
    from crowdscale.errors import ModelError, OptionError
    from crowdscale.models.description import read_config
    from crowdscale.models.download import Source, as_address, download, find_source
    from crowdscale.models.finding import BUNDLED, find_model
    from crowdscale.models.package import SUFFIX, WEIGHTS, cache_folder, forget_file

    if name in BUNDLED and (BUNDLED[name] / WEIGHTS).is_file():
        raise OptionError.plain(f"{name} comes with the package", "Fetch a model under another name")
    if Path(name).name != name or "." in name:
        raise OptionError("expected a plain name without full stops and slashes", repr(name))
    if origin.endswith(".json"):
        if sha256:
            raise OptionError("expected either an index or --sha256", "both", "The index holds the sha256")
        source = find_source(origin, name)
    else:
        source = Source(as_address(origin), sha256.lower())
    target = cache_folder() / "models" / f"{name}{SUFFIX}"
    with progress(name, unit="bytes") as live:
        download(source, target, progress=live.update)
    try:
        config = read_config(find_model(name))
    except ModelError:
        forget_file(target)
        raise
    typer.echo(f"{name}: {config.method} model {config.name}. Try: crowdscale count PHOTO --model {name}")


def pack(
    model: ModelArgument,
    out: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write: NAME.crowdscale.")],
) -> None:
    """Write a model as one file that describes itself, and print its sha256."""
    from crowdscale.errors import OptionError
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_model
    from crowdscale.models.package import SUFFIX, file_sha256, pack_folder

    if out.suffix != SUFFIX:
        raise OptionError(f"expected a file name that ends with {SUFFIX}", str(out))
    folder = find_model(model)
    pack_folder(folder, tuple(read_config(folder).files), out)
    typer.echo(f"{file_sha256(out)}  {out}")
