"""A model as one file: a zip of its description, graphs and weights, unpacked once into the cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from crowdscale.errors import ModelError
from crowdscale.files.writing import write_atomic

__all__ = [
    "SUFFIX",
    "UNPACKED",
    "WEIGHTS",
    "cache_folder",
    "fetched_models",
    "file_sha256",
    "forget_file",
    "pack_folder",
    "unpack_file",
]

SUFFIX = ".crowdscale"
"""Suffix of a model in one file."""

UNPACKED = "unpacked"
"""Folder of the cache with unpacked model files."""

DESCRIPTION = "model.json"

WEIGHTS = "weights.safetensors"
"""What training reads and counting does not; installed models come without."""

LARGEST = 4_000_000_000
"""Largest size in bytes of an unpacked model; larger files are refused."""

STAMP = (1980, 1, 1, 0, 0, 0)
"""Date of all files inside, so that equal models make equal files."""


def cache_folder() -> Path:
    """Return the folder of fetched and unpacked models: $CROWDSCALE_CACHE, or the cache folder of the system."""
    if named := os.environ.get("CROWDSCALE_CACHE"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "crowdscale"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "crowdscale"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crowdscale"


def fetched_models() -> dict[str, Path]:
    """Return the files of fetched models by name."""
    files = sorted((cache_folder() / "models").glob(f"*{SUFFIX}"))
    return {path.stem: path for path in files}


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def pack_folder(folder: Path, names: Sequence[str], target: Path) -> None:
    """Write a model folder's description and files as one file, atomically.

    Nothing is compressed: weights do not shrink. Equal folders make equal files. Missing training weights are left out.

    Args:
        folder: The model folder.
        names: Its files beside the description.
        target: The file to write.
    """

    def write(stream: IO[bytes]) -> None:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            held = [name for name in sorted(names) if name != WEIGHTS or (folder / name).is_file()]
            for name in (DESCRIPTION, *held):
                archive.writestr(zipfile.ZipInfo(name, STAMP), (folder / name).read_bytes())

    write_atomic(target, write)


def unpack_file(path: Path) -> Path:
    """Return the cache folder with the contents of a model file, named after the file's sha256.

    Raises:
        ModelError: The file is damaged, or is not a model.
    """
    try:
        folder = cache_folder() / UNPACKED / file_sha256(path)[:32]
        if not (folder / DESCRIPTION).is_file():
            _unpack(path, folder)
    except OSError as error:
        raise ModelError(
            "expected to unpack a model into the cache", f"{path} ({error})", "Set CROWDSCALE_CACHE"
        ) from error
    return folder


def forget_file(path: Path) -> None:
    """Remove a model's file and what the cache holds of it unpacked: it was refused."""
    with contextlib.suppress(OSError):
        shutil.rmtree(cache_folder() / UNPACKED / file_sha256(path)[:32], ignore_errors=True)
        path.unlink()


def _unpack(path: Path, folder: Path) -> None:
    """Unpack beside the target and rename, so that other processes read complete models only."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".unpacking-"))
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(archive, path)
            archive.extractall(scratch)
        try:
            scratch.rename(folder)
        except OSError:
            if not (folder / DESCRIPTION).is_file():  # else another process was faster
                raise
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        raise ModelError("expected a complete model file", f"{path} ({error})", "Fetch it again") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_names(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse folders, paths outside the folder, and files of more than LARGEST bytes."""
    names = archive.namelist()
    strange = [name for name in names if Path(name).name != name or name.startswith(".")]
    if DESCRIPTION not in names or strange or sum(each.file_size for each in archive.infolist()) > LARGEST:
        raise ModelError(f"expected a model file with {DESCRIPTION} and plain files", str(path))
