"""TRANCOS, Mall, UCSD, SCUT-HEAD, CrowdHuman, VisDrone-CC and FDST: each item, each error, all from fake sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_camera_sets import (
    half_mask,
    voc_text,
    write_crowdhuman,
    write_fdst,
    write_mall,
    write_scuthead,
    write_trancos,
    write_ucsd,
    write_visdrone,
)
from layouts import SIZE

from crowdscale.data import DATASETS, describe_datasets, open_dataset
from crowdscale.data.crowdhuman import CrowdHuman
from crowdscale.data.fdst import FDST
from crowdscale.data.mall import Mall
from crowdscale.data.opening import reader_class
from crowdscale.data.scuthead import SCUTHead
from crowdscale.data.trancos import Trancos
from crowdscale.data.ucsd import UCSD
from crowdscale.data.visdrone import VisDroneCC
from crowdscale.errors import DataError
from crowdscale.points import Points

CARS = {"image-1-000001": [(3.0, 4.0), (60.0, 20.0)], "image-1-000002": []}


@pytest.mark.parametrize("dots", [False, True], ids=["counted from 1", "picture of dots"])
def test_trancos_items(tmp_path: Path, dots: bool) -> None:
    write_trancos(tmp_path, CARS, dots=dots)
    cars, nobody = Trancos(tmp_path, "training")
    assert cars.points == Points(CARS["image-1-000001"])
    assert nobody.points == Points()
    assert cars.mask is not None
    assert (cars.mask.read() == half_mask().astype(bool)).all()
    assert open_dataset(f"trancos/training:{tmp_path}").protocol.game == 3


@pytest.mark.parametrize("lost", [".jpg", "mask.mat", ".txt"])
def test_trancos_with_a_file_lost(tmp_path: Path, lost: str) -> None:
    (write_trancos(tmp_path, CARS) / "images" / f"image-1-000001{lost}").unlink()
    with pytest.raises(DataError, match="image-1-000001"):
        Trancos(tmp_path, "training")


def test_trancos_damage(tmp_path: Path) -> None:
    base = write_trancos(tmp_path, CARS)
    (base / "images" / "image-1-000001mask.mat").write_bytes(b"x")
    mask = Trancos(tmp_path, "training")[0].mask
    assert mask is not None
    with pytest.raises(DataError, match="expected a mask"):
        mask.read()
    with pytest.raises(DataError, match=r"test\.txt"):
        Trancos(tmp_path, "test")
    (base / "images" / "image-1-000002.txt").write_text("1 2\n1\n")
    with pytest.raises(DataError, match="expected 2 numbers in line 2"):
        Trancos(tmp_path, "training")


def test_mall_items(tmp_path: Path) -> None:
    write_mall(tmp_path, [[(4.0, 5.0)], [], [(1.0, 2.0), (3.0, 4.5)]])
    opened = Mall(tmp_path)
    assert [s.name for s in opened] == ["seq_000001", "seq_000002", "seq_000003"]
    assert [s.points for s in opened] == [Points([[4, 5]]), Points(), Points([[1, 2], [3, 4.5]])], "from 0"
    assert opened[0].mask is not None
    assert opened[0].mask.read().sum() == SIZE[0] * SIZE[1] // 2
    assert opened.perspective.shape == (SIZE[1], SIZE[0])
    assert len(Mall(tmp_path, "test")) == 0, "the fake has no frame beyond the first 800"


def test_mall_splits_at_frame_800(tmp_path: Path) -> None:
    base = write_mall(tmp_path, [[(1.0, 1.0)]] * 803)
    assert [len(Mall(base, split)) for split in ("train", "test")] == [800, 3]
    assert Mall(base, "test")[0].name == "seq_000801"


def test_mall_damage(tmp_path: Path) -> None:
    base = write_mall(tmp_path, [[(4.0, 5.0)]])
    (base / "frames" / "seq_000001.jpg").unlink()
    with pytest.raises(DataError, match=r"expected seq_000001\.jpg"):
        Mall(tmp_path)
    (base / "mall_gt.mat").write_bytes((base / "perspective_roi.mat").read_bytes())
    with pytest.raises(DataError, match=r"the variable frame, but got .*which holds roi, pMapN"):
        Mall(tmp_path)


def test_ucsd_items(tmp_path: Path) -> None:
    clips = [[[(float(clip), 1.0)]] * 200 for clip in range(10)]
    clips[3][0] = []
    write_ucsd(tmp_path, clips)
    train, test = UCSD(tmp_path), UCSD(tmp_path, "test")
    assert (len(train), len(test)) == (800, 1200)
    assert (train[0].name, train[-1].name) == ("vidf1_33_003_f001", "vidf1_33_006_f200")
    assert train[0].points == Points()
    assert train[1].points == Points([[3, 1]])
    assert train[0].mask is not None
    assert train[0].mask.read().any()
    assert train.perspective.max() == 3


HEADS = {"PartA_00001": [[2, 4, 12, 16]], "PartA_00000": []}


def test_scuthead_items(tmp_path: Path) -> None:
    write_scuthead(tmp_path, HEADS)
    write_scuthead(tmp_path, {"PartB_1": [[0, 0, 3, 3]]}, "B")
    head, nobody, other = SCUTHead(tmp_path, "train")
    assert head.points == Points([[6.5, 9.5]])
    assert head.sizes is not None
    assert head.sizes.tolist() == [[10, 12]]
    assert (nobody.points, other.attributes["part"]) == (Points(), "B")
    assert len(SCUTHead(tmp_path, "train", part="B")) == 1
    assert len(SCUTHead(tmp_path / "SCUT_HEAD_Part_A", "train")) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (voc_text([[2, 4, 2, 16]]), "1 without, the first is box 1"),
        ("<annotation><object><polygon/></object></annotation>", "in object 1 of .* a polygon"),
        ("<annotation>", "expected an XML file"),
        ("<!DOCTYPE x><annotation/>", "without a DOCTYPE"),
    ],
    ids=["no width", "polygon", "cut short", "doctype"],
)
def test_scuthead_damage(tmp_path: Path, text: str, sentence: str) -> None:
    (write_scuthead(tmp_path, HEADS) / "Annotations" / "PartA_00001.xml").write_text(text)
    with pytest.raises(DataError, match=sentence):
        SCUTHead(tmp_path, "train")


def test_crowdhuman_reads_heads_and_leaves_the_ignored_out(tmp_path: Path) -> None:
    person = {"tag": "person", "hbox": [10, 20, 6, 8], "head_attr": {"ignore": 0}}
    boxes = [
        person,
        {**person, "tag": "mask"},
        {**person, "head_attr": {"ignore": 1}},
        {**person, "head_attr": {}},
    ]
    write_crowdhuman(tmp_path, {"273271,1": boxes, "empty": []})
    crowd, nobody = CrowdHuman(tmp_path)
    assert crowd.points == Points([[12.5, 23.5]] * 2)
    assert nobody.points == Points()


def test_crowdhuman_damage(tmp_path: Path) -> None:
    base = write_crowdhuman(tmp_path, {"a": [{"tag": "person", "hbox": [1, 1, 0, 4]}]})
    with pytest.raises(DataError, match=r"line 1 of .*annotation_train\.odgt, but got 1 without"):
        CrowdHuman(tmp_path)
    (base / "annotation_train.odgt").write_text('{"ID": "b", "gtboxes": []}\n')
    with pytest.raises(DataError, match=r"expected Images/b\.jpg"):
        CrowdHuman(tmp_path)
    (base / "annotation_train.odgt").write_text("{}\n")
    with pytest.raises(DataError, match="JSON with ID and gtboxes in line 1"):
        CrowdHuman(tmp_path)


def test_visdrone_items(tmp_path: Path) -> None:
    write_visdrone(tmp_path, {"00001": {1: [(3.0, 4.0), (5.0, 6.0)], 2: [], 10: [(7.0, 8.0)]}})
    opened = VisDroneCC(tmp_path)
    assert [s.name for s in opened] == ["00001/00001", "00001/00002", "00001/00010"]
    assert [len(s.points or ()) for s in opened] == [2, 0, 1]
    assert opened[2].points == Points([[7, 8]])


def test_visdrone_without_labels(tmp_path: Path) -> None:
    base = write_visdrone(tmp_path, {"00001": {1: []}}, "test")
    (base / "annotations" / "00001.txt").unlink()
    assert [s.points for s in VisDroneCC(tmp_path, "test")] == [None]
    (base / "testlist.txt").rename(base / "trainlist.txt")
    with pytest.raises(DataError, match=r"expected 00001\.txt"):
        VisDroneCC(tmp_path)


def test_visdrone_damage(tmp_path: Path) -> None:
    base = write_visdrone(tmp_path, {"00001": {1: []}})
    (base / "annotations" / "00001.txt").write_text("4,1,1\n")
    with pytest.raises(DataError, match="no frame 4"):
        VisDroneCC(tmp_path)


def test_fdst_items(tmp_path: Path) -> None:
    write_fdst(tmp_path, {"1/001": [[2, 4, 11, 13]], "1/002": [], "10/001": [[0, 0, 1, 1]]})
    opened = FDST(tmp_path)
    assert [s.name for s in opened] == ["1/001", "1/002", "10/001"]
    assert opened[0].points == Points([[7, 10]])
    assert opened[1].points == Points()
    assert opened[2].attributes["scene"] == "10"


@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        (
            {"name": "polygon", "all_points_x": [1], "all_points_y": [1]},
            r"expected boxes \(rect\) .* a polygon",
        ),
        ({"name": "rect", "x": 1, "y": 1, "width": 0, "height": 3}, "the first is box 1"),
        ({"name": "rect", "x": 1}, "something else"),
    ],
    ids=["polygon", "no width", "half a box"],
)
def test_fdst_damage(tmp_path: Path, region: dict[str, object], sentence: str) -> None:
    base = write_fdst(tmp_path, {"1/001": []})
    (base / "1" / "001.json").write_text(json.dumps({"a": {"regions": {"0": {"shape_attributes": region}}}}))
    with pytest.raises(DataError, match=sentence):
        FDST(tmp_path)


@pytest.mark.parametrize("suffix", [".jpg", ".json"])
def test_fdst_without_a_partner(tmp_path: Path, suffix: str) -> None:
    base = write_fdst(tmp_path, {"1/001": [], "1/002": []})
    (base / "1" / f"002{suffix}").unlink()
    with pytest.raises(DataError, match="1 without: 1/002"):
        FDST(tmp_path)


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("sha", "shb")])
def test_each_reader_says_what_it_looked_for_and_shows_the_tree(tmp_path: Path, name: str) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(DataError, match=r"(?s)but got holiday\. The set unpacks to:\n.+") as caught:
        open_dataset(f"{name}:{tmp_path}")
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", DATASETS)
def test_each_reader_says_what_it_is(name: str) -> None:
    card, protocol = describe_datasets()[name]
    assert all((card.title, card.what, card.annotation, card.licence, card.citation))
    assert card.source.startswith("http")
    assert protocol.splits
    text = reader_class(name).__doc__ or ""
    assert card.source in text
    assert ("Unverified" in text) == (not card.verified)
