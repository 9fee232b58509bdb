"""Files written whole or not at all; checked before the work that fills them."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from crowdscale.errors import OptionError

__all__ = ["check_writable", "write_atomic"]

_UMASK = threading.Lock()
OPENED = ("/dev/std", "/dev/fd/", "/proc/")
"""Beginnings of paths of what is open already: a redirected file is gone on with, not replaced."""


def write_atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call ``write`` with an open temporary file and rename it to ``path``: whole or not at all.

    A link stays one and what it leads to is written; what is no regular file (a pipe, a device) is written into.
    """
    if _is_stream(path):
        whole = io.BytesIO()
        write(whole)
        with path.open("ab") as stream:
            stream.write(whole.getvalue())
        return
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _is_stream(path: Path) -> bool:
    """Whether a path names what is written into instead of replaced."""
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
        said = error.strerror or error
        raise OptionError("expected the path of a file that can be written", f"{path} ({said})") from error


def _umask() -> int:
    with _UMASK:  # it can be read only by being set, which threads must not do at a time
        mask = os.umask(0)
        os.umask(mask)
    return mask
