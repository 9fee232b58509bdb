"""Turns: who shares one model counts one frame at a time, in the order in which it was asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import Predictor

__all__ = ["InTurn", "Turns"]


class Turns:
    """One count at a time, in the order in which they were asked for: each camera gets its fair share."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until those who asked before are done."""
        mine = object()
        with self._changed:
            self._waiting.append(mine)
            self._changed.wait_for(lambda: self._waiting[0] is mine)
        try:
            yield
        finally:
            with self._changed:
                self._waiting.popleft()
                self._changed.notify_all()


class InTurn:
    """A predictor that waits for its turn.

    Args:
        predictor: Counts.
        turns: Shared by the cameras.
    """

    def __init__(self, predictor: Predictor, turns: Turns) -> None:
        self._predictor, self._turns = predictor, turns

    def predict(self, source: Any) -> Prediction:
        """Return the people in (h, w, 3) RGB pixels."""
        with self._turns.turn():
            return self._predictor.predict(source)

    def with_options(self, **changes: Any) -> InTurn:
        """Return the same with other options."""
        return InTurn(self._predictor.with_options(**changes), self._turns)
