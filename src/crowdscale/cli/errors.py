"""How a command ends: exit codes, errors as sentences on stderr, SIGTERM like Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from crowdscale.errors import CrowdscaleError

__all__ = [
    "INTERRUPTED",
    "NOTHING_DONE",
    "SOME_FAILED",
    "exit_with_sentence",
    "print_errors",
    "terminated_like_ctrl_c",
]

SOME_FAILED, NOTHING_DONE, INTERRUPTED = 1, 2, 130
"""Exit codes: part of the work failed, all of it, Ctrl-C."""


@contextmanager
def exit_with_sentence() -> Iterator[None]:
    """Turn a CrowdscaleError into one sentence on stderr and exit code 2."""
    try:
        yield
    except CrowdscaleError as error:
        print_errors([str(error)])
        raise typer.Exit(NOTHING_DONE) from None


def print_errors(sentences: Iterable[str]) -> None:
    """Print each sentence on stderr, as an error."""
    for sentence in sentences:
        print(f"Error: {sentence}", file=sys.stderr)


@contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """End work on SIGTERM, which a shutdown sends, as on Ctrl-C: with all results written."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
