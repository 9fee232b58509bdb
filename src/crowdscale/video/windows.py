"""Sampled watching: one minute in five, say, from a random begin on, for marches and cameras of hours."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from crowdscale.errors import OptionError
from crowdscale.video.frame import Frame

__all__ = ["Windows"]

LEAD = 5.0
"""Seconds before a window in which heads are followed already: who stands at a line when it begins has a track."""


@dataclass(frozen=True)
class Windows:
    """The times that are counted.

    Raises:
        OptionError: A window is not shorter than its period.
    """

    length: float
    """Seconds of a window."""
    period: float
    """Seconds from one begin to the next."""
    begin: float
    """Seconds at which a window begins. Drawn at random from 0 to ``period``, each time is as likely to be counted."""

    def __post_init__(self) -> None:
        if not 0 < self.length < self.period or not 0 <= self.begin < self.period:
            raise OptionError(
                "expected a window shorter than its period that begins within it",
                f"{self.length:g} of {self.period:g} s from {self.begin:g} s on",
                "Write 1m/5m: one minute in five",
            )

    @classmethod
    def drawn(cls, length: float, period: float) -> Windows:
        """Return windows with a random begin, in whole seconds."""
        return cls(length, period, float(random.SystemRandom().randrange(max(1, int(period)))))

    def __str__(self) -> str:
        return f"{self.length:g}s/{self.period:g}s@{self.begin:g}s"

    def phase(self, time: float) -> Literal["counted", "lead", "passed over"]:
        """Return what happens with a frame: counted, only followed just before a window, or passed over."""
        into = (time - self.begin + 1e-6) % self.period
        if into < self.length:
            return "counted"
        return "lead" if self.period - into <= LEAD else "passed over"

    def choose(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames that are not passed over."""
        return (frame for frame in frames if self.phase(frame.time) != "passed over")
