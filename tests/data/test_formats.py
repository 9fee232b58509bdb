"""Formats of own points: there and back between all, found by content, each damage in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowdscale.data import Folder, Sample
from crowdscale.data.conversion import convert, open_source, target_format
from crowdscale.data.formats import FORMATS
from crowdscale.data.formats.labelstudio import plain_name
from crowdscale.errors import CrowdscaleError, DataError, OptionError
from crowdscale.points import Points
from tests.support.layouts import SIZE, write_photo

BOTH_WAYS = [name for name, each in FORMATS.items() if each.written and each.readable]
BOXED = [name for name in BOTH_WAYS if FORMATS[name].boxes]
POINTED = [name for name in BOTH_WAYS if FORMATS[name].points]

heads = st.lists(
    st.tuples(st.floats(6, SIZE[0] - 7, width=32), st.floats(6, SIZE[1] - 7, width=32)), max_size=5
)


def written(folder: Path, xy: list[tuple[float, float]], boxed: bool) -> list[Sample]:
    points = Points(np.array(xy).reshape(-1, 2))
    sizes = np.column_stack([np.full(len(xy), 4.0), np.full(len(xy), 5.5)]) if boxed else None
    return [
        Sample("a", write_photo(folder / "a.jpg"), points, sizes),
        Sample(
            "deep/b", write_photo(folder / "deep" / "b.jpg"), Points(), None if sizes is None else sizes[:0]
        ),
    ]


def target(folder: Path, name: str) -> Path:
    return folder / f"all{FORMATS[name].suffix}" if FORMATS[name].one_file else folder


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize(("first", "second"), list(zip(BOXED, BOXED[1:] + BOXED[:1], strict=True)))
@given(xy=heads)
def test_boxes_go_from_each_format_to_the_next(tmp_path_factory, first: str, second: str, xy) -> None:
    """photos → first → second → the same points and sizes."""
    root = tmp_path_factory.mktemp("boxes")
    samples = written(root / "photos", xy, boxed=True)
    for step, name in enumerate((first, second)):
        folder = root / f"step{step}"
        convert(samples, target(folder, name), FORMATS[name], photos="copy")
        samples = open_source(str(target(folder, name)) if name == "table" else str(folder))[0]
        assert [sample.name for sample in samples] == ["a", "deep/b"]
        assert samples[0].points is not None
        assert samples[0].points.xy == pytest.approx(np.array(xy).reshape(-1, 2), abs=1e-4)
        if xy:
            assert samples[0].sizes is not None
            assert samples[0].sizes == pytest.approx(np.tile([4.0, 5.5], (len(xy), 1)), abs=1e-4)
        assert samples[1].points == Points()


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", POINTED)
@given(xy=heads)
def test_points_alone_there_and_back(tmp_path_factory, name: str, xy) -> None:
    root = tmp_path_factory.mktemp("points")
    samples = written(root / "photos", xy, boxed=False)
    done = convert(samples, target(root / "out", name), FORMATS[name], photos="link")
    assert (done.photos, done.heads) == (2, len(xy))
    back = open_source(str(target(root / "out", name)) if name == "table" else str(root / "out"))[0]
    assert back[0].points is not None
    assert back[0].points.xy == pytest.approx(np.array(xy).reshape(-1, 2), abs=1e-4)
    assert back[0].sizes is None


@pytest.mark.parametrize("name", ["yolo", "voc"])
def test_formats_of_boxes_ask_for_a_box_around_points(tmp_path: Path, name: str) -> None:
    samples = written(tmp_path / "photos", [(20.0, 20.0)], boxed=False)
    with pytest.raises(DataError, match=r"points alone in a\.jpg. Give --box PIXELS"):
        convert(samples, tmp_path / "out", FORMATS[name])
    done = convert(samples, tmp_path / "out", FORMATS[name], box=8)
    assert done.lost == (f"{name} knows boxes alone: the squares around points are made up.",)


def test_photos_without_labels_are_left_out_and_told(tmp_path: Path) -> None:
    samples = [*written(tmp_path / "photos", [], boxed=False), Sample("c", tmp_path / "c.jpg", None)]
    assert convert(samples, tmp_path / "t.csv", FORMATS["table"]).lost == (
        "1 photos without labels were left out.",
    )
    with pytest.raises(DataError, match="annotated photos to convert, but got none"):
        convert(samples[2:], tmp_path / "t.csv", FORMATS["table"])


def test_the_format_follows_from_the_suffix_or_is_asked_for() -> None:
    assert target_format(Path("a.csv"), None).name == "table"
    assert target_format(Path("a.xml"), None).name == "cvat"
    with pytest.raises(OptionError, match="expected --to with one of csv, table, json, coco"):
        target_format(Path("a.json"), None)
    with pytest.raises(OptionError, match="Choose one of coco, csv, cvat"):
        target_format(Path("a.json"), "dota")


def test_label_studio_names_its_uploads() -> None:
    assert plain_name("/data/upload/1/12ab34cd-my%20photo.jpg") == "my photo.jpg"
    assert plain_name("s3://bucket/crowd/IMG_1.jpg") == "IMG_1.jpg"
    assert plain_name("deadbeefs-a.jpg") == "deadbeefs-a.jpg"


def labelstudio(results: list[dict[str, object]], cancelled: bool = False) -> str:
    annotation = {"was_cancelled": cancelled, "result": results}
    return json.dumps([{"data": {"image": "/data/upload/7/0123abcd-a.jpg"}, "annotations": [annotation]}])


KEYPOINT = {
    "type": "keypointlabels",
    "original_width": 64,
    "original_height": 48,
    "value": {"x": 50, "y": 25},
}


def test_label_studio_is_found_by_content(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / "export.json").write_text(labelstudio([KEYPOINT]))
    (sample,) = Folder(tmp_path)
    assert sample.points == Points([[31.5, 11.5]])


def test_cvat_with_many_points_in_one_element(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / "annotations.xml").write_text(
        '<annotations><image id="0" name="a.jpg" width="64" height="48">'
        '<points label="head" points="1.5,2.5;3,4"/><points points="5,6"/></image></annotations>'
    )
    assert Folder(tmp_path)[0].points == Points([[1.5, 2.5], [3, 4], [5, 6]])


def test_yolo_in_the_parallel_folder(tmp_path: Path) -> None:
    write_photo(tmp_path / "images" / "a.jpg")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (sample,) = Folder(tmp_path)
    assert sample.points == Points([[31.5, 23.5]])
    assert sample.sizes is not None
    assert sample.sizes.tolist() == [[16, 24]]


def test_an_annotation_elsewhere_is_named(tmp_path: Path) -> None:
    write_photo(tmp_path / "photos" / "a.jpg")
    (tmp_path / "mine.json").write_text('{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}')
    assert Folder(tmp_path / "photos", annotations=tmp_path / "mine.json")[0].points == Points()
    with pytest.raises(DataError, match="no such annotation"):
        Folder(tmp_path / "photos", annotations=tmp_path / "yours.json")
    with pytest.raises(OptionError, match="unknown format"):
        Folder(tmp_path / "photos", format="dota")


COCO_IMAGE = {"id": 1, "file_name": "a.jpg"}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "x,y\n1,two\n", "two numbers x,y"),
        ("a.txt", "0 0.5 1.5 0.1 0.1\n", "shares of the photo from 0 to 1 in line 1 of"),
        ("a.txt", "0 0.5 0.5 0 0.1\n", "boxes with a width and a height"),
        ("a.txt", "0 0.5 0.5\n", "expected 5 numbers in line 1"),
        ("a.txt", "0 .1 .1 .2 .1 .2 .2 .1\n", "a box, a polygon or a pose"),
        ("a.xml", "<annotation><object><bndbox/></object></annotation>", "expected a bndbox"),
        ("a.xml", "<annotations/>", "another kind of XML"),
        ("a.xml", "<annotation", "expected an XML file"),
        ("a.json", '{"points": [[1, 2]], "sizes": []}', "a size for each point"),
        ("all.json", "{", "is no valid JSON"),
        (
            "all.json",
            json.dumps({"images": [COCO_IMAGE], "annotations": [{"id": 7, "image_id": 9}]}),
            "image_id 9",
        ),
        (
            "all.json",
            json.dumps(
                {"images": [COCO_IMAGE], "annotations": [{"id": 7, "image_id": 1, "segmentation": [[1]]}]}
            ),
            "at least 3 corners|pairs of numbers in the polygon of id 7",
        ),
        (
            "all.json",
            json.dumps({"images": [{"id": 1, "file_name": "z.jpg"}], "annotations": []}),
            "photo's name .* 'z.jpg'",
        ),
        (
            "all.json",
            json.dumps(
                {"images": [COCO_IMAGE], "annotations": [{"id": 1, "image_id": 1, "bbox": [1, 1, 0, 2]}]}
            ),
            "a width and a height",
        ),
        ("all.json", labelstudio([{**KEYPOINT, "type": "brushlabels"}]), "a brushlabels"),
        ("all.xml", '<annotations><image name="a.jpg"><polygon/></image></annotations>', "a polygon"),
        (
            "all.xml",
            '<annotations><image name="a.jpg" width="9" height="9"><points points="1,x"/></image></annotations>',
            "expected numbers",
        ),
        ("points.csv", "image,x,y\na.jpg,nan,1\n", "finite coordinates"),
    ],
)
def test_damage(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / name).write_text(text)
    with pytest.raises(CrowdscaleError, match=sentence):
        Folder(tmp_path)


def test_a_cancelled_annotation_is_none(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / "export.json").write_text(labelstudio([KEYPOINT], cancelled=True))
    with pytest.raises(DataError, match="1 of 1 without: a"):
        Folder(tmp_path)
