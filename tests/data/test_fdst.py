"""FDST: frames of numbered folders, boxes as the VGG Image Annotator writes them, lone files, damage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crowdscale.data.sets.fdst import FDST
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_camera_sets import write_fdst

FRAMES = {"10/001": [[0, 0, 1, 1]], "2/010": [], "2/002": [[2, 4, 11, 13], [5, 5, 2, 2]]}
RECT = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 5}


def via(*shapes: dict[str, object], as_list: bool = True) -> str:
    """A photo's regions as the annotator writes them: a list since its second version, a dict before."""
    regions = [{"shape_attributes": shape, "region_attributes": {}} for shape in shapes]
    numbered = {str(number): region for number, region in enumerate(regions)}
    return json.dumps({"002.jpg9": {"filename": "002.jpg", "regions": regions if as_list else numbered}})


def test_items_in_natural_order(tmp_path: Path) -> None:
    base = write_fdst(tmp_path, FRAMES, "test")
    opened = FDST(tmp_path, "test")
    assert [sample.name for sample in opened] == ["2/002", "2/010", "10/001"]
    assert opened[0].image_path == base / "2" / "002.jpg"
    assert opened[0].points == Points([[7, 10], [5.5, 5.5]])
    assert opened[0].sizes is not None
    assert opened[0].sizes.tolist() == [[11, 13], [2, 2]]
    assert opened[0].attributes == {"set": "fdst", "split": "test", "scene": "2"}
    assert opened[1].points == Points()
    assert len(FDST(base.parent, "test")) == 3, "the folder itself"


@pytest.mark.parametrize("as_list", [True, False], ids=["list", "dict"])
@pytest.mark.parametrize("heads", [0, 1, 2])
def test_regions_are_a_list_or_a_dict(tmp_path: Path, as_list: bool, heads: int) -> None:
    (write_fdst(tmp_path, FRAMES) / "2" / "002.json").write_text(via(*[RECT] * heads, as_list=as_list))
    sample = FDST(tmp_path)[0]
    assert sample.points is not None
    assert sample.points.xy.tolist() == [[2, 4]] * heads


def test_opening_decodes_no_photo(tmp_path: Path) -> None:
    (write_fdst(tmp_path, FRAMES) / "2" / "002.jpg").write_bytes(b"no photo")
    assert len(FDST(tmp_path)) == 3


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        (".jpg", r"expected NNN\.jpg for each name in .*train_data, but got 1 without: 2/002"),
        (".json", r"expected NNN\.json for each name in .*train_data, but got 1 without: 2/002"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, suffix: str, sentence: str) -> None:
    (write_fdst(tmp_path, FRAMES) / "2" / f"002{suffix}").unlink()
    with pytest.raises(DataError, match=sentence):
        FDST(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            via(RECT, {"name": "polygon", "all_points_x": [1, 2]}),
            r"boxes \(rect\) in .*002\.json, but got a polygon",
        ),
        (via(RECT, {"name": "point", "cx": 1, "cy": 2}, as_list=False), "but got a point"),
        (via(RECT, {**RECT, "width": 0}), r"002\.json, but got 1 without, the first is box 2"),
        (via({**RECT, "height": -1}), r"002\.json, but got 1 without, the first is box 1"),
        (via({"name": "rect", "x": 1}), r"expected y, width, height of a rect in .*002\.json, but got none"),
        (via({**RECT, "x": None}), r"expected x of a rect in .*002\.json"),
        ('{"shapes": [], "imagePath": "002.jpg"}', r"002\.json is no sound VIA"),
        ("{}", "regions of one photo .* but got 0 photos"),
        ("[]", r"002\.json is no sound VIA"),
        ("", r"002\.json is no valid JSON"),
    ],
    ids=[
        "polygon",
        "point",
        "no width",
        "negative",
        "half a box",
        "null",
        "labelme",
        "nothing",
        "list",
        "empty file",
    ],
)
def test_damage(tmp_path: Path, text: str, sentence: str) -> None:
    (write_fdst(tmp_path, FRAMES) / "2" / "002.json").write_text(text)
    with pytest.raises(DataError, match=sentence):
        FDST(tmp_path)


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    (tmp_path / "test_data").mkdir()
    with pytest.raises(
        DataError, match=r"expected train_data in .* but got test_data\. The set unpacks to:\nFDST/"
    ):
        FDST(tmp_path)
    (tmp_path / "train_data").mkdir()
    with pytest.raises(
        DataError, match=r"expected NNN\.jpg and NNN\.json in .*train_data, but got an empty folder"
    ):
        FDST(tmp_path)
    with pytest.raises(OptionError, match="out of train, test, but got 'val'"):
        FDST(tmp_path, "val")
