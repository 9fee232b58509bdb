"""Attributes, tags, flags, groups and several classes of one mark: chosen, refused or named, never passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crowdscale.data.check import check_dataset
from crowdscale.data.conversion import open_source
from tests.support.layouts import write_photo

BOX = {"x": 50, "y": 50, "width": 10, "height": 10}


def labelstudio(*regions: dict[str, Any]) -> str:
    common = {"original_width": 400, "original_height": 300}
    results = [{**common, **each} for each in regions]
    return json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": results}]}])


def boxed(names: list[str], **place: float) -> dict[str, Any]:
    return {"type": "rectanglelabels", "value": {**BOX, **place, "rectanglelabels": names}}


def coco(*annotations: dict[str, Any]) -> str:
    numbered = [{"image_id": 1, "id": number, **each} for number, each in enumerate(annotations)]
    return json.dumps({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": numbered})


def cvat(*attributes: tuple[str, str]) -> str:
    shapes = "".join(
        f'<points label="person" points="{5 + 9 * at},6"><attribute name="{name}">{value}</attribute></points>'
        for at, (name, value) in enumerate(attributes)
    )
    return f'<annotations><image name="a.jpg" width="400" height="300">{shapes}</image></annotations>'


def supervisely(*tags: list[dict[str, Any]]) -> str:
    objects = [
        {"classTitle": "person", "geometryType": "point", "tags": own, "points": {"exterior": [[5 + 9 * at, 6]]}}
        for at, own in enumerate(tags)
    ]  # fmt: skip
    return json.dumps({"size": {"width": 400, "height": 300}, "objects": objects})


def labelme(*facts: dict[str, Any]) -> str:
    shapes = [
        {"label": "person", "points": [[5 + 9 * at, 6]], "shape_type": "point", **own}
        for at, own in enumerate(facts)
    ]
    return json.dumps({"imageWidth": 400, "imageHeight": 300, "shapes": shapes})


def voc(*difficult: int) -> str:
    objects = "".join(
        f"<object><name>person</name><difficult>{each}</difficult><bndbox><xmin>{9 * at}</xmin><ymin>3</ymin>"
        f"<xmax>{9 * at + 8}</xmax><ymax>9</ymax></bndbox></object>"
        for at, each in enumerate(difficult)
    )
    return f"<annotation>{objects}</annotation>"


FILLED = {"bbox": [10, 10, 20, 20]}
OTHER = {"bbox": [60, 60, 20, 20]}
CHECKED = json.dumps({"a.jpg1": {"filename": "a.jpg", "regions": [
    {"shape_attributes": {"name": "point", "cx": 5, "cy": 6}, "region_attributes": {"type": {"head": True, "blurred": True}}},
    {"shape_attributes": {"name": "point", "cx": 9, "cy": 6}, "region_attributes": {"type": {"head": True}}}]}})  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "sentence", "choice", "heads"),
    [
        ("e.json", labelstudio(boxed(["head", "blurred"]), boxed(["head"], x=10)), "head+blurred 1, head 1", "head", 2),
        ("e.json", labelstudio(boxed(["head", "blurred"]), boxed(["head"], x=10)), "head+blurred 1", "blurred", 1),
        ("v.json", CHECKED, "blurred+head 1, head 1", "blurred", 1),
        ("c.xml", cvat(("kind", "head"), ("kind", "body")), "person kind=head 1, person kind=body 1", "head", 1),
        ("c.xml", cvat(("type", "head"), ("type", "body")), '--class "person type=head"', "person", 2),
        ("a.jpg.json", supervisely([{"name": "type", "value": "head"}], []), "person type=head 1, person 1", "head", 1),
    ],
)  # fmt: skip
def test_several_classes_must_be_chosen(
    tmp_path: Path, name: str, text: str, sentence: str, choice: str, heads: int
) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    (tmp_path / name).write_text(text)
    problems = check_dataset(str(tmp_path)).problems
    assert sentence in problems[0].sentence
    assert problems[0].broken
    ((sample,), _) = open_source(str(tmp_path), classes=(choice,))
    assert sample.points is not None
    assert len(sample.points) == heads


@pytest.mark.parametrize(
    ("name", "text", "sentence", "choice"),
    [
        ("c.xml", cvat(("occluded", "false"), ("occluded", "true")), "occluded (false: 1, true: 1)", "occluded=false"),
        ("c.json", coco(FILLED, {**OTHER, "attributes": {"occluded": True}}), "occluded (true: 1, none: 1)", "occluded"),
        ("a.jpg.json", supervisely([{"name": "seated", "value": None}], []), "seated (true: 1, none: 1)", "seated"),
        ("a.json", labelme({"flags": {"child": True}}, {"flags": {"child": False}}), "child (true: 1, false: 1)", "child"),
        ("a.json", labelme({"difficult": True}, {"difficult": False}), "difficult (true: 1, false: 1)", "difficult=false"),
        ("a.xml", voc(1, 0), "difficult (1: 1, 0: 1)", "difficult=0"),
        ("e.json", labelstudio({**boxed(["head"]), "id": "r"}, boxed(["head"], x=10),
                               {"type": "choices", "id": "r", "from_name": "age", "value": {"choices": ["child"]}}),
         "age (child: 1, none: 1)", "age=child"),
    ],
)  # fmt: skip
def test_attributes_in_which_heads_differ_are_named_and_chosen(
    tmp_path: Path, name: str, text: str, sentence: str, choice: str
) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    (tmp_path / name).write_text(text)
    samples, notes = open_source(str(tmp_path))
    assert [len(sample.points or ()) for sample in samples] == [2]
    assert sentence in "; ".join(notes)
    assert [len(s.points or ()) for s in open_source(str(tmp_path), classes=(choice,))[0]] == [1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.xml", cvat(("occluded", "false"), ("occluded", "false"))),
        ("c.json", coco(*({"bbox": [20 * at, 9, 9, 9], "attributes": {"track_id": at}} for at in range(20)))),
        ("a.json", labelme({"flags": {}}, {"group_id": 1})),
    ],
)
def test_attributes_that_are_no_choice_are_not_named(tmp_path: Path, name: str, text: str) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    (tmp_path / name).write_text(text)
    assert open_source(str(tmp_path))[1] == []


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.json", labelme({"group_id": 1}, {"group_id": 1}), "2 shapes share their class and group"),
        ("c.xml", cvat(("a", "1"), ("a", "1")).replace("<points", '<points group_id="2"'), "2 shapes share their class"),
        ("c.json", coco({**FILLED, "score": 0.9}, {**OTHER, "score": 0.01}), "2 annotations have a score, down to 0.01"),
        ("a.csv", "x,y,width\n5,6,9\n", "not read: width"),
        ("a.csv", "x,y,score\n5,6,0.1\n", "not read: score"),
        ("a.csv", "50,60\n70,80\n", "the first line names no columns"),
        ("a.json", '{"points": [[50, 60]], "order": "yx"}', "keys that are not read: order"),
    ],
)  # fmt: skip
def test_what_may_be_meant_otherwise_is_said(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    (tmp_path / name).write_text(text)
    assert sentence in "; ".join(problem.sentence for problem in check_dataset(str(tmp_path)).problems)


def test_x_to_the_right_of_the_height_proves_the_order_of_columns(tmp_path: Path) -> None:
    for name, text in (("a", "10,20\n"), ("b", "390,20\n")):
        write_photo(tmp_path / f"{name}.jpg", (400, 300)).with_suffix(".csv").write_text(text)
    assert open_source(str(tmp_path))[1] == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"img_id": "a.jpg", "human_num": 2, "points": [[50, 60]]}', "expected 2 points"),
        ('{"points": [[50, 60]], "number": 3}', "expected 3 points"),
        (coco({"bbox": [10, 20, 30, 60], "area": 800}), "two corners, as its area says"),
    ],
)
def test_numbers_that_contradict_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300)).with_suffix(".json").write_text(text)
    problem = check_dataset(str(tmp_path)).problems[0]
    assert sentence in problem.sentence
    assert problem.broken


def test_crowds_by_an_attribute_are_areas(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    (tmp_path / "c.json").write_text(coco(FILLED, {**OTHER, "attributes": {"is_crowd": True}}))
    (sample,), notes = open_source(str(tmp_path))
    assert sample.points is not None
    assert len(sample.points) == 1
    assert sample.mask is not None
    assert "1 crowd region (iscrowd) ignored" in notes[0]


def test_crowds_of_a_film_are_areas_until_they_change(tmp_path: Path) -> None:
    crowd = '<attribute name="is_crowd">true</attribute></box>'
    (tmp_path / "c.xml").write_text(
        '<annotations><track label="p"><box frame="0" outside="0" xtl="100" ytl="100" xbr="200" ybr="200">'
        f'{crowd}<box frame="2" outside="1" xtl="100" ytl="100" xbr="200" ybr="200">{crowd}</track><track label="p">'
        '<points frame="0" points="150,150"/><points frame="1" points="20,20"/><points frame="2" points="150,150"/>'
        "</track></annotations>"
    )
    for frame in range(3):
        write_photo(tmp_path / f"frame_{frame:06}.jpg", (400, 300))
    samples, _ = open_source(str(tmp_path))
    assert [len(sample.points or ()) for sample in samples] == [0, 1, 1]
    assert [sample.mask is not None for sample in samples] == [True, True, False]
