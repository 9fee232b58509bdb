"""CSV of points: NAME.csv beside each photo, or one table of all photos."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from crowdscale.data.formats.cells import cell, row_numbers
from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size, mark_of, read_size
from crowdscale.data.formats.napari import is_napari, napari_marks
from crowdscale.errors import DataError
from crowdscale.files.documents import FARTHEST, parse_number, read_table

__all__ = ["CSV", "HEADLESS", "IMAGE_COLUMNS", "TABLE", "columns_of", "read_csv", "read_points_table"]

Row = tuple[int, list[str]]

IMAGE_COLUMNS = ("image", "filename", "file_name", "photo", "name", "file")
"""Headers of the column with the photo's name."""

CLASS_COLUMNS = (
    "class", "label", "class_name", "label_name", "category", "category_name", "class_id", "classid", "category_id",
    "label_id", "classes", "labels", "type", "kind", "species", "object", "counter",
)  # fmt: skip
"""Headers of the column with the class, a space as an underscore; the last is that of ImageJ's multi-point tool."""

SIZE_COLUMNS = tuple((f"{of}_{width}", f"{of}_{height}") for of in ("image", "img", "photo")
                     for width, height in (("width", "height"), ("w", "h")))  # fmt: skip
"""Headers of the columns with the photo's width and height."""

PASSED = frozenset(("", "id", "index", "area", "mean", "min", "max", "ch", "comment", "note", "notes"))
"""Headers of columns that say nothing about which head is where: they are passed over without a note."""

CORNER_COLUMNS = frozenset(
    ("w", "h", "x1", "y1", "x2", "y2", "xmin", "ymin", "xmax", "ymax", "right", "bottom")
)
"""Headers beside x and y that leave open whether x, y is a box's corner or its centre."""

HEADLESS = "the first line names no columns: the first is read as x, to the right, the second as y, down"
"""A note that stands where the columns may be exchanged."""

STACK_COLUMNS = ("frame", "slice", "z", "t", "time", "page")
"""Headers of a column with the photo's number within a film or a stack."""


