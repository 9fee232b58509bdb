"""Frames of an opened film: upright, with times that go on, past damaged packets and jumps of the clock.

Decoded by PyAV (FFmpeg): it gives the time of every frame (variable rates, files that claim 0 frames a second),
the display matrix of phones, and gives up on a dead stream after a time-out.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import CrowdscaleError, MissingExtraError
from crowdscale.files.decoder import MAX_PIXELS
from crowdscale.video.display import Display

__all__ = [
    "UNKNOWN_RATE",
    "Clock",
    "Decoded",
    "Listener",
    "VideoError",
    "decode",
    "load_av",
    "open_container",
]

Pixels = NDArray[np.uint8]

UNKNOWN_RATE = 25.0
"""Frames a second where a file names none."""
JUMP = 10.0
"""Seconds ahead that are a jump of the clock in streams that may jump: FFmpeg's own limit."""
LONG_JUMP = 3600.0
"""The same in files whose clock should not jump: frames of a slow recording may lie minutes apart."""
MOST_BAD = 500
"""Packets in a row that cannot be decoded, after which a film has ended."""
MOST_UNREAD = 20
"""Times in a row that a file cannot be read on, after which it has ended."""


class VideoError(CrowdscaleError):
    """A video or a camera that cannot be opened or read."""


class Listener(Protocol):
    """A source of frames: keeps remarks and problems."""

    name: str
    live: bool
    problems: list[str]
    recorded: float | None

    def note(self, sentence: str) -> None:
        """Keep a remark."""
        ...

    def note_once(self, sentence: str) -> None:
        """Keep a remark, unless it was made before."""
        ...


class Decoded(NamedTuple):
    """One frame of a film."""

    time: float
    """Seconds since the first one."""
    pixels: Pixels
    damaged: bool
    """Whether packets since the last key frame were damaged."""


def load_av() -> Any:
    """Return PyAV. Raises MissingExtraError where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("Video", "video") from error
    # The log level stays as it is: by default PyAV is silent, and any level set installs a callback that waits
    # for the interpreter's lock, which a codec that is being freed may hold.
    return av


def open_container(address: Any, *, name: str = "", **arguments: Any) -> Any:
    """Return an opened container with a video in it, from an address or an open file. Raises VideoError.

    Args:
        address: An address, a path or an open file.
        name: In sentences; the address by default.
        arguments: Of ``av.open``.
    """
    av = load_av()
    name = name or str(address)
    try:
        container = av.open(address, **arguments)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise VideoError("expected a video or a camera that can be opened", f"{name} ({why})") from error
    if not container.streams.video:
        container.close()
        raise VideoError("expected a video", f"{name} without pictures")
    return container


@dataclass
class Clock:
    """Times from 0 that never go back, and go on where the film's own clock jumps.

    Args:
        rate: Frames a second, for frames without a time and across a jump.
        jump: Seconds ahead that are a jump.
    """

    rate: float
    jump: float
    jumped: float | None = None
    """Seconds of the first jump."""
    missing: bool = False
    """Whether a frame had no time."""
    first: float | None = None
    """The film's own time of its first frame."""
    last: float | None = None
    _shift: float = 0.0

    def at(self, stamp: float | None) -> float:
        """Return the time of the next frame, whose own time is ``stamp`` seconds, or unknown."""
        steady = self._steady_time()
        if stamp is None or not np.isfinite(stamp):
            self.missing = True
            self.last = steady
            return self.last
        if self.first is None:
            self.first = stamp - steady
        time = stamp - self.first + self._shift
        if self.last is not None and (time < self.last - 1e-6 or time > self.last + self.jump):
            self.jumped = time - self.last if self.jumped is None else self.jumped
            self._shift += steady - time
            time = steady
        self.last = max(0.0, time)
        return self.last

    def _steady_time(self) -> float:
        """Return the time of the next frame by the rate alone: 0 for the first one."""
        step = 1 / self.rate
        return 0.0 if self.last is None else self.last + step


def decode(container: Any, source: Listener, fps: float | None = None) -> Iterator[Decoded]:
    """Yield each frame; passed-over damage becomes a note of the source, an early end a problem.

    Args:
        container: An opened film.
        source: Keeps the remarks.
        fps: Frames a second of a film, in place of its own times; None takes those, and for a film without times the rate
            that its header names, else 25.
    """
    try:
        yield from _frames(container, source, fps)
    finally:
        gc.collect()  # the first frame and its side data hold each other: see ``Display``


