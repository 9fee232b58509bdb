"""Neighbours of the cases: each variant of a format is read right, or refused in a sentence that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crowdscale.data.conversion import open_source
from tests.support.layouts import write_photo
from tests.support.siblings import Heads, check, read


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


"""A turned box as roLabelImg writes it."""


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
