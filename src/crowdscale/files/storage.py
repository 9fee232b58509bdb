"""Local and remote files through fsspec: s3, gs, http, memory. Photos come as a stream; results are written whole."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn
from urllib.parse import urlsplit

from crowdscale.errors import CrowdscaleError, ImageError, OptionError
from crowdscale.files.decoder import check_regular
from crowdscale.files.finding import (
    FOLDERS_OF_COPIES,
    IMAGE_SUFFIXES,
    MARK_WITHIN,
    PICTURE_MARK,
    has_picture_name,
    is_other_photo,
    local_pattern,
    match_pattern,
    walk_folder,
)
from crowdscale.files.kinds import FILM, USUAL_SUFFIXES, kind_of
from crowdscale.files.writing import sync_folder, write_atomic

__all__ = ["Folder", "find_photos", "is_url", "read_photo_bytes"]


WEB = ("http://", "https://")
SILENT = 15.0
"""Seconds after which a listing on the web that sends nothing is given up."""
MAX_BYTES = 1_300_000_000
"""Bytes of a file that are read: 400 megapixels as RGB, uncompressed."""


def is_url(source: str) -> bool:
    """Whether a source names a file system, as in ``s3://bucket/photos``."""
    return "://" in source


@contextmanager
def _reached(source: str) -> Iterator[None]:
    """Turn the errors of a file system, which has classes of its own, into one sentence."""
    try:
        yield
    except CrowdscaleError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ImageError.plain(f"{source} cannot be reached ({reason})", "Check name and access") from error


def find_photos(sources: Iterable[str], on_other: Callable[[str], object] | None = None) -> Iterator[str]:
    """Yield the photos of files, folders (searched in full) and patterns as they are found, folder by folder.

    The first photos come before the last folder of millions is read. Files named outright are always yielded, so
    that the reader can name their fault.

    Args:
        sources: Paths, patterns, addresses.
        on_other: Called with each file found that may be a picture but is not read: .psd, .mp4, no suffix.

    Raises:
        ImageError: A folder or a pattern holds no photo, or cannot be reached.
    """
    named: set[str] = set()
    for source in sources:
        if not is_url(source) and local_pattern(source) is None and not Path(source).is_dir():
            if (place := os.path.realpath(source)) not in named:
                yield source
            named.add(place)
            continue
        any_photo = False
        with _reached(source):
            for photo in _expand(source, on_other):
                any_photo = True
                yield photo
        if not any_photo:
            raise ImageError.plain(f"no photos in {source}", f"Photos end with {USUAL_SUFFIXES}")


def _expand(source: str, on_other: Callable[[str], object] | None) -> Iterator[str]:
    if not is_url(source):
        yield from _expand_local(source, on_other)
        return
    if _is_web_photo(source):  # of the web only folders and patterns need a library
        yield source
        return
    files, path = _open(source)
    if any(sign in path for sign in "*?["):
        matches = sorted(map(str, files.glob(path)))
        yield from (_name(files, photo) for photo in _photos(files, matches, on_other))
    elif files.isdir(path):
        for folder, _, names in _walk(files, path):
            inside = [posixpath.join(folder, name) for name in sorted(names)]
            yield from (_name(files, photo) for photo in _photos(files, inside, on_other))
    else:
        yield source


def _is_web_photo(source: str) -> bool:
    """Whether a web address names a photo, by its path."""
    path = urlsplit(source).path
    return source.lower().startswith(WEB) and path.lower().endswith(IMAGE_SUFFIXES) and "*" not in path


def _expand_local(source: str, on_other: Callable[[str], object] | None) -> Iterator[str]:
    """Yield the photos of a folder or a pattern of this machine, relative where the source is."""
    pattern = None if Path(source).is_dir() else local_pattern(source)
    photos = walk_folder(source, on_other) if pattern is None else match_pattern(pattern, on_other)
    yield from (path if Path(source).is_absolute() else os.path.relpath(path) for path in photos)


def _walk(files: Any, path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, names in files.walk(path, on_error="raise"):
        hidden = [name for name in folders if name.startswith(".") or name in FOLDERS_OF_COPIES]
        if isinstance(folders, dict):  # in place, where the file system lets its caller decide
            for name in hidden:
                del folders[name]
        elif isinstance(folders, list):
            folders[:] = sorted(set(folders) - set(hidden))
        yield folder, folders, names


def _photos(files: Any, paths: Iterable[str], on_other: Callable[[str], object] | None) -> Iterator[str]:
    """Yield those that are photos by suffix, and report the other pictures."""
    for path in paths:
        name = posixpath.basename(path)
        if not name.startswith(".") and posixpath.splitext(name)[1].lower() in IMAGE_SUFFIXES:
            if not _is_marked(files, path):
                yield path
        elif on_other is not None and is_other_photo(name):
            on_other(path)


def _is_marked(files: Any, path: str) -> bool:
    """Whether a file with the name of a drawn picture is one; others are not opened for a look."""
    if not has_picture_name(PurePosixPath(path)):
        return False
    return PICTURE_MARK in bytes(files.cat_file(path, start=0, end=MARK_WITHIN))


def _name(files: Any, path: str) -> str:
    """Return a found file as an address."""
    return str(files.unstrip_protocol(path))


def _open(source: str) -> tuple[Any, str]:
    """Return the file system of a path or URL and the path within it."""
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(source, **_limits(source))
    except ImportError as error:
        protocol = source.split("://", maxsplit=1)[0]
        raise OptionError(
            f"expected the library that opens {protocol}:// addresses", "none installed", f"{error}"
        ) from error
    except ValueError as error:
        raise OptionError("expected a path or an address", f"{source} ({error})") from error
    except Exception as error:  # credentials, regions, servers: each file system raises its own classes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OptionError("expected an address that can be opened", f"{source} ({reason})") from error
    return files, path


def _limits(source: str) -> dict[str, Any]:
    """Return the time limits of a web address; fsspec alone would wait for five minutes."""
    if not source.startswith(WEB):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENT, sock_read=SILENT)
    return {"client_kwargs": {"timeout": timeout}}