def _frames(container: Any, source: Listener, fps: float | None) -> Iterator[Decoded]:
    stream = _film(container)
    stream.thread_type = "AUTO"
    timing = _Timing(container, stream, source, fps)
    reader = _Reader(container, stream, source)
    number, display = 0, Display()
    for picture in reader.pictures():
        time = timing.at(picture.time)
        _check_size(picture, source)
        yield Decoded(time, display.upright(picture), reader.damaged)
        number += 1
    reader.summarize()
    if not reader.ended_early:
        _check_length(container, stream, number, timing.clock, source)


TS_DISCONT = 0x200
"""FFmpeg's mark of a format whose clock may jump."""
NO_TIMES = 0x80
"""FFmpeg's mark of a format without times: raw streams."""


class _Timing:
    """The times of a film's frames, and the remarks on them.

    Args:
        container: An opened film.
        stream: Its video.
        source: Keeps the remarks.
        fps: Frames a second in place of the film's own times; None takes those. A raw stream has the rate that its
            header names, else 25.
    """

    def __init__(self, container: Any, stream: Any, source: Listener, fps: float | None) -> None:
        flags = int(getattr(container.format, "flags", 0))
        self.source, self.raw = source, bool(flags & NO_TIMES)
        self.fixed = self.raw and fps is not None
        self.rate = fps if fps is not None and self.raw else float(stream.average_rate or 0)
        self.clock = Clock(self.rate or UNKNOWN_RATE, JUMP if flags & TS_DISCONT else LONG_JUMP)
        self._first: float | None = None
        self._begun = False
        self._given = None if self.raw or source.live else fps
        self._number = 0
        if self._given is not None:
            source.note_once(f"{source.name} gets {fps:g} frames a second (--fps), not its own times.")

    def at(self, stamp: float | None) -> float:
        """Return the time of the next frame, whose own time is ``stamp`` seconds, or unknown."""
        if self._given is not None:
            self.clock.at(stamp)  # by which it is seen whether the film was cut short
            self._number += 1
            return (self._number - 1) / self._given
        time = self.clock.at(self._own(stamp))
        self.clock.missing = (self.clock.missing or self.raw) and not (self.fixed or self.source.live)
        _tell_of_clock(self.clock, self.source, " (--fps)" if self.raw else "")
        return time

    def _own(self, stamp: float | None) -> float | None:
        """Return a frame's own time; None in a raw stream, which gives each frame the same one."""
        same = self._begun and not self.rate and stamp == self._first
        stamp = None if self.fixed or same else stamp
        self._first = self._first if self._begun else stamp
        self._begun = True
        return stamp


def _film(container: Any) -> Any:
    """Return the first video of a container that is no cover picture."""
    av = load_av()
    films = [
        each for each in container.streams.video
        if not (getattr(each, "disposition", 0) & av.stream.Disposition.attached_pic)
    ]  # fmt: skip
    return films[0] if films else container.streams.video[0]


def _check_size(picture: Any, source: Listener) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise VideoError(
            f"expected frames of at most {MAX_PIXELS / 1e6:.0f} megapixels",
            f"{picture.width}×{picture.height} in {source.name}",
        )


def _tell_of_clock(clock: Clock, source: Listener, remedy: str) -> None:
    """Note, once, that times are missing or that the clock jumped."""
    if clock.missing:
        clock.missing = False
        source.note_once(f"{source.name} has no times: {clock.rate:g} frames a second assumed{remedy}.")
    if clock.jumped is not None and np.isfinite(clock.jumped):
        way = "ahead" if clock.jumped > 0 else "back"
        source.note_once(
            f"The clock of {source.name} jumped {abs(clock.jumped):.1f} s {way} at {clock.last or 0:.1f} s: times continue.",
        )
        clock.jumped = float("nan")


