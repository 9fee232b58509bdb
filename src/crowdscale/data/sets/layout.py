"""Shared by readers: a set's root, pairs of files, .mat and text files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample, SampleSequence
from crowdscale.errors import DataError, OptionError
from crowdscale.files.documents import parse_number, read_text
from crowdscale.files.finding import IMAGE_SUFFIXES
from crowdscale.files.matlab import Value, read_mat
from crowdscale.points import Points

__all__ = [
    "Reader",
    "boxes_to_points",
    "check_split",
    "elements",
    "field_of",
    "find_root",
    "load_mat",
    "natural_key",
    "number_array",
    "pair_files",
    "photos_by_stem",
    "points_array",
    "read_rows",
    "what_is",
]

UNPACK = "Check that the set was unpacked in full"


class Reader(SampleSequence):
    """A data set as a sequence of samples; subclasses fill ``samples``."""

    card: ClassVar[Card]
    """Facts on the set."""
    protocol: ClassVar[Protocol]
    """Its use in papers."""
    split: str
    samples: list[Sample]


def check_split(splits: Collection[str], split: str, title: str) -> str:
    """Return the split if the set has it. Raises OptionError with the set's splits otherwise."""
    if split not in splits:
        raise OptionError(f"expected a split of {title} out of {', '.join(splits)}", repr(split))
    return split


def find_root(root: str | Path, spellings: Collection[str], has: Collection[str], tree: str) -> Path:
    """Return the folder that holds the set: ``root``, or a folder of one of the spellings in it.

    Args:
        root: What the user named.
        spellings: Names that the unpacked folder may have.
        has: The folder is the one that contains any of these.
        tree: The expected tree, for the error.

    Raises:
        DataError: There is none; the sentence says what was looked for and found, and shows the tree.
    """
    base = Path(root)
    for folder in (base, *(base / name for name in spellings)):
        if any((folder / name).exists() for name in has):
            return folder
    raise DataError(
        f"expected {' or '.join(has)} in {base}"
        + (f" or in its {' or '.join(spellings)}" if spellings else ""),
        what_is(base),
        f"The set unpacks to:\n{tree.strip(chr(10))}\n",
    )


def what_is(folder: Path) -> str:
    """Return a folder's first entries, for errors."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(entry.name for entry in folder.iterdir())
    return ", ".join(names[:6]) + (" …" if len(names) > 6 else "") if names else "an empty folder"


def load_mat(path: Path, variable: str, what: str) -> Value:
    """Return a variable of a .mat file: an array, a struct as dictionary, a cell as list.

    Args:
        path: The file.
        variable: Its name.
        what: Its content, for the error: ``a QNRF annotation``.

    Raises:
        DataError: The file is missing or damaged, or it is a .mat of another kind.
    """
    content = read_mat(path, what)
    if variable not in content:
        names = ", ".join(content) or "nothing"
        raise DataError(
            f"expected {what} with the variable {variable}",
            f"{path}, which holds {names}",
            "It seems to belong to another set",
        )
    return content[variable]


def elements(value: Value) -> list[Value]:
    """Return the elements of a cell or of an array; a struct is one element."""
    if isinstance(value, np.ndarray):
        return [np.asarray(each) for each in value.ravel()]
    return value if isinstance(value, list) else [value]


def field_of(value: Value, name: str, message: tuple[str, str]) -> Value:
    """Return a struct's field. Raises DataError of ``message`` (expected, received) where there is none."""
    if not isinstance(value, dict) or name not in value:
        raise DataError(*message, "It may be of another set")
    return value[name]


