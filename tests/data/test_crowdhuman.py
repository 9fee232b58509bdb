"""CrowdHuman: heads alone, the ignored left out, photos of all archives, lines that are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdscale.data.sets.crowdhuman import CrowdHuman
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_camera_sets import write_crowdhuman
from tests.support.layouts import write_photo

PERSON = {
    "tag": "person",
    "hbox": [10, 20, 7, 9],
    "fbox": [1, 2, 30, 60],
    "vbox": [1, 2, 20, 30],
    "head_attr": {"ignore": 0, "occ": 1, "unsure": 0},
    "extra": {"box_id": 0, "occ": 0},
}
FIRST = "273271,c9db000d5146c15"
"""An ID, which has a comma, as the set's have."""

CROWD = {FIRST: [PERSON, {**PERSON, "hbox": [-2, 0, 5, 5]}], "273278,empty": []}


def test_items(tmp_path: Path) -> None:
    base = write_crowdhuman(tmp_path, CROWD, "val")
    heads, nobody = CrowdHuman(tmp_path, "val")
    assert heads.name == FIRST
    assert heads.image_path == base / "Images" / f"{FIRST}.jpg"
    assert heads.points == Points([[13, 24], [0, 2]]), "centres; a head may reach beyond the photo"
    assert heads.sizes is not None
    assert heads.sizes.tolist() == [[7, 9], [5, 5]]
    assert heads.attributes == {"set": "crowdhuman", "split": "val"}
    assert nobody.points == Points()
    assert len(CrowdHuman(base, "val")) == 2, "the folder itself"


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        ({"tag": "mask", "head_attr": {}, "extra": {"box_id": 1, "ignore": 1}}, 0),
        ({"head_attr": {"ignore": 1}}, 0),
        ({"head_attr": {"ignore": 1}, "hbox": [0, 0, 0, 0]}, 0),
        ({"extra": {"box_id": 0, "ignore": 1}}, 0),
        ({"head_attr": {"ignore": 0, "unsure": 1}}, 1),
        ({"head_attr": {}}, 1),
    ],
    ids=["mask", "ignored head", "ignored head of no size", "ignored person", "unsure", "nothing said"],
)
def test_which_heads_count(tmp_path: Path, change: dict[str, object], counted: int) -> None:
    write_crowdhuman(tmp_path, {"a": [{**PERSON, **change}]})
    assert len(CrowdHuman(tmp_path)[0].points or ()) == counted


def test_ignored_heads_may_be_read_and_are_told_apart(tmp_path: Path) -> None:
    boxes = [
        {**PERSON, "head_attr": {"ignore": 1}, "hbox": [0, 0, 3, 3]},
        {**PERSON, "tag": "mask"},
        PERSON,
        {**PERSON, "head_attr": {"ignore": 1}, "hbox": [5, 5, 0, 4]},
    ]
    write_crowdhuman(tmp_path, {"a": boxes, "b": []})
    crowd, nobody = CrowdHuman(tmp_path, ignored=True)
    assert crowd.points == Points([[1, 1], [13, 24]])
    assert crowd.fields["ignore"].tolist() == [1, 0]
    assert nobody.fields["ignore"].tolist() == []
    assert CrowdHuman(tmp_path)[0].points == Points([[13, 24]])
    assert not CrowdHuman(tmp_path)[0].fields


def test_errors_number_boxes_as_the_line_does(tmp_path: Path) -> None:
    write_crowdhuman(tmp_path, {"a": [{**PERSON, "tag": "mask"}, PERSON, {**PERSON, "hbox": [1, 1, 4, 0]}]})
    with pytest.raises(DataError, match=r"line 1 of .*annotation_train\.odgt, but got 1 without.* box 3"):
        CrowdHuman(tmp_path)


def test_photos_of_archives_that_were_unpacked_to_folders_of_their_own(tmp_path: Path) -> None:
    base = write_crowdhuman(tmp_path, CROWD)
    moved = base / "CrowdHuman_train01" / "Images" / f"{FIRST}.jpg"
    moved.parent.mkdir(parents=True)
    (base / "Images" / moved.name).rename(moved)
    assert CrowdHuman(tmp_path)[0].image_path == moved


