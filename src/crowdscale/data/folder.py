"""Your own photos and points: a folder of photos, each with its points in a CSV or JSON file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from crowdscale.data.checks import Outside, check_outside_choice, check_points, photo_size
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, unknown_name
from crowdscale.images import find_images

__all__ = ["Folder"]

Pairs = list[tuple[float, float]]

TABLE = "points.csv"
"""The one table for all photos, in the root."""

HOW_TO = (
    "Put the points (x, y in pixels) beside each photo as NAME.csv or NAME.json, or of all photos into "
    f"{TABLE} with the columns image,x,y; an empty NAME.csv or the row 'image,,' says that nobody is there"
)


class _Labels(NamedTuple):
    """The points of one photo and where they were read, as errors name it."""

    source: str
    pairs: Pairs


class Folder:
    """A folder of your own photos with the positions of the heads in them.

    The folder and its sub-folders are searched for photos. The points of ``NAME.jpg`` stand in one of

    - ``NAME.csv`` beside it: columns x,y with or without a header; an empty file means nobody;
    - ``NAME.json`` beside it: ``[[x, y], …]`` or ``{"points": [[x, y], …]}``;
    - ``points.csv`` in the root: the columns image,x,y, where image is the path from the root,
      with or without its suffix; the row ``NAME.jpg,,`` means nobody.

    x runs to the right and y down, in pixels of the upright photo, the first pixel's centre at 0. Tables
    parted by semicolons or tabs are understood too. A sample's name is the photo's path from the root
    without suffix. Licence and citation are yours.

    Args:
        root: The folder.
        unlabelled: What happens with a photo without points: ``"error"`` or ``"skip"``.
        outside: What happens with points outside their photo: ``"error"``, ``"drop"`` or ``"keep"``.

    Raises:
        DataError: The folder is missing, photos have no points, or a file of points is not sound.
        ImageError: The folder holds no photo, or one that cannot be opened.
    """

    def __init__(
        self, root: str | Path, unlabelled: Literal["error", "skip"] = "error", outside: Outside = "error"
    ) -> None:
        if unlabelled not in ("error", "skip"):
            raise unknown_name("choice for unlabelled photos", unlabelled, ("error", "skip"))
        check_outside_choice(outside)
        self.root = Path(root)
        if not self.root.is_dir():
            raise DataError("expected a folder of photos", f"{root}, which is none", "Check the path")
        photos = _named_photos(self.root)
        labels = _labels_by_name(self.root, photos)
        lacking = [name for name in photos if name not in labels]
        if lacking and unlabelled == "error":
            raise _unlabelled_error(self.root, lacking, len(photos))
        self.samples = [_sample(name, photos[name], labels[name], outside) for name in labels]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)


def _named_photos(root: Path) -> dict[str, Path]:
    """Return the photos under ``root`` by their path from there without suffix."""
    photos: dict[str, Path] = {}
    for path in find_images([root]):
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in photos:
            clash = f"{photos[name].name} and {path.name}"
            raise DataError(f"expected each name of a photo once in {root}", clash, "Rename one of them")
        photos[name] = path
    return photos


def _labels_by_name(root: Path, photos: dict[str, Path]) -> dict[str, _Labels]:
    """Return the points of each photo that has some, by its name and in the photos' order."""
    table = root / TABLE
    listed = _read_table(table, photos) if table.is_file() else {}
    found = {name: _find_labels(photo, table, listed.get(name)) for name, photo in photos.items()}
    return {name: labels for name, labels in found.items() if labels is not None}


def _unlabelled_error(root: Path, lacking: list[str], total: int) -> DataError:
    first = ", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
    received = f"{len(lacking)} of {total} without: {first}"
    return DataError(f"expected points for each photo in {root}", received, HOW_TO)


def _sample(name: str, photo: Path, labels: _Labels, outside: Outside) -> Sample:
    size = None if outside == "keep" or not labels.pairs else photo_size(photo)
    points = check_points(labels.pairs, size, labels.source, outside)
    return Sample(name, photo, points, attributes={"set": "folder"})


def _find_labels(photo: Path, table: Path, listed: Pairs | None) -> _Labels | None:
    """Return the points of one photo from whichever source has them; None where none has."""
    beside = (photo.with_suffix(suffix) for suffix in (".csv", ".json"))
    files = [path for path in beside if path.is_file() and path != table]
    if len(files) + (listed is not None) > 1:
        names = " and ".join([path.name for path in files] + [TABLE] * (listed is not None))
        raise DataError(f"expected the points of {photo} in one place", names, "Remove all but one")
    if files:
        read = _read_csv if files[0].suffix == ".csv" else _read_json
        return _Labels(str(files[0]), read(files[0]))
    return None if listed is None else _Labels(f"{table} for {photo.name}", listed)


def _read_csv(path: Path) -> Pairs:
    """Return the points of NAME.csv, with or without a header."""
    rows = _rows(path)
    if not rows:
        return []
    if _is_number(rows[0][1][0]):
        return [_pair(path, line, row, 0, 1) for line, row in rows]
    x, y = _columns(path, rows[0][1], ("x", "y"))
    return [_pair(path, line, row, x, y) for line, row in rows[1:]]


def _read_table(path: Path, photos: dict[str, Path]) -> dict[str, Pairs]:
    """Return the points of each photo that points.csv names."""
    rows = _rows(path)
    image, x, y = _columns(path, rows[0][1] if rows else [], ("image", "x", "y"))
    names = {photo.relative_to(path.parent).as_posix(): name for name, photo in photos.items()}
    names.update({name: name for name in photos})
    points: dict[str, Pairs] = {}
    for line, row in rows[1:]:
        key = _cell(row, image).replace("\\", "/")
        if key not in names:
            raise DataError(
                f"expected a photo's name in {path}, line {line}", repr(key), "Correct or remove it"
            )
        own = points.setdefault(names[key], [])
        if _cell(row, x) or _cell(row, y):
            own.append(_pair(path, line, row, x, y))
    return points


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, stripped cells) of each row with anything in it; commas, semicolons or tabs."""
    lines = _text(path).splitlines()
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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # Excel begins UTF-8 with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("expected a text file of points", f"{path} ({error})", "Save it as UTF-8") from error


def _columns(path: Path, header: list[str], wanted: tuple[str, ...]) -> list[int]:
    """Return where the header has the wanted columns."""
    lowered = [cell.lower() for cell in header]
    if any(name not in lowered for name in wanted):
        received = f"the first line {','.join(header)!r}"
        raise DataError(
            f"expected the columns {','.join(wanted)} in {path}", received, "Name them in the first line"
        )
    return [lowered.index(name) for name in wanted]


def _pair(path: Path, line: int, row: list[str], x: int, y: int) -> tuple[float, float]:
    pair = _cell(row, x), _cell(row, y)
    if not all(map(_is_number, pair)):
        remedy = "Correct the line; decimals have a point, not a comma"
        raise DataError(f"expected two numbers x,y in {path}, line {line}", repr(",".join(row)), remedy)
    return float(pair[0]), float(pair[1])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_json(path: Path) -> Pairs:
    """Return the points of NAME.json: [[x, y], …] or {"points": [[x, y], …]}."""
    expected = f'expected [[x, y], …] or {{"points": [[x, y], …]}} in {path}'
    try:
        content = json.loads(_text(path))
        pairs = content["points"] if isinstance(content, dict) else content
        return [(float(x), float(y)) for x, y in pairs]
    except KeyError:
        raise DataError(expected, "an object without 'points'") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(expected, f"something else ({error})", "Correct the file") from None
