"""Files wherever they are: local folders, s3, gs, http, memory, through fsspec; found as a stream, written whole."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdscale.errors import CrowdscaleError, ImageError, MissingExtraError, OptionError
from crowdscale.images import IMAGE_SUFFIXES, write_atomic

__all__ = ["Folder", "find_photos", "is_url", "read_photo_bytes"]


def is_url(source: str) -> bool:
    """Whether a source names a file system, as in ``s3://bucket/photos``."""
    return "://" in source


def find_photos(sources: Iterable[str]) -> Iterator[str]:
    """Yield the photos of files, folders (searched in full) and patterns as they are found, folder by folder.

    A stream: the first photos are there before the last folder of millions has been read. Files named outright
    are yielded whatever they are, so that the reader can say what is wrong with them.

    Raises:
        ImageError: A folder or a pattern holds no photo.
    """
    for source in sources:
        if not is_url(source) and not any(sign in source for sign in "*?[") and not Path(source).is_dir():
            yield source
            continue
        found = False
        for photo in _expand(source):
            found = True
            yield photo
        if not found:
            raise ImageError(f"expected photos ({', '.join(IMAGE_SUFFIXES)})", f"none at {source}")


def _expand(source: str) -> Iterator[str]:
    files, path = _open(source)
    if any(sign in path for sign in "*?["):
        matches = sorted(str(found) for found in files.glob(path))
        yield from (_name(source, files, found) for found in matches if _is_photo(found))
    elif files.isdir(path):
        for folder, _, names in _walk(files, path):
            for name in sorted(names):
                if _is_photo(name):
                    yield _name(source, files, posixpath.join(folder, name))
    else:
        yield source


def _walk(files: Any, path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, names in files.walk(path):
        folders.sort()  # in place, where the file system lets its caller decide the order
        yield folder, folders, names


def _is_photo(path: str) -> bool:
    name = posixpath.basename(path)
    return not name.startswith(".") and posixpath.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _name(source: str, files: Any, path: str) -> str:
    """Say a found file as its source was said: a URL, a relative or an absolute path."""
    if is_url(source):
        return str(files.unstrip_protocol(path))
    return path if Path(source).is_absolute() else os.path.relpath(path)


def _open(source: str) -> tuple[Any, str]:
    """Return the file system of a path or URL and the path within it."""
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(source)
    except ImportError as error:
        protocol = source.split("://", maxsplit=1)[0]
        raise OptionError(
            f"expected the library that opens {protocol}:// addresses", "none installed", f"{error}"
        ) from error
    except ValueError as error:
        raise OptionError("expected a path or an address", f"{source} ({error})") from error
    return files, path


def read_photo_bytes(source: str) -> bytes:
    """Return the bytes of a photo, read in one go; a file that changes meanwhile is read again, once.

    Raises:
        ImageError: It is missing, cannot be read, or keeps changing.
    """
    files, path = _open(source)
    try:
        for _ in range(2):
            before = _state(files, path)
            data = bytes(files.cat_file(path))
            if before == _state(files, path):
                return data
    except FileNotFoundError:
        raise ImageError("expected a photo", f"no file at {source}", "Check the path") from None
    except IsADirectoryError:
        raise ImageError("expected a photo", f"the folder {source}", "Name a file in it") from None
    except CrowdscaleError:
        raise
    except Exception as error:  # each file system raises its own classes
        raise ImageError("expected a photo that can be read", f"{source} ({error})") from error
    raise ImageError(
        "expected a photo that stays as it is", f"{source}, which changed while it was read", "Count it again"
    )


def _state(files: Any, path: str) -> tuple[Any, ...]:
    """What tells that a file is another one than before, as far as its file system knows."""
    known = files.info(path)
    return tuple(known.get(key) for key in ("size", "mtime", "LastModified", "ETag", "etag", "updated"))


@dataclass(frozen=True)
class Folder:
    """A folder for results, local or remote."""

    address: str

    @property
    def local(self) -> Path | None:
        """Its path, where it is on this machine."""
        return None if is_url(self.address) else Path(self.address)

    def names(self, below: str) -> list[str]:
        """Return the sorted names of the whole files in a folder below; none where it does not exist."""
        files, path = _open(self._join(below))
        if not files.isdir(path):
            return []
        names = sorted(posixpath.basename(str(found)) for found in files.ls(path, detail=False, refresh=True))
        return [name for name in names if not name.startswith(".")]

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file; None where there is none."""
        files, path = _open(self._join(name))
        try:
            return bytes(files.cat_file(path))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            OptionError: It cannot be written; whatever was written before stays.
        """
        try:
            if self.local is not None:
                write_atomic(self.local / name, lambda stream: stream.write(data))
                return
            files, path = _open(self._join(name))
            files.makedirs(posixpath.dirname(path), exist_ok=True)
            # Object stores show an upload when it is whole; others by moving it into place.
            scratch = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.part")
            files.pipe_file(scratch, data)
            files.mv(scratch, path)
        except OSError as error:
            raise OptionError(
                "expected to write results",
                f"{self._join(name)} ({error})",
                "What was written before is whole: run the same command again to go on",
            ) from error

    def _join(self, name: str) -> str:
        return posixpath.join(self.address, name)


def need_bulk(library: str) -> None:
    """Raise MissingExtraError where a library of the extra [bulk] is not installed."""
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise MissingExtraError(f"This ({library})", "bulk")