def test_opening_decodes_no_photo(tmp_path: Path) -> None:
    (write_crowdhuman(tmp_path, CROWD) / "Images" / f"{FIRST}.jpg").write_bytes(b"no photo")
    assert len(CrowdHuman(tmp_path)) == 2


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    (write_crowdhuman(tmp_path, CROWD) / "Images" / "273278,empty.jpg").unlink()
    with pytest.raises(
        DataError, match=r"expected Images/273278,empty\.jpg for line 2 of .*, but got no such photo"
    ):
        CrowdHuman(tmp_path)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", r"the empty file .*annotation_train\.odgt"),
        ('{"ID": "a", "gtbox', "line 1 of .* is no valid JSON"),
        ("[1, 2]", "line 1 of .* is no sound JSON with ID and gtboxes"),
        ('{"images": [], "annotations": []}', "JSON with ID and gtboxes: Object missing required field ID"),
        (
            '{"ID": "a", "gtboxes": [{"tag": "person", "fbox": [1, 2, 3, 4]}]}',
            "hbox of each person in line 1",
        ),
        ('{"ID": "a", "gtboxes": [{"hbox": [1, 2, 3, 4, 5, 6, 7, 8]}]}', "Expected array of length 4, got 8"),
        ('{"ID": "a", "gtboxes": [{"hbox": [1, 2, 3]}]}', "Expected array of length 4, got 3"),
        ('{"ID": "a", "gtboxes": [{"hbox": [1, 2, null, 4]}]}', "Expected float, got null"),
        ('{"ID": "a", "gtboxes": [{"hbox": [1, 2, NaN, 4]}]}', "line 1 of .* is no valid JSON"),
        ('{"ID": "a", "gtboxes": [{"hbox": [1, 2, "x", 4]}]}', "Expected float, got str"),
        ('{"ID": "a", "gtboxes": [{"hbox": [1, 2, 3, 4]}, {"hbox": [1, 2, 3, -4]}]}', "the first is box 2"),
    ],
    ids=[
        "empty",
        "cut short",
        "a list",
        "COCO",
        "no head",
        "two boxes in one",
        "three",
        "null",
        "nan",
        "word",
        "negative",
    ],
)
def test_damage(tmp_path: Path, line: str, sentence: str) -> None:
    (write_crowdhuman(tmp_path, {"a": []}) / "annotation_train.odgt").write_text(line)
    with pytest.raises(DataError, match=sentence):
        CrowdHuman(tmp_path)


@pytest.mark.parametrize("folder", ["images_test", "Images_test", "CrowdHuman_test/Images"])
def test_the_test_split_has_no_labels(tmp_path: Path, folder: str) -> None:
    base = write_crowdhuman(tmp_path, CROWD)
    with pytest.raises(
        DataError, match=r"(?s)expected CrowdHuman_test or images_test .* unpacks to:\nCrowdHuman/"
    ):
        CrowdHuman(tmp_path, "test")
    (base / folder).mkdir(parents=True)
    with pytest.raises(DataError, match=r"expected photos ID\.jpg in CrowdHuman_test or .*, but got none"):
        CrowdHuman(tmp_path, "test")
    for name in ("b", "a"):
        write_photo(base / folder / f"{name}.jpg")
    opened = CrowdHuman(tmp_path, "test")
    assert [(each.name, each.points, each.sizes) for each in opened] == [("a", None, None), ("b", None, None)]
    assert opened[0].image_path == base / folder / "a.jpg"
    assert opened[0].attributes == {"set": "crowdhuman", "split": "test"}
    assert len(CrowdHuman(tmp_path)) == 2, "which leaves the labelled splits as they were"


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="out of train, val, test, but got 'training'"):
        CrowdHuman(tmp_path, "training")


def test_a_wrong_root_or_a_missing_annotation_shows_the_tree(tmp_path: Path) -> None:
    base = write_crowdhuman(tmp_path, CROWD)
    with pytest.raises(
        DataError, match=r"expected annotation_val\.odgt in .*\. The set unpacks to:\nCrowdHuman/"
    ):
        CrowdHuman(base, "val")
