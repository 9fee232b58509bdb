"""Tables on stdout: as wide as the terminal, and never cut in a file or pipe."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["COLUMNS", "counted", "new_table", "print_filled", "print_table", "wrapped"]

COLUMNS = 80
"""Signs in a line of running text."""

UNCUT = 100_000
"""Width of a console that is a file or a pipe."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, as ``1 image`` and ``2,000 images``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def wrapped(text: str, first: str = "", other: str = "") -> str:
    """Return text in lines of at most 80 columns, indented; a word, such as an address, is never broken."""
    return textwrap.fill(
        text, COLUMNS, initial_indent=first, subsequent_indent=other, break_long_words=False, break_on_hyphens=False
    )  # fmt: skip


def new_table(**justified: str) -> Table:
    """Return an empty table with a column for each name (underscores read as spaces) and its side."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for name, side in justified.items():
        table.add_column(name.replace("_", " "), justify=side, overflow="fold")  # type: ignore[arg-type]
    return table


def print_filled(columns: dict[str, str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table of plain cells without the columns that are empty in each row.

    Args:
        columns: The side of each column, by its name; underscores read as spaces.
        rows: The cells of each row.
    """
    from rich.markup import escape

    used = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    names = list(columns)
    table = new_table(**{names[place]: columns[names[place]] for place in used})
    for row in rows:
        table.add_row(*(escape(row[place]) for place in used))
    print_table(table)


def print_table(table: Table) -> None:
    """Write a table to stdout."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else UNCUT, highlight=False).print(table)
