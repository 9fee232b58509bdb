"""The field's point files, read and written, so that predictions of other methods can be scored.

Text, one image a line: ``id n x y x y …`` (NWPU's submissions and FIDTM's predictions), ground truth
``id n`` and n times ``x y σ_small σ_large level`` (NWPU, FIDTM), counts alone ``id count``. CSV: the
columns image,x,y (an image without heads: ``image,,``) or image,count. JSON: ``{"image": [[x, y], …]}``,
or what ``crowdscale count --json`` writes.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.files.documents import (
    FARTHEST,
    Number,
    parse_json,
    parse_number,
    read_table,
    read_text,
    shaped,
)
from crowdscale.files.writing import write_atomic
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import Points

__all__ = ["Entry", "read_entries", "write_entries"]

FORMER = {"people": "count"}
"""Columns of ``count --csv`` in the release before, by their current names."""

TRUTH_WIDTH = 5
"""Numbers a head in a ground-truth file: x, y, σ_small, σ_large, level."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One image of a file.

    Args:
        count: People; the number of points where there are some.
        points: Heads; None in a file of counts.
        truth: Radii and levels of a ground-truth file; None in others.
    """

    count: float
    points: Points | None = None
    truth: GroundTruth | None = None

    def as_truth(self, name: str) -> GroundTruth:
        """Return the entry as ground truth. Raises DataError for a file of counts."""
        if self.truth is not None:
            return self.truth
        if self.points is None:
            raise DataError("expected points as ground truth", f"a count alone for {name}")
        return GroundTruth(self.points)


def read_entries(path: str | os.PathLike[str]) -> dict[str, Entry]:
    """Return the entry of each image of a file, by its id or name.

    Raises:
        DataError: The file cannot be read, or a line has another number of values than it announces.
    """
    file = Path(path)
    text = read_text(file)
    readers: dict[str, Callable[[str, Path], dict[str, Entry]]] = {".csv": _read_csv, ".json": _read_json}
    return readers.get(file.suffix.lower(), _read_lines)(text, file)


def _read_lines(text: str, path: Path) -> dict[str, Entry]:
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    counts_alone = _counts_alone([words for _, words in lines])
    images: dict[str, Entry] = {}
    for number, words in lines:
        where = f"line {number} of {path}"
        entry = _count_entry(words, where) if counts_alone else _point_entry(words, where)
        if words[0] in images:
            raise DataError("expected each image once", f"{words[0]} again in {where}")
        images[words[0]] = entry
    return images


def _counts_alone(lines: list[list[str]]) -> bool:
    """Whether the lines are `id count`; lines of `id 0` alone may be photos without heads."""
    return {len(words) for words in lines} == {2} and {words[1] for words in lines} != {"0"}


def _count_entry(words: list[str], where: str) -> Entry:
    return Entry(_count(words[1], f"`id count` in {where}"))


def _count(text: str, what: str) -> float:
    """Return a number of people. Raises DataError for a text that is no number from 0 to a billion."""
    count = parse_number(text)
    if count is None or not 0 <= count <= FARTHEST:
        raise DataError(f"expected {what} from 0 up", repr(text[:40]))
    return count


def _announced(words: list[str]) -> int | None:
    """Return how many heads a line announces; None where its second word is no such number."""
    if len(words) > 1 and words[1].isdecimal() and len(words[1]) < 10:
        return int(words[1])
    return None


def _heads_table(words: list[str]) -> NDArray[np.float64] | None:
    """Return the numbers of a line, a row a head; None where they are not what the line announces."""
    heads = _announced(words)
    numbers = [parse_number(word) for word in words[2:]]
    values = np.array([number for number in numbers if number is not None])
    if heads is None or len(values) < len(numbers) or not (np.abs(values) <= FARTHEST).all():
        return None
    width = len(values) // heads if heads > 0 else 2
    if width not in (2, TRUTH_WIDTH) or len(values) != heads * width:
        return None
    return values.reshape(heads, width)


def _point_entry(words: list[str], where: str) -> Entry:
    table = _heads_table(words)
    if table is None:
        raise DataError(
            f"expected `id n` and n times 2 numbers (x y) or 5 (x y σ_small σ_large level) in {where}",
            f"{len(words)} words beginning with {' '.join(words[:3])!r}",
        )
    heads, width = table.shape
    points = Points(table[:, :2])
    if width != TRUTH_WIDTH:
        return Entry(heads, points)
    radii = {"small": table[:, 2], "large": table[:, 3]}
    return Entry(heads, points, GroundTruth(points, radii, table[:, 4].astype(np.int64)))


def _read_csv(text: str, path: Path) -> dict[str, Entry]:
    del text
    rows = [row for _, row in read_table(path)]
    header = [FORMER.get(cell.lower(), cell.lower()) for cell in rows[0]] if rows else []
    image, *columns = _csv_columns(header, path)
    values_of: dict[str, list[list[float]]] = {}
    for number, row in enumerate(rows[1:], 2):
        padded = [*row, *[""] * (len(header) - len(row))]
        cells = [padded[column] for column in columns]
        own = values_of.setdefault(padded[image], [])
        own += [_numbers(cells, f"line {number} of {path}")] if any(cells) else []
    if len(columns) == 1:
        return {name: _counted(name, values, path) for name, values in values_of.items()}
    return {name: Entry(len(xy), Points(np.array(xy).reshape(-1, 2))) for name, xy in values_of.items()}


def _csv_columns(header: list[str], path: Path) -> list[int]:
    """Return the places of the image and of its x and y, or of its count."""
    image = next((header.index(name) for name in ("image", "photo", "name") if name in header), None)
    if image is None or not ({"x", "y"} <= set(header) or "count" in header):
        raise DataError(
            f"expected the columns image,x,y or image,count in {path}", f"the first line {','.join(header)!r}"
        )
    return [image, *(header.index(name) for name in (("x", "y") if "x" in header else ("count",)))]


def _counted(name: str, values: list[list[float]], path: Path) -> Entry:
    if len(values) != 1:
        raise DataError(f"expected one count an image in {path}", f"{len(values)} for {name}")
    return Entry(_count(str(values[0][0]), f"a count for {name} in {path}"))


def _numbers(cells: list[str], where: str) -> list[float]:
    numbers = [parse_number(cell) for cell in cells]
    sound = [number for number in numbers if number is not None and abs(number) <= FARTHEST]
    if len(sound) < len(cells):
        raise DataError(f"expected numbers in {where}", repr(",".join(cells))[:80])
    return sound


class _Prediction(msgspec.Struct):
    photo: str | None = None
    image: str | int | None = None
    heads: list[list[Number]] | None = None
    points: list[list[Number]] | None = None
    """The former name of ``heads``."""
    count: Number | None = None


def _read_json(text: str, path: Path) -> dict[str, Entry]:
    expected = f'expected {{"image": [[x, y], …]}} or the JSON of `crowdscale count` in {path}'
    content = parse_json(text, str(path))
    if isinstance(content, dict):
        lists = shaped(content, dict[str, list[list[Number]] | None], '{"image": [[x, y], …]}', path)
        content = [{"image": name, "points": points} for name, points in lists.items()]
    if not isinstance(content, list):
        raise DataError(expected, "something else")
    entries: dict[str, Entry] = {}
    for each in shaped(content, list[_Prediction], "JSON of `crowdscale count`", path):
        name = str(each.photo or each.image or "")
        if not name or name in entries:
            raise DataError(expected, f"{name} again" if name else "a row without image")
        entries[name] = _json_entry(each, f"{name} in {path}")
    return entries


def _json_entry(each: _Prediction, where: str) -> Entry:
    heads = each.points if each.heads is None else each.heads
    if heads is None:
        if each.count is None:
            raise DataError(f"expected points or a count for {where}", "neither")
        return Entry(_count(str(each.count), f"a count for {where}"))
    if any(len(pair) < 2 for pair in heads):
        raise DataError(f"expected points as [x, y] for {where}", "fewer numbers")
    points = Points(np.array([pair[:2] for pair in heads], float).reshape(-1, 2))
    return Entry(
        len(points) if each.count is None else _count(str(each.count), f"a count for {where}"), points
    )


def write_entries(path: str | os.PathLike[str], entries: Mapping[str, Entry], decimals: int = 2) -> None:
    """Write predictions, atomically: .csv, .json, or for any other suffix the lines that NWPU's server reads.

    Lines hold points if all entries have them, otherwise counts.

    Args:
        path: The file.
        entries: Predictions by the image's id or name; spaces in names become underscores in lines.
        decimals: Of coordinates; NWPU's server wants 0.
    """
    file = Path(path)
    writers: dict[str, Callable[[Mapping[str, Entry], int], str]] = {".csv": _csv_text, ".json": _json_text}
    text = writers.get(file.suffix.lower(), _lines_text)(entries, decimals)
    write_atomic(file, lambda stream: stream.write(text.encode("utf-8", "surrogateescape")))


def _lines_text(entries: Mapping[str, Entry], decimals: int) -> str:
    located = all(entry.points is not None for entry in entries.values())
    lines = []
    for key, entry in entries.items():
        name = "_".join(key.split())
        if not located:
            lines.append(f"{name} {entry.count:.2f}")
            continue
        xy = entry.points.xy if entry.points is not None else np.zeros((0, 2))
        numbers = " ".join(f"{x:.{decimals}f} {y:.{decimals}f}" for x, y in xy)
        lines.append(f"{name} {len(xy)} {numbers}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def _csv_text(entries: Mapping[str, Entry], decimals: int) -> str:
    located = all(entry.points is not None for entry in entries.values())
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("image", "x", "y") if located else ("image", "count"))
    for name, entry in entries.items():
        if not located or entry.points is None:
            writer.writerow((name, f"{entry.count:.2f}"))
        elif not len(entry.points):
            writer.writerow((name, "", ""))
        else:
            writer.writerows((name, f"{x:.{decimals}f}", f"{y:.{decimals}f}") for x, y in entry.points.xy)
    return stream.getvalue()


def _json_text(entries: Mapping[str, Entry], decimals: int) -> str:
    rows = [
        {
            "image": n,
            "count": e.count,
            "points": None if e.points is None else e.points.xy.round(decimals).tolist(),
        }
        for n, e in entries.items()
    ]
    return json.dumps(rows) + "\n"
