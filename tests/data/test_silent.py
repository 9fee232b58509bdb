"""Annotations that would give a wrong number in silence: each is read right, or ``data check`` says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crowdscale.data.check import check_dataset
from crowdscale.data.conversion import open_source
from crowdscale.errors import CrowdscaleError
from tests.support.layouts import write_photo

Size = tuple[int, int]


def write_turned(path: Path, orientation: int, size: Size = (400, 300)) -> None:
    """A photo of a stored size with an EXIF orientation."""
    write_photo(path, size)
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.load()
        image.save(path, exif=exif)


def answers(root: Path, name: str, text: str) -> tuple[dict[str, Any] | str, str]:
    """Return the heads, or the refusal, and all that ``data check`` says, of a.jpg (drawn if missing) and a file."""
    if not (root / "a.jpg").exists():
        write_photo(root / "a.jpg", (400, 300))
    (root / name).write_text(text, encoding="utf-8")
    said = "; ".join(problem.sentence for problem in check_dataset(str(root)).problems)
    try:
        samples = open_source(str(root))[0]
    except CrowdscaleError as error:
        return str(error), said
    return {s.name: np.round(s.points.xy, 2).tolist() for s in samples if s.points is not None}, said


def sized(width: int, height: int) -> dict[str, tuple[str, str]]:
    """A file of each format that states the photo's size, with a head at a tenth of both sides."""
    x, y = width / 10, height / 10
    box = f"<xmin>{x - 5}</xmin><ymin>{y - 5}</ymin><xmax>{x + 5}</xmax><ymax>{y + 5}</ymax>"
    point = {"type": "keypointlabels", "original_width": width, "original_height": height}
    coco = {"images": [{"id": 1, "file_name": "a.jpg", "width": width, "height": height}],
            "annotations": [{"id": 1, "image_id": 1, "bbox": [x - 5, y - 5, 10, 10]}]}  # fmt: skip
    return {
        "Label Studio": ("e.json", json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": [
            {**point, "value": {"x": 10, "y": 10, "keypointlabels": ["head"]}}]}]}])),
        "COCO": ("c.json", json.dumps(coco)),
        "CVAT": ("c.xml", f'<annotations><image id="0" name="a.jpg" width="{width}" height="{height}">'
                          f'<points label="h" points="{x},{y}"/></image></annotations>'),
        "VOC": ("a.xml", f"<annotation><size><width>{width}</width><height>{height}</height></size>"
                         f"<object><name>h</name><bndbox>{box}</bndbox></object></annotation>"),
        "LabelMe": ("a.json", json.dumps({"imageHeight": height, "imageWidth": width, "shapes": [
            {"label": "h", "points": [[x, y]], "shape_type": "point"}]})),
        "Supervisely": ("a.jpg.json", json.dumps({"size": {"width": width, "height": height}, "objects": [
            {"classTitle": "h", "geometryType": "point", "points": {"exterior": [[x, y]], "interior": []}}]})),
        "makesense": ("l.csv", f"head,{x},{y},a.jpg,{width},{height}\n"),
        "boxes": ("_annotations.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n"
                                      f"a.jpg,{width},{height},head,{x - 5},{y - 5},{x + 5},{y + 5}\n"),
        "JSON": ("a.json", json.dumps({"points": [[x, y]], "photo_size": [width, height]})),
        "CSV": ("a.csv", f"x,y,image_width,image_height\n{x},{y},{width},{height}\n"),
        "table": ("points.csv", f"image,x,y,img_w,img_h\na.jpg,{x},{y},{width},{height}\n"),
    }  # fmt: skip


FORMATS = sorted(sized(1, 1))


@pytest.mark.parametrize("name", FORMATS)
def test_a_photo_that_was_resized_later(tmp_path: Path, name: str) -> None:
    heads, said = answers(tmp_path, *sized(800, 600)[name])
    assert isinstance(heads, dict)
    assert np.abs(np.array(heads["a"]) - (39.75, 29.75)).max() <= 0.25
    assert "Scaled by 0.5" in said


@pytest.mark.parametrize("name", FORMATS)
def test_a_photo_of_another_shape(tmp_path: Path, name: str) -> None:
    heads, said = answers(tmp_path, *sized(600, 600)[name])
    assert "is for a photo of 600×600, but a.jpg has 400×300" in str(heads)
    assert "is for a photo of 600×600, but a.jpg has 400×300" in said
    assert "expected a photo for" not in said.lower()


@pytest.mark.parametrize("name", FORMATS)
def test_heads_marked_before_exif_turned_the_photo(tmp_path: Path, name: str) -> None:
    write_turned(tmp_path / "a.jpg", 6)
    heads, said = answers(tmp_path, *sized(400, 300)[name])
    assert isinstance(heads, dict)
    assert np.abs(np.array(heads["a"]) - (269.25, 39.75)).max() <= 0.3
    assert "Turned upright" in said


OPEN = "annotations may have been made before or after"


