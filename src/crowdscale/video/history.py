"""Counts of a watch that may never end: sums, extremes and lines to draw, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["History"]

Floats = NDArray[np.float64]

MOST = 16_384
"""Samples kept a line; when there are as many, each four become two: their lowest and their highest."""


@dataclass
class History:
    """The counts of a watch so far."""

    number: int = 0
    """Of counts."""
    people: float = 0.0
    """Sum of the counts."""
    least: float = float("inf")
    most: float = float("-inf")
    seconds: float = 0.0
    """Sum of the time that counting took."""
    last: float = 0.0
    """Time of the last count."""
    names: tuple[str, ...] = ()
    """Of the lines."""
    _kept: list[Floats] = field(default_factory=list)
    """(2, 1 + lines) the time and values of two samples that stand for the last ``_each`` ones."""
    _new: list[tuple[float, ...]] = field(default_factory=list)
    _each: int = 2

    def add(self, time: float, seconds: float, lines: Mapping[str, float]) -> None:
        """Take in a count; ``lines`` holds it under ``people``, and the same further names each time."""
        people = lines["people"]
        self.number, self.people = self.number + 1, self.people + people
        self.least, self.most = min(self.least, people), max(self.most, people)
        self.seconds, self.last = self.seconds + seconds, time
        self.names = tuple(lines)
        self._new.append((time, *lines.values()))
        if len(self._new) == self._each:
            self._kept.append(_two(np.array(self._new)))
            self._new = []
        if 2 * len(self._kept) == MOST:
            fours = np.concatenate(self._kept).reshape(-1, 4, 1 + len(self.names))
            self._kept, self._each = [_two(four) for four in fours], 2 * self._each

    def lines(self) -> tuple[Floats, dict[str, Floats]]:
        """Return the (n,) times and the (n,) values of each line, no peak left out."""
        width = 1 + len(self.names)
        rows = np.concatenate([np.empty((0, width)), *self._kept, np.reshape(self._new, (-1, width))])
        return rows[:, 0], dict(zip(self.names, rows[:, 1:].T, strict=True))


def _two(samples: Floats) -> Floats:
    """Return two samples for several: the lowest and the highest of each line, in their order."""
    values = samples[:, 1:]
    low, high = values.min(axis=0), values.max(axis=0)
    falls = values.argmax(axis=0) < values.argmin(axis=0)
    times = samples[[0, len(samples) // 2], :1]
    return np.hstack([times, [np.where(falls, high, low), np.where(falls, low, high)]])
