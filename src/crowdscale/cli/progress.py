"""One live line on stderr for long work: rate and time left; silent without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["Live", "progress", "tracked"]

Item = TypeVar("Item")
Unit = Literal["photos", "bytes", "none"]


class Live:
    """The line of one task; without a terminal it does nothing.

    Attributes:
        shown: Whether there is a line.
    """

    def __init__(self, shown: Progress | None = None, task: Any = None) -> None:
        self._progress, self._task = shown, task
        self.shown = shown is not None

    def advance(self, note: str = "") -> None:
        """Add one finished item; a note replaces the last one."""
        self._update(advance=1, **({"note": note} if note else {}))

    def update(self, done: int | None = None, total: int | None = None, note: str | None = None) -> None:
        """Set what is done, the total or the note; None keeps it."""
        changes = {"completed": done, "total": total, "note": note}
        self._update(**{name: value for name, value in changes.items() if value is not None})

    @property
    def seconds(self) -> float:
        """Seconds since the line began; 0 without a line."""
        return 0.0 if self._progress is None else self._progress.tasks[0].elapsed or 0.0

    def _update(self, **changes: Any) -> None:
        if self._progress is not None:
            self._progress.update(self._task, **changes)


@contextmanager
def progress(
    what: str, total: int | None = None, *, unit: Unit = "photos", quiet: bool = False
) -> Iterator[Live]:
    """Yield the live line of a task; it disappears at the end.

    Args:
        what: The task, such as ``Counting``.
        total: Number of items, if it is known. A later ``update`` can set it.
        unit: What is counted. ``none`` shows the note and the time since the start alone.
        quiet: Show nothing.
    """
    if quiet or not sys.stderr.isatty():
        yield Live()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(*_columns(unit), console=Console(stderr=True), transient=True) as shown:
        yield Live(shown, shown.add_task(what, total=total, note=""))


def tracked(items: Iterable[Item], what: str, total: int | None, quiet: bool = False) -> Iterator[Item]:
    """Yield the items with a live line that advances after each of them."""
    with progress(what, total, quiet=quiet) as live:
        for item in items:
            yield item
            live.advance()


def _columns(unit: Unit) -> list[ProgressColumn]:
    from rich import progress as rich
    from rich.text import Text

    class Rate(rich.ProgressColumn):
        """Items a second."""

        def render(self, task: rich.Task) -> Text:
            return Text(f"{task.speed:.2g} {unit}/s" if task.speed else "")

    what, note = (
        rich.TextColumn("{task.description}", markup=False),
        rich.TextColumn("{task.fields[note]}", markup=False),
    )
    if unit == "none":
        return [rich.SpinnerColumn(), what, note, rich.TimeElapsedColumn()]
    amount: list[ProgressColumn] = [rich.MofNCompleteColumn(), Rate()]
    if unit == "bytes":
        amount = [rich.DownloadColumn(), rich.TransferSpeedColumn()]
    return [what, rich.BarColumn(), *amount, note, rich.TimeRemainingColumn()]
