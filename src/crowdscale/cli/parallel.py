"""Work on several items in parallel threads, which Ctrl-C ends without losing results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from typing import TypeVar

__all__ = ["in_parallel"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    items: Sequence[Item],
    work: Callable[[Item], Result],
    workers: int,
    on_done: Callable[[], object],
    on_stop: Callable[[], object],
) -> tuple[list[Result], bool]:
    """Return the results in the order of the items, and whether Ctrl-C stopped the work.

    The first Ctrl-C lets the items in work finish. The second returns without them. An error of ``work`` is raised.

    Args:
        items: What to work on.
        work: Returns the result of an item.
        workers: Number of threads.
        on_done: Called after each item.
        on_stop: Called after the first Ctrl-C.
    """
    pool, stopped = ThreadPoolExecutor(workers), False
    waiting: list[Future[Result]] = []
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
        for done in as_completed(waiting):
            done.result()
            on_done()
    except KeyboardInterrupt:
        stopped = True
        with suppress(KeyboardInterrupt):
            on_stop()
            pool.shutdown(cancel_futures=True)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [done.result() for done in waiting if done.done() and not done.cancelled()], stopped
