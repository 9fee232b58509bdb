"""CSV of points: NAME.csv beside each photo, or one table of all photos."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from crowdscale.data.checks import check_points
from crowdscale.data.formats.label import Format, Label, Size, read_text
from crowdscale.errors import DataError
from crowdscale.points import Points

__all__ = ["CSV", "TABLE", "read_csv", "read_table"]

Row = tuple[int, list[str]]


def read_csv(path: Path, photo_size: Callable[[], Size] | None = None) -> Label:
    """Return the label of NAME.csv: columns x,y and, where there are, width,height; with or without a header."""
    del photo_size
    rows = _rows(path)
    if not rows:
        return Label(Points())
    if _is_number(rows[0][1][0]):
        return _label([_numbers(path, line, row, [0, 1]) for line, row in rows], path)
    return _label(_with_header(path, rows, ("x", "y")), path)


def read_table(path: Path) -> dict[str, Label]:
    """Return the labels of a table with the columns image,x,y and, where there are, width,height.

    The row ``NAME,,`` says that nobody is in a photo.
    """
    rows = _rows(path)
    image, *_ = _columns(path, rows[0][1] if rows else [], ("image", "x", "y"))
    x = _columns(path, rows[0][1], ("x", "y"))
    wide = _box_columns(rows[0][1])
    found: dict[str, list[list[float]]] = {}
    lines: dict[str, int] = {}
    for line, row in rows[1:]:
        name = _cell(row, image).replace("\\", "/")
        own, _ = found.setdefault(name, []), lines.setdefault(name, line)
        if any(_cell(row, column) for column in x):
            own.append(_numbers(path, line, row, [*x, *wide]))
    return {name: _label(values, path, f", line {lines[name]}") for name, values in found.items()}


def _with_header(path: Path, rows: list[Row], wanted: tuple[str, ...]) -> list[list[float]]:
    columns = [*_columns(path, rows[0][1], wanted), *_box_columns(rows[0][1])]
    return [_numbers(path, line, row, columns) for line, row in rows[1:]]


def _label(values: list[list[float]], path: Path, where: str = "") -> Label:
    table = np.array(values, dtype=np.float64)
    if not len(table):
        return Label(Points(), where=where)
    points = check_points(table[:, :2], None, path)
    return Label(points, table[:, 2:4] if table.shape[1] >= 4 else None, where=where)


def _rows(path: Path) -> list[Row]:
    """Return (line number, stripped cells) of each row with anything in it; commas, semicolons or tabs."""
    lines = read_text(path).splitlines()
    first = next((line for line in lines if line.strip()), "")
    sign = next((sign for sign in ";\t" if sign in first), ",")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=sign)]
    except csv.Error as error:
        raise DataError("expected a table of points", f"{path} ({error})", "Save it as CSV") from error
    return [(line, row) for line, row in enumerate(rows, 1) if any(row)]


def _cell(row: list[str], column: int) -> str:
    """Return the cell; empty where the row is shorter."""
    return row[column] if column < len(row) else ""


def _columns(path: Path, header: list[str], wanted: tuple[str, ...]) -> list[int]:
    """Return where the header has the wanted columns."""
    lowered = [cell.lower() for cell in header]
    if any(name not in lowered for name in wanted):
        received = f"the first line {','.join(header)!r}"
        raise DataError(
            f"expected the columns {','.join(wanted)} in {path}", received, "Name them in the first line"
        )
    return [lowered.index(name) for name in wanted]


def _box_columns(header: list[str]) -> list[int]:
    lowered = [cell.lower() for cell in header]
    return [lowered.index(name) for name in ("width", "height")] if {"width", "height"} <= {*lowered} else []


def _numbers(path: Path, line: int, row: list[str], columns: list[int]) -> list[float]:
    cells = [_cell(row, column) for column in columns]
    if not all(map(_is_number, cells)):
        remedy = "Correct the line; decimals have a point, not a comma"
        raise DataError(f"expected two numbers x,y in {path}, line {line}", repr(",".join(row)), remedy)
    return [float(cell) for cell in cells]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _write_csv(name: str, label: Label) -> str:
    del name
    return _text(label.sizes is not None, [], _lines(label))


def _write_table(labels: Mapping[str, Label]) -> str:
    boxed = bool(labels) and all(label.sizes is not None for label in labels.values() if len(label.points))
    lines: list[list[str]] = []
    for name, label in labels.items():
        own = [line if boxed else line[:2] for line in _lines(label)]
        lines += [[name, *line] for line in own] or [[name, "", ""]]
    return _text(boxed and any(label.sizes is not None for label in labels.values()), ["image"], lines)


def _lines(label: Label) -> list[list[str]]:
    table = label.points.xy if label.sizes is None else np.hstack([label.points.xy, label.sizes])
    return [[f"{value:.10g}" for value in row] for row in table]


def _text(boxed: bool, first: list[str], lines: list[list[str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*first, "x", "y", *(("width", "height") if boxed else ())])
    writer.writerows(lines)
    return stream.getvalue()


CSV = Format(
    "csv", "NAME.csv beside each photo: x,y[,width,height]", ".csv", False, True, True,
    read_one=read_csv, write_one=_write_csv,
)  # fmt: skip
TABLE = Format(
    "table", "one CSV for all photos: image,x,y[,width,height]", ".csv", True, True, True,
    read=read_table, write=_write_table,
)  # fmt: skip