@pytest.mark.parametrize(
    ("orientation", "size", "name", "text", "warned"),
    [
        (6, (400, 300), "a.csv", "x,y\n40,30\n", True),
        (6, (400, 300), "a.txt", "0 .1 .1 .05 .05\n", True),
        (3, (400, 300), *sized(400, 300)["COCO"], True),
        (2, (400, 300), *sized(400, 300)["LabelMe"], True),
        (6, (300, 300), *sized(300, 300)["CVAT"], True),
        (8, (400, 300), *sized(300, 400)["CVAT"], False),
        (1, (400, 300), "a.csv", "x,y\n40,30\n", False),
    ],
    ids=["no size", "shares", "upside down", "mirrored", "square", "the upright size", "not turned"],
)
def test_exif_that_leaves_it_open_is_said(
    tmp_path: Path, orientation: int, size: Size, name: str, text: str, warned: bool
) -> None:
    write_turned(tmp_path / "a.jpg", orientation, size)
    assert (OPEN in answers(tmp_path, name, text)[1]) is warned


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_photos_that_were_enlarged_later_are_suspected(tmp_path: Path, share: float) -> None:
    places = np.random.default_rng(0).uniform(0, 1, (20, 2)) * (400 * share, 300 * share)
    for name in ("a", "b"):
        path = write_photo(tmp_path / f"{name}.jpg", (400, 300)).with_suffix(".csv")
        np.savetxt(path, places, delimiter=",", header="x,y", comments="")
    said = "; ".join(problem.sentence for problem in check_dataset(str(tmp_path)).problems)
    assert ("upper left part of their photos, up to" in said) is (share < 0.7)


TWO = [[1, 2], [3, 4]]
COCO_TWO = {
    "images": [{"id": 1, "file_name": "a.jpg"}],
    "annotations": [{"id": n, "image_id": 1, "category_id": n, "bbox": [30 * n, 10, 9, 9]} for n in (1, 2)],
}


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        *[
            ("points.csv", f"image,x,y,{column}\na.jpg,1,2,head\na.jpg,30,40,car\n", "head 1, car 1")
            for column in ("category", "Type", "species", "Class ID", "object", "label_name")
        ],
        ("a.csv", " ,Area,X,Y,Counter,Slice\n1,0,10,20,0,1\n2,0,30,20,1,1\n", "0 1, 1 1"),
        ("a.csv", "index,axis-0,axis-1,label\n0,6,5,head\n1,6,50,car\n", "head 1, car 1"),
        ("a.json", json.dumps({"points": TWO, "labels": ["head", "car"]}), "head 1, car 1"),
        ("c.json", json.dumps(COCO_TWO), "1 1, 2 1"),
    ],
)
def test_several_classes_are_listed(tmp_path: Path, name: str, text: str, counts: str) -> None:
    heads, said = answers(tmp_path, name, text)
    assert f"several classes: {counts}" in str(heads)
    assert f"several classes: {counts}" in said


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("d.pnt", '{"points": {"a.jpg": {"h": []}, "a.jpg": {"h": [{"x": 5, "y": 6}]}}}', "'a.jpg' again"),
        ("a.json", '{"points": [[1, 2]], "points": [[3, 4]]}', "'points' again"),
        ("a.json", json.dumps({"points": TWO, "labels": ["head"]}), "a class for each point"),
        ("points.csv", "image,x,y,frame\na.jpg,1,2,1\na.jpg,1,2,2\n", "2 values of frame"),
        ("a.csv", "image,x,y\na.jpg,1,2\nb.jpg,1,2\n", "beside one photo, but names 2"),
        ("a.txt", "100 100 140 100 140 120 100 120 head 0\n", "is of DOTA"),
        ("a.txt", "Pedestrian 0 0 -0.2 712 143 810 307 1.9 0.5 1.2 1.8 1.5 8.4 0.01\n", "is of KITTI"),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    heads, said = answers(tmp_path, name, text)
    assert sentence in str(heads)
    assert sentence in said


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("points.csv", "image,x,y,visible\na.jpg,0,0,0\na.jpg,5,6,1\n", "not read: visible"),
        ("a.csv", "x,y,v\n0,0,0\n5,6,1\n", "1 of 2 heads lie at 0,0"),
        ("a.json", json.dumps({"imagePath": "b.jpg", "shapes": [
            {"label": "h", "points": [[5, 5]], "shape_type": "point"}]}), "names b.jpg"),
        ("a.xml", "<annotation><filename>b.jpg</filename></annotation>", "names b.jpg"),
        ("a.csv", "image,x,y\nb.jpg,1,2\n", "names b.jpg"),
    ],
)  # fmt: skip
def test_what_may_be_wrong_is_said(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    write_photo(tmp_path / "b.jpg", (400, 300)).with_suffix(".csv").write_text("x,y\n1,2\n")
    heads, said = answers(tmp_path, name, text)
    assert isinstance(heads, dict)
    assert sentence in said


def test_two_files_for_one_photo_are_named_by_their_folders(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .2 .2 .1 .1\n")
    _, said = answers(tmp_path, "a.txt", "0 .5 .5 .1 .1\n")
    assert "in one place, but got a.txt and labels/a.txt" in said
