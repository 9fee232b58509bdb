"""Smoothing of counts over time that does not lag on steps: a mean that begins anew when the crowd changes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from crowdscale.errors import OptionError

__all__ = ["StepMean"]

MEMORY = 40
"""Successive differences from which the noise is measured."""
KNOWN = 8
"""Differences before which the noise is taken to be that of the first counts."""


@dataclass
class StepMean:
    """A causal mean of counts that follows a step within two samples.

    Counts are averaged (at most the last ``window`` weigh in). A count more than ``limit`` times the noise
    away is held back; if the next one lies off on the same side, the mean begins anew with both (with the
    newer alone where the two differ by more than noise), otherwise the lone one was an outlier and is left out. The noise is a robust one, of successive differences
    (1.4826 · median |Δ| / √2), so that a step does not raise it. On steady counts with noise of variance v the
    variance falls to about v / window.
    """

    window: int = 10
    """Samples that the mean remembers."""
    limit: float = 3.0
    """Multiples of the noise beyond which a count is no noise."""
    floor: float = 0.02
    """Noise taken for granted, as a share of the count; and never below half a person."""
    mean: float = float("nan")
    _weight: int = 0
    _held: float | None = None
    _last: float | None = None
    _steps: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))

    def __post_init__(self) -> None:
        if self.window < 1 or self.limit <= 0 or self.floor < 0:
            raise OptionError(
                "expected window >= 1, limit > 0 and floor >= 0", f"{self.window}, {self.limit}, {self.floor}"
            )

    def update(self, count: float) -> float:
        """Take in the next count and return the smoothed one."""
        if self._last is not None:
            self._steps.append(abs(count - self._last))
        self._last = count
        if not self._weight:
            return self._begin(count)
        off = count - self.mean
        if abs(off) <= self.limit * self._noise():
            self._held = None
            self._weight = min(self._weight + 1, self.window)
            self.mean += off / self._weight
        elif self._held is not None and (self._held - self.mean) * off > 0:
            agree = abs(self._held - count) <= self.limit * 2**0.5 * self._noise()
            self._begin(*(((self._held + count) / 2, 2) if agree else (count, 1)))
        else:
            self._held = count
        return self.mean

    def _begin(self, mean: float, weight: int = 1) -> float:
        self.mean, self._weight, self._held = mean, weight, None
        return mean

    def _noise(self) -> float:
        least = max(0.5, self.floor * abs(self.mean))
        if len(self._steps) < KNOWN:
            return max(least, 0.1 * abs(self.mean))
        return max(least, 1.4826 * float(np.median(self._steps)) / 2**0.5)
