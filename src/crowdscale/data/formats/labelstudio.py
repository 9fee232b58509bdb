"""Label Studio: its JSON and JSON-MIN exports, with regions in percent of the photo."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from crowdscale.data.formats.attributes import classed
from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size, boxes_of, photo_size_of, read_size
from crowdscale.data.formats.labelstudio_names import address_name, photo_address, without_hash
from crowdscale.data.formats.labelstudio_regions import Region, region_mark, region_of_value
from crowdscale.errors import DataError
from crowdscale.files.documents import Whole, read_json, shaped
from crowdscale.files.finding import IMAGE_SUFFIXES

__all__ = ["LABELSTUDIO", "LABELSTUDIO_PREDICTIONS", "is_labelstudio", "plain_name", "valid_results"]

PASSED_OVER = frozenset(
    (
        "choices",
        "relation",
        "textarea",
        "rating",
        "number",
        "taxonomy",
        "datetime",
        "pairwise",
        "ranker",
        "labels",
    )
)
"""Results that mark no place: facts on the whole photo or on a region that has a result of its own."""


class _Annotation(msgspec.Struct):
    result: list[Region] = []
    was_cancelled: bool | None = False
    ground_truth: bool | None = False


class _Task(msgspec.Struct):
    data: dict[str, Any]
    annotations: list[_Annotation] | None = None
    completions: list[_Annotation] | None = None
    predictions: list[_Annotation | Whole] | None = None


def is_labelstudio(content: Any) -> bool:
    """Return whether JSON looks like an export of Label Studio, JSON or JSON-MIN."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and (isinstance(first.get("data"), dict) or _is_min(first))


def _is_min(task: Mapping[str, Any]) -> bool:
    try:
        return photo_address(task) is not None and _is_annotated_min(task)
    except DataError:  # several photos: the reader has the sentence
        return _is_annotated_min(task)


def _is_annotated_min(task: Mapping[str, Any]) -> bool:
    """Return whether a task in JSON-MIN was annotated, perhaps without a region."""
    return "annotation_id" in task or any(_min_values(task))


def _min_values(task: Mapping[str, Any]) -> Iterator[Any]:
    """Return the regions of a task in JSON-MIN: dictionaries in the lists of its other keys."""
    for value in task.values():
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            yield from (each for each in value if "original_width" in each)


def plain_name(address: str) -> str:
    """Return the photo's file name from the address in an export, without the hash of an upload."""
    return without_hash(address_name(address)).rpartition("/")[2]


def valid_results(
    content: Any, path: Path, predictions: bool = False
) -> Iterator[tuple[str, list[Region], int]]:
    """Return (address, regions, annotations) of each annotated task: its last annotation that was not cancelled.

    Args:
        content: The export.
        path: Its file, for errors.
        predictions: Read what a model predicted instead.

    Raises:
        DataError: A task is not sound.
    """
    for index, each in enumerate(content):
        where = f"task {index + 1} of {path}"
        if isinstance(each, dict) and "data" not in each:
            if _is_annotated_min(each):
                yield _address(each, where), [region_of_value(value, where) for value in _min_values(each)], 1
            continue
        task = shaped(each, _Task, "Label Studio", where)
        valid = _valid_annotations(task, predictions)
        if valid:
            yield _address(task.data, where, valid[-1].result), valid[-1].result, len(valid)


def _valid_annotations(task: _Task, predictions: bool) -> list[_Annotation]:
    """Return a task's annotations, or its predictions, that were not cancelled; those alone that are the ground truth."""
    annotations = task.predictions if predictions else task.annotations or task.completions
    valid = [one for one in annotations or () if isinstance(one, _Annotation) and not one.was_cancelled]
    return [one for one in valid if one.ground_truth] or valid


def _address(data: Mapping[str, Any], where: str, regions: Sequence[Region] = ()) -> str:
    """Return the address of the photo on which the regions lie. Raises DataError where there may be several."""
    shown = {each.to_name for each in regions if each.to_name and each.type not in PASSED_OVER}
    listed = any(each.item_index for each in regions) or any(
        _is_list_of_photos(each) for each in data.values()
    )
    if len(shown) > 1 or listed:
        raise DataError(
            f"expected one photo in {where}", "several, of which the export does not say which was marked",
            "Make a task for each photo",
        )  # fmt: skip
    if "video" in data or any(each.type.startswith("video") for each in regions):
        raise DataError(
            f"expected a photo in {where}", "a video", "Annotate its frames, or use CVAT for video"
        )
    try:
        address = photo_address(data, next(iter(shown), ""))
    except DataError as error:
        raise DataError.plain(f"{where}: {error}") from None
    if address is None:
        raise DataError(f"expected a photo's name in the data of {where}", ", ".join(data)[:80] or "nothing")
    return address


