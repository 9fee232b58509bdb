"""Neighbours of the cases: each variant of a format is read right, or refused in a sentence that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from crowdscale.data.conversion import open_source
from crowdscale.errors import CrowdscaleError
from tests.support.layouts import write_photo

Heads = list[tuple[float, float]]


def read(
    root: Path, files: dict[str, str | bytes], photos: tuple[str, ...] = ("a.jpg",)
) -> dict[str, Heads] | str:
    """Return the heads of each photo after writing files beside it, or the refusal."""
    for photo in photos:
        write_photo(root / photo, (400, 300))
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        samples, _ = open_source(str(root))
    except CrowdscaleError as error:
        return str(error)
    return {
        s.name: [tuple(xy) for xy in np.round(s.points.xy, 2).tolist()]
        for s in samples
        if s.points is not None
    }


def check(answer: dict[str, Heads] | str, right: Heads | str) -> None:
    if isinstance(right, str):
        assert isinstance(answer, str), answer
        assert right in answer
    else:
        assert answer == {"a": right}


def coco(*annotations: dict[str, Any], **image: Any) -> str:
    images = [{"id": 1, "file_name": "a.jpg", **image}]
    return json.dumps(
        {"images": images, "annotations": [{"image_id": 1, "id": 7, **each} for each in annotations]}
    )


BOX = {"bbox": [10, 10, 20, 20]}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (coco({**BOX, "keypoints": [0, 0, 0, 5, 6, 1, 9, 9, 2]}), [(5, 6)]),
        (coco({**BOX, "keypoints": [0, 0, 0, 0, 0, 0]}), [(19.5, 19.5)]),
        (coco({"keypoints": [0, 0, 0]}), "a keypoint or a bbox in id 7"),
        (coco({"keypoints": [1, 2, 2, 3]}), "keypoints as x, y, visibility in id 7"),
        (coco({"bbox": [], "segmentation": []}), "a keypoint or a bbox in id 7"),
        (coco({"segmentation": [[1, 2, 3]]}), "pairs of numbers in the polygon of id 7"),
        (coco({"segmentation": {"size": [300, 400], "counts": [5]}}), "run lengths of 400×300 pixels"),
        (coco({"segmentation": {"size": [4, 3], "counts": "525"}}), [(1, 1.5)]),
        (coco({**BOX, "iscrowd": 1}), []),
        (coco({**BOX, "image_id": "1"}), [(19.5, 19.5)]),
        (coco({**BOX, "image_id": 2}), "image_id 2"),
        (coco(BOX, file_name="photos\\a.jpg"), [(19.5, 19.5)]),
        (coco(BOX, file_name="a.png"), [(19.5, 19.5)]),
        (coco(BOX, width=300, height=400), "is for a photo of 300×400, but a.jpg has 400×300"),
        (coco(BOX, width=800, height=600), [(9.5, 9.5)]),
        (coco(BOX, width=0, height=0), [(19.5, 19.5)]),
        (coco({"bbox": [10, 10, "x", 20]}), "Expected float, got str"),
        (coco({"bbox": [10, 10, 20]}), "a bbox of 4 numbers in id 7"),
        (coco({"keypoints": [50, 60] * 3}), "keypoints as x, y, visibility in id 7"),
        (coco({"keypoints": [50, 60, 0.9]}), [(50, 60)]),
        (coco({**BOX, "ignore": 1}), []),
        (coco(BOX, file_name="https://host/photos/a.jpg?size=1"), [(19.5, 19.5)]),
        (coco({"segmentation": [[10, 10, 30, 10, 30, 30], [50, 10, 70, 10, 70, 30]]}), [(39.5, 19.5)]),
        (coco({"bbox": [0.1, 0.1, 0.2, 0.2]}), "shares of the photo's sides"),
        (json.dumps([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]), "COCO's results"),
        (json.dumps({"images": [], "categories": []}), "COCO without annotations"),
    ],
)  # fmt: skip
def test_coco(tmp_path: Path, text: str, right: Heads | str) -> None:
    check(read(tmp_path, {"coco.json": text}), right)


@pytest.mark.parametrize(
    ("names", "numbers", "right"),
    [
        (["left_shoulder", "head", "neck"], [10, 10, 2, 50, 60, 2, 1, 1, 2], (50, 60)),
        (["right ankle", "upper neck", "head top"], [10, 10, 2, 20, 20, 2, 50, 60, 1], (50, 60)),
        (["left_eye", "nose"], [10, 10, 2, 50, 60, 2], (50, 60)),
        (["rear", "heart"], [10, 10, 0, 50, 60, 2], (50, 60)),
        (["nose"], [10, 10, 0, 50, 60, 2], (50, 60)),
    ],
)
def test_the_keypoint_of_the_head_goes_by_its_name(
    tmp_path: Path, names: list[str], numbers: list[float], right: tuple[float, float]
) -> None:
    content = json.loads(coco({"keypoints": numbers, "category_id": 3}))
    content["categories"] = [{"id": 3, "name": "Köpfe 头", "keypoints": names}]
    check(read(tmp_path, {"coco.json": json.dumps(content)}), [right])


def test_a_body_without_a_labelled_head_is_noted(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    content = json.loads(coco({"keypoints": [0, 0, 0, 50, 60, 2], "category_id": 1}))
    content["categories"] = [{"id": 1, "name": "person", "keypoints": ["nose", "ankle"]}]
    (tmp_path / "coco.json").write_text(json.dumps(content))
    assert "1 without a labelled keypoint of the head" in open_source(str(tmp_path))[1][0]


def region(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "original_width": 400, "original_height": 300, "value": value, **more}


def task(*regions: dict[str, Any], image: str = "/data/upload/1/0a1b2c3d-a.jpg", **more: Any) -> str:
    return json.dumps([{"data": {"image": image}, "annotations": [{"result": list(regions)}]} | more])


POINT = region("keypointlabels", {"x": 10, "y": 10, "keypointlabels": ["head"]})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (task(region("ellipselabels", {"x": 50, "y": 50, "radiusX": 3, "radiusY": 1, "rotation": 33})), [(199.5, 149.5)]),
        (task(region("rectangle", {"x": 50, "y": 50, "width": 10, "height": 10, "rotation": 180})), [(179.5, 134.5)]),
        (task(region("rectangle", {"x": 50, "y": 50, "width": 10, "height": 10, "rotation": -90})), [(214.5, 129.5)]),
        (task(region("polygonlabels", {"points": [[10, 10], [20, 10], [20, 20]]})), [(59.5, 44.5)]),
        (task(region("brushlabels", {"format": "rle"})), "a brushlabels"),
        (task(region("rectangle", {"x": 50, "y": 50, "width": 10, "height": 10}, id="r"),
              region("labels", {"x": 50, "y": 50, "width": 10, "height": 10, "labels": ["head"]}, id="r")), [(219.5, 164.5)]),
        (task({**POINT, "image_rotation": 90}), "turned by 90°"),
        (task({**POINT, "original_width": 300, "original_height": 400}), "is for a photo of 300×400"),
        (task(POINT, {**POINT, "original_width": 800, "original_height": 600}), "one size of the photo"),
        (task({"type": "keypointlabels", "value": {"x": 1, "y": 2}}), "original_width"),
        (task(region("keypointlabels", {"x": 1})), "expected y of each region"),
        (task(POINT, image="s3://bucket/x/a.jpg?X-Amz-Date=1"), [(39.5, 29.5)]),
        (task(POINT, image="C:\\photos\\a.jpg"), [(39.5, 29.5)]),
        (task(POINT, image="/data/upload/1/0123456789abcdef-a.jpg"), [(39.5, 29.5)]),
        (task(), []),
        (json.dumps([{"id": 1, "image": "a.jpg", "weather": "rain", "box": [
            {"x": 50, "y": 50, "width": 10, "height": 10, "rotation": 0, "rectanglelabels": ["head"],
             "original_width": 400, "original_height": 300}]}]), [(219.5, 164.5)]),
        (json.dumps([{"id": 1, "annotation_id": 2, "image": "a.jpg"}]), []),
        (task({**POINT, "to_name": "one"}, {**POINT, "to_name": "two"}), "expected one photo in task 1"),
        (task({**POINT, "item_index": 1}), "expected one photo in task 1"),
        (task(data={"images": ["a.jpg", "b.jpg"]}), "expected one photo in task 1"),
        (task(data={"before": "b.jpg", "after": "a.jpg"}), "several: before, after"),
        (task({**POINT, "to_name": "after"}, data={"before": "b.jpg", "after": "a.jpg"}), [(39.5, 29.5)]),
        (task(data={"video": "film.mp4"}), "a video"),
        (task(region("rectangle", {"x": 50, "y": 50, "width": 10, "height": 10}, id="r"),
              region("rectanglelabels", {"x": 50, "y": 50, "width": 10, "height": 10, "rectanglelabels": ["head"]}, id="r"),
              region("choices", {"x": 50, "y": 50, "choices": ["standing"]}, id="r")), [(219.5, 164.5)]),
        (task(annotations=[{"result": [POINT], "ground_truth": True}, {"result": []}]), [(39.5, 29.5)]),
    ],
)  # fmt: skip
def test_label_studio(tmp_path: Path, text: str, right: Heads | str) -> None:
    check(read(tmp_path, {"export.json": text}), right)


def test_predictions_are_read_on_request(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    content = [{"data": {"image": "a.jpg"}, "annotations": [], "predictions": [{"result": [POINT]}]}]
    (tmp_path / "export.json").write_text(json.dumps(content))
    (sample,) = open_source(str(tmp_path), "labelstudio-predictions")[0]
    assert sample.points is not None
    assert sample.points.xy.tolist() == [[39.5, 29.5]]


def cvat(shapes: str, size: str = 'width="400" height="300"') -> str:
    return f'<annotations><image id="0" name="a.jpg" {size}>{shapes}</image></annotations>'


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (cvat('<box label="h" xtl="100" ytl="100" xbr="140" ybr="120" rotation="90.0"/>'), [(119.5, 109.5)]),
        (cvat('<ellipse label="h" cx="50" cy="60" rx="5" ry="9" rotation="45"/>'), [(49.5, 59.5)]),
        (cvat('<polygon label="h" points="10,10;20,10;20,20"/>'), [(14.5, 14.5)]),
        (cvat('<mask label="h" rle="1" left="10" top="20" width="5" height="5"/>'), [(12, 22)]),
        (cvat('<cuboid label="h"/>'), "a cuboid"),
        (cvat('<tag label="night"/><points label="h" points="1,2"/>'), [(1, 2)]),
        (
            cvat('<skeleton label="p"><points label="a" outside="1" points="1,2"/></skeleton>'),
            "without a visible point",
        ),
        (cvat('<points label="h" points="1,2;3"/>'), "points as x,y;x,y"),
        (
            cvat(
                '<skeleton label="p"><points label="left_ankle" outside="0" points="1,2"/>'
                '<points label="head" outside="0" points="50,60"/></skeleton>'
            ),
            [(50, 60)],
        ),
        (cvat('<points label="h" points="1,2"/>', ""), [(1, 2)]),
        (cvat('<points label="h" points="20,40"/>', 'width="800" height="600"'), [(9.75, 19.75)]),
        (cvat('<points label="h" points="20,40"/>', 'width="600" height="600"'), "is for a photo of 600×600"),
    ],
)
def test_cvat(tmp_path: Path, text: str, right: Heads | str) -> None:
    check(read(tmp_path, {"annotations.xml": text}), right)


def test_frames_between_key_frames_have_the_shape_in_between(tmp_path: Path) -> None:
    track = (
        '<annotations><meta><task><size>6</size></task></meta><track label="h">'
        '<points frame="0" outside="0" points="10,10"/><points frame="4" outside="0" points="50,90"/>'
        '<points frame="5" outside="1" points="50,90"/></track></annotations>'
    )
    photos = tuple(f"frame_00000{number}.jpg" for number in (0, 1, 2, 5))
    assert read(tmp_path, {"annotations.xml": track}, photos) == {
        "frame_000000": [(10, 10)], "frame_000001": [(20, 30)], "frame_000002": [(30, 50)], "frame_000005": [],
    }  # fmt: skip


def test_turned_boxes_and_skeletons_of_tracks(tmp_path: Path) -> None:
    track = (
        '<annotations><track label="h"><box frame="0" xtl="100" ytl="100" xbr="140" ybr="120" rotation="90"/>'
        '<box frame="2" outside="1" xtl="1" ytl="1" xbr="2" ybr="2"/></track><track label="h">'
        '<skeleton frame="0"><points label="head" outside="0" points="10,10"/></skeleton>'
        '<skeleton frame="1"><points label="head" outside="1" points="10,10"/></skeleton></track></annotations>'
    )
    answer = read(tmp_path, {"annotations.xml": track}, ("frame_000000.jpg", "frame_000001.jpg"))
    assert answer == {"frame_000000": [(119.5, 109.5), (10, 10)], "frame_000001": [(119.5, 109.5)]}


@pytest.mark.parametrize("size", ["9" * 5000, "-1", "1000001", "ten"])
def test_a_film_of_no_length_that_a_film_has(tmp_path: Path, size: str) -> None:
    text = f"<annotations><meta><task><size>{size}</size></task></meta><track/></annotations>"
    check(read(tmp_path, {"annotations.xml": text}), "a number of frames up to 1,000,000")


def test_a_film_without_its_frames_is_refused(tmp_path: Path) -> None:
    track = '<annotations><track label="h"><points frame="0" points="1,1"/></track></annotations>'
    check(read(tmp_path, {"annotations.xml": track}), "photos named as frames of")


SHAPES = "index,shape-type,vertex-index,axis-0,axis-1\n"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("x,y\r\n1,2\r\n", [(1, 2)]),
        ("x;y\n1;2\n", [(1, 2)]),
        ("x;y\n1,5;2,5\n", "decimals have a point"),
        ("x,y\n1,5,2,5\n", "expected 2 cells"),
        ("1;2\n3;4\n", [(1, 2), (3, 4)]),
        ("1,2,3,4\n", "4 columns without a header"),
        ("x,y,x\n1,2,3\n", "expected each column once"),
        ("X,Y,Class\n1,2,head\n", [(1, 2)]),
        ("x,y\n1_0,2\n", "two numbers x,y"),
        ("x,y,width,height\n1,2,400,300\n5,6,400,300\n", "2 of the photo's size, 400×300"),
        ("x,y\n1,inf\n", "finite coordinates"),
        ("x,y\n1,1e30\n", "finite coordinates"),
        ("index,axis-0,axis-1,axis-2\n0,1,2,3\n", "napari's points of a stack"),
        ("x,y\n1,2\n".encode("utf-16"), [(1, 2)]),
        ("x,y\n1,2\n".encode("utf-8-sig"), [(1, 2)]),
        (b"x,y\n1,2\xff\n", "Save it as UTF-8"),
        ("x,y\n1,2\n".encode("utf-16-le"), "perhaps UTF-16"),
        ('"x","y","note; more"\n1,2,z\n', [(1, 2)]),
        ("x,y,w,h\n1,2,3,4\n", "a box's corner or its centre"),
        ("x,y,x2,y2\n1,2,3,4\n", "a box's corner or its centre"),
        (" ,X,Y,Slice\n1,10,10,1\n2,11,15,1\n", [(10, 10), (11, 15)]),
        (" ,X,Y,Slice\n1,10,10,1\n2,11,15,2\n", "2 values of slice for one photo"),
        ("x,y\n0.5,0.5\n0.25,0.75\n", "shares of the photo's sides"),
        ("x,y\n0,0\n1,1\n", [(0, 0), (1, 1)]),
        (
            SHAPES + "0,rectangle,0,10,20\n0,rectangle,1,10,40\n0,rectangle,2,30,40\n0,rectangle,3,30,20\n"
            "1,ellipse,0,50,50\n1,ellipse,1,50,54\n1,ellipse,2,52,54\n1,ellipse,3,52,50\n",
            [(30, 20), (52, 51)],
        ),
        (SHAPES + "0,line,0,10,20\n0,line,1,10,40\n", "a line"),
    ],
)
def test_csv_beside_a_photo(tmp_path: Path, text: str | bytes, right: Heads | str) -> None:
    check(read(tmp_path, {"a.csv": text}), right)


@pytest.mark.parametrize(
    ("text", "names", "right"),
    [
        ("0 .5 .5 .1 .1\r\n", "", [(199.5, 149.5)]),
        ("0 .5 .5 .1 .1 .9\n", "", [(199.5, 149.5)]),
        ("0 .5 .5 .2 .4 0 0 0 .55 .35 2\n", "", [(219.5, 104.5)]),
        ("0 .5 .5 .2 .4 0 0 0 0 0 0\n", "", [(199.5, 149.5)]),
        ("0 .1 .1 .2 .1 .2 .2\n", "", [(59.5, 44.5)]),
        ("0 .5 .5 .2 .4 .52 .35 .55 .4\n", "kpt_shape: [2, 2]\n", [(207.5, 104.5)]),
        ("0 .5 .5 .2 .4 .52 .35 .9 .55 .4 .8\n", "kpt_shape:\n- 2\n- 3\n", [(207.5, 104.5)]),
        ("0 .5 .5 .2 .4 0 0 .55 .4\n", "kpt_shape: [2, 2]\n", [(219.5, 119.5)]),
        ("0 .5 .5 .2 .4 .5 .4 .6\n", "kpt_shape: [2, 2]\n", "expected lines of 9 numbers"),
        ("0 .5 .5 .2 .4 .52 .35 .55 .4\n", "", "poses with 2 numbers a key point or polygons"),
        ("0 .5 .5 .2 .4 .52 .35\n", "", "kpt_shape: [1, 2]"),
        ("0 .5 .5 .2 .4 .52 .35 .93 .55 .4 .8\n", "", "kpt_shape: [2, 3]"),
        ("0 .3 .3 .32 .31 .31 .33 .29 .32\n", "", [(121.5, 94)]),
        ("0 .3 .3 .32 .3 .33 .32 .31 .33 .29 .32\n", "", [(123.5, 94)]),
        ("-1 .5 .5 .1 .1\n", "", "a whole number of a class first in line 1"),
        (".5 .5 .1 .1 .1\n", "", "a whole number of a class first in line 1"),
        ("0 1.2 .5 .1 .1\n", "", "shares of the photo from 0 to 1 in line 1"),
        ("0 120 80 10 10\n", "", "Divide by the photo's width and height"),
        ("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n", "names: [head, car]", "several classes: head 1, car 1"),
        ("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n", "names:\n  0: head\n  1: car\n", "several classes: head 1, car 1"),
        ("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n", "names:\n- head\n- car\n", "several classes: head 1, car 1"),
    ],
)
def test_yolo(tmp_path: Path, text: str, names: str, right: Heads | str) -> None:
    files: dict[str, str | bytes] = {"a.txt": text}
    check(read(tmp_path, {**files, "data.yaml": names} if names else files), right)


def via(shape: dict[str, Any], *attributes: dict[str, Any]) -> str:
    regions = [{"shape_attributes": shape, "region_attributes": each} for each in attributes or ({},)]
    return json.dumps({"_via_img_metadata": {"a.jpg1": {"filename": "a.jpg", "regions": regions}}})


TURNED = "<robndbox><cx>20</cx><cy>30</cy><w>10</w><h>6</h><angle>0.5</angle></robndbox>"
"""A turned box as roLabelImg writes it."""

VIA_HEAD = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
)


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("via.json", via({"name": "circle", "cx": 50, "cy": 60, "r": 5}), [(49.5, 59.5)]),
        ("via.json", via({"name": "polygon", "all_points_x": [10, 20, 20], "all_points_y": [10, 10, 20]}), [(14.5, 14.5)]),
        ("via.json", via({"name": "polyline"}), "a polyline"),
        ("via.json", via({"name": "rect", "x": 1}), "expected y, width, height of a rect"),
        ("via.json", via({"name": "ellipse", "cx": 50, "cy": 60, "rx": 9, "ry": 5, "theta": 0.5}), [(49.5, 59.5)]),
        ("via.json", via({"name": "point", "cx": 5, "cy": 6}, {"kind": "head", "age": "old"}, {"kind": "car", "age": "old"}),
         "age=old+kind=head 1, age=old+kind=car 1"),
        ("via.csv", "# Exported using VGG Image Annotator\n", "VIA 3"),
        ("e.csv", "image,id,label,annotator\na.jpg,1,[],1\n", "Label Studio as CSV"),
        ("b.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/1,.1,.2,.1,.2\n", "Open Images"),
        ("b.csv", "a.jpg,10,10,30,30,head\n", "boxes without a header"),
        ("via.csv", VIA_HEAD + 'a.jpg,1,{},1,0,"{""name"":""point"",""cx"":5,""cy"":6}",{}\n', [(5, 6)]),
        ("via.csv", VIA_HEAD + "a.jpg,1,{},0,0,{},{}\n", []),
        ("via.csv", VIA_HEAD + 'a.jpg,1,{},2,0,"{""name"":""point"",""cx"":5,""cy"":6}",{}\n', "2 regions of a.jpg"),
        ("via3.json", '{"project": {}, "config": {}, "metadata": {}, "view": {}, "file": {}}', "VIA 3"),
        ("labelbox.json", '[{"data_row": {}, "projects": {}}]', "Labelbox"),
        ("labels.csv", "head,10,10,20,20,a.jpg,400,300\n", [(19.5, 19.5)]),
        ("labels.csv", "head,10,10,a.jpg,400,300\nhead,x,10,a.jpg,400,300\n", "line 2"),
        ("a.json", '{"shapes": [{"points": [[10, 10], [13, 14]], "shape_type": "circle"}]}', [(9.5, 9.5)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [13, 14]], "shape_type": "line"}]}', "a line"),
        ("a.json", '{"shapes": [{"points": [[30, 30], [10, 10]], "shape_type": "rectangle"}]}', [(19.5, 19.5)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [30, 10], [30, 30], [10, 30]], "shape_type": "rotation"}]}', [(19.5, 19.5)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [20, 20]], "shape_type": "mask"}]}', [(15, 15)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [20, 20]], "shape_type": "linestrip"}]}', "a linestrip"),
        ("a.xml", f"<annotation><object><name>h</name>{TURNED}</object></annotation>", [(19.5, 29.5)]),
        ("a.xml", f"<annotation><object><name>person</name>{TURNED}<part><name>head</name>{TURNED}</part></object></annotation>",
         "several classes: person 1, head 1"),
        ("_annotations.csv", "filename,class,xmin,ymin,xmax,ymax\na.jpg,h,.1,.1,.3,.3\n", "shares of the photo's sides"),
        ("points.csv", "image,x,y,w,h\na.jpg,1,2,3,4\n", "a box's corner or its centre"),
        ("a.jpg.json", '{"size": {"width": 400, "height": 300}, "objects": [{"geometryType": "bitmap"}]}', "a bitmap"),
        ("notes.json", '{"a": 1}', {}),
    ],
)  # fmt: skip
def test_other_tools(tmp_path: Path, name: str, text: str, right: Heads | str | dict[str, Heads]) -> None:
    answer = read(tmp_path, {name: text})
    if isinstance(right, dict):
        assert "of no known kind: notes.json" in str(answer)
    else:
        check(answer, right)


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ({"annPoints": np.array([[1.0, 2.0], [3.0, 4.0]])}, [(1, 2), (3, 4)]),
        ({"annPoints": np.zeros((0, 0))}, []),
        ({"image_info": {"location": np.array([[1.0, 2.0]]), "number": 1}}, [(1, 2)]),
        ({"mine": np.array([[1.0, 2.0], [3.0, 4.0]])}, [(1, 2), (3, 4)]),
        ({"one": np.ones((2, 2)), "two": np.ones((2, 2))}, "expected points in"),
        ({"annPoints": np.ones((2, 5))}, "2 heads, or 5 in columns"),
        ({"gt": np.ones((3, 4))}, "expected (n, 2) points"),
        (
            {"image_info": {"location": np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]), "number": 3}},
            [(1, 2), (3, 4), (5, 6)],
        ),
        ({"annPoints": np.array([[1.0, np.nan]])}, "NaN or infinity"),
        ({"text": "nothing"}, "expected points in"),
    ],
)
def test_mat_beside_a_photo(tmp_path: Path, content: dict[str, Any], right: Heads | str) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    savemat(tmp_path / "a.mat", content)
    check(read(tmp_path, {}), right)


def test_mat_of_version_4(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    savemat(tmp_path / "a.mat", {"annPoints": np.array([[1.0, 2.0], [3.0, 4.0]])}, format="4")
    check(read(tmp_path, {}), [(1, 2), (3, 4)])


def test_each_split_has_its_own_annotation(tmp_path: Path) -> None:
    head = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    files: dict[str, str | bytes] = {
        "train/_annotations.csv": head + "a.jpg,400,300,head,10,10,20,20\n",
        "valid/_annotations.csv": head + "a.jpg,400,300,head,30,30,40,40\n",
    }
    assert read(tmp_path, files, ("train/a.jpg", "valid/a.jpg")) == {
        "train/a": [(14.5, 14.5)],
        "valid/a": [(34.5, 34.5)],
    }


@pytest.mark.parametrize(
    "text", [coco(BOX), task(region("rectangle", {"x": 2.5, "y": 10 / 3, "width": 5, "height": 20 / 3}))]
)
def test_a_file_for_many_photos_may_be_named_like_the_only_one(tmp_path: Path, text: str) -> None:
    check(read(tmp_path, {"a.json": text}), [(19.5, 19.5)])


def test_of_several_annotations_the_last_is_read_with_a_note(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    content = [{"data": {"image": "a.jpg"}, "annotations": [{"result": []}, {"result": [POINT]}]}]
    (tmp_path / "export.json").write_text(json.dumps(content))
    samples, notes = open_source(str(tmp_path))
    assert len(samples[0].points or ()) == 1
    assert "the last of 2 annotations is read" in notes[0]


def test_two_entries_for_one_photo_are_refused(tmp_path: Path) -> None:
    content = json.dumps(
        {"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "x/a.jpg"}], "annotations": []}
    )
    assert "expected one entry for a.jpg" in str(read(tmp_path, {"coco.json": content}))
