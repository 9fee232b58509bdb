"""Frames with their true times, from files, cameras, streams and folders; every source closes what it opened.

Decoded by PyAV (FFmpeg): it tells each frame's own time (variable rates, files that claim 0 frames a second),
the rotation of phones, and gives up on a dead stream after a time-out; OpenCV's reader does none of these surely.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import CrowdscaleError, ImageError, MissingExtraError, OptionError
from crowdscale.files.finding import IMAGE_SUFFIXES
from crowdscale.files.images import read_image

__all__ = ["Frame", "Source", "SourceOptions", "VideoError", "load_av", "open_source", "sample"]

Pixels = NDArray[np.uint8]

UNKNOWN_RATE = 25.0
"""Frames a second where a file does not know."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts to reach a lost stream, at most; they begin at 1 and double."""


class VideoError(CrowdscaleError):
    """A video or a camera that cannot be opened or read."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video."""

    index: int
    """Its number in the source, from 0."""
    time: float
    """Seconds since the first frame, by the source's own clock; by the wall clock for cameras."""
    pixels: Pixels
    """(h, w, 3) RGB uint8, upright."""


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened."""

    fps: float = 1.0
    """Frames a second of a folder of pictures."""
    timeout: float = 10.0
    """Seconds after which a stream that says nothing is lost."""
    retries: int = 10
    """Attempts in a row to reach a lost stream again."""
    loop: bool = False
    """Begin a file again at its end."""

    def __post_init__(self) -> None:
        if not self.fps > 0 or not self.timeout > 0 or self.retries < 0:
            raise OptionError(
                "expected fps > 0, timeout > 0 and retries >= 0",
                f"{self.fps}, {self.timeout}, {self.retries}",
            )


class Source:
    """Frames, and what is to be said of them.

    Args:
        name: What the user called it.
        frames: Opens the source and yields its frames, closing it at the end.
        live: Whether frames are lost when nobody takes them.
    """

    def __init__(self, name: str, frames: Callable[[Source], Iterator[Frame]], live: bool = False) -> None:
        self.name, self.live = name, live
        self._frames = frames
        self.notes: list[str] = []
        """Remarks that change nothing: an unknown rate, a stream that came back."""
        self.problems: list[str] = []
        """What went wrong: an end that came too soon, a photo that cannot be read."""
        self.dropped = 0
        """Frames of a live source that passed while another one was counted."""
        self.on_note: Callable[[str], object] | None = None

    def note(self, sentence: str) -> None:
        """Keep a remark and say it at once where somebody listens."""
        self.notes.append(sentence)
        if self.on_note is not None:
            self.on_note(sentence)

    def __iter__(self) -> Iterator[Frame]:
        frames = self._frames(self)
        return _newest(self, frames) if self.live else frames


def open_source(source: str, options: SourceOptions | None = None) -> Source:
    """Return a file, a folder of frames, a webcam (its number) or a stream (RTSP, HTTP) as a source of frames.

    Raises:
        MissingExtraError: PyAV is not installed.
        VideoError: There is no such file or folder.
    """
    options = options or SourceOptions()
    path = Path(source)
    if source.isdigit() or re.match(r"/dev/video\d+$", source):
        return Source(source, _camera(source, options), live=True)
    if "://" in source:
        return Source(source, _stream(source, options), live=_endless(source))
    if path.is_dir():
        return Source(source, _folder(path, options))
    if not path.is_file():
        raise VideoError(
            "expected a video, a folder of frames, a camera's number or an address", f"nothing at {source}"
        )
    return Source(source, _file(source, options))


def sample(frames: Iterable[Frame], every: float) -> Iterator[Frame]:
    """Yield the first frame at or after each multiple of ``every`` seconds, by time, never by number."""
    due = 0.0
    for frame in frames:
        if frame.time >= due - 1e-6:
            yield frame
            due = (np.floor(frame.time / every + 1e-6) + 1) * every if every > 0 else 0.0


def load_av() -> Any:
    """Return PyAV. Raises MissingExtraError where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("Video", "video") from error
    # The log level stays as it is: by default PyAV is silent, and any level set installs a callback that waits
    # for the interpreter's lock, which a codec that is being freed may hold.
    return av


def _open(name: str, **arguments: Any) -> Any:
    """Return an opened container with a video in it. Raises VideoError."""
    av = load_av()
    try:
        container = av.open(name, **arguments)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise VideoError("expected a video or a camera that can be opened", f"{name} ({why})") from error
    if not container.streams.video:
        container.close()
        raise VideoError("expected a video", f"{name} without pictures")
    return container


def _decode(container: Any, source: Source) -> Iterator[tuple[float, Pixels]]:
    """Yield each picture, upright, with its time; an end that comes too soon becomes a problem."""
    av = load_av()
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    rate = float(stream.average_rate or 0)
    begun: float | None = None
    number, last = 0, 0.0
    try:
        for picture in container.decode(stream):
            at = picture.time
            if at is None or (number > 0 and not rate and at == begun):
                if number == 0 or not rate:
                    _note_once(
                        source,
                        f"{source.name} tells no times: {rate or UNKNOWN_RATE:g} frames a second assumed.",
                    )
                at = number / (rate or UNKNOWN_RATE) + (begun or 0.0)
            begun = at if begun is None else begun
            last = max(0.0, at - begun)
            yield last, _upright(picture)
            number += 1
    except (av.error.FFmpegError, OSError) as error:
        why = getattr(error, "strerror", None) or error
        source.problems.append(
            f"expected {source.name} to be whole, but got an end after {number} frames ({why})."
        )
    else:
        _check_length(container, number, last, source)


