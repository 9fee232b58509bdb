"""CSV of tools, one for all photos: Roboflow's and TensorFlow's boxes, makesense.ai's points and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crowdscale.data.formats.cells import row_numbers
from crowdscale.data.formats.label import Entry, Format, Mark, Size, mark_of, read_size
from crowdscale.data.formats.shapes import box_of, corners
from crowdscale.data.formats.tables import IMAGE_COLUMNS, columns_of
from crowdscale.errors import DataError
from crowdscale.files.documents import read_table
from crowdscale.files.finding import IMAGE_SUFFIXES

__all__ = ["BOXES", "MAKESENSE", "is_box_table", "is_makesense"]

CORNERS = ("xmin", "ymin", "xmax", "ymax")

POINT_COLUMNS, BOX_COLUMNS = 6, 8
"""makesense.ai: label,x,y,image,w,h of a point and label,x,y,w,h,image,w,h of a box."""


def is_box_table(first: Sequence[str]) -> bool:
    """Return whether a first row is the header of a table of boxes, such as ``_annotations.csv``."""
    header = {cell.lower() for cell in first}
    return header.issuperset(CORNERS) and not header.isdisjoint(IMAGE_COLUMNS)


def is_makesense(first: Sequence[str]) -> bool:
    """Return whether a first row is one of makesense.ai, which writes no header."""
    return len(first) in (POINT_COLUMNS, BOX_COLUMNS) and first[-3].lower().endswith(IMAGE_SUFFIXES)


def read_box_table(path: Path) -> dict[str, Entry]:
    """Return entries of a table filename,width,height,class,xmin,ymin,xmax,ymax; width and height are the photo's.

    Raises:
        DataError: Columns are missing, a cell is no number, or rows give a photo two sizes.
    """
    rows = read_table(path)
    header = rows[0][1] if rows else []
    image, *places = columns_of(path, header, (IMAGE_COLUMNS, *((name,) for name in CORNERS)))
    lowered = [cell.lower() for cell in header]
    sides = [lowered.index(name) for name in ("width", "height") if name in lowered]
    kind = _class_place(lowered)
    photos = _Photos(path)
    for line, row in rows[1:]:
        if len(row) < len(header):
            raise DataError(f"expected {len(header)} cells in {path}, line {line}", f"{len(row)}")
        size = _photo_size(path, line, row, sides)
        label = "" if kind is None else row[kind]
        photos.add(row[image], _corners(row_numbers(path, line, row, places), label), size, line)
    return photos.entries()


def _class_place(lowered: Sequence[str]) -> int | None:
    """Return the place of the column with the class in a lower-case header; None without one."""
    return next((lowered.index(name) for name in ("class", "label") if name in lowered), None)


def _photo_size(path: Path, line: int, row: Sequence[str], sides: Sequence[int]) -> Size | None:
    """Return the photo's size in a row; None where the table lacks the column of a side."""
    return read_size(*row_numbers(path, line, row, sides)) if len(sides) == 2 else None


def read_makesense(path: Path) -> dict[str, Entry]:
    """Return entries of makesense.ai's CSV of points or of boxes.

    Raises:
        DataError: A row has another number of cells, a cell is no number, or rows give a photo two sizes.
    """
    photos = _Photos(path)
    for line, row in read_table(path):
        if not is_makesense(row):
            raise DataError(
                f"expected label,x,y,[width,height,]image,width,height in {path}, line {line}", ",".join(row)
            )
        numbers = row_numbers(path, line, row, range(1, len(row) - 3))
        mark = mark_of(numbers, row[0]) if len(row) == POINT_COLUMNS else box_of(numbers, row[0])
        size = read_size(*row_numbers(path, line, row, [len(row) - 2, len(row) - 1]))
        photos.add(row[-3], mark, size, line)
    return photos.entries()


def _corners(sides: Sequence[float], label: str) -> Mark:
    left, top, right, bottom = sides
    return corners(left, top, right, bottom, label)


class _Photos:
    """Marks of photos, gathered row by row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.photos: dict[str, tuple[list[Mark], Size | None, int]] = {}

    def add(self, name: str, mark: Mark, size: Size | None, line: int) -> None:
        """Add a row's mark. Raises DataError where rows of a photo disagree on its size."""
        marks, first_size, _ = self.photos.setdefault(name.replace("\\", "/"), ([], size, line))
        if first_size != size:
            raise DataError(f"expected one size of {name} in {self.path}", f"another in line {line}")
        marks.append(mark)

    def entries(self) -> dict[str, Entry]:
        """Return all photos."""
        return {
            name: Entry(marks, size, f", line {line}") for name, (marks, size, line) in self.photos.items()
        }


BOXES = Format(
    "boxes", "one CSV (Roboflow, TensorFlow): filename,…,xmin,ymin,xmax,ymax", ".csv", True, False,
    True, read=read_box_table,
)  # fmt: skip
MAKESENSE = Format(
    "makesense", "one CSV (makesense.ai): points or boxes", ".csv", True, True, True,
    read=read_makesense,
)  # fmt: skip
