"""Files written whole or not at all; checked before the work that fills them."""

from __future__ import annotations

import errno
import io
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from crowdscale.errors import OptionError

__all__ = ["FULL", "check_writable", "make_folder", "sync_folder", "write_atomic"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of a disk, or a share of it, without room."""

_UMASK = threading.Lock()
OPENED = ("/dev/std", "/dev/fd/", "/proc/")
"""Beginnings of paths of open streams: a redirected file is continued, not replaced."""


def write_atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call ``write`` with an open temporary file and rename it to ``path``: whole or not at all.

    The bytes reach the disk before the name, and the name before the call returns, so that a power cut leaves the
    old file or the new one. A link stays one and its target is written; a pipe or a device is written into.

    Raises:
        OptionError: The file cannot be written: a full disk, a folder that forbids it, a path below a file.
    """
    try:
        if _is_stream(path):
            whole = io.BytesIO()
            write(whole)
            with path.open("ab") as stream:
                stream.write(whole.getvalue())
            return
        path = Path(os.path.realpath(path)) if path.is_symlink() else path
        make_folder(path.parent)
        _replace(path, write)
    except OSError as error:
        at = error.filename if isinstance(error.filename, str) and not _is_temporary(error.filename) else path
        if error.errno in FULL:
            raise OptionError.plain(
                f"the disk is full, so {at} was not written; what was there before is intact",
                "Free some space and run the same command again",
            ) from error
        raise OptionError.plain(f"{at} cannot be written ({error.strerror or error})") from error


def _is_temporary(name: str) -> bool:
    return Path(name).name.startswith(".")


def _replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        os.replace(temporary, path)  # noqa: PTH105
        sync_folder(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on the disk before the next. Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name == "nt":
        return  # Windows opens no folders; it writes names in order by itself
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        return  # file systems without it, such as some of networks
    finally:
        os.close(handle)


def _is_stream(path: Path) -> bool:
    """Whether a path names an open stream, a pipe or a device: it is written into instead of replaced."""
    if str(path).startswith(OPENED):
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def check_writable(path: Path | None) -> None:
    """Refuse a file that ``write_atomic`` could not write, before hours of work. Raises OptionError.

    Nothing is created; None is no file.
    """
    if path is None:
        return
    try:
        if path.is_dir():
            raise IsADirectoryError("a folder")
        if _is_stream(path):
            if not os.access(path, os.W_OK):
                raise PermissionError("not open for writing")
            return
        target = Path(os.path.realpath(path))
        folder = next(parent for parent in target.parents if parent.exists())
        tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.name}.").close()
    except OSError as error:
        reason = error.strerror or error
        raise OptionError.plain(f"{path} cannot be written ({reason})") from error


def _umask() -> int:
    with _UMASK:  # it can be read only by being set, which threads must not do at a time
        mask = os.umask(0)
        os.umask(mask)
    return mask
