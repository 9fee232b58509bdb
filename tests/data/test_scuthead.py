"""SCUT-HEAD: parts and lists, boxes as points and sizes, what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crowdscale.data.sets.scuthead import SCUTHead
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_camera_sets import voc_text, write_scuthead

HEADS = {"PartA_00001": [[2, 4, 13, 17], [0, 0, 1, 1]], "PartA_00000": []}


def test_items_keep_the_order_of_the_list(tmp_path: Path) -> None:
    base = write_scuthead(tmp_path, HEADS, split="test")
    heads, nobody = SCUTHead(tmp_path, "test")
    assert (heads.name, nobody.name) == ("PartA_00001", "PartA_00000")
    assert heads.image_path == base / "JPEGImages" / "PartA_00001.jpg"
    assert heads.points == Points([[7, 10], [0, 0]])
    assert heads.sizes is not None
    assert heads.sizes.tolist() == [[11, 13], [1, 1]]
    assert heads.attributes == {"set": "scuthead", "split": "test", "part": "A"}
    assert nobody.points == Points()
    assert nobody.sizes is not None
    assert nobody.sizes.shape == (0, 2)


def test_parts(tmp_path: Path) -> None:
    write_scuthead(tmp_path, HEADS)
    base = write_scuthead(tmp_path, {"PartB_00003": []}, "B")
    assert [s.attributes["part"] for s in SCUTHead(tmp_path, "train")] == ["A", "A", "B"]
    assert [s.name for s in SCUTHead(tmp_path, "train", "B")] == ["PartB_00003"]
    assert [s.name for s in SCUTHead(base, "train")] == ["PartB_00003"], "a part's own folder"
    renamed = base.rename(tmp_path / "heads")
    assert SCUTHead(renamed, "train")[0].attributes["part"] == "B"
    with pytest.raises(
        DataError, match=r"expected part A of SCUT-HEAD in .*heads, but got PartB_00003, which is"
    ):
        SCUTHead(renamed, "train", "A")
    with pytest.raises(OptionError, match=r"unknown part of SCUT-HEAD 'C'\. Choose one of A, B"):
        SCUTHead(tmp_path, "train", "C")


@pytest.mark.parametrize(
    "empty",
    [[5, 6, 5, 6], [5, 6, 5, 9], [5, 6, 9, 6], [0, 0, 0, 0]],
    ids=["both", "width", "height", "zeros"],
)
def test_boxes_without_a_size_are_left_out(tmp_path: Path, empty: list[float]) -> None:
    write_scuthead(tmp_path, {"PartA_00001": [empty, [2, 4, 13, 17], empty], "PartA_00002": [empty]})
    head, nobody = SCUTHead(tmp_path, "train")
    assert head.points == Points([[7, 10]])
    assert head.sizes is not None
    assert head.sizes.tolist() == [[11, 13]]
    assert nobody.points == Points()


def test_opening_decodes_no_photo(tmp_path: Path) -> None:
    (write_scuthead(tmp_path, HEADS) / "JPEGImages" / "PartA_00001.jpg").write_bytes(b"no photo")
    assert len(SCUTHead(tmp_path, "train")) == 2


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ("JPEGImages/PartA_00001.jpg", r"expected PartA_00001\.jpg in .*JPEGImages, but got no such file"),
        ("Annotations/PartA_00001.xml", r"expected PartA_00001\.xml in .*Annotations, but got no such file"),
        ("ImageSets/Main/train.txt", r"expected a list of SCUT-HEAD's photos, but got .*train\.txt"),
    ],
    ids=["photo", "annotation", "list"],
)
def test_a_missing_file_is_named(tmp_path: Path, lost: str, sentence: str) -> None:
    (write_scuthead(tmp_path, HEADS) / lost).unlink()
    with pytest.raises(DataError, match=sentence):
        SCUTHead(tmp_path, "train")


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("ImageSets/Main/train.txt", "\n", r"the empty file .*train\.txt"),
        (
            "Annotations/PartA_00001.xml",
            voc_text([[2, 4, 9, 9], [5, 5, 5, 5], [5, 5, 4, 9]]),
            r"PartA_00001\.xml, but got 1 without, the first is box 3",
        ),
        (
            "Annotations/PartA_00001.xml",
            "not xml",
            r"expected an XML file without a DOCTYPE, but got .*PartA_00001\.xml",
        ),
        (
            "Annotations/PartA_00001.xml",
            voc_text([[2, 4, 9, 9], [float("nan"), 5, 6, 9]]),
            r"in object 2 of .*PartA_00001\.xml",
        ),
        (
            "Annotations/PartA_00001.xml",
            "<annotation><object><bndbox><xmin>1</xmin></bndbox></object></annotation>",
            r"xmin, ymin, xmax, ymax in object 1 of .*PartA_00001\.xml",
        ),
        (
            "Annotations/PartA_00001.xml",
            "<annotation><object><polygon><x1>1</x1></polygon></object></annotation>",
            r"object 1 of .*PartA_00001\.xml, but got a polygon",
        ),
        (
            "Annotations/PartA_00001.xml",
            '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>',
            r"XML file without a DOCTYPE, but got .*PartA_00001\.xml",
        ),
    ],
    ids=["empty list", "negative width", "no xml", "nan", "half a box", "polygon", "doctype"],
)
def test_damage(tmp_path: Path, file: str, text: str, sentence: str) -> None:
    (write_scuthead(tmp_path, HEADS) / file).write_text(text)
    with pytest.raises(DataError, match=sentence):
        SCUTHead(tmp_path, "train")


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(
        DataError, match=r"expected JPEGImages in .* but got holiday\. The set unpacks to:\nSCUT_HEAD"
    ):
        SCUTHead(tmp_path)


def test_a_copy_without_lists_gives_all_photos_and_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = write_scuthead(tmp_path, HEADS)
    shutil.rmtree(base / "ImageSets")
    assert [sample.name for sample in SCUTHead(tmp_path)] == ["PartA_00000", "PartA_00001"]
    assert "has no ImageSets: all 2 photos are read" in caplog.text
    with pytest.raises(DataError, match="has no ImageSets, so that its split test is unknown"):
        SCUTHead(tmp_path, "test")
