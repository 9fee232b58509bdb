"""Downloads: a file from the web or from a shared folder, whole and verified; a broken connection is taken up where it broke."""

from __future__ import annotations

import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from crowdscale.errors import ModelError, OptionError, unknown_name
from crowdscale.models.package import file_sha256

__all__ = ["Retry", "Source", "as_address", "download", "find_source", "read_index"]

SECONDS = 30.0
"""Silence of a server after which a connection counts as broken."""

PIECE = 1 << 18

LARGEST_INDEX = 1 << 20

FINAL = (400, 401, 403, 404, 405, 410, 451)
"""Answers that another try will not change."""

Progress = Callable[[int, int | None], object]


@dataclass(frozen=True)
class Retry:
    """How often and how patiently a download is tried again."""

    tries: int = 6
    """Attempts without any progress before it is given up."""
    wait: float = 1.0
    """Seconds before the second attempt; doubled each time."""
    longest: float = 30.0
    """Seconds that are waited at most."""


@dataclass(frozen=True)
class Source:
    """Where a model's file is, and which one it is."""

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
    """Return what was given as an address: of a path that of the file, ``file:///…``; any other as it is."""
    return origin if "://" in origin else Path(origin).absolute().as_uri()


def read_index(text: str, name: str, origin: str) -> Source:
    """Return where the named model is, from an index: ``{"models": {NAME: {"url": …, "sha256": …}}}``.

    Args:
        text: The index, as JSON.
        name: The model.
        origin: Path or address of the index, which addresses and paths in it may be relative to.

    Raises:
        OptionError: The index has no such model.
        ModelError: It is no index.
    """
    try:
        models: Mapping[str, Any] = json.loads(text)["models"]
        known = {key: (str(entry["url"]), str(entry["sha256"]).lower()) for key, entry in models.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            'expected an index: {"models": {NAME: {"url": …, "sha256": …}}}', f"{origin} ({error!r})"
        ) from error
    if name not in known:
        raise unknown_name("model", name, known)
    url, sha256 = known[name]
    return Source(urljoin(as_address(origin), url), sha256)


def find_source(origin: str, name: str) -> Source:
    """Return where the named model is, from an index in a file or on the web.

    Raises:
        ModelError: The index cannot be had.
        OptionError: It has no such model.
    """
    try:
        with urllib.request.urlopen(as_address(origin), timeout=SECONDS) as answer:
            text = answer.read(LARGEST_INDEX).decode()
    except (OSError, UnicodeDecodeError, HTTPException) as error:
        raise ModelError("expected an index of models", f"{origin} ({error})") from error
    return read_index(text, name, origin)


def download(
    source: Source,
    target: Path,
    retry: Retry | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Fetch a file unless it is there already; what came before a connection broke is kept, also over runs.

    Args:
        source: Address and sha256.
        target: Where it is put once it is whole and the right one.
        retry: How often to try.
        progress: Told of (bytes so far, bytes in all if known).
        sleep: Waits between attempts.

    Raises:
        ModelError: It could not be had, or is another file than it should be.
    """
    import filelock

    if target.is_file() and file_sha256(target) == source.sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{source.sha256[:12]}.part")
    with filelock.FileLock(part.with_suffix(".lock")):
        if not (target.is_file() and file_sha256(target) == source.sha256):
            _fetch(source, part, retry or Retry(), progress, sleep)
            _check(source, part)
            part.replace(target)
    return target


def _fetch(
    source: Source, part: Path, retry: Retry, progress: Progress | None, sleep: Callable[[float], object]
) -> None:
    """Fill the part file, trying again as long as attempts bring something; a file of this machine is copied."""
    if urlsplit(source.url).scheme == "file":
        try:
            shutil.copyfile(urllib.request.url2pathname(urlsplit(source.url).path), part)
        except OSError as error:
            raise ModelError(f"expected the file at {source.url}", str(error)) from error
        return
    idle = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _attempt(source.url, part, progress)
        except urllib.error.HTTPError as error:
            if error.code in FINAL:
                raise ModelError(
                    f"expected the file at {source.url}", f"{error.code} {error.reason}"
                ) from error
            reason: Exception = error
        except (OSError, HTTPException) as error:  # broken, refused, timed out
            reason = error
        else:
            return
        grown = part.exists() and part.stat().st_size > before
        idle = 1 if grown else idle + 1
        if idle >= retry.tries:
            raise ModelError(
                f"expected the file at {source.url}",
                f"{idle} attempts without progress ({reason})",
                "Look at the network and run it again: what came is kept",
            ) from reason
        sleep(min(retry.longest, retry.wait * 2 ** (idle - 1)))


def _attempt(url: str, part: Path, progress: Progress | None) -> None:
    """Ask for what is missing and append it; a server that knows no ranges sends all of it anew."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "crowdscale", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        if _length(error.headers.get("Content-Range")) == have:  # it was whole already
            return
        part.unlink()
        raise ConnectionError("the server's file is another one than that begun") from error
    with answer:
        resumed = answer.status == 206
        given = answer.headers.get("Content-Length")
        total = None if given is None else int(given) + (have if resumed else 0)
        with part.open("ab" if resumed else "wb") as stream:
            _copy(answer, stream, have if resumed else 0, total, progress)
    if total is not None and part.stat().st_size < total:
        raise ConnectionError(f"the connection ended after {part.stat().st_size} of {total} bytes")


def _length(content_range: str | None) -> int | None:
    """The whole length out of ``bytes */1234``."""
    found = re.search(r"/(\d+)$", content_range or "")
    return int(found[1]) if found else None


def _copy(answer: Any, stream: IO[bytes], have: int, total: int | None, progress: Progress | None) -> None:
    while piece := answer.read1(PIECE):
        stream.write(piece)
        have += len(piece)
        if progress is not None:
            progress(have, total)


def _check(source: Source, part: Path) -> None:
    found = file_sha256(part)
    if found != source.sha256:
        part.unlink()
        raise ModelError(
            f"expected sha256 {source.sha256[:12]}… from {source.url}",
            f"{found[:12]}…, another file",
            "It was thrown away; compare the address and the sha256 with where you have them from",
        )
