"""Cells of a table → numbers, with the line in errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST, parse_number

__all__ = ["cell", "row_numbers"]


def cell(row: Sequence[str], column: int) -> str:
    """Return the cell; empty where the row is shorter."""
    return row[column] if column < len(row) else ""


def row_numbers(path: Path, line: int, row: Sequence[str], columns: Sequence[int]) -> list[float]:
    """Return the numbers of some columns. Raises DataError naming the line where a cell holds none."""
    numbers = [parse_number(cell(row, column)) for column in columns]
    if None in numbers:
        remedy = "Correct the line; decimals have a point, not a comma"
        raise DataError(f"expected two numbers x,y in {path}, line {line}", repr(",".join(row)), remedy)
    sound = [number for number in numbers if number is not None]
    if not all(abs(number) <= FARTHEST for number in sound):  # NaN as well
        raise DataError(f"expected finite coordinates in {path}, line {line}", repr(",".join(row)))
    return sound
