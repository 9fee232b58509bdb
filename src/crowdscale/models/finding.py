"""Models by name, folder or file; bundled models have the names of their folders."""

from __future__ import annotations

import os
from pathlib import Path

from crowdscale.errors import ModelError, OptionError, unknown_name
from crowdscale.models.description import DESCRIPTION, read_config
from crowdscale.models.package import SUFFIX, UNPACKED, cache_folder, fetched_models, file_sha256, unpack_file

__all__ = ["BUNDLED", "find_folder", "find_model", "find_weights", "known_models"]

BUNDLED: dict[str, Path] = {
    path.parent.name: path.parent
    for path in sorted((Path(__file__).parent / "bundled").glob(f"*/{DESCRIPTION}"))
}
"""Folders of the models in the package, by name."""


def known_models() -> dict[str, Path]:
    """Return the models on this machine that have a name: bundled folders and fetched files."""
    present = {name: folder for name, folder in BUNDLED.items() if (folder / DESCRIPTION).is_file()}
    return {**fetched_models(), **present}


def find_model(model: str | os.PathLike[str] = "lite") -> Path:
    """Return the folder of a model.

    Args:
        model: The name of a bundled or fetched model, or the path of its folder, its ``model.json`` or its file.

    Raises:
        ModelError: There is no such model.
    """
    if str(model) in BUNDLED:
        return BUNDLED[str(model)]
    path = Path(model)
    if path.name == DESCRIPTION:
        path = path.parent
    if (path / DESCRIPTION).is_file():
        return path
    if path.is_file() and path.suffix == SUFFIX:
        return unpack_file(path)
    if path.exists():
        raise ModelError(
            f"expected a model folder with {DESCRIPTION}, or a {SUFFIX} file", f"{path}, neither"
        )
    if os.sep in str(model) or "." in str(model):
        raise ModelError.plain(f"no such model: {path}", "`crowdscale models` lists the installed ones")
    models = known_models()
    if str(model) in models:
        return unpack_file(models[str(model)])
    raise ModelError(
        str(unknown_name("model", str(model), models)),
        "",
        "Or give the path of a model folder or file, or fetch one: crowdscale models fetch --help",
    )


def find_folder(model: str | os.PathLike[str]) -> Path:
    """Return the folder of a model whose description can be written.

    Raises:
        ModelError: There is no such model.
        OptionError: It is a model in one file, of which the cache holds a copy.
    """
    folder = find_model(model)
    if folder.is_relative_to(cache_folder() / UNPACKED):
        raise OptionError(
            "expected a model folder to write into", f"{model}, a model in one file", "Unzip it into a folder"
        )
    return folder


def find_weights(path: Path) -> Path:
    """Return a file of training weights: the path itself, or for a bundled model the file in its fetched package.

    An installed package holds no training weights. ``crowdscale models fetch NAME`` puts them into the cache.

    Args:
        path: ``weights.safetensors`` in a model folder.

    Raises:
        ModelError: There are none, or the fetched ones are of another release.
    """
    if path.is_file():
        return path
    folder, name = path.parent, path.parent.name
    expected = read_config(folder, verify=False).files.get(path.name) if BUNDLED.get(name) == folder else None
    if expected is None:
        remedy = "Train the model first; one in 8 bits has none"
        raise ModelError.plain(f"no training weights at {path}", remedy)
    remedy = (
        "A clone has them: run there pip install -c constraints.txt -e '.[learn]'. "
        f"Or fetch them: crowdscale models fetch {name} --from ADDRESS"
    )
    if name not in fetched_models():
        raise ModelError(f"{name} is installed without its training weights", "", remedy)
    weights = unpack_file(fetched_models()[name]) / path.name
    if not weights.is_file() or file_sha256(weights) != expected:
        raise ModelError(f"the fetched {name} holds other training weights than this release", "", remedy)
    return weights
