"""Hostile inputs in a process of their own: crashes and hangs are counted, and the next input goes on."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdscale.errors import CrowdscaleError

__all__ = ["Tally", "run_isolated"]

HANG = 5.0
"""Seconds of processor time after which an input is a hang."""
STILL = 60.0
"""Seconds after which an input is a hang whatever it computes; also the limit of the first input, with which a reader
imports what it needs and loads a model."""
TICKS = os.sysconf("SC_CLK_TCK")
GROWTH = 500
"""Megabytes by which one input may raise the largest memory without a word."""


@dataclass(frozen=True)
class Tally:
    """What became of the inputs."""

    read: int = 0
    refused: int = 0
    other: int = 0
    """Exceptions that are no sentence."""
    crash: int = 0
    hang: int = 0
    slowest: float = 0.0
    """Seconds of processor time."""
    memory: float = 0.0
    """Largest, in MB."""
    faults: tuple[int, ...] | list[int] = ()
    """Numbers of the inputs with an exception, a crash or a hang."""

    @property
    def inputs(self) -> int:
        """All that were tried."""
        return self.read + self.refused + self.other + self.crash + self.hang

    def plus(self, more: Tally) -> Tally:
        """Return the counts of both."""
        return Tally(
            *(getattr(self, name) + getattr(more, name) for name in COUNTED),
            round(max(self.slowest, more.slowest), 3),
            round(max(self.memory, more.memory)),
            [*self.faults, *more.faults],
        )

    __add__ = plus

    def without_faults(self) -> Tally:
        """Return the counts of the inputs that were read and refused."""
        return Tally(self.read, self.refused, slowest=self.slowest, memory=self.memory)

    def row(self) -> list[str]:
        """Return the numbers as texts: of inputs, of each outcome, seconds, MB."""
        counts = (f"{getattr(self, name):,}" for name in COUNTED)
        return [f"{self.inputs:,}", *counts, f"{self.slowest:.2f}", f"{self.memory:.0f}"]


COUNTED = ("read", "refused", "other", "crash", "hang")


def run_isolated(
    name: str, make: Callable[[int], Path], read: Callable[[Path], object], inputs: Sequence[int]
) -> Tally:
    """Read each input; one that ends the process or hangs is printed and passed over.

    Args:
        name: Of the format, in what is printed.
        make: Writes the input of a number.
        read: Raises CrowdscaleError for a bad file.
        inputs: Numbers in ascending order.
    """
    context = multiprocessing.get_context("fork")
    # five counts, the slowest, the largest memory; the number, its start and its CPU time
    shared = context.Array("d", len(COUNTED) + 5, lock=False)
    faults = context.SimpleQueue()
    wrong: list[int] = []
    numbers = inputs
    while len(numbers):
        shared[-3:] = numbers[0], time.monotonic(), 0.0
        child = context.Process(target=_work, args=(name, make, read, numbers, shared, faults))
        child.start()
        hangs = False
        while child.is_alive() and not hangs:
            child.join(0.5)
            wrong += _taken(faults)
            hangs = _hangs(child.pid or 0, shared, numbers[0])
        if hangs:
            child.kill()
            child.join()
        elif child.exitcode == 0:
            break
        at = int(shared[-3])
        print(
            f"{name}: input {at} {'hangs' if hangs else f'ends the process ({child.exitcode})'}",
            file=sys.stderr,
        )
        shared[4 if hangs else 3] += 1
        wrong.append(at)
        numbers = [number for number in inputs if number > at]
    wrong += _taken(faults)
    return Tally(*(int(value) for value in shared[:5]), shared[5], shared[6], sorted(wrong))


def _taken(faults: Any) -> Iterator[int]:
    while not faults.empty():
        yield faults.get()


def _hangs(process: int, shared: Any, first: int) -> bool:
    """Return whether the input that a process reads takes too long."""
    number, spent = shared[-3], shared[-1]
    try:
        used = sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]))
    except FileNotFoundError:
        return False
    slow = number != first and used / TICKS - spent > HANG
    return bool(shared[-3] == number and (slow or time.monotonic() - shared[-2] > STILL))


def _work(
    name: str,
    make: Callable[[int], Path],
    read: Callable[[Path], object],
    numbers: Sequence[int],
    shared: Any,
    faults: Any,
) -> None:
    gc.freeze()  # what the parent loaded need not be walked after each film
    warnings.simplefilter("ignore")
    for number in numbers:
        path = make(number)
        start = time.process_time()
        shared[-3:] = number, time.monotonic(), start
        try:
            read(path)
            shared[0] += 1
        except CrowdscaleError:
            shared[1] += 1
        except Exception:
            shared[2] += 1
            faults.put(number)
            print(f"{name}: input {number}\n{traceback.format_exc(limit=-4)}", file=sys.stderr, flush=True)
        if number != numbers[0]:
            shared[5] = max(shared[5], time.process_time() - start)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        if number != numbers[0] and memory > shared[6] + GROWTH:
            print(f"{name}: input {number} takes {memory:.0f} MB", file=sys.stderr, flush=True)
        shared[6] = max(shared[6], memory)
