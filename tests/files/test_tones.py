"""Grey of more than 8 bits: each kind that cameras and maps write looks like the same photo in 8 bits."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from crowdscale.errors import ImageError
from crowdscale.files.images import photo_from_array, read_image
from crowdscale.files.tones import to_8_bits

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (40, 60)).astype(np.uint8)
GREY[0, :2] = 0, 255


def tiff(array, **tags):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "TIFF", tiffinfo={int(key[1:]): value for key, value in tags.items()})
    return stream.getvalue()


def levels(photo):
    assert (photo.pixels == photo.pixels[..., :1]).all()
    return photo.pixels[..., 0].astype(int)


@pytest.mark.parametrize(("factor", "bits"), [(1, 8), (4, 10), (16, 12), (64, 14)], ids=str)
def test_fewer_bits_in_a_file_of_16_are_stretched_and_named(factor, bits):
    photo = read_image(tiff(GREY.astype(np.uint16) * factor))
    assert np.abs(levels(photo) - GREY).max() <= 2
    assert photo.warnings == (
        f"Its grey values reach {255 * factor} of 65535: they were read as {bits} bits.",
    )


def test_16_full_bits_are_divided_without_a_note():
    photo = read_image(tiff(GREY.astype(np.uint16) * 257))
    np.testing.assert_array_equal(levels(photo), GREY)
    assert photo.warnings == ()


@pytest.mark.parametrize("factor", [257, 16])
def test_0_can_be_white(factor):
    photo = read_image(tiff((255 - GREY).astype(np.uint16) * factor, t262=0))
    assert np.abs(levels(photo) - GREY).max() <= 2


def test_a_thermal_picture_is_stretched_and_named():
    """Hundredths of kelvins around 20 °C: a three-hundredth of the range, and a lamp."""
    kelvins = (29_000 + GREY.astype(np.uint16)).copy()
    kelvins[5, 5] = 60_000
    photo = read_image(tiff(kelvins))
    known = np.ones(GREY.shape, bool)
    known[5, 5] = False
    assert np.abs(levels(photo) - GREY)[known].max() <= 3
    assert "were stretched" in photo.warnings[0]


@pytest.mark.parametrize("top", [1.0, 255.0, 3e4])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, -9999.0, -3.4e38, 3.4e38])
def test_holes_in_floating_point_change_nothing_else(top, odd):
    values = (GREY / 255 * top).astype(np.float32)
    values[3:6, 7] = odd
    photo = read_image(tiff(values))
    known = np.ones(GREY.shape, bool)
    known[3:6, 7] = False
    assert np.abs(levels(photo) - GREY)[known].max() <= 1
    assert (levels(photo)[3:6, 7] == (255 if odd == 3.4e38 else 0)).all()


def test_the_file_s_own_mark_of_missing_values_is_black():
    values = (GREY / 255 * 100).astype(np.float32)
    values[3:6, 7] = 777
    photo = read_image(tiff(values, t42113="777"))
    assert np.abs(levels(photo) - GREY)[:3].max() <= 1
    assert (levels(photo)[3:6, 7] == 0).all()


def test_negative_values_are_stretched():
    photo = read_image(tiff((GREY / 127.5 - 1).astype(np.float32)))
    assert np.abs(levels(photo) - GREY).max() <= 4
    assert "from -" in photo.warnings[0]


def test_nothing_but_holes_is_black_and_named():
    photo = read_image(tiff(np.full((4, 5), np.nan, np.float32)))
    assert not photo.pixels.any()
    assert photo.warnings == ("The photo holds no numbers: it was counted as black.",)


@pytest.mark.parametrize("value", [0, 1000, 65535])
def test_one_value_everywhere_is_one_grey(value):
    grey, _ = to_8_bits(np.full((9, 9), value, np.uint16))
    assert len(np.unique(grey)) == 1


def test_32_bits_are_divided_by_their_largest():
    photo = read_image(tiff(GREY.astype(np.int32) * 1_000_003))
    assert np.abs(levels(photo) - GREY).max() <= 1
    assert "divided by that" in photo.warnings[0]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("factor", "bits"), [(4, 10), (16, 12), (64, 14)])
def test_colours_of_fewer_bits_in_16_are_stretched_and_named(factor, bits, suffix):
    deep = (RNG.integers(0, 256, (30, 40, 3)) * factor).astype(np.uint16)
    deep[0, 0] = 255 * factor
    photo = read_image(cv2.imencode(suffix, deep)[1].tobytes())
    assert np.abs(photo.pixels[..., ::-1].astype(int) - deep / factor).max() <= 2
    assert photo.warnings == (f"Its colours reach {255 * factor} of 65535: they were read as {bits} bits.",)
    assert read_image(cv2.imencode(suffix, deep * (256 // factor))[1].tobytes()).warnings == ()


def test_opaque_colours_of_12_bits_in_16_keep_their_opacity():
    deep = np.full((8, 9, 4), 4095, np.uint16)
    deep[..., :3] = 1000
    deep[0, 0, :3] = 4095
    deep[..., 3] = 65535
    deep[4:, :, 3] = 0
    photo = read_image(cv2.imencode(".png", deep)[1].tobytes())
    assert (photo.pixels[2] == 62).all()
    assert (photo.pixels[6] == 255).all()  # nothing over white


@pytest.mark.parametrize("top", [1.0, 255.0, 3e4])
def test_colours_in_floating_point_are_divided_by_their_largest(top):
    colours = RNG.integers(0, 256, (20, 30, 3))
    colours[0, 0] = 255
    values = (colours / 255 * top).astype(np.float32)
    values[3:5, 4:6] = np.nan
    photo = read_image(cv2.imencode(".tif", values)[1].tobytes())
    known = np.isfinite(values).all(axis=2)
    assert np.abs(photo.pixels[..., ::-1].astype(int) - colours)[known].max() <= 1
    assert (photo.pixels[~known] == 0).all()


def test_a_large_picture_in_floating_point_is_refused_before_it_is_read(monkeypatch):
    data = cv2.imencode(".tif", np.zeros((20, 30, 3), np.float32))[1].tobytes()
    monkeypatch.setattr("crowdscale.files.decoder.MAX_PIXELS", 599)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match="megapixels"):
        read_image(data)


def test_channels_are_last_or_where_only_that_can_be_first():
    rgb = RNG.integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(photo_from_array(rgb.transpose(2, 0, 1)).pixels, rgb)
    np.testing.assert_array_equal(photo_from_array(rgb[:4]).pixels, rgb[:4])  # 4 rows, not 4 channels
    np.testing.assert_array_equal(photo_from_array(rgb[None, ..., 0]).pixels, np.repeat(rgb[..., :1], 3, 2))
    with pytest.raises(ImageError, match="channels, but got 7"):
        photo_from_array(np.zeros((9, 9, 7), np.uint8))
