"""Photos found by the names of annotation files."""

from __future__ import annotations

import unicodedata

import pytest

from crowdscale.data.naming import PhotoNames

PHOTOS = [
    "IMG_1.jpg",
    "night/IMG_2.JPG",
    "night/a.png",
    "day/a.png",
    "Café.jpg",
    "0a1b2c3d-up.jpg",
    "x_jpg.jpg",
]


@pytest.mark.parametrize(
    ("name", "photo"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("./IMG_1.jpg", "IMG_1.jpg"),
        ("IMG_1", "IMG_1.jpg"),
        ("C:\\data\\IMG_1.jpg", "IMG_1.jpg"),
        ("/home/me/photos/IMG_1.jpg", "IMG_1.jpg"),
        ("IMG_2.jpg", "night/IMG_2.JPG"),
        ("img_2.jpeg", "night/IMG_2.JPG"),
        ("night/a.png", "night/a.png"),
        ("set/day/a.png", "day/a.png"),
        ("a.png", None),
        ("b.png", None),
        ("", None),
        (unicodedata.normalize("NFD", "Café.jpg"), "Café.jpg"),
        (unicodedata.normalize("NFC", "Café.jpg"), "Café.jpg"),
        ("up.jpg", "0a1b2c3d-up.jpg"),
        ("0a1b2c3d-IMG_1.jpg", "IMG_1.jpg"),
        ("0123456789abcdef0123-IMG_1.jpg", "IMG_1.jpg"),
        ("IMG_1_jpg.rf.0123456789abcdef0123456789abcdef.jpg", "IMG_1.jpg"),
    ],
)
def test_names(name: str, photo: str | None) -> None:
    assert PhotoNames(PHOTOS).find(name) == photo


def test_a_photo_in_the_annotations_folder_comes_first() -> None:
    names = PhotoNames(["train/a.jpg", "valid/a.jpg"])
    assert names.find("a.jpg") is None
    assert names.find("a.jpg", inside="valid") == "valid/a.jpg"


def test_other_names_are_tried_in_turn() -> None:
    assert PhotoNames(PHOTOS).find("unknown.jpg", also=("IMG_1.jpg",)) == "IMG_1.jpg"
