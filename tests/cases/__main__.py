"""Prints each case with its answer: ``python -m tests.cases``; exit code 1 where one is wrong."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.cases.rows import ROWS
from tests.cases.run import MORE, check_answer, convert_answer, is_right, lay_out


def main() -> int:
    """Print the table."""
    table = Table("input", "answer", "right")
    wrong = 0
    for row in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            source = lay_out(row, Path(folder))
            right = is_right(row, source)
            answer = convert_answer(row, source)
            if row.check is not None:
                checked = check_answer(row, source)
                right = right and (row.check in checked if row.check else not checked)
                answer += f"\ncheck: {checked or 'nothing is wrong'}"
            table.add_row(
                " ".join((row.name, *row.classes)), answer.replace(f"{folder}/", ""), "✓" if right else "✗"
            )
            wrong += not right
    for name, (answer_of, part) in MORE.items():
        answer = answer_of()
        table.add_row(name, answer, "✓" if part in answer else "✗")
        wrong += part not in answer
    Console(width=160).print(table)
    print(f"{len(ROWS) + len(MORE) - wrong} of {len(ROWS) + len(MORE)} right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
