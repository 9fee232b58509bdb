"""Many photos counted in threads: results in order, errors among them, a few photos in memory at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from crowdscale.errors import CrowdscaleError, ImageError

__all__ = ["AHEAD", "in_order"]

Result = TypeVar("Result")

AHEAD = 2
"""Photos a worker that are begun before the result of the first of them is taken."""


def in_order(
    work: Callable[[Any], Result | CrowdscaleError], sources: Iterable[Any], workers: int
) -> Iterator[Result | CrowdscaleError]:
    """Yield the result of each source in order, an error of the photo in its place.

    Sources are taken as results are: at most ``AHEAD`` for each worker. An error of ``sources`` itself is raised after
    the results of those before it.

    Args:
        work: Returns the result of a source.
        sources: Any iterable, without end too.
        workers: Threads.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="crowdscale")
    begun: deque[Future[Result | CrowdscaleError]] = deque()
    try:
        stopped: BaseException | None = None
        iterator = iter(sources)
        while True:
            while stopped is None and len(begun) < AHEAD * workers:
                try:
                    begun.append(pool.submit(work, next(iterator)))
                except StopIteration as end:
                    stopped = end
                except Exception as error:  # of the caller's iterable
                    stopped = error
            if not begun:
                break
            yield _outcome(begun.popleft())
        if stopped is not None and not isinstance(stopped, StopIteration):
            raise stopped
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _outcome(begun: Future[Result | CrowdscaleError]) -> Result | CrowdscaleError:
    """Return a result, or the error of its photo. Any other error is a defect and is raised."""
    try:
        return begun.result()
    except CrowdscaleError as error:
        return error
    except (OSError, MemoryError) as error:
        return ImageError.plain(f"cannot count a photo: {str(error) or 'too little memory'}")
