"""Downloads from the web or a shared folder: complete, verified, and resumed after a broken connection."""

from __future__ import annotations

import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import msgspec

from crowdscale.errors import DataError, ModelError, OptionError, unknown_name
from crowdscale.files.documents import parse_json, shaped
from crowdscale.models.package import file_sha256

__all__ = ["Retry", "Source", "as_address", "download", "find_source", "read_index"]

SECONDS = 30.0
"""Seconds without data after which a connection counts as broken."""

PIECE = 1 << 18

LARGEST_INDEX = 1 << 20

LARGEST_MODEL = 4_000_000_000
"""Bytes of a model's file; longer bodies are refused, whatever their length claims."""

FINAL = (400, 401, 403, 404, 405, 410, 451)
"""Status codes that another attempt does not change."""

Progress = Callable[[int, int | None], object]


@dataclass(frozen=True)
class Retry:
    """Attempts of a download and the waiting time between them."""

    tries: int = 6
    """Attempts without progress before the download fails."""
    wait: float = 1.0
    """Seconds before the second attempt, doubled for each later one."""
    longest: float = 30.0
    """Longest wait in seconds."""


@dataclass(frozen=True)
class Source:
    """Address and sha256 of a model's file."""

    url: str
    sha256: str

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https", "file"):
            raise OptionError(
                "expected an address that begins with https://, http:// or file://", repr(self.url)
            )
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise OptionError("expected the file's sha256 as 64 hexadecimal digits", repr(self.sha256))


def as_address(origin: str) -> str:
    """Return an address as it is, and a path as ``file:///…``."""
    return origin if "://" in origin else Path(origin).absolute().as_uri()


def read_index(text: str, name: str, origin: str) -> Source:
    """Return the address of a model from an index ``{"models": {NAME: {"url": …, "sha256": …}}}``.

    Args:
        text: The index, as JSON.
        name: The model.
        origin: Path or address of the index, to which the addresses and paths in it are relative.

    Raises:
        OptionError: The index has no such model.
        ModelError: The text is not an index.
    """
    expected = 'expected an index: {"models": {NAME: {"url": …, "sha256": …}}}'
    try:
        models = shaped(parse_json(text, origin), _Index, "index", origin).models
    except DataError as error:
        raise ModelError(expected, str(error)) from error
    if name not in models:
        raise unknown_name("model", name, models)
    try:
        address = urljoin(as_address(origin), models[name].url)
        schemes = urlsplit(as_address(origin)).scheme, urlsplit(address).scheme
    except ValueError as error:  # half of a bracketed host
        raise ModelError(expected, f"{origin} with the address {models[name].url!r} ({error})") from error
    if schemes[1] == "file" != schemes[0]:
        raise ModelError(
            f"{origin} names a file of this machine: {address}",
            "",
            "Fetch it with --from PATH if it is meant",
        )
    return Source(address, models[name].sha256.lower())


class _Entry(msgspec.Struct):
    url: str
    sha256: str


class _Index(msgspec.Struct):
    models: dict[str, _Entry]


def find_source(origin: str, name: str) -> Source:
    """Return the address of a model from an index in a file or on the web.

    Raises:
        ModelError: The index cannot be read.
        OptionError: It has no such model.
    """
    try:
        if urlsplit(as_address(origin)).scheme == "file":
            _check_file(as_address(origin))
        with urllib.request.urlopen(as_address(origin), timeout=SECONDS) as answer:
            content = answer.read(LARGEST_INDEX + 1)
        if len(content) > LARGEST_INDEX:
            raise ValueError(f"more than {LARGEST_INDEX:,} bytes")
        text = content.decode()
    except (OSError, ValueError, HTTPException) as error:
        raise ModelError("expected an index of models", f"{origin} ({error})") from error
    return read_index(text, name, origin)


