"""JSON of points: NAME.json beside each photo."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec

from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size
from crowdscale.errors import DataError
from crowdscale.files.documents import Number, read_json, shaped

__all__ = ["JSON", "read_points_json"]

Pair = tuple[Number, Number]


class _Points(msgspec.Struct):
    points: list[Pair]
    sizes: list[Pair] | None = None


def read_points_json(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.json: [[x, y], …] or {"points": [[x, y], …], "sizes": [[width, height], …]}.

    Raises:
        DataError: The file holds something else, or not a size for each point.
    """
    del photo_size
    content = read_json(path)
    if isinstance(content, list):
        content = {"points": content}
    expected = f'expected [[x, y], …] or {{"points": [[x, y], …]}} in {path}'
    if not isinstance(content, dict):
        raise DataError(expected, "something else", "Correct the file")
    if "points" not in content:
        raise DataError(expected, "an object without 'points'")
    label = shaped(content, _Points, "JSON [[x, y], …]", path)
    if label.sizes is None:
        return Entry([Mark(x, y) for x, y in label.points])
    if len(label.sizes) != len(label.points):
        raise DataError(
            f"expected a size for each point in {path}", f"{len(label.sizes)} for {len(label.points)}"
        )
    return Entry([Mark(*xy, *size) for xy, size in zip(label.points, label.sizes, strict=True)])


def _write(name: str, label: Label) -> str:
    content = {"image": name, "points": label.points.xy.tolist()}
    if label.sizes is not None:
        content["sizes"] = label.sizes.tolist()
    return json.dumps(content) + "\n"


JSON = Format(
    "json", 'NAME.json beside each photo: {"points": [[x, y], …]}', ".json", False, True, True,
    read_one=read_points_json, write_one=_write,
)  # fmt: skip