def _check_length(container: Any, number: int, last: float, source: Source) -> None:
    """Say so where a file holds clearly less time, and fewer frames, than it promises: it was cut short.

    Frames alone do not tell, AVI files may promise ticks of their clock; nor does the time of a file with sound.
    """
    stream = container.streams.video[0]
    promised, seconds = stream.frames, 0.0
    if promised and stream.average_rate:
        seconds = float(promised / stream.average_rate)
    elif len(container.streams) == 1:
        seconds = (container.duration or 0) / 1e6
    whole = last >= 0.97 * seconds - 2 * seconds / max(1, number)
    if source.live or whole or (promised and number >= 0.98 * promised - 1):
        return
    wanted, came = (
        (f"{seconds:.1f} s", f"{last:.1f}") if not promised else (f"{promised} frames", f"{number}")
    )
    source.problems.append(f"expected {wanted} in {source.name}, but got {came}: it was cut short.")


def _note_once(source: Source, sentence: str) -> None:
    if sentence not in source.notes:
        source.note(sentence)


def _upright(picture: Any) -> Pixels:
    """Return a picture as RGB, turned as its display matrix says (degrees counter-clockwise)."""
    pixels: Pixels = picture.to_ndarray(format="rgb24")
    turns = round((picture.rotation or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _file(name: str, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    def frames(source: Source) -> Iterator[Frame]:
        number, start = 0, 0.0
        while True:
            last = start
            with _open(name) as container:
                for at, pixels in _decode(container, source):
                    last = start + at
                    yield Frame(number, last, pixels)
                    number += 1
            if number == 0:
                raise VideoError("expected a video with pictures", f"{name} without any that can be read")
            if not options.loop:
                return
            start = last + 1 / UNKNOWN_RATE

    return frames


def _folder(path: Path, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    def natural(photo: Path) -> list[Any]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", photo.name)]

    def frames(source: Source) -> Iterator[Frame]:
        photos = sorted((p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES), key=natural)
        if not photos:
            raise VideoError(
                f"expected pictures ({', '.join(IMAGE_SUFFIXES)})", f"the folder {path} without any"
            )
        while True:
            for number, photo in enumerate(photos):
                try:
                    yield Frame(number, number / options.fps, read_image(photo).pixels)
                except ImageError as error:
                    source.problems.append(str(error))
            if not options.loop:
                return

    return frames


def _camera(name: str, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    """A webcam by the number or the device that the system gives it."""
    devices = {
        "linux": ("v4l2", f"/dev/video{name}" if name.isdigit() else name),
        "darwin": ("avfoundation", name),
        "win32": ("dshow", f"video={name}"),
    }
    kind, device = devices.get(sys.platform, devices["linux"])
    if kind == "v4l2" and not os.path.exists(device):  # noqa: PTH110
        raise VideoError("expected a camera", f"none at {device}", "Check its number: ls /dev/video*")
    return _live(lambda: _open(device, format=kind, timeout=options.timeout), options)


def _endless(address: str) -> bool:
    """Whether an address is a camera's rather than that of a file on a server."""
    return not re.search(r"\.(mp4|mov|mkv|webm|avi|m4v)(\?|$)", address.lower())


def _stream(address: str, options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    if not _endless(address):
        return _file(address, options)
    how = {"rtsp_transport": "tcp"} if address.startswith("rtsp") else {}
    return _live(lambda: _open(address, options=how, timeout=options.timeout), options)


def _live(connect: Callable[[], Any], options: SourceOptions) -> Callable[[Source], Iterator[Frame]]:
    """Frames by the wall clock; a stream that is lost is reached for again, ever more patiently."""

    def frames(source: Source) -> Iterator[Frame]:
        started, number, failures = time.monotonic(), 0, 0
        container = connect()  # the first failure is the user's to mend: a wrong address is not tried again
        while True:
            problems = len(source.problems)
            with container:
                for _, pixels in _decode(container, source):
                    failures = 0
                    yield Frame(number, time.monotonic() - started, pixels)
                    number += 1
            del source.problems[problems:]
            container = None
            while container is None:
                failures += 1
                if failures > options.retries:
                    source.problems.append(
                        f"expected {source.name} to come back, but got nothing in {options.retries} attempts."
                    )
                    return
                wait = min(2.0 ** (failures - 1), LONGEST_WAIT)
                source.note(f"{source.name} was lost: attempt {failures} in {wait:.0f} s.")
                time.sleep(wait)
                container = _connect_or_none(connect)
            source.note(f"{source.name} is back.")

    return frames


def _connect_or_none(connect: Callable[[], Any]) -> Any:
    try:
        return connect()
    except VideoError:
        return None


def _newest(source: Source, frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield the newest frame each time one is asked for, from a thread that always reads on."""
    state: dict[str, Any] = {"frame": None, "error": None, "ended": False}
    changed = threading.Condition()
    stop = threading.Event()

    def read() -> None:
        try:
            for frame in frames:
                with changed:
                    source.dropped += state["frame"] is not None
                    state["frame"] = frame
                    changed.notify()
                if stop.is_set():
                    break
        except Exception as error:  # handed to the caller's thread
            state["error"] = error
        with changed:
            state["ended"] = True
            changed.notify()

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            with changed:
                changed.wait_for(lambda: state["frame"] is not None or state["ended"])
                frame, state["frame"] = state["frame"], None
            if frame is None:
                if state["error"] is not None:
                    raise state["error"]
                return
            yield frame
    finally:
        stop.set()