def read_labelstudio(path: Path, predictions: bool = False) -> dict[str, Entry]:
    """Return entries by file name; of several annotations of a photo the last that was not cancelled counts.

    Raises:
        DataError: The file is no such export, a photo stands in it twice, or it holds predictions alone.
    """
    content = read_json(path)
    if not is_labelstudio(content):
        raise DataError("expected the JSON export of Label Studio", f"something else in {path}")
    entries: dict[str, Entry] = {}
    for address, regions, number in valid_results(content, path, predictions):
        name = address_name(address)
        if name in entries:
            raise DataError(f"expected each photo once in {path}", f"{name} again")
        entry = _entry(regions, f"{name} in {path}", (without_hash(name),))
        notes = (f"the last of {number} annotations is read",) if number > 1 else ()
        entries[name] = replace(entry, notes=notes)
    if not entries and not predictions and _has_predictions(content):
        raise DataError(
            f"{path} holds predictions of a model and no annotations", "",
            "Accept them in Label Studio, or read them with --from labelstudio-predictions",
        )  # fmt: skip
    return entries


def _is_list_of_photos(value: Any) -> bool:
    """Return whether a value in a task's data is a list of photos."""
    return isinstance(value, list) and len(value) > 1 and all(map(_is_photo, value))


def _is_photo(value: Any) -> bool:
    return isinstance(value, str) and address_name(value).lower().endswith(IMAGE_SUFFIXES)


def _has_predictions(content: Sequence[Any]) -> bool:
    return any(isinstance(task, dict) and task.get("predictions") for task in content)


def _entry(regions: Sequence[Region], where: str, also: tuple[str, ...]) -> Entry:
    labels = {each.id: each.value.labels for each in regions if each.type == "labels" and each.id is not None}
    choices = _choices(regions)
    marks: list[Mark] = []
    size: Size | None = None
    for each in _places(regions):
        own = read_size(each.original_width, each.original_height)
        if size not in (None, own):
            raise DataError(f"expected one size of the photo for {where}", f"{size} and {own}")
        size = own
        mark = region_mark(each, own, labels.get(each.id or ""), where)
        marks.append(classed(mark, choices.get(each.id or "", {})))
    return Entry(marks, size, also=also)


def _choices(regions: Sequence[Region]) -> dict[str | int, dict[str, Any]]:
    """Return what was chosen for single regions, by their id: values by the control's name."""
    choices: dict[str | int, dict[str, Any]] = {}
    for each in regions:
        if each.type == "choices" and each.id is not None and each.value.choices:
            choices.setdefault(each.id, {})[each.from_name or "choice"] = each.value.choices
    return choices


def _places(regions: Sequence[Region]) -> list[Region]:
    """Return the regions that mark a place, once each: a shape and its classes may be results of their own."""
    places: dict[object, Region] = {}
    for number, each in enumerate(regions):
        if each.type not in PASSED_OVER:
            kind = each.type.removesuffix("labels")
            key = number if each.id is None else (each.id, kind, each.value.place)
            if key not in places or each.type != kind:  # the result with the classes has the place as well
                places[key] = each
    return list(places.values())


def _write(labels: Mapping[str, Label]) -> str:
    return json.dumps([_task(name, label) for name, label in labels.items()]) + "\n"


def _task(name: str, label: Label) -> dict[str, Any]:
    results = []
    if len(label.points):
        width, height = photo_size_of(label, name)
        boxed = label.sizes is not None
        kind, sides = ("rectanglelabels", 4) if boxed else ("keypointlabels", 2)
        table = boxes_of(label, name, "Label Studio") if boxed else label.points.xy + 0.5
        scale = 100 / np.array([width, height] * (sides // 2))
        for row in (table * scale).tolist():
            value = dict(zip(("x", "y", "width", "height"), row, strict=False))
            value |= {kind: ["head"]} if boxed else {"width": 0.5, kind: ["head"]}
            results.append(
                {"type": kind, "from_name": "label", "to_name": "image", "original_width": width,
                 "original_height": height, "value": value}
            )  # fmt: skip
    return {"data": {"image": name}, "annotations": [{"was_cancelled": False, "result": results}]}


LABELSTUDIO = Format(
    "labelstudio", "one JSON or JSON-MIN (Label Studio): key points, rectangles, ellipses", ".json", True, True, True,
    read=read_labelstudio, write=_write,
)  # fmt: skip
LABELSTUDIO_PREDICTIONS = Format(
    "labelstudio-predictions", "one JSON (Label Studio): predictions of a model", ".json", True, True, True,
    read=lambda path: read_labelstudio(path, predictions=True),
)  # fmt: skip