def download(
    source: Source,
    target: Path,
    retry: Retry | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Fetch a file unless it exists; a later call resumes a broken download.

    Args:
        source: Address and sha256.
        target: The file to write, after the sha256 was compared.
        retry: Attempts and waiting times.
        progress: Called with the bytes so far and the total, or None.
        sleep: Waits between attempts.

    Raises:
        ModelError: The file cannot be fetched, or has another sha256.
    """
    import filelock

    if target.is_file() and file_sha256(target) == source.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{source.sha256[:12]}.part")
    with filelock.FileLock(part.with_suffix(".lock")):
        if not (target.is_file() and file_sha256(target) == source.sha256):
            try:
                _fetch(source, part, retry or Retry(), progress, sleep)
            except _TooLongError as error:
                part.unlink(missing_ok=True)
                limit = f"expected a model of at most {LARGEST_MODEL / 1e9:g} GB at {source.url}"
                raise ModelError(
                    limit, str(error), "Compare the address with that of the publisher"
                ) from error
            _check(source, part)
            part.replace(target)
    return target


class _TooLongError(Exception):
    """A body that is longer than a model can be."""


def _check_file(address: str) -> None:
    """Raise OSError for a device or a pipe, which may have no end."""
    path = Path(urllib.request.url2pathname(urlsplit(address).path))
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no regular file")


def _fetch(
    source: Source, part: Path, retry: Retry, progress: Progress | None, sleep: Callable[[float], object]
) -> None:
    """Fill the part file in as many attempts as bring new bytes; copy a file of this machine."""
    if urlsplit(source.url).scheme == "file":
        try:
            _check_file(source.url)
            shutil.copyfile(urllib.request.url2pathname(urlsplit(source.url).path), part)
        except OSError as error:
            raise ModelError(f"expected the file at {source.url}", str(error)) from error
        return
    idle = 0
    while (failure := _failure(source.url, part, progress)) is not None:
        grown, reason = failure
        idle = 1 if grown else idle + 1
        if idle >= retry.tries:
            raise ModelError(
                f"expected the file at {source.url}",
                f"{idle} attempts without progress ({reason})",
                "Check the network and run the same command: the part is kept",
            ) from reason
        sleep(min(retry.longest, retry.wait * 2 ** (idle - 1)))


def _failure(url: str, part: Path, progress: Progress | None) -> tuple[bool, Exception] | None:
    """Make one attempt; return whether the part grew and the error, or None after success.

    Raises:
        ModelError: The server's answer is final.
    """
    before = part.stat().st_size if part.exists() else 0
    try:
        _attempt(url, part, progress)
    except (OSError, HTTPException) as error:  # broken, refused, timed out
        if isinstance(error, urllib.error.HTTPError) and error.code in FINAL:
            raise ModelError(f"expected the file at {url}", f"{error.code} {error.reason}") from error
        return part.exists() and part.stat().st_size > before, error
    return None


def _attempt(url: str, part: Path, progress: Progress | None) -> None:
    """Request the missing bytes and append them; a server without ranges sends all of them."""
    have = part.stat().st_size if part.exists() else 0
    answer = _open(url, part, have)
    if answer is None:
        return
    with answer:
        start = have if answer.status == 206 else 0
        length = answer.headers.get("Content-Length") or ""
        total = int(length) + start if length.isdecimal() and len(length) < 16 else None
        if total is not None and total > LARGEST_MODEL:
            raise _TooLongError(f"{total:,} bytes")
        with part.open("ab" if start else "wb") as stream:
            _copy(answer, stream, start, total, progress)
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"the connection ended after {part.stat().st_size} of {total} bytes")


def _open(url: str, part: Path, have: int) -> Any:
    """Return the server's answer, from the byte ``have`` on; None if the part is complete.

    Raises:
        ConnectionError: The server's file is shorter than the part, which is removed.
    """
    headers = {"User-Agent": "crowdscale", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        if _length(error.headers.get("Content-Range")) == have:
            return None
        part.unlink()
        raise ConnectionError("the server's file changed since the download began") from error


def _length(content_range: str | None) -> int | None:
    """Return the length in ``bytes */1234``."""
    match = re.search(r"/(\d+)$", content_range or "")
    return int(match[1]) if match else None


def _copy(answer: Any, stream: IO[bytes], have: int, total: int | None, progress: Progress | None) -> None:
    while piece := answer.read1(PIECE):
        stream.write(piece)
        have += len(piece)
        if have > LARGEST_MODEL:
            raise _TooLongError(f"more than {LARGEST_MODEL:,} bytes")
        if progress is not None:
            progress(have, total)


def _check(source: Source, part: Path) -> None:
    digest = file_sha256(part)
    if digest != source.sha256:
        part.unlink()
        raise ModelError(
            f"expected sha256 {source.sha256[:12]}… from {source.url}",
            f"{digest[:12]}…, another file",
            "It was deleted; compare the address and the sha256 with those of the publisher",
        )