def points_array(values: Any, path: Path) -> NDArray[np.float64]:
    """Return (n, 2) x, y from what a .mat or JSON holds: nothing, one point or many, further columns left out."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"expected (n, 2) points in {path}", "something else") from None
    if array.size == 0:
        return np.zeros((0, 2))
    if array.ndim == 1:
        array = array[None]
    if array.ndim != 2 or array.shape[1] < 2:
        raise DataError(f"expected (n, 2) points in {path}", f"shape {array.shape}")
    return np.ascontiguousarray(array[:, :2])


def number_array(value: Value, path: Path) -> NDArray[np.float64]:
    """Return an array of numbers from a .mat. Raises DataError for text, structs and cells."""
    if not isinstance(value, np.ndarray):
        raise DataError(
            f"expected an array of numbers in {path}", "something else", "It may be of another set"
        )
    return value.astype(np.float64)


def photos_by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the photos among the paths by name without suffix, whatever the case of their suffix.

    Raises:
        DataError: Two differ in their suffix alone.
    """
    photos: dict[str, Path] = {}
    for path in sorted(paths):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("._"):
            continue
        if path.stem in photos:
            names = f"{photos[path.stem].name} and {path.name}"
            raise DataError(f"expected one photo {path.stem} in {path.parent}", names)
        photos[path.stem] = path
    return photos


def read_rows(path: Path, columns: int) -> NDArray[np.float64]:
    """Return the numbers of a text file as (n, k ≥ columns), split at spaces or commas; empty is (0, columns).

    Raises:
        DataError: The file cannot be read, or a line does not hold as many numbers as the others.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        row = _numbers_among(words)
        if len(row) < max(columns, len(words)) or (rows and len(row) != len(rows[0])):
            wanted = len(rows[0]) if rows else columns
            raise DataError(f"expected {wanted} numbers in line {number} of {path}", repr(line.strip()))
        rows.append(row)
    return np.array(rows, dtype=np.float64) if rows else np.zeros((0, columns))


def _numbers_among(words: Iterable[str]) -> list[float]:
    """Return the numbers among the words, without the words that are none."""
    numbers = [parse_number(word) for word in words]
    return [value for value in numbers if value is not None]


def pair_files(
    base: Path, photos: dict[str, Path], truths: dict[str, Path], photo_noun: str, truth_noun: str
) -> list[tuple[str, Path, Path]]:
    """Return (name, photo, annotation) for each name in natural order (img_2 before img_10).

    Args:
        base: The folder, for the error.
        photos: Photos by name.
        truths: Annotations by name.
        photo_noun: How a photo's file is called: ``a photo NAME.jpg``.
        truth_noun: How an annotation's file is called.

    Raises:
        DataError: One of the two is missing for a name, or there is none at all.
    """
    if not photos and not truths:
        raise DataError(f"expected {photo_noun} and {truth_noun} in {base}", what_is(base), UNPACK)
    for lone, lacks in (
        (photos.keys() - truths.keys(), truth_noun),
        (truths.keys() - photos.keys(), photo_noun),
    ):
        if lone:
            shown = ", ".join(sorted(lone, key=natural_key)[:5]) + (" …" if len(lone) > 5 else "")
            raise DataError(
                f"expected {lacks} for each name in {base}",
                f"{len(lone)} without: {shown}",
                "Unpack the set again, or remove what has no partner",
            )
    return [(name, photos[name], truths[name]) for name in sorted(photos, key=natural_key)]


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names by the numbers in them."""
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def boxes_to_points(boxes: NDArray[Any], path: object) -> tuple[Points, NDArray[np.float64]]:
    """Return the centres and the (n, 2) sizes of (n, 4) boxes (left, top, width, height).

    Raises:
        DataError: A box has no area; the sentence names the file and the box.
    """
    table = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    odd = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(odd):
        raise DataError(f"expected numbers in box {odd[0] + 1} of {path}", "NaN or infinity", "Correct it")
    flat = np.flatnonzero((table[:, 2:] <= 0).any(axis=1))
    if len(flat):
        raise DataError(
            f"expected boxes with a width and a height in {path}",
            f"{len(flat)} without, the first is box {flat[0] + 1}: {table[flat[0]].tolist()}",
            "Correct or remove it",
        )
    # A box of w pixels from x covers the pixels x … x + w - 1; its middle lies at x + (w - 1) / 2.
    return Points(table[:, :2] + (table[:, 2:] - 1) / 2), table[:, 2:].copy()
