"""Webcams, streams and addresses: reached again when lost, polled where they send one photo at a time."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from crowdscale.video.dates import recorded_start
from crowdscale.video.decoding import UNKNOWN_RATE, Decoded, VideoError, decode, open_container
from crowdscale.video.fetching import fetched_film, fetched_playlist
from crowdscale.video.frame import Frame, Source, SourceOptions

__all__ = ["open_address", "open_camera", "patience"]

LONGEST_WAIT = 30.0
"""Seconds between two attempts to reach a lost stream, at most; they begin at 1 and double."""
PLAYLISTS = ("hls", "dash", "rtsp", "sdp", "rtp")
"""Formats whose size is that of a list: only a duration marks a recording."""

Connect = Callable[[], Any]


def patience(failures: int) -> float:
    """Return the seconds to wait after so many failed attempts in a row to reach a stream."""
    return min(2.0 ** min(failures, 10), LONGEST_WAIT)


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

    try:
        first = connect()
    except VideoError:
        if not urlsplit(address).path.endswith(".m3u8"):
            raise
        # FFmpeg opens no playlist whose segments have an unusual suffix, or none
        whole = partial(fetched_playlist, address, options.timeout)
        return Source(address, recording(address, whole, options, whole()))
    if _is_snapshot(first):
        return Source(address, _snapshots(first, connect, options), live=True)
    if _is_recording(first):
        fetch = None
        if address.startswith("http"):
            fetch = partial(
                fetched_playlist if _is_playlist(first) else fetched_film, address, options.timeout
            )
        return Source(address, recording(address, connect, options, first, fetch))
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
    name: str, connect: Connect, options: SourceOptions, first: Any = None, fetch: Connect | None = None
) -> Callable[[Source], Iterator[Frame]]:
    """Return the frames of a film, from its beginning again and again where it loops.

    Args:
        name: The film's path or address.
        connect: Opens it.
        options: Whether it begins again at its end, and the rate of a film without times.
        first: The film already opened, where it is.
        fetch: Opens a film that cannot be read in place.
    """

    def frames(source: Source) -> Iterator[Frame]:
        number, start, container, opener, spare = 0, 0.0, first, connect, fetch
        while True:
            begun, last, problems = number, start, len(source.problems)
            if spare is not None:
                source.hold_notes()  # those of a first try that gives nothing are of no use
            with container or opener() as film:
                source.recorded = recorded_start(
                    film.metadata, *(each.metadata for each in film.streams.video)
                )
                for each in decode(film, source, options.fps):
                    source.tell_notes()
                    last = start + each.time
                    yield Frame(number, last, each.pixels, each.damaged)
                    number += 1
            container = None
            if number == 0 and spare is not None:
                del source.problems[problems:]
                source.drop_notes()
                opener, spare = spare, None
                continue
            if number == begun:
                if number == 0:
                    raise VideoError("expected a video with pictures", f"{name} without any that can be read")
                return
            if not options.loop:
                return
            spare, start = None, last + 1 / UNKNOWN_RATE

    return frames


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
                    yield _arrived(number, started, each)
                    number += 1
            del source.problems[problems:]
            container, failures = _again(source, connect, options.retries, failures)

    return frames


def _arrived(number: int, started: float, each: Decoded) -> Frame:
    """Return a frame of a camera with the wall clock at its arrival."""
    seconds = time.monotonic() - started
    return Frame(number, seconds, each.pixels, each.damaged, arrived=time.time())


def _again(source: Source, connect: Connect, retries: int | None, failures: int) -> tuple[Any, int]:
    """Return the stream opened again and the failures in a row; None where it stays away or nobody waits for it."""
    source.lost = True
    while retries is None or failures < retries:
        wait = patience(failures)
        failures += 1
        source.note_seldom(f"lost {failures}", f"{source.name} was lost: attempt {failures} in {wait:.0f} s.")
        if source.stopping.wait(wait):
            return None, failures
        container = _connected(connect)
        if container is not None:
            source.note_seldom("back", f"{source.name} is back.")
            source.lost, source.reconnects = False, source.reconnects + 1
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
            f"{source.name} sends one photo at a time: it is asked {options.photo_rate:g} times a second (--fps)."
        )
        while container is not None:
            begun, problems, asked = number, len(source.problems), time.monotonic()
            with container:
                for each in decode(container, source):
                    yield _arrived(number, started, each)
                    number += 1
            del source.problems[problems:]
            failures = 0 if number > begun else failures
            if source.stopping.wait(max(0.0, asked + 1 / options.photo_rate - time.monotonic())):
                return
            container = _connected(connect) if number > begun else None
            if container is None:
                container, failures = _again(source, connect, options.retries, failures)

    return frames
