"""ResultTable: a header and lines of text, written as Markdown, CSV, JSON or LaTeX by the file's suffix."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crowdscale.errors import OptionError
from crowdscale.files.writing import write_atomic

__all__ = ["ResultTable", "check_table"]

SUFFIXES = (".md", ".csv", ".json", ".tex")

TEX_SIGNS = {"\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$",
             "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
             "–": "--", "−": "$-$", "±": r"$\pm$", "→": r"$\to$"}  # fmt: skip
"""Signs that LaTeX reads as its own, and those that its fonts may lack."""


@dataclass(frozen=True)
class ResultTable:
    """A table of results.

    Args:
        header: Names of the columns.
        lines: One tuple of cells a line; the first cell names the line.
    """

    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return a Markdown table."""
        rows = [self.header, ("---",) * len(self.header), *self.lines]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)

    def csv(self) -> str:
        """Return comma-separated values."""
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([self.header, *self.lines])
        return stream.getvalue().rstrip("\n")

    def json(self) -> str:
        """Return a JSON list of one object a line."""
        names = [name or "name" for name in self.header]
        return json.dumps([dict(zip(names, line, strict=True)) for line in self.lines], indent=1)

    def latex(self) -> str:
        """Return a LaTeX tabular with booktabs rules."""
        rows = [" & ".join(map(_tex, row)) + r" \\" for row in (self.header, *self.lines)]
        columns = "l" + "r" * (len(self.header) - 1)
        head, body = rows[0], rows[1:]
        parts = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", head, r"\midrule", *body]
        return "\n".join([*parts, r"\bottomrule", r"\end{tabular}"])

    def write(self, path: Path) -> None:
        """Write the table, atomically, in the format that the suffix names.

        Raises:
            OptionError: The suffix is not .md, .csv, .json or .tex.
        """
        formats: dict[str, Callable[[], str]] = {
            ".md": self.markdown, ".csv": self.csv, ".json": self.json, ".tex": self.latex,
        }  # fmt: skip
        check_table(path)
        text = formats[path.suffix.lower()]() + "\n"
        write_atomic(path, lambda stream: stream.write(text.encode()))


def check_table(path: Path | None) -> None:
    """Refuse a table's file of an unknown format, before the table is there. Raises OptionError."""
    if path is not None and path.suffix.lower() not in SUFFIXES:
        raise OptionError(f"expected a table's suffix ({', '.join(SUFFIXES)})", str(path))


def _tex(text: str) -> str:
    return "".join(TEX_SIGNS.get(sign, sign) for sign in text)
