"""DotDotGoose: one .pnt of points by photo and class."""

from __future__ import annotations

from pathlib import Path

import msgspec

from crowdscale.data.formats.label import Entry, Format, Mark
from crowdscale.files.documents import Number, read_json, shaped

__all__ = ["DOTDOTGOOSE"]


class _Point(msgspec.Struct):
    x: Number
    y: Number


class _Survey(msgspec.Struct):
    points: dict[str, dict[str, list[_Point]]]


def read_dotdotgoose(path: Path) -> dict[str, Entry]:
    """Return entries by file name. Raises DataError where the file is not sound."""
    survey = shaped(read_json(path), _Survey, "DotDotGoose", path)
    return {
        name: Entry([Mark(each.x, each.y, label=label) for label, own in classes.items() for each in own])
        for name, classes in survey.points.items()
    }


DOTDOTGOOSE = Format(
    "dotdotgoose", "one .pnt (DotDotGoose): points by class", ".pnt", True, True, False, read=read_dotdotgoose
)
