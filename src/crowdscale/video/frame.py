"""Frame and Source: what a film, a camera or a folder of photos gives, and the remarks on it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import OptionError, without_password

__all__ = ["Frame", "Source", "SourceOptions", "sample"]

Pixels = NDArray[np.uint8]

UNTIMED_RATE = 1.0
"""Frames a second of photos without times."""
MOST_NOTES = 500
"""Remarks that are kept: a camera that is lost each second for a year fills no memory."""
SELDOM = 60.0
"""Seconds between two remarks of a kind that may come each second."""
READER = "crowdscale-frames"
"""Name of the threads that read on while frames are counted."""
LOOK = 0.5
"""Seconds between two checks whether a silent source is stopped."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One photo of a video."""

    index: int
    """Its number in the source, from 0."""
    time: float
    """Seconds since the first frame, by the source's own clock; by the wall clock for cameras."""
    pixels: Pixels
    """(h, w, 3) RGB uint8, upright."""
    damaged: bool = False
    """Whether the film is damaged here: the photo may be incomplete."""
    notes: tuple[str, ...] = ()
    """Sentences of the reader of a photo in a folder."""
    arrived: float | None = None
    """Unix seconds at which a camera's frame arrived; None for films."""


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened."""

    fps: float | None = None
    """Frames a second where frames have no times: of a folder of photos, of a raw stream, of an address that sends
    one photo at a time. None: 1, and 25 for a raw stream."""
    timeout: float = 10.0
    """Seconds after which a silent stream is lost."""
    retries: int | None = 10
    """Attempts in a row to reach a lost stream again; None never gives up."""
    loop: bool = False
    """Begin a file again at its end."""

    def __post_init__(self) -> None:
        rate = UNTIMED_RATE if self.fps is None else self.fps
        if not 0 < rate < math.inf or not 0 < self.timeout < math.inf or (self.retries or 0) < 0:
            raise OptionError(
                "expected fps > 0, timeout > 0 and retries >= 0",
                f"{self.fps}, {self.timeout}, {self.retries}",
            )

    @property
    def photo_rate(self) -> float:
        """Frames a second of photos without times."""
        return UNTIMED_RATE if self.fps is None else self.fps


class Source:
    """Frames, and remarks on them.

    Args:
        name: A path or an address; a password in it is not kept.
        frames: Opens the source and yields its frames, closing it at the end.
        live: Whether frames are lost when nobody takes them.
    """

    def __init__(self, name: str, frames: Callable[[Source], Iterator[Frame]], live: bool = False) -> None:
        self.name, self.live = without_password(name), live
        self._frames = frames
        self.notes: list[str] = []
        """The last remarks: an unknown rate, a stream that came back, damaged packets that were passed over."""
        self.problems: list[str] = []
        """Faults: an end that came too soon, a photo that cannot be read."""
        self.dropped = 0
        """Frames of a live source that passed while another one was counted."""
        self.lost = False
        """Whether a live source is away."""
        self.reconnects = 0
        """Times that a lost source was reached again."""
        self.recorded: float | None = None
        """Unix seconds of the first frame by a film's own record."""
        self.on_note: Callable[[str], object] | None = None
        self._held: list[str] | None = None
        self._seldom: dict[str, tuple[float, int]] = {}
        self.stopping = threading.Event()
        """Set once nobody wants further frames of a live source."""

    def note(self, sentence: str) -> None:
        """Keep a remark and hand it on at once where somebody listens."""
        sentence = without_password(sentence)
        if self._held is not None:
            self._held.append(sentence)
            return
        self.notes.append(sentence)
        del self.notes[:-MOST_NOTES]
        if self.on_note is not None:
            self.on_note(sentence)

    def note_once(self, sentence: str) -> None:
        """As ``note``, unless the same remark was made before."""
        if without_password(sentence) not in (*self.notes, *(self._held or ())):
            self.note(sentence)

    def note_seldom(self, kind: str, sentence: str) -> None:
        """As ``note``, at most once in ``SELDOM`` seconds a kind; the next one says how many were left out."""
        now = time.monotonic()
        before, left_out = self._seldom.get(kind, (-SELDOM, 0))
        if now - before < SELDOM:
            self._seldom[kind] = (before, left_out + 1)
            return
        self._seldom[kind] = (now, 0)
        more = f" {left_out} more such notes were left out." if left_out else ""
        self.note(sentence + more)

    def stop(self) -> None:
        """End a live source: its next frame is the last one that anybody waits for."""
        self.stopping.set()

    def hold_notes(self) -> None:
        """Keep remarks back until it is known whether they are of use."""
        self._held = []

    def tell_notes(self) -> None:
        """Make the remarks that were kept back."""
        held, self._held = self._held or [], None
        for sentence in held:
            self.note(sentence)

    def drop_notes(self) -> None:
        """Forget the remarks that were kept back."""
        self._held = None

    def __iter__(self) -> Iterator[Frame]:
        frames = self._frames(self)
        return _newest(self, frames) if self.live else frames


def sample(frames: Iterable[Frame], every: float, after: tuple[int, float] | None = None) -> Iterator[Frame]:
    """Yield the first frame at or after each multiple of ``every`` seconds, by time, never by number.

    Args:
        frames: All frames of a source.
        every: Seconds between two samples; 0 yields every frame.
        after: Number and time of a frame that was counted before, after which to go on.
    """

    def next_due(time: float) -> float:
        return float(np.floor(time / every + 1e-6) + 1) * every if every > 0 else 0.0

    due = 0.0 if after is None else next_due(after[1])
    for frame in frames:
        if frame.time >= due - 1e-6 and (after is None or frame.index > after[0]):
            yield frame
            due = next_due(frame.time)


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

    threading.Thread(target=read, name=READER, daemon=True).start()
    try:
        while True:
            with changed:
                while not changed.wait_for(lambda: state["frame"] is not None or state["ended"], LOOK):
                    if source.stopping.is_set():
                        return
                frame, state["frame"] = state["frame"], None
            if frame is None:
                if state["error"] is not None:
                    raise state["error"]
                return
            yield frame
    finally:
        stop.set()
