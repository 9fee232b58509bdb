"""A bounded queue before one worker thread: what is cancelled stops costing, what is accepted is finished."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from time import perf_counter
from typing import TypeVar

from crowdscale.errors import CrowdscaleError

__all__ = ["BusyError", "CancelledWorkError", "Line"]

Result = TypeVar("Result")

Work = Callable[[threading.Event], Result]
"""Work that ends early, with ``CancelledWorkError``, once the event is set."""

FIRST_GUESS = 2.0
"""Seconds that a photo takes, until one was measured."""
SMOOTHING = 0.3
"""Weight of the newest duration in their running mean."""


class BusyError(CrowdscaleError):
    """The queue is full.

    Args:
        seconds: After which a place is likely to be free.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__("The service is busy", "", f"Try again in {seconds} s")
        self.seconds = seconds


class CancelledWorkError(Exception):
    """Nobody waits for this work any more."""


class Line:
    """Runs one piece of work at a time, with at most ``waiting`` more in the queue.

    Args:
        waiting: Places in the queue.
    """

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        self.accepted = 0
        """Work that runs or waits."""
        self.mean = FIRST_GUESS
        """Running mean of the seconds that work takes."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="count")

    async def run(self, work: Work[Result]) -> Result:
        """Return what the work returns, once it had its turn.

        Where the caller is cancelled, waiting work is never begun and running work is asked to stop.

        Raises:
            BusyError: The queue is full.
        """
        if self.accepted > self.waiting:
            raise BusyError(max(1, ceil(self.mean * self.accepted)))
        self.accepted += 1
        loop, stop = asyncio.get_running_loop(), threading.Event()
        future: Future[Result] = self._pool.submit(self._timed, work, stop)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            stop.set()
            future.cancel()
            raise

    def close(self) -> None:
        """Finish what was accepted and end the thread."""
        self._pool.shutdown(wait=True)

    def _leave(self) -> None:
        self.accepted -= 1

    def _timed(self, work: Work[Result], stop: threading.Event) -> Result:
        if stop.is_set():
            raise CancelledWorkError
        started = perf_counter()
        result = work(stop)
        self.mean += SMOOTHING * (perf_counter() - started - self.mean)
        return result
