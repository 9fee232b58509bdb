"""TRANCOS: pixels counted from 1, text before dots, masks, lists; what is damaged or missing is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_camera_sets import write_trancos
from PIL import Image

from crowdscale.data.trancos import Trancos
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points

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
    assert Trancos(tmp_path, "training")[0].points == Points(np.array(points).reshape(-1, 2))


def test_text_comes_before_dots(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS, dots=True) / "images"
    assert Trancos(tmp_path, "training")[0].points == Points([[3, 4]]), "dots alone"
    (images / "image-2-000010.txt").write_text("31 41\n")
    assert Trancos(tmp_path, "training")[0].points == Points([[30, 40]])


def test_dots_are_red_pixels_and_no_others(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS, dots=True) / "images"
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[0, 63], pixels[47, 0], pixels[5, 5] = (255, 0, 0), (254, 10, 10), (255, 255, 255)
    Image.fromarray(pixels).save(images / "image-2-000010dots.png")
    assert Trancos(tmp_path, "training")[0].points == Points([[63, 0], [0, 47]])


def test_opening_decodes_no_photo_and_no_mask(tmp_path: Path) -> None:
    images = write_trancos(tmp_path, CARS) / "images"
    for name in ("image-2-000010.jpg", "image-2-000010mask.mat"):
        (images / name).write_bytes(b"neither")
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
    with pytest.raises(DataError, match="cannot identify image file"):
        Trancos(tmp_path, "training")


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(
        DataError, match=r"expected image_sets in .* but got images\. The set unpacks to:"
    ) as told:
        Trancos(tmp_path)
    assert "image-1-000001dots.png" in str(told.value)
