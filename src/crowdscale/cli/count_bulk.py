"""``crowdscale count … --out``: many photos into a folder of results that survives any stop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.errors import INTERRUPTED, NOTHING_DONE, SOME_FAILED, print_errors, terminated_like_ctrl_c
from crowdscale.cli.progress import Live, progress
from crowdscale.cli.result_files import others_sentence
from crowdscale.cli.tables import counted
from crowdscale.errors import CrowdscaleError, OptionError

if TYPE_CHECKING:
    from crowdscale.bulk import Job, PhotoRow, ResultFolder, Summary

__all__ = ["count_in_bulk", "refuse_with_out"]

SHOWN = 20
"""Errors that are printed; the folder holds all."""


NO_PARQUET = (
    "Note: results are CSV, without heads: Parquet needs the extra [bulk] (pip install 'crowdscale[bulk]'); "
    "--format jsonl writes heads without it."
)


def refuse_with_out(**given: object) -> None:
    """Refuse result files beside ``--out``. Raises OptionError."""
    wrong = [name for name, value in given.items() if value]
    if wrong:
        raise OptionError.plain(
            f"--out and --{wrong[0]} exclude each other", "The folder holds counts and all heads"
        )


def count_in_bulk(job: Job, out: str, kind: str | None, part: int, quiet: bool) -> int:
    """Run a job into a folder, print a summary, and return the exit code."""
    from crowdscale.bulk import ResultFolder, run_job
    from crowdscale.bulk.tables import usual_format

    if Path(out).is_file():
        raise OptionError.plain(f"{out} is a file, and --out needs a folder")
    results = ResultFolder(out, kind, part)
    if kind is None and results.kind == usual_format() == "csv" and not quiet:
        print(NO_PARQUET, file=sys.stderr)
    with terminated_like_ctrl_c(), _progress(job, quiet) as advance:
        summary = run_job(job, results, advance)
    _report(summary, results, out, quiet)
    if summary.interrupted:
        return INTERRUPTED
    if not summary.broken:
        return 0
    return SOME_FAILED if summary.photos else NOTHING_DONE


def _report(summary: Summary, results: ResultFolder, out: str, quiet: bool) -> None:
    if not quiet:
        _print_summary(summary, results, out)
    print_errors(
        sentence if photo in sentence else f"{photo}: {sentence}"
        for photo, sentence in islice(results.broken(), SHOWN)
    )
    if summary.broken > SHOWN:
        print(f"… and {summary.broken - SHOWN:,} more in {out}/broken", file=sys.stderr)
    if summary.others and not quiet:
        print(others_sentence(summary.others), file=sys.stderr)


def _print_summary(summary: Summary, results: ResultFolder, out: str) -> None:
    for note in results.notes:
        print(f"Note: {note}", file=sys.stderr)
    state = "Interrupted: the same command resumes. " if summary.interrupted else ""
    broken = f", {summary.broken:,} broken" if summary.broken else ""
    print(
        f"{state}{counted(summary.photos, 'photo')}, {summary.count:,.0f} people{broken}; "
        f"{summary.added:,} of them now, in {out}"
    )


@contextmanager
def _progress(job: Job, quiet: bool) -> Iterator[Callable[[PhotoRow], None]]:
    """Show people and broken photos in the live line; the total is counted beside the work."""
    people = broken = 0
    with progress("Counting", quiet=quiet) as live:

        def advance(row: PhotoRow) -> None:
            nonlocal people, broken
            people, broken = people + round(row.count or 0), broken + bool(row.error)
            live.advance(f"{people:,} people" + (f" · {broken:,} broken" if broken else ""))

        if live.shown:
            threading.Thread(target=_find_total, args=(job, live), daemon=True).start()
        yield advance


def _find_total(job: Job, live: Live) -> None:
    from crowdscale.files.storage import find_photos

    try:
        live.update(total=sum(1 for _ in find_photos(job.sources)))
    except CrowdscaleError:
        return  # the job itself reports the error
