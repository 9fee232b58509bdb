"""UCF-QNRF, UCF_CC_50, JHU-Crowd++ and NWPU-Crowd: fake sets in the true layout, each item, each error."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from crowdscale.data import open_dataset
from crowdscale.data.sets.jhu import JHUCrowd
from crowdscale.data.sets.nwpu import NWPUCrowd
from crowdscale.data.sets.qnrf import UCFQNRF
from crowdscale.data.sets.ucfcc50 import UCFCC50
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_points_sets import write_cc50, write_jhu, write_nwpu, write_points_mat, write_qnrf
from tests.support.layouts import SIZE, write_mat, write_photo

QNRF = {2: [(3.5, 4.25), (10.0, 20.0)], 1: [], 10: [(7.0, 8.0)]}
JHU = {
    "0001": ([[10, 12, 6, 8, 1, 0], [20, 5, 0, 9, 3, 1]], "stadium,3,0"),
    "0002": ([], "street,0,1"),
}
NWPU = {
    "0001": ([(5.0, 6.0), (30.0, 31.0)], [[2, 2, 8, 10], [20, 20, 40, 42]], "0 1"),
    "0002": ([], [], "2 0"),
}


@pytest.mark.realdata
def test_qnrf_reads_a_real_annotation(tmp_path: Path, shared_root: Path) -> None:
    write_photo(tmp_path / "Train" / "img_0001.jpg", (1024, 768))
    truth = shared_root / "samples" / "qnrf_img_0001_ann.mat"
    shutil.copy(truth, tmp_path / "Train" / "img_0001_ann.mat")
    (sample,) = UCFQNRF(tmp_path).samples
    assert sample.points is not None
    assert len(sample.points) == 977
    np.testing.assert_allclose(sample.points.xy.max(axis=0), (2500.725, 1857.964), atol=0.001)


def test_qnrf_items(tmp_path: Path) -> None:
    write_qnrf(tmp_path, QNRF)
    opened = UCFQNRF(tmp_path)
    assert [sample.name for sample in opened] == ["img_0001", "img_0002", "img_0010"]
    assert [sample.points for sample in opened] == [Points(), Points(QNRF[2]), Points(QNRF[10])]
    assert opened[1].attributes == {"set": "qnrf", "split": "train"}
    assert opened[1].read().shape == (SIZE[1], SIZE[0], 3)
    assert len(UCFQNRF(tmp_path / "UCF-QNRF_ECCV18")) == len(open_dataset(f"qnrf:{tmp_path}")) == 3


@pytest.mark.parametrize("lost", ["img_0002.jpg", "img_0002_ann.mat"])
def test_qnrf_without_a_partner(tmp_path: Path, lost: str) -> None:
    (write_qnrf(tmp_path, QNRF) / lost).unlink()
    with pytest.raises(DataError, match="1 without: img_0002"):
        UCFQNRF(tmp_path)


def test_a_wrong_root_shows_what_was_found_and_the_tree(tmp_path: Path) -> None:
    (tmp_path / "part_A").mkdir()
    with pytest.raises(DataError) as caught:
        UCFQNRF(tmp_path)
    text = str(caught.value)
    assert "expected Train in" in text
    assert "but got part_A" in text
    assert "Train/  img_0001.jpg  img_0001_ann.mat" in text
    with pytest.raises(DataError, match="no such folder"):
        NWPUCrowd(tmp_path / "nowhere")


def test_a_mat_of_another_set_says_what_it_holds(tmp_path: Path) -> None:
    base = write_qnrf(tmp_path, QNRF)
    write_mat(base / "img_0002_ann.mat", [(1, 1)])
    with pytest.raises(
        DataError, match=r"the variable annPoints, but got .*img_0002_ann.mat, which holds image_info"
    ):
        UCFQNRF(tmp_path)
    (base / "img_0002_ann.mat").write_bytes(b"no mat")
    with pytest.raises(DataError, match="cannot be read"):
        UCFQNRF(tmp_path)


def test_one_point_is_one_point(tmp_path: Path) -> None:
    base = write_qnrf(tmp_path, QNRF)
    write_points_mat(base / "img_0001_ann.mat", [(4, 5)])
    assert UCFQNRF(tmp_path)[0].points == Points([[4, 5]])


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="out of train, test, but got 'val'"):
        UCFQNRF(tmp_path, "val")
    with pytest.raises(OptionError, match="fold5"):
        UCFCC50(tmp_path, "fold6")


def test_cc50_folds_part_the_fifty(tmp_path: Path) -> None:
    write_cc50(tmp_path)
    everyone = {sample.name for sample in UCFCC50(tmp_path)}
    held_out = [{sample.name for sample in UCFCC50(tmp_path, f"fold{k}")} for k in range(1, 6)]
    assert everyone == set().union(*held_out) == {str(k) for k in range(1, 51)}
    assert [len(fold) for fold in held_out] == [10] * 5
    assert held_out[1] == {str(k) for k in range(11, 21)}
    for k in range(1, 6):
        assert {s.name for s in UCFCC50(tmp_path, f"train{k}")} == everyone - held_out[k - 1]
    assert len(UCFCC50(tmp_path)[6].points or ()) == 0
    assert UCFCC50(tmp_path)[2].points == Points([[0, 0], [1, 1], [2, 2]])


def test_cc50_has_fifty(tmp_path: Path) -> None:
    write_cc50(tmp_path, missing=(7,))
    with pytest.raises(DataError, match=r"expected 50 photos .* 49"):
        UCFCC50(tmp_path)


def test_jhu_items(tmp_path: Path) -> None:
    write_jhu(tmp_path, JHU)
    sample, empty = JHUCrowd(tmp_path)
    assert sample.points == Points([[10, 12], [20, 5]])
    assert sample.sizes is not None
    assert sample.sizes.tolist() == [[6, 8], [1, 9]], "a side of 0 is read as 1"
    assert sample.fields["occlusion"].tolist() == [1, 3]
    assert sample.fields["blur"].tolist() == [0, 1]
    assert {k: sample.attributes[k] for k in ("level", "scene", "weather", "distractor")} == {
        "level": "low", "scene": "stadium", "weather": "snow", "distractor": "0",
    }  # fmt: skip
    assert empty.points == Points()
    assert empty.attributes["distractor"] == "1"


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("gt/0001.txt", "1 2 3\n", "expected 6 numbers in line 1"),
        ("gt/0001.txt", "1 2 3 4 5 6\n1 2 3 4 5 x\n", "expected 6 numbers in line 2"),
        ("image_labels.txt", "0001,1,street,9,0\n", "name,count,scene,weather,distractor in line 1"),
        ("image_labels.txt", "", "a line for 0001 in image_labels.txt"),
    ],
)
def test_jhu_damage(tmp_path: Path, file: str, text: str, sentence: str) -> None:
    (write_jhu(tmp_path, JHU) / file).write_text(text)
    with pytest.raises(DataError, match=sentence):
        JHUCrowd(tmp_path)


@pytest.mark.parametrize(("text", "heads"), [("", 0), ("4 5 6 7 1 0\n", 1), ("4,5,6,7,1,0", 1)])
def test_jhu_empty_and_one_row_files(tmp_path: Path, text: str, heads: int) -> None:
    (write_jhu(tmp_path, JHU) / "gt" / "0001.txt").write_text(text)
    points = JHUCrowd(tmp_path)[0].points
    assert points is not None
    assert points.xy.shape == (heads, 2)


@pytest.mark.parametrize("kind", ["json", "mat"])
def test_nwpu_items(tmp_path: Path, kind: str) -> None:
    write_nwpu(tmp_path, "train", NWPU, kind)
    sample, empty = NWPUCrowd(tmp_path)
    assert sample.points == Points([[5, 6], [30, 31]])
    assert sample.sizes is not None
    assert sample.sizes.tolist() == [[6, 8], [20, 22]]
    assert {k: sample.attributes[k] for k in ("level", "luminance")} == {"level": "S1", "luminance": "L0"}
    assert empty.points == Points()
    assert empty.attributes["level"] == "S0"


def test_nwpu_test_split_has_no_labels(tmp_path: Path) -> None:
    write_nwpu(tmp_path, "test", {"3610": ([], None, "")})
    assert [(s.name, s.points) for s in NWPUCrowd(tmp_path, "test")] == [("3610", None)]


def test_nwpu_points_alone(tmp_path: Path) -> None:
    write_nwpu(tmp_path, "val", {"0001": ([(1.0, 2.0)], None, "1 1")}, "mat")
    assert NWPUCrowd(tmp_path, "val")[0].sizes is None


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [([[2, 2, 1, 10]], "1 with swapped corners, the first is box 1"), ([], "a box for each of 1 points")],
    ids=["swapped", "too few"],
)
def test_nwpu_boxes(tmp_path: Path, boxes: list[list[int]], sentence: str) -> None:
    write_nwpu(tmp_path, "train", {"0001": ([(1.0, 2.0)], boxes, "1 1")})
    with pytest.raises(DataError, match=sentence):
        NWPUCrowd(tmp_path)


def test_nwpu_sides_of_nothing_are_one_pixel(tmp_path: Path) -> None:
    write_nwpu(tmp_path, "train", {"0001": ([(1.0, 2.0)], [[2, 2, 2, 10]], "1 1")})
    sizes = NWPUCrowd(tmp_path)[0].sizes
    assert sizes is not None
    assert sizes.tolist() == [[1, 8]]


def test_nwpu_damage(tmp_path: Path) -> None:
    base = write_nwpu(tmp_path, "train", NWPU)
    (base / "train.txt").write_text("0001 0 1\n0001 0 1\n")
    with pytest.raises(DataError, match=r"each photo once .* 0001 again in line 2"):
        NWPUCrowd(tmp_path)
    (base / "train.txt").write_text("0001 0 1\n0009 0 1\n")
    with pytest.raises(DataError, match="1 without: 0009"):
        NWPUCrowd(tmp_path)
    (base / "train.txt").write_text("0001 0 1\n")
    (base / "jsons" / "0001.json").write_text('{"points": 3}')
    with pytest.raises(DataError, match="no sound annotation of NWPU-Crowd with points"):
        NWPUCrowd(tmp_path)
    (base / "jsons" / "0001.json").unlink()
    with pytest.raises(DataError, match=r"jsons/0001.json or mats/0001.mat"):
        NWPUCrowd(tmp_path)
