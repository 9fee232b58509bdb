"""TRANCOS: pixels counted from 1, text before dots, what a mask leaves out, lists, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from crowdscale.data.sets.trancos import Trancos
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_camera_sets import write_trancos

WHOLE = np.ones((480, 640), np.uint8)

CARS = {"image-2-000010": [(3.0, 4.0)], "image-1-000002": []}


def test_items_keep_the_order_of_the_list(tmp_path: Path) -> None:
    base = write_trancos(tmp_path, CARS, "test")
    opened = Trancos(tmp_path, "test")
    assert len(opened) == 2
    assert [sample.name for sample in opened] == ["image-2-000010", "image-1-000002"]
    assert opened[0].image_path == base / "images" / "image-2-000010.jpg"
    assert opened[0].attributes == {"set": "trancos", "split": "test"}
    assert opened[0].mask is not None
    assert (opened[0].mask.path.name, opened[0].mask.variable) == ("image-2-000010mask.mat", "BW")
    assert (opened[0].points, opened[1].points) == (Points([[3, 4]]), Points())
    assert (Trancos.protocol.game, Trancos.protocol.sigma) == (3, 15.0)
    assert len(Trancos(base, "test")) == 2, "the folder itself"


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("1\t1\n640\t480\n", [(0, 0), (639, 479)]),
        ("1 1", [(0, 0)]),
        ("2.5,3.5\n\n", [(1.5, 2.5)]),
        ("", []),
    ],
    ids=["corners of 640x480", "one vehicle", "commas and halves", "nobody"],
)
def test_text_counts_from_1(tmp_path: Path, text: str, points: list[tuple[float, float]]) -> None:
    base = write_trancos(tmp_path, CARS)
    (base / "images" / "image-2-000010.txt").write_text(text)
    savemat(base / "images" / "image-2-000010mask.mat", {"BW": WHOLE})
    assert Trancos(tmp_path, "training")[0].points == Points(np.array(points).reshape(-1, 2))


def test_text_comes_before_dots(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS, dots=True) / "images"
    assert Trancos(tmp_path, "training")[0].points == Points([[3, 4]]), "dots alone"
    (images / "image-2-000010.txt").write_text("31 41\n")
    assert Trancos(tmp_path, "training")[0].points == Points([[30, 40]])


MASK = np.zeros((480, 640), np.uint8)
MASK[10:20, 30:40] = 1


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("31 11\n40 20\n", [(30, 10), (39, 19)]),
        ("30 11\n31 10\n41 20\n40 21\n", []),
        ("30.5 10.5\n40.4 20.4\n", [(29.5, 9.5), (39.4, 19.4)]),
        ("30.4 11\n40.5 20\n", []),
        ("35 15\n0 0\n-3 5\n641 481\n", [(34, 14)]),
    ],
    ids=["its corners", "a pixel beside", "half a pixel within", "half a pixel without", "outside the photo"],
)
@pytest.mark.parametrize("kind", [bool, np.uint8, float])
def test_vehicles_outside_the_mask_are_left_out(
    tmp_path: Path, text: str, points: list[tuple[float, float]], kind: type
) -> None:
    images = write_trancos(tmp_path, CARS) / "images"
    (images / "image-2-000010.txt").write_text(text)
    savemat(images / "image-2-000010mask.mat", {"BW": MASK.astype(kind)})
    found = Trancos(tmp_path, "training")[0].points
    assert found is not None
    assert found.xy == pytest.approx(np.array(points).reshape(-1, 2))


def test_dots_outside_the_mask_are_left_out(tmp_path: Path) -> None:
    write_trancos(tmp_path, {"image-1-000001": [(31.0, 0.0), (32.0, 0.0)]}, dots=True)
    assert Trancos(tmp_path, "training")[0].points == Points([[31, 0]]), "the fake mask is the left half"


def test_a_mask_of_another_set_says_what_it_holds(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS) / "images"
    savemat(images / "image-2-000010mask.mat", {"roi": 1, "pMapN": 2})
    with pytest.raises(
        DataError, match=r"variable BW, but got .*image-2-000010mask\.mat, which holds roi, pMapN"
    ):
        Trancos(tmp_path, "training")
    (images / "image-2-000010mask.mat").write_bytes(b"no mat")
    with pytest.raises(
        DataError, match=r"a mask of TRANCOS, a \.mat file, but got .*image-2-000010mask\.mat"
    ):
        Trancos(tmp_path, "training")


def test_dots_are_red_pixels_and_no_others(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS, dots=True) / "images"
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[0, 63], pixels[47, 0], pixels[5, 5] = (255, 0, 0), (254, 10, 10), (255, 255, 255)
    pixels[7, 7] = (200, 0, 0)
    Image.fromarray(pixels).save(images / "image-2-000010dots.png")
    savemat(images / "image-2-000010mask.mat", {"BW": WHOLE[:48, :64]})
    assert Trancos(tmp_path, "training")[0].points == Points([[63, 0], [0, 47]])


def test_opening_decodes_no_photo(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS) / "images"
    (images / "image-2-000010.jpg").write_bytes(b"no photo")
    assert len(Trancos(tmp_path, "training")) == 2


@pytest.mark.parametrize("split", ["trainval", "training", "validation", "test"])
def test_each_split_reads_its_own_list(tmp_path: Path, split: str) -> None:
    write_trancos(tmp_path, CARS, split)
    assert {sample.attributes["split"] for sample in Trancos(tmp_path, split)} == {split}


def test_an_unknown_split_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="out of trainval, training, validation, test, but got 'train'"):
        Trancos(tmp_path, "train")


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("images/image-2-000010.txt", "1 2\n3 x\n", r"expected 2 numbers in line 2 of .*image-2-000010\.txt"),
        ("images/image-2-000010.txt", "1 nan\n", r"finite coordinates in .*image-2-000010\.txt"),
        ("image_sets/training.txt", "", r"the empty file .*training\.txt"),
        (
            "image_sets/training.txt",
            "holiday.jpg\n",
            r"expected holiday\.jpg in .*images, but got no such file",
        ),
    ],
    ids=["word", "nan", "empty list", "foreign list"],
)
def test_damage(tmp_path: Path, file: str, text: str, sentence: str) -> None:
    (write_trancos(tmp_path, CARS) / file).write_text(text)
    with pytest.raises(DataError, match=sentence):
        Trancos(tmp_path, "training")


def test_neither_text_nor_dots(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS) / "images"
    (images / "image-2-000010.txt").unlink()
    with pytest.raises(DataError, match=r"expected image-2-000010\.txt or image-2-000010dots\.png in"):
        Trancos(tmp_path, "training")
    (images / "image-2-000010dots.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"dots\.png .*no picture|no photo|damaged"):
        Trancos(tmp_path, "training")


@pytest.mark.parametrize("lost", [".jpg", "mask.mat", "list"])
def test_a_missing_file_is_named(tmp_path: Path, lost: str) -> None:
    base = write_trancos(tmp_path, CARS)
    path = base / ("image_sets/training.txt" if lost == "list" else f"images/image-2-000010{lost}")
    path.unlink()
    with pytest.raises(DataError, match=path.name):
        Trancos(tmp_path, "training")


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(
        DataError, match=r"expected image_sets in .* but got images\. The set unpacks to:"
    ) as told:
        Trancos(tmp_path)
    assert "image-1-000001dots.png" in str(told.value)