class _Reader:
    """Reads and decodes packets one by one, so that a damaged one costs itself alone."""

    def __init__(self, container: Any, stream: Any, source: Listener) -> None:
        self.container, self.stream, self.source = container, stream, source
        self.damaged = False
        """Whether the picture last yielded may be damaged."""
        self.bad = 0
        self.without_key = 0
        """Packets before the first key frame."""
        self.ended_early = False
        self._given = 0

    def pictures(self) -> Iterator[Any]:
        """Yield pictures as they come."""
        key_seen, bad_in_a_row = False, 0
        for packet in self._packets():
            if not key_seen and packet.size:
                key_seen = packet.is_keyframe
                self.without_key += not key_seen
            pictures = self._decoded(packet)
            if pictures is None:
                bad_in_a_row += 1
                if bad_in_a_row >= MOST_BAD:
                    self._end("hundreds of packets in a row that cannot be decoded")
                    return
                continue
            bad_in_a_row = 0
            yield from self._marked(pictures)

    def _marked(self, pictures: list[Any]) -> Iterator[Any]:
        for picture in pictures:
            corrupt = bool(getattr(picture, "is_corrupt", False))
            self.damaged = corrupt or (self.damaged and not picture.key_frame)
            self.bad += corrupt
            self._given += 1
            yield picture

    def _decoded(self, packet: Any) -> list[Any] | None:
        """Return the pictures of a packet; None where it is damaged."""
        av = load_av()
        try:
            return list(packet.decode())
        except EOFError:
            return []
        except (av.error.FFmpegError, ValueError) as error:
            if self._given or not self.without_key:  # before its first key frame a film cannot be decoded
                self.bad += 1
                self.damaged = True
                if self.bad == 1:
                    why = getattr(error, "strerror", None) or error
                    self.source.note(f"{self.source.name} has damaged packets ({why}): counting continues.")
            return None

    def _packets(self) -> Iterator[Any]:
        """Yield packets; a file that cannot be read at one place is read on behind it."""
        av = load_av()
        unread = 0
        while True:
            try:
                for packet in self.container.demux(self.stream):
                    unread = 0
                    yield packet
                return
            except EOFError:
                return
            except av.error.InvalidDataError as error:
                unread += 1
                self.bad += 1
                self.damaged = True
                if self.source.live or unread > MOST_UNREAD:
                    self._end(error.strerror or str(error))
                    return
            except (av.error.FFmpegError, OSError) as error:
                self._end(getattr(error, "strerror", None) or str(error))
                return

    def _end(self, why: str) -> None:
        self.ended_early = True
        self.source.problems.append(
            f"expected {self.source.name} to be whole, but got an end after {self._given} frames ({why})."
        )

    def summarize(self) -> None:
        """Note how much of a whole film was damaged, and a beginning that cannot be decoded."""
        if self.source.live:
            return
        if self.without_key:
            self.source.note(
                f"{self.source.name} begins without a key frame: {self.without_key} frames before the first one are left out."
            )
        if self.bad:
            parts = "packet or frame" if self.bad == 1 else "packets or frames"
            self.source.note(f"{self.source.name} has {self.bad} damaged {parts}.")


def _check_length(container: Any, stream: Any, number: int, clock: Clock, source: Listener) -> None:
    """Add a problem where a file holds clearly less time, and fewer frames, than it promises: it was cut short.

    Neither number is enough alone: AVI files may promise ticks of their clock, and the time of a file may be that of
    its sound. After a jump of the clock no time is compared.
    """
    if source.live or clock.jumped is not None:
        return
    promised = stream.frames
    seconds, skipped = _promised_time(container, stream, clock)
    last = skipped + (clock.last or 0.0)
    if last >= 0.97 * seconds - 2 * seconds / max(1, number) or (promised and number >= 0.98 * promised - 1):
        return
    wanted = f"{promised} frames" if promised else f"{seconds:.1f} s"
    came = f"{number}" if promised else f"{last:.1f}"
    source.problems.append(f"expected {wanted} in {source.name}, but got {came}: it was cut short.")


def _promised_time(container: Any, stream: Any, clock: Clock) -> tuple[float, float]:
    """Return the seconds that a file promises, 0 where it promises none, and those before its first frame."""
    if stream.frames and stream.average_rate:
        return float(stream.frames / stream.average_rate), 0.0
    if len(container.streams) != 1:
        return 0.0, 0.0
    begun = (getattr(container, "start_time", None) or 0) / 1e6
    return (container.duration or 0) / 1e6, max(0.0, (clock.first or 0.0) - begun)