def read_csv(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.csv: columns x,y and, where there are, width,height,class.

    Without a header the file has two columns. napari's points (index,axis-0,axis-1) are rows and columns.

    Raises:
        DataError: Columns are missing or ambiguous, or a cell is no number.
    """
    del photo_size
    rows = read_table(path)
    if not rows:
        return Entry([])
    header = [name.lower() for name in rows[0][1]]
    if parse_number(rows[0][1][0]) is not None:
        return Entry(_without_header(path, rows), notes=(HEADLESS,))
    if is_napari(header):
        kind = _place_of(CLASS_COLUMNS, header)
        return Entry(napari_marks(path, rows, header, kind))
    places = columns_of(path, rows[0][1], (("x",), ("y",)))
    _check_stack(path, rows, header)
    named = _place_of(IMAGE_COLUMNS, header)
    also = {cell(row, named) for _, row in rows[1:]} - {""} if named is not None else set()
    if len(also) > 1 and header[named or 0] != "name":
        raise DataError(
            f"{path} lies beside one photo, but names {len(also)}",
            "",
            f"Rename it points{path.suffix}, in the root",
        )
    notes = _unread_columns(header, {*places, named})
    return Entry(_marks(path, rows, places), _size_of(rows), also=tuple(also), notes=notes)


def _unread_columns(header: Sequence[str], read: Collection[int | None]) -> tuple[str, ...]:
    """Return a sentence that names the columns that are not read, if any may matter."""
    sides = ("width", "height") if {"width", "height"} <= {*header} else ()
    known = {*PASSED, *STACK_COLUMNS, *sides, *(name for pair in SIZE_COLUMNS for name in pair)}
    kind = _place_of(CLASS_COLUMNS, header)
    left = [name for at, name in enumerate(header) if at not in read and at != kind and name not in known]
    return (f"columns that are not read: {', '.join(left)[:200]}",) if left else ()


def _size_of(rows: Sequence[Row]) -> Size | None:
    """Return the photo's size by the columns of the first row below the header; None without such columns."""
    header = [name.lower() for name in rows[0][1]]
    for pair in SIZE_COLUMNS:
        if {*pair} <= {*header} and len(rows) > 1:
            sides = (parse_number(cell(rows[1][1], header.index(name))) for name in pair)
            width, height = (side if side is not None and 0 < side <= FARTHEST else 0.0 for side in sides)
            return read_size(width, height)
    return None


def _check_stack(path: Path, rows: Sequence[Row], header: Sequence[str]) -> None:
    """Refuse the points of several frames of a film, or slices of a stack, for one photo."""
    for name in STACK_COLUMNS:
        if name in header:
            values = {cell(row, header.index(name)) for _, row in rows[1:]}
            if len(values) > 1:
                raise DataError(
                    f"{path} holds points of {len(values)} values of {name} for one photo", "",
                    f"Save a file a photo, or remove the column {name}",
                )  # fmt: skip


def _without_header(path: Path, rows: Sequence[Row]) -> list[Mark]:
    wide = max(len(row) for _, row in rows)
    if wide > 2:
        raise DataError(
            f"{path} has {wide} columns without a header, which may be in any order", "",
            "Write x,y into the first line, or more names such as x,y,width,height",
        )  # fmt: skip
    return [mark_of(row_numbers(path, line, row, [0, 1])) for line, row in rows]


def read_points_table(path: Path) -> dict[str, Entry]:
    """Return the entries of a table with the columns image,x,y and, where there are, width,height,class.

    The row ``NAME,,`` says that nobody is in a photo.

    Raises:
        DataError: Columns are missing, or a cell is no number.
    """
    rows = read_table(path)
    image, *places = columns_of(path, rows[0][1] if rows else [], (IMAGE_COLUMNS, ("x",), ("y",)))
    rows_of_photo: dict[str, list[Row]] = {}
    for line, row in rows[1:]:
        rows_of_photo.setdefault(cell(row, image).replace("\\", "/"), []).append((line, row))
    header = [name.lower() for name in rows[0][1]]
    notes = _unread_columns(header, {image, *places})
    entries: dict[str, Entry] = {}
    for name, own in rows_of_photo.items():
        marked = [rows[0], *((n, row) for n, row in own if any(cell(row, c) for c in places[:2]))]
        _check_stack(path, marked, header)
        marks, size = _marks(path, marked, places), _size_of([rows[0], *own])
        entries[name] = Entry(marks, size, f", line {own[0][0]}", notes=() if entries else notes)
    return entries


def _marks(path: Path, rows: Sequence[Row], places: Sequence[int]) -> list[Mark]:
    """Return a mark a row below the header, from the columns x and y and those of box and class."""
    lowered = [name.lower() for name in rows[0][1]]
    corner = sorted(CORNER_COLUMNS.intersection(lowered))
    if corner:
        raise DataError(
            f"the columns x,y beside {','.join(corner)} in {path} may be a box's corner or its centre", "",
            "Name them x,y,width,height for a centre, or filename,xmin,ymin,xmax,ymax in one table for corners",
        )  # fmt: skip
    wide = [lowered.index(name) for name in ("width", "height")] if {"width", "height"} <= {*lowered} else []
    kind = _place_of(CLASS_COLUMNS, lowered)
    marks = []
    for line, row in rows[1:]:
        if any(row[len(lowered) :]):
            remedy = "Correct the line; decimals have a point, not a comma"
            raise DataError(
                f"expected {len(lowered)} cells in {path}, line {line}", repr(",".join(row)), remedy
            )
        numbers = row_numbers(path, line, row, [*places[:2], *wide])
        marks.append(mark_of(numbers, "" if kind is None else cell(row, kind)))
    return marks


def columns_of(path: Path, header: Sequence[str], wanted: Sequence[Sequence[str]]) -> list[int]:
    """Return the places of the wanted columns in the header, each under one of its names.

    Raises:
        DataError: A column is missing or stands there twice.
    """
    lowered = [name.lower() for name in header]
    candidates = [_place_of(names, lowered) for names in wanted]
    if None in candidates:
        raise DataError(
            f"expected the columns {','.join(names[0] for names in wanted)} in {path}",
            f"the first line {','.join(header)!r}",
            "Name them in the first line",
        )
    places = [place for place in candidates if place is not None]
    double = next((header[place] for place in places if lowered.count(lowered[place]) > 1), None)
    if double is not None:
        raise DataError(f"expected each column once in {path}", f"{double} again", "Rename or remove one")
    return places


def _place_of(names: Sequence[str], lowered: Sequence[str]) -> int | None:
    """Return the place in a lower-case header of the first name that stands there; None without one."""
    plain = [name.replace(" ", "_") for name in lowered]
    return next((plain.index(name) for name in names if name in plain), None)


def _write_csv(name: str, label: Label) -> str:
    del name
    return _text(label.sizes is not None, [], _lines(label))


def _write_table(labels: Mapping[str, Label]) -> str:
    boxed = _only_boxes(labels)
    lines: list[list[str]] = []
    for name, label in labels.items():
        own = [line if boxed else line[:2] for line in _lines(label)]
        lines += [[name, *line] for line in own] or [[name, "", ""]]
    return _text(boxed and any(label.sizes is not None for label in labels.values()), ["image"], lines)


def _only_boxes(labels: Mapping[str, Label]) -> bool:
    """Return whether there are photos and each of them that has points has boxes."""
    return bool(labels) and all(label.sizes is not None for label in labels.values() if len(label.points))


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
    "csv", "NAME.csv beside each photo: x,y[,width,height,class]; napari", ".csv", False, True, True,
    read_one=read_csv, write_one=_write_csv,
)  # fmt: skip
TABLE = Format(
    "table", "one CSV for all photos: image,x,y[,width,height,class]", ".csv", True, True, True,
    read=read_points_table, write=_write_table,
)  # fmt: skip
