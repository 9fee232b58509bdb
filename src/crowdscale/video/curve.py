"""The people of a camera over the last hour or day, in bins: memory does not grow."""

from __future__ import annotations

import threading
from collections import deque

from crowdscale.counting.camera_table import BinRecord

__all__ = ["Curve"]


class Curve:
    """Counts by the time at which they were taken, in bins of equal length.

    Args:
        seconds: Length of a bin.
        most: Bins that are kept.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds = seconds
        self._bins: deque[BinRecord] = deque(maxlen=most)
        self._lock = threading.Lock()

    def add(self, at: float, people: float) -> None:
        """Take in a count.

        Args:
            at: Unix seconds; bins beyond them are dropped, since the clock was set back.
            people: In the frame.
        """
        begin = at // self.seconds * self.seconds
        with self._lock:
            while self._bins and self._bins[-1].begin > begin:
                self._bins.pop()
            if not self._bins or self._bins[-1].begin < begin:
                self._bins.append(BinRecord(begin, people, people, people, 1))
                return
            last = self._bins[-1]
            mean = last.mean + (people - last.mean) / (last.counts + 1)
            self._bins[-1] = BinRecord(
                begin, mean, min(last.low, people), max(last.high, people), last.counts + 1
            )

    def bins(self) -> list[BinRecord]:
        """Return the bins with a count, the oldest first."""
        with self._lock:
            return list(self._bins)
