"""The date of a photo: by its camera, or none."""

from __future__ import annotations

from datetime import datetime

import pytest
from PIL import Image

from crowdscale.files.taken import date_taken

SHOT = datetime(2024, 7, 5, 18, 30, 9)


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        ({0x9003: "2024:07:05 18:30:09"}, SHOT),
        ({0x9004: "2024:07:05 18:30:09"}, SHOT),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "yesterday"}, None),
        ({}, None),
    ],
)
def test_date_of_the_shot(tmp_path, tags, known):
    exif = Image.Exif()
    exif[0x0132] = "2025:01:01 00:00:00"  # when the file was edited
    exif.get_ifd(0x8769).update(tags)
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.jpg", exif=exif)
    assert date_taken(tmp_path / "photo.jpg") == known


def test_no_date_without_a_photo(tmp_path):
    (tmp_path / "text.jpg").write_text("no photo")
    assert date_taken(tmp_path / "text.jpg") is None
    assert date_taken(tmp_path / "none.jpg") is None
