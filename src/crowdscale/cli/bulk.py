"""``crowdscale count … --out``: many photos into a folder of results that survives any stop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from crowdscale.cli.result_files import told_others
from crowdscale.cli.tables import counted
from crowdscale.errors import CrowdscaleError, OptionError

if TYPE_CHECKING:
    from crowdscale.bulk import Job, PhotoRow, ResultFolder, Summary

__all__ = ["count_in_bulk", "refuse_with_out", "terminated_like_ctrl_c"]

SHOWN = 20
"""Sentences of broken photos that are printed; the rest stands in their table."""


NO_PARQUET = (
    "Note: results are CSV, without heads: Parquet needs the extra [bulk] (pip install 'crowdscale[bulk]'); "
    "--format jsonl writes heads without it."
)


def refuse_with_out(**given: object) -> None:
    """Refuse options that a folder of results does not take."""
    wrong = [name for name, value in given.items() if value]
    if wrong:
        raise OptionError(
            "expected --out alone", f"--out and --{wrong[0]}", "The folder holds counts and every head"
        )


def count_in_bulk(job: Job, out: str, kind: str | None, part: int, quiet: bool) -> int:
    """Run a job into a folder with progress on stderr, say what came of it, and return the exit code."""
    from crowdscale.bulk import ResultFolder, run_job
    from crowdscale.bulk.tables import usual_format

    results = ResultFolder(out, kind, part)
    if kind is None and results.kind == usual_format() == "csv" and not quiet:
        print(NO_PARQUET, file=sys.stderr)
    with terminated_like_ctrl_c(), _progress(job, quiet) as advance:
        summary = run_job(job, results, advance)
    _report(summary, results, out, quiet)
    if summary.interrupted:
        return 130
    if not summary.broken:
        return 0
    return 1 if summary.photos else 2


@contextmanager
def terminated_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM, by which machines are shut down, end a job as Ctrl-C does: with everything written."""

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


def _report(summary: Summary, results: ResultFolder, out: str, quiet: bool) -> None:
    if not quiet:
        state = "Interrupted: the same command goes on. " if summary.interrupted else ""
        broken = f", {summary.broken:,} broken" if summary.broken else ""
        print(
            f"{state}{counted(summary.photos, 'photo')}, {summary.count:,.0f} people{broken}; "
            f"{summary.added:,} of them now, in {out}"
        )
    for photo, sentence in islice(results.broken(), SHOWN):
        print(f"Error: {sentence if photo in sentence else f'{photo}: {sentence}'}", file=sys.stderr)
    if summary.broken > SHOWN:
        print(f"… and {summary.broken - SHOWN:,} more in {out}/broken", file=sys.stderr)
    if summary.others and not quiet:
        print(told_others(summary.others), file=sys.stderr)


@contextmanager
def _progress(job: Job, quiet: bool) -> Iterator[Callable[[PhotoRow], None]]:
    """Show rate and time left in a terminal; the photos are counted beside the work, for the total."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn()
    silent = quiet or not console.is_terminal
    with Progress("Counting", *columns, console=console, disable=silent, transient=True) as progress:
        task = progress.add_task("", total=None, note="")
        people = broken = 0

        def advance(row: PhotoRow) -> None:
            nonlocal people, broken
            people, broken = people + round(row.count or 0), broken + bool(row.error)
            progress.advance(task)
            rate = progress.tasks[0].speed or 0.0
            note = f"{rate:.2g} photos/s · {people:,} people" + (f" · {broken:,} broken" if broken else "")
            progress.update(task, note=note)

        if not silent:
            threading.Thread(target=_find_total, args=(job, progress, task), daemon=True).start()
        yield advance


def _find_total(job: Job, progress: Any, task: Any) -> None:
    from crowdscale.files.storage import find_photos

    try:
        progress.update(task, total=sum(1 for _ in find_photos(job.sources)))
    except CrowdscaleError:
        return  # the job itself says what is wrong
