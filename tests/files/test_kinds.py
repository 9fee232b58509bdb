"""Kinds of photos: what phones, cameras and scanners write is read, turned right, page by page."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale.errors import ImageError
from crowdscale.files.decoder import photo_pages, photo_size
from crowdscale.files.finding import find_images
from crowdscale.files.images import photo_from_array, read_image
from crowdscale.files.jxl import jxl_size
from crowdscale.files.kinds import IMAGE_SUFFIXES, is_photo_start
from tests.files.inputs.make import slopes

INPUTS = Path(__file__).parent / "inputs"
SLOPES = slopes()


def assert_slopes(photo):
    assert photo.size == (64, 48)
    assert np.abs(photo.pixels.astype(int) - SLOPES).mean() < 2.5


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["plain.heic", "turned.heic", "only_exif.heic", "deep.heic", "mif1.heif"])
def test_heic_is_read_and_turned_once(name):
    photo = read_image(INPUTS / name)
    assert_slopes(photo)
    assert (photo.notes, photo_size(INPUTS / name)) == ((), (64, 48))


def test_heic_of_two_pictures_gives_the_main_one_or_each():
    two = INPUTS / "two.heic"
    photo = read_image(two)
    assert_slopes(photo)
    assert photo.notes == ("The file holds 2 pictures: the main one was counted.",)
    assert photo_pages(two) == [1, 2]
    assert (read_image(two, page=2).pixels.mean((0, 1)).round() == (0, 0, 254)).all()
    assert read_image(two, page=1).notes == ()


@pytest.mark.parametrize("place", [b"Exif", b"hvc1"])
def test_a_heic_whose_item_has_no_type_does_not_end_the_process(place):
    """The decoder takes the type for text, and ends the process where it is none."""
    data = (INPUTS / "turned.heic").read_bytes()
    damaged = data.replace(place, place[:2] + b"\xff" + place[3:])
    with pytest.raises(ImageError, match="an item whose type is no text"):
        read_image(damaged)


def test_a_cut_heic_is_one_sentence():
    data = (INPUTS / "plain.heic").read_bytes()
    for length in (30, 300, 700):
        with pytest.raises(ImageError, match=r"HEIC|decoded"):
            read_image(data[:length])


def test_jpeg_xl_is_read_with_its_extra_and_named_without(monkeypatch):
    pytest.importorskip("pillow_jxl")
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(SLOPES), "JXL", exif=exif.tobytes(), use_container=True)
    assert_slopes(read_image(data))  # the decoder turns: EXIF would turn again
    monkeypatch.setattr("crowdscale.files.decoder.find_spec", lambda _: None)
    with pytest.raises(ImageError, match=r"Run: pip install 'crowdscale\[jxl\]'"):
        read_image(data)


def test_a_jpeg_inside_jpeg_xl_is_turned_by_its_exif(tmp_path):
    pytest.importorskip("pillow_jxl")
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(SLOPES).transpose(Image.Transpose.ROTATE_90)
    stored.save(tmp_path / "a.jpg", quality=95, exif=exif.tobytes())
    with Image.open(tmp_path / "a.jpg") as jpeg:
        assert_slopes(read_image(encoded(jpeg, "JXL", lossless_jpeg=True)))


@pytest.mark.parametrize("size", [(64, 48), (64, 64), (60, 41), (8, 8), (1200, 1000), (5000, 3), (16, 9)])
@pytest.mark.parametrize("container", [False, True])
def test_the_size_of_jpeg_xl_is_known_before_it_is_decoded(size, container, monkeypatch):
    pytest.importorskip("pillow_jxl.JpegXLImagePlugin")
    data = encoded(Image.new("RGB", size), "JXL", use_container=container, effort=1)
    assert jxl_size(data) == size
    monkeypatch.setattr("crowdscale.files.decoder.MAX_SIDE", max(size) - 1)
    monkeypatch.setattr("pillow_jxl.JpegXLImagePlugin.JXLImageFile", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="sides have at most"):
        read_image(data)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_each_frame_of_an_animation_can_be_read(kind):
    frames = [Image.new("RGB", (32, 32), (level, 0, 0)) for level in (0, 120, 240)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert photo_pages(io.BytesIO(data)) == [1, 2, 3]
    levels = [int(read_image(data, page=page).pixels[..., 0].mean()) for page in (3, 1, 2)]
    np.testing.assert_allclose(levels, (240, 0, 120), atol=4)
    with pytest.raises(ImageError, match=r"expected page 4 of the file given, but got 3 in all"):
        read_image(data, page=4)


def test_pages_of_a_tiff_without_its_reduced_copies():
    pages = [Image.fromarray(SLOPES), Image.fromarray(SLOPES[:24]), Image.fromarray(SLOPES[::-1].copy())]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert photo_pages(io.BytesIO(data)) == [1, 3]
    np.testing.assert_array_equal(read_image(data, page=3).pixels, SLOPES[::-1])
    with pytest.raises(ImageError, match=r"expected page 9 .*, but got 3 in all"):
        read_image(data, page=9)


def test_a_jpeg_has_one_page_whatever_previews_it_holds():
    data = encoded(Image.fromarray(SLOPES), "MPO", save_all=True, append_images=[Image.fromarray(SLOPES[:9])])
    assert photo_pages(io.BytesIO(data)) == [1]
    with pytest.raises(ImageError, match="expected page 2"):
        read_image(data, page=2)


def test_too_many_frames_are_refused(monkeypatch):
    monkeypatch.setattr("crowdscale.files.decoder.MAX_PAGES", 2)
    frames = [Image.new("L", (9, 9), level) for level in (0, 120, 240)]
    with pytest.raises(ImageError, match="at most 2 frames, but got 3"):
        photo_pages(io.BytesIO(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])))


def test_every_suffix_that_is_read_is_found_in_a_folder_and_named(tmp_path):
    for suffix in IMAGE_SUFFIXES:
        (tmp_path / f"a{suffix.upper()}").write_bytes(b"x")
    assert len(find_images([tmp_path])) == len(IMAGE_SUFFIXES)


def test_a_photo_without_suffix_is_found_by_its_first_bytes(tmp_path):
    (tmp_path / "IMG_0001").write_bytes(encoded(Image.fromarray(SLOPES), "JPEG"))
    (tmp_path / "heic").write_bytes((INPUTS / "plain.heic").read_bytes())
    (tmp_path / "Makefile").write_text("all:\n")
    (tmp_path / "film").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0")
    others = []
    assert [path.name for path in find_images([tmp_path], others.append)] == ["IMG_0001", "heic"]
    assert [path.name for path in others] == ["Makefile", "film"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_first_bytes_name_a_photo(kind):
    assert is_photo_start(encoded(Image.fromarray(SLOPES), kind)[:16])


def test_arrays_of_all_number_types_follow_the_rule():
    rgb = SLOPES
    for same in (
        rgb.astype(np.int64), rgb.astype(np.float32), (rgb / 255).astype(np.float32), rgb / 255.0,
        rgb.transpose(2, 0, 1), (rgb / 255).transpose(2, 0, 1)[None], rgb.astype(np.uint16),
        (rgb / 255).astype(np.float16),
    ):  # fmt: skip
        photo = photo_from_array(same)
        assert np.abs(photo.pixels.astype(int) - rgb).max() <= 1
        assert photo.warnings == ()
    assert photo_from_array(rgb[..., 0] > 99).pixels.max() == 255
    photo = photo_from_array(rgb.astype(np.uint16) * 16)
    assert np.abs(photo.pixels.astype(int) - rgb).max() <= 1
    assert photo.warnings == ("Its colours reach 4080 of 65535: they were read as 12 bits.",)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (SLOPES / 127.5 - 1, "from -1 to 1"),
        (SLOPES * 4.0, "from 0 to 1020"),
        (np.where(SLOPES > 9, np.nan, 0.5), "nan"),
        (SLOPES.astype(np.int64) * 1000, "from 0 to 255000"),
        (SLOPES.astype(complex), "shape"),
        (np.zeros((2, 3, 64, 48)), "shape"),
    ],
)
def test_arrays_outside_the_rule_are_refused(odd, said):
    with pytest.raises(ImageError, match=said):
        photo_from_array(odd)
