"""Films that cannot be read in place: an MP4 with its index at the end, a playlist of such films, a pipe."""

from __future__ import annotations

import base64
import tempfile
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from crowdscale.video.decoding import VideoError, open_container

__all__ = ["Pipe", "fetched_film", "fetched_playlist"]

MOST_FETCHED = 4_000_000_000
"""Bytes of a film that are kept in a temporary file."""
MOST_LISTED = 4_000_000
"""Bytes of a playlist."""
PIECE = 2**20
NOT_WHOLE = ("#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-BYTERANGE", "#EXT-X-PART")
"""Marks of a playlist whose segments are no films of their own."""


def fetched_film(address: str, timeout: float) -> Any:
    """Return a film of a web server that sends it only as a whole.

    Raises:
        VideoError: It cannot be fetched, or has more than ``MOST_FETCHED`` bytes.
    """
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the container reads it, and it goes with it
    _fetch(address, timeout, copy, MOST_FETCHED)
    copy.seek(0)
    return open_container(copy, name=address)


def fetched_playlist(address: str, timeout: float) -> Any:
    """Return the films of an HLS playlist that has ended, one after another.

    FFmpeg cannot read segments that are MP4 files with their index at the end.

    Raises:
        VideoError: It cannot be fetched, has not ended, or its segments are no films of their own.
    """
    text = _listed(address, timeout)
    variants = [line for line in text.splitlines() if line and not line.startswith("#")]
    if "#EXT-X-STREAM-INF" in text and variants:
        address = urljoin(address, variants[0])
        text = _listed(address, timeout)
    if "#EXT-X-ENDLIST" not in text or any(mark in text for mark in NOT_WHOLE):
        raise VideoError("expected a playlist of whole films", f"{address} with parts that cannot be read")
    folder = tempfile.TemporaryDirectory(prefix="crowdscale-")
    try:
        return _Held(_joined(address, text, timeout, Path(folder.name)), folder)
    except BaseException:
        folder.cleanup()
        raise


def _joined(address: str, text: str, timeout: float, folder: Path) -> Any:
    """Fetch the segments of a playlist and return them as one film."""
    names, left = ["ffconcat version 1.0"], MOST_FETCHED
    for line in text.splitlines():
        if line and not line.startswith("#"):
            segment = folder / str(len(names))
            with segment.open("wb") as copy:
                left -= _fetch(urljoin(address, line.strip()), timeout, copy, left)
            names.append(f"file '{segment.name}'")
    (folder / "list").write_text("\n".join(names) + "\n", encoding="utf-8")
    return open_container(str(folder / "list"), name=address, format="concat", options={"safe": "0"})


def _listed(address: str, timeout: float) -> str:
    with tempfile.TemporaryFile() as copy:
        _fetch(address, timeout, copy, MOST_LISTED)
        copy.seek(0)
        return copy.read().decode("utf-8", "replace")


def _fetch(address: str, timeout: float, copy: IO[bytes], most: int) -> int:
    """Write the body at an http or https address into a file and return its length. Raises VideoError."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        raise VideoError("expected an http or https address", address)
    host = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host)))
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
    length = 0
    try:
        with urllib.request.urlopen(request, timeout=timeout) as body:
            while piece := body.read(PIECE):
                length += copy.write(piece)
                if length > most:
                    raise VideoError(
                        f"expected a film of at most {MOST_FETCHED / 1e9:g} GB",
                        f"more at {address}",
                        "Download it first",
                    )
    except (OSError, ValueError, HTTPException) as error:
        raise VideoError("expected a film that can be fetched", f"{address} ({error})") from error
    return length


class _Held:
    """A container and the temporary folder that it reads."""

    def __init__(self, container: Any, folder: tempfile.TemporaryDirectory[str]) -> None:
        self._container, self._folder = container, folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def __enter__(self) -> _Held:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()
        self._folder.cleanup()


class Pipe:
    """A film that comes through a pipe: read once, kept until its first frame was decoded.

    Args:
        stream: Standard input.
        name: In sentences.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.name, self._stream = name, stream
        self._kept: IO[bytes] | None = tempfile.TemporaryFile()  # noqa: SIM115 - closed by ``forget``
        self._begin = b""
        self._interrupted = False

    def check(self) -> None:
        """Raise KeyboardInterrupt where Ctrl-C came while the container was reading."""
        if self._interrupted:
            raise KeyboardInterrupt

    def read(self, size: int = PIECE) -> bytes:
        """Return the next bytes, for the container that reads the pipe; none after Ctrl-C, see ``check``."""
        begun, self._begin = self._begin[:size], self._begin[size:]
        try:
            data = b"" if self._interrupted else begun or self._stream.read(size)
        except KeyboardInterrupt:  # FFmpeg would swallow it
            self._interrupted, data = True, b""
        if self._kept is not None:
            self._kept.write(data)
        return data

    def open(self) -> Any:
        """Return the container of a film that can be read as it comes. Raises VideoError."""
        self._begin = self._stream.read(2)
        parts = {"format": "mpjpeg"} if self._begin == b"--" else {}  # a camera's MJPEG with its boundaries
        try:
            return open_container(_ReadOnly(self), name=self.name, **parts)
        finally:
            self.check()

    def open_whole(self) -> Any:
        """Return the container of a film that has to be there as a whole. Raises VideoError."""
        if self._kept is None:
            raise VideoError("expected a film", f"an end of {self.name}")
        while self.read():
            if self._kept.tell() > MOST_FETCHED:
                raise VideoError(
                    f"expected a film of at most {MOST_FETCHED / 1e9:g} GB", f"more on {self.name}"
                )
        self.check()
        if not self._kept.tell():
            raise VideoError("expected a film", f"nothing on {self.name}")
        whole, self._kept = self._kept, None
        whole.seek(0)
        return open_container(whole, name=self.name)

    def forget(self) -> None:
        """Keep nothing more: frames come."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


class _ReadOnly:
    """The one method by which a container reads a pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self.read = pipe.read
