"""Photos found: hidden files, copies and own pictures are passed over; brackets in names are no patterns."""

from __future__ import annotations

import os
import subprocess
import sys

import fsspec
import numpy as np
import pytest

from crowdscale.errors import ImageError
from crowdscale.files.finding import find_images
from crowdscale.files.images import read_image, write_image
from crowdscale.files.storage import find_photos, read_photo_bytes

GREY = np.zeros((4, 5, 3), np.uint8)


def make(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def both(*sources):
    """Found by both searches: of photos for tables, and of streams of photos."""
    found = [str(path) for path in find_images(sources)]
    assert sorted(find_photos([str(source) for source in sources])) == sorted(found)
    return found


def test_hidden_files_and_folders_of_copies_are_passed_over(tmp_path):
    make(
        tmp_path, "a.jpg", "._a.jpg", ".b.jpg", "deep/._c.png", "deep/c.png", ".thumbnails/a.jpg",
        "__MACOSX/a.jpg", "__MACOSX/._a.jpg", "deep/@eaDir/c.png",
    )  # fmt: skip
    names = [os.path.relpath(path, tmp_path) for path in both(tmp_path)]
    assert names == ["a.jpg", "deep/c.png"]
    assert both(f"{tmp_path}/*.jpg") == [str(tmp_path / "a.jpg")]


def test_own_pictures_are_passed_over_and_people_s_own_photos_are_not(tmp_path):
    make(tmp_path, "market.jpg", "market_people.jpg", "zones.jpeg")
    for name in ("crowd_people.jpg", "crowd_heat.jpg", "crowd_zoom.jpg", "zones.png", "plot.png"):
        write_image(tmp_path / name, GREY)
        assert read_image(tmp_path / name).pixels.shape == (4, 5, 3)
    names = [os.path.relpath(path, tmp_path) for path in both(tmp_path)]
    assert names == ["market.jpg", "market_people.jpg", "zones.jpeg"]
    assert both(tmp_path / "crowd_people.jpg") == [str(tmp_path / "crowd_people.jpg")]  # named outright


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("photo[1].jpg", ["photo[1].jpg"]),
        ("trip [2024]", ["trip [2024]/a.jpg", "trip [2024]/b[2].jpg"]),
        ("trip [2024]/*.jpg", ["trip [2024]/a.jpg", "trip [2024]/b[2].jpg"]),
        ("trip [2024]/b[2].jpg", ["trip [2024]/b[2].jpg"]),
        ("photo[12].jpg", ["photo1.jpg"]),
        ("**/b*.jpg", ["trip [2024]/b[2].jpg"]),
    ],
)
def test_brackets_in_names_are_no_patterns(tmp_path, monkeypatch, source, found):
    make(tmp_path, "photo[1].jpg", "photo1.jpg", "trip [2024]/a.jpg", "trip [2024]/b[2].jpg")
    monkeypatch.chdir(tmp_path)
    assert both(source) == found


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    make(tmp_path, "a.jpg", "locked/b.jpg", "z/c.jpg")
    scan = os.scandir

    def forbidding(path="."):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", forbidding)
    names = [os.path.relpath(path, tmp_path) for path in both(tmp_path)]
    assert names == ["a.jpg", "locked", "z/c.jpg"]
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("locked"))
    with pytest.raises(ImageError, match=r"locked is a folder\. It cannot be read"):
        read_photo_bytes(str(tmp_path / "locked"))


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes")
def test_a_name_that_is_not_utf_8_is_found_and_read(tmp_path):
    path = os.fsencode(tmp_path) + b"/caf\xe9.png"
    write_image(tmp_path / "a.png", GREY)
    os.rename(tmp_path / "a.png", path)  # noqa: PTH104
    (found,) = both(tmp_path)
    assert os.fsencode(found) == path
    assert read_image(found).pixels.shape == (4, 5, 3)


def test_importing_the_search_needs_no_decoder():
    code = "import sys, crowdscale.files.finding; print('PIL.Image' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_a_drawn_picture_is_passed_over_whatever_its_name(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    write_image(tmp_path / f"sheet{suffix}", noise, drawn=True)
    (tmp_path / f"sheet{suffix}").rename(tmp_path / "renamed by hand.jpeg")
    write_image(tmp_path / f"photo{suffix}", noise)
    assert both(tmp_path) == [str(tmp_path / f"photo{suffix}")]
    assert read_image(tmp_path / "renamed by hand.jpeg").pixels.shape == noise.shape
    assert len(find_images([tmp_path], drawn=True)) == 2


def test_a_drawn_picture_in_a_store_is_passed_over(tmp_path):
    write_image(tmp_path / "a_people.jpg", GREY)
    write_image(tmp_path / "b_people.jpg", GREY[:2])
    files = fsspec.filesystem("memory")
    files.pipe_file("/drawn/a_people.jpg", (tmp_path / "a_people.jpg").read_bytes())
    files.pipe_file("/drawn/b_people.jpg", b"a photo of that name")
    assert list(find_photos(["memory://drawn"])) == ["memory:///drawn/b_people.jpg"]