def read_photo_bytes(source: str) -> bytes:
    """Return the bytes of a photo, read in one go; a file that changes meanwhile is read again, once.

    Raises:
        ImageError: It is missing, no regular file, empty, cannot be read, or keeps changing.
    """
    if source.lower().startswith(WEB):
        from crowdscale.files.web import fetch

        return fetch(source)
    read, state = _local(Path(source)) if not is_url(source) else _remote(source)
    try:
        for _ in range(2):
            before = state()
            data = read()
            if before == state():
                return data
    except FileNotFoundError as error:
        _raise_missing(source, error)
    except IsADirectoryError:
        raise ImageError.plain(f"{source} is a folder", _folder_remedy(source)) from None
    except CrowdscaleError:
        raise
    except Exception as error:  # each file system raises its own classes
        raise ImageError.plain(f"{source} cannot be read ({error})") from error
    raise ImageError(
        "expected a photo that stays as it is", f"{source}, which changed while it was read", "Count it again"
    )


def _raise_missing(source: str, error: FileNotFoundError) -> NoReturn:
    """Raise the ImageError of a photo that is not there, or whose server does not give it."""
    why = error.__cause__  # of HTTP, a server that is silent or refuses
    if why is None or isinstance(why, FileNotFoundError) or getattr(why, "status", 0) in (404, 410):
        raise ImageError.plain(f"no such photo: {source}") from None
    reason = " ".join(str(why).split()) or type(why).__name__
    raise ImageError.plain(f"{source} cannot be read ({reason})") from error


def _folder_remedy(source: str) -> str:
    readable = is_url(source) or os.access(source, os.R_OK | os.X_OK)
    return "Name a file in it" if readable else "It cannot be read: check its permissions"


Reader = tuple[Callable[[], bytes], Callable[[], tuple[Any, ...]]]
"""A function that reads a file, and one that returns its state: size, time and tag by the file system."""


def _local(path: Path) -> Reader:
    """Read a file of this machine, without the import of fsspec, which takes longer than a photo."""
    check_regular(path)
    _check_no_film(path)

    def state() -> tuple[Any, ...]:
        stat = path.stat()
        _check_bytes(stat.st_size, str(path))
        return stat.st_size, stat.st_mtime_ns

    return path.read_bytes, state


def _check_no_film(path: Path) -> None:
    """Refuse a film by its first bytes: it may be larger than the memory. Raises ImageError."""
    if not path.is_file():
        return
    with path.open("rb") as stream:
        start = stream.read(512)
    if kind_of(start) == FILM:
        raise ImageError.plain(f"{path} is a film", f"Run: crowdscale watch {path}")


def _remote(source: str) -> Reader:
    files, path = _open(source)

    def state() -> tuple[Any, ...]:
        info = files.info(path)
        _check_bytes(info.get("size") or 0, source)
        return tuple(info.get(key) for key in ("size", "mtime", "LastModified", "ETag", "etag", "updated"))

    return lambda: bytes(files.cat_file(path)), state


def _check_bytes(size: int, source: str) -> None:
    """Refuse a file that is too large to be held in memory. Raises ImageError."""
    if size > MAX_BYTES:
        raise ImageError(
            f"expected a photo of at most {MAX_BYTES / 1e9:g} GB", f"{size / 1e9:.1f} GB or more at {source}"
        )


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
        with _reached(self._join(below)):
            if not files.isdir(path):
                return []
            found = files.ls(path, detail=False, refresh=True)
        names = sorted(posixpath.basename(str(each)) for each in found)
        return [name for name in names if not name.startswith(".")]

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file; None where there is none."""
        files, path = _open(self._join(name))
        with _reached(self._join(name)):
            try:
                return bytes(files.cat_file(path))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            OptionError: It cannot be written; files written before stay.
        """
        try:
            if self.local is not None:
                self._write_local(self.local / name, data)
                return
            files, path = _open(self._join(name))
            files.makedirs(posixpath.dirname(path), exist_ok=True)
            # Object stores show an upload when it is whole; others by moving it into place.
            scratch = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.part")
            files.pipe_file(scratch, data)
            files.mv(scratch, path)
        except CrowdscaleError:
            raise
        except Exception as error:  # each file system raises its own classes
            raise OptionError(
                "expected to write results",
                f"{self._join(name)} ({error})",
                "What was written before is whole: run the same command again to go on",
            ) from error

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is removed already."""
        files, path = _open(self._join(name))
        with _reached(self._join(name)):
            try:
                files.rm_file(path)
            except FileNotFoundError:
                return
            if self.local is not None:
                sync_folder((self.local / name).parent)

    def _write_local(self, path: Path, data: bytes) -> None:
        try:
            write_atomic(path, lambda stream: stream.write(data))
        except OptionError as error:
            raise OSError(str(error.__cause__ or error)) from error

    def _join(self, name: str) -> str:
        return posixpath.join(self.address, name)
