"""YOLO: a text file a photo, a line an object, in shares of the photo: boxes, pose, polygons, turned boxes, tracks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size, boxes_of, photo_size_of
from crowdscale.data.formats.shapes import box, polygon
from crowdscale.data.formats.yolo_lines import BOX, MOST_EXTRA, YAMLS, pose_width
from crowdscale.errors import DataError
from crowdscale.files.documents import parse_number, read_text

__all__ = ["YOLO", "yolo_names"]

DOTA, KITTI = 10, (15, 16)
"""Words of a line in two other formats of text."""
OVER = 4.0
"""Pixels by which a value may lie outside the photo: boxes of people at the edge, rounded by tools."""


def read_yolo(path: Path, photo_size: Callable[[], Size]) -> Entry:
    """Return the entry of NAME.txt.

    A line of 5 to 7 numbers is a box, perhaps with a confidence and a track's number. A line of an odd number is
    a polygon, or a pose by ``kpt_shape`` of a data.yaml or by visibilities (``pose_width``).
    The head of a pose is its first labelled key point, of other lines the centre of the box.

    Raises:
        DataError: A value lies outside 0…1, or a line is of no such kind.
    """
    rows = _rows(path)
    if not rows:
        return Entry([])
    width, height = photo_size()
    pose = pose_width([row for _, row in rows], path)
    marks = [_mark(row, pose, (width, height), f"line {line} of {path}") for line, row in rows]
    return Entry(marks)


def _rows(path: Path) -> list[tuple[int, list[float]]]:
    rows = []
    for line, text in enumerate(read_text(path).splitlines(), 1):
        numbers = [parse_number(word) for word in text.split()]
        row = [number for number in numbers if number is not None]
        if len(row) < len(numbers) or (row and (len(row) < BOX or not np.isfinite(row).all())):
            other = _other_kind(text)
            if other:
                raise DataError(
                    f"{path} is of {other}, which is not read", "", "Export COCO, VOC or CSV from it"
                )
            raise DataError(f"expected 5 numbers in line {line} of {path}", repr(text.strip()[:80]))
        if row and not (row[0] >= 0 and row[0] == int(row[0])):
            raise DataError(
                f"expected a whole number of a class first in line {line} of {path}", repr(text.strip()[:80])
            )
        if row:
            rows.append((line, row))
    return rows


def _other_kind(text: str) -> str:
    """Return the name of another format with a text file a photo, by one of its lines; empty for others."""
    words = text.split()
    numbers = [parse_number(word) is not None for word in words]
    if text.lower().startswith(("imagesource:", "gsd:")) or (
        len(words) == DOTA and all(numbers[:8]) and not numbers[8]
    ):
        return "DOTA (turned boxes)"
    if len(words) in KITTI and not numbers[0] and all(numbers[1:]):
        return "KITTI"
    return ""


def _mark(row: Sequence[float], pose: int, size: Size, where: str) -> Mark:
    label = f"{row[0]:g}"
    if pose:
        bounds = _box(row[1:BOX], size, label, where)
        points = [row[at : at + pose] for at in range(BOX, len(row), pose)]
        head = next((point[:2] for point in points if (point[2] > 0 if pose == 3 else any(point))), None)
        if head is None:
            return bounds
        x, y = _inside(head, size, where)
        return bounds._replace(x=x * size[0] - 0.5, y=y * size[1] - 0.5)
    if len(row) <= BOX + MOST_EXTRA and not _is_triangle(row):
        return _box(row[1:BOX], size, label, where)
    if len(row) % 2 == 0:
        raise DataError(
            f"expected a box, a polygon or a pose with x, y, visibility in {where}", f"{len(row)} numbers",
            "Export boxes, or poses with three numbers a key point",
        )  # fmt: skip
    shares = _inside(row[1:], size, where)
    return polygon(
        [(x * size[0], y * size[1]) for x, y in zip(shares[::2], shares[1::2], strict=True)], label, where
    )


def _is_triangle(row: Sequence[float]) -> bool:
    """Return whether 7 numbers are a polygon of 3 corners: a track's number is whole."""
    return len(row) == BOX + MOST_EXTRA and row[-1] != round(row[-1])


def _box(values: Sequence[float], size: Size, label: str, where: str) -> Mark:
    x, y, width, height = _inside(values, size, where)
    wide, high = width * size[0], height * size[1]
    return box(x * size[0] - wide / 2, y * size[1] - high / 2, wide, high, label)


def _inside(shares: Sequence[float], size: Size, where: str) -> list[float]:
    """Return shares of the photo, those some pixels over its edge moved onto it. Raises DataError for others."""
    over = [OVER / size[index % 2] for index in range(len(shares))]
    if any(not -beyond <= share <= 1 + beyond for share, beyond in zip(shares, over, strict=True)):
        raise DataError(
            f"expected shares of the photo from 0 to 1 in {where}",
            f"{list(shares)}",
            "Divide by the photo's width and height",
        )
    return [min(1.0, max(0.0, share)) for share in shares]


def yolo_names(folder: Path) -> dict[str, str]:
    """Return class names by number, from ``classes.txt``, ``obj.names`` or ``data.yaml`` of a folder."""
    for name in ("classes.txt", "obj.names"):
        if (folder / name).is_file():
            lines = read_text(folder / name).splitlines()
            return {str(number): line.strip() for number, line in enumerate(lines) if line.strip()}
    for name in YAMLS:
        if (folder / name).is_file():
            return _yaml_names(read_text(folder / name))
    return {}


def _yaml_names(text: str) -> dict[str, str]:
    """Return ``names`` of a data.yaml: [a, b], {0: a} or lines below it. The rest of YAML is not needed here."""
    match = re.search(
        r"^names:[ \t]*(\[[^\]]*\]|\{[^}]*\}|(?:\r?\n[ \t]*(?:-|\d+:)[^\n]*)+)", text, re.MULTILINE
    )
    if match is None:
        return {}
    body = match[1].strip()
    items = body[1:-1].split(",") if body[0] in "[{" else [line.strip() for line in body.splitlines()]
    names = {}
    for number, item in enumerate(items):
        key, colon, value = item.partition(":")
        plain = value if colon and key.strip().isdigit() else item.strip().removeprefix("-")
        names[key.strip() if colon and key.strip().isdigit() else str(number)] = plain.strip().strip("'\"")
    return names


def _write(name: str, label: Label) -> str:
    boxes = boxes_of(label, name, "YOLO")
    width, height = photo_size_of(label, name) if len(boxes) else (1, 1)
    centres = (boxes[:, :2] + boxes[:, 2:] / 2) / (width, height)
    shares = np.hstack([centres, boxes[:, 2:] / (width, height)])
    if ((shares < 0) | (shares > 1)).any():
        raise DataError(f"expected heads inside {name}", "some outside, which YOLO cannot say")
    return "".join("0 " + " ".join(f"{value:.8f}" for value in row) + "\n" for row in shares)


YOLO = Format(
    "yolo", "NAME.txt a photo: boxes, poses, polygons, turned boxes in shares of the photo", ".txt", False, False,
    True, read_one=read_yolo, write_one=_write,
)  # fmt: skip
