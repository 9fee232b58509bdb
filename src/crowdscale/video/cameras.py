"""Webcams, streams and addresses: reached again when lost, polled where they send one photo at a time."""

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from crowdscale.video.decoding import VideoError, decode, open_container
from crowdscale.video.frame import Frame, Source, SourceOptions

__all__ = ["open_address", "open_camera"]

LONGEST_WAIT = 30.0
"""Seconds between two attempts to reach a lost stream, at most; they begin at 1 and double."""
PLAYLISTS = ("hls", "dash", "rtsp", "sdp", "rtp")
"""Formats whose size is that of a list: only a duration marks a recording."""

MOST_FETCHED = 4_000_000_000
"""Bytes of a film that are fetched to a temporary file."""

Connect = Callable[[], Any]


def open_camera(name: str, options: SourceOptions) -> Source:
    """Return a webcam by the number or the device that the system gives it."""
    devices = {
        "linux": ("v4l2", f"/dev/video{name}" if name.isdigit() else name),
        "darwin": ("avfoundation", name),
        "win32": ("dshow", f"video={name}"),
    }
    kind, device = devices.get(sys.platform, devices["linux"])
    if kind == "v4l2" and not os.path.exists(device):  # noqa: PTH110
        raise VideoError("expected a camera", f"none at {device}", "Check its number: ls /dev/video*")

    def connect() -> Any:
        return open_container(device, format=kind, timeout=options.timeout)

    return Source(name, _live(connect(), connect, options), live=True)


def open_address(address: str, options: SourceOptions) -> Source:
    """Return an RTSP or HTTP address: a recording ends when it ends, a camera is reached again when it is lost.

    Raises:
        VideoError: Nothing answers there: a wrong address is not tried again.
    """
    arguments: dict[str, Any] = {"timeout": options.timeout}
    if address.startswith("rtsp"):
        arguments["options"] = {"rtsp_transport": "tcp"}

    def connect() -> Any:
        return open_container(address, **arguments)

    first = connect()
    if _is_snapshot(first):
        return Source(address, _snapshots(first, connect, options), live=True)
    if _is_recording(first):
        whole = address.startswith("http") and not _is_playlist(first)
        fetch = partial(_fetched, address, options.timeout) if whole else None
        return Source(address, recording(address, connect, options.loop, first, fetch))
    return Source(address, _live(first, connect, options), live=True)


def _is_snapshot(container: Any) -> bool:
    """Whether an address sends one photo and ends."""
    return container.format.name == "image2" or bool(re.fullmatch(r"\w+_pipe", container.format.name))


def _is_recording(container: Any) -> bool:
    """Whether an address holds a film of a known length or size."""
    if container.duration is not None and container.duration > 0:
        return True
    return container.size > 0 and not _is_playlist(container)


def _is_playlist(container: Any) -> bool:
    return any(kind in PLAYLISTS for kind in container.format.name.split(","))


def recording(
    name: str, connect: Connect, loop: bool, first: Any = None, fetch: Connect | None = None
) -> Callable[[Source], Iterator[Frame]]:
    """Return the frames of a film, from its beginning again and again where it loops.

    Args:
        name: The film's path or address.
        connect: Opens it.
        loop: Whether it begins again at its end.
        first: The film already opened, where it is.
        fetch: Opens a film that cannot be read in place.
    """

    def frames(source: Source) -> Iterator[Frame]:
        number, start, container, opener, spare = 0, 0.0, first, connect, fetch
        while True:
            begun, last, problems = number, start, len(source.problems)
            with container or opener() as film:
                for each in decode(film, source):
                    last = start + each.time
                    yield Frame(number, last, each.pixels, each.damaged)
                    number += 1
            container = None
            if number == 0 and spare is not None:
                del source.problems[problems:]
                opener, spare = spare, None
                continue
            if number == begun:
                if number == 0:
                    raise VideoError("expected a video with pictures", f"{name} without any that can be read")
                return
            if not loop:
                return
            start = last + 1 / 25

    return frames


def _fetched(address: str, timeout: float) -> Any:
    """Return a film of a web server that sends it only as a whole, such as an MP4 with its index at the end.

    Raises:
        VideoError: It cannot be fetched, or has more than ``MOST_FETCHED`` bytes.
    """
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host)))
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request.add_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the container reads it, and it goes with it
    try:
        with urllib.request.urlopen(request, timeout=timeout) as body:
            while piece := body.read(2**20):
                copy.write(piece)
                if copy.tell() > MOST_FETCHED:
                    raise VideoError(
                        f"expected a film of at most {MOST_FETCHED / 1e9:g} GB",
                        f"more at {address}",
                        "Download it first",
                    )
    except (OSError, ValueError, HTTPException) as error:
        raise VideoError("expected a film that can be fetched", f"{address} ({error})") from error
    copy.seek(0)
    return open_container(copy)


def _live(first: Any, connect: Connect, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    """Frames by the wall clock; a stream that is lost is reached for again, ever more patiently."""

    def frames(source: Source) -> Iterator[Frame]:
        started, number, container = time.monotonic(), 0, first
        failures = 0
        while container is not None:
            problems = len(source.problems)
            with container:
                for each in decode(container, source):
                    failures = 0
                    yield Frame(number, time.monotonic() - started, each.pixels, each.damaged)
                    number += 1
            del source.problems[problems:]
            container, failures = _again(source, connect, options.retries, failures)

    return frames


def _again(source: Source, connect: Connect, retries: int, failures: int) -> tuple[Any, int]:
    """Return the stream opened again and the failures in a row; None where it stays away."""
    while failures < retries:
        wait = min(2.0**failures, LONGEST_WAIT)
        failures += 1
        source.note(f"{source.name} was lost: attempt {failures} in {wait:.0f} s.")
        time.sleep(wait)
        container = _connected(connect)
        if container is not None:
            source.note(f"{source.name} is back.")
            return container, failures
    source.problems.append(f"lost {source.name}: no frames after {retries} attempts to reach it again.")
    return None, failures


def _connected(connect: Connect) -> Any:
    try:
        return connect()
    except VideoError:
        return None


def _snapshots(first: Any, connect: Connect, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    """The photo at an address, asked for ``fps`` times a second."""

    def frames(source: Source) -> Iterator[Frame]:
        started, number, container, failures = time.monotonic(), 0, first, 0
        source.note(
            f"{source.name} sends one photo at a time: it is asked {options.fps:g} times a second (--fps)."
        )
        while container is not None:
            begun, problems, asked = number, len(source.problems), time.monotonic()
            with container:
                for each in decode(container, source):
                    yield Frame(number, time.monotonic() - started, each.pixels, each.damaged)
                    number += 1
            del source.problems[problems:]
            failures = 0 if number > begun else failures
            time.sleep(max(0.0, asked + 1 / options.fps - time.monotonic()))
            container = _connected(connect) if number > begun else None
            if container is None:
                container, failures = _again(source, connect, options.retries, failures)

    return frames
