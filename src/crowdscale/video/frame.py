"""Frame and Source: what a film, a camera or a folder of photos gives, and the remarks on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import OptionError, without_password

__all__ = ["Frame", "Source", "SourceOptions", "sample"]

Pixels = NDArray[np.uint8]


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


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened."""

    fps: float = 1.0
    """Frames a second of a folder of photos, and of an address that sends one photo at a time."""
    timeout: float = 10.0
    """Seconds after which a silent stream is lost."""
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
        """Remarks: an unknown rate, a stream that came back, damaged packets that were passed over."""
        self.problems: list[str] = []
        """Faults: an end that came too soon, a photo that cannot be read."""
        self.dropped = 0
        """Frames of a live source that passed while another one was counted."""
        self.on_note: Callable[[str], object] | None = None

    def note(self, sentence: str) -> None:
        """Keep a remark and hand it on at once where somebody listens."""
        sentence = without_password(sentence)
        self.notes.append(sentence)
        if self.on_note is not None:
            self.on_note(sentence)

    def note_once(self, sentence: str) -> None:
        """As ``note``, unless the same remark was made before."""
        if without_password(sentence) not in self.notes:
            self.note(sentence)

    def __iter__(self) -> Iterator[Frame]:
        frames = self._frames(self)
        return _newest(self, frames) if self.live else frames


def sample(frames: Iterable[Frame], every: float) -> Iterator[Frame]:
    """Yield the first frame at or after each multiple of ``every`` seconds, by time, never by number."""
    due = 0.0
    for frame in frames:
        if frame.time >= due - 1e-6:
            yield frame
            due = (np.floor(frame.time / every + 1e-6) + 1) * every if every > 0 else 0.0


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
