"""The door to Pillow: bounds, formats, odd EXIF and whatever a decoder raises are one broken photo each."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from crowdscale.errors import ImageError
from crowdscale.files.decoder import SUBFILE, opened, orientation_of, photo_size
from crowdscale.files.images import photo_from_pil, read_image

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width, height, bits=8, kind=0):
    """A PNG that names a size and holds a kilobyte of nothing."""
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))  # noqa: E731  # fmt: skip
    size = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"IDAT", zlib.compress(bytes(999)))
        + chunk(b"IEND", b"")
    )


def exif_of(orientation, odd=b""):
    """An EXIF block in little-endian bytes: the orientation, then further entries as given."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + odd
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries) // 12) + entries + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_that_of_pillow(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(PIXELS), "PNG", exif=exif)
    np.testing.assert_array_equal(
        read_image(data).pixels, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    )


@pytest.mark.parametrize(
    "odd",
    [
        struct.pack("<HHI4s", 0x011A, 2, 4, b"abc\0"),  # a text where the resolution is due
        struct.pack("<HHII", 0x8769, 4, 1, 0xFFFFFFF0),  # an EXIF block beyond the end
        struct.pack("<HHII", 0x0100, 12, 0x7FFFFFFF, 8),  # more doubles than the file has bytes
        struct.pack("<HHII", 0x0112, 2, 4, 0x363636),  # a second orientation, as text
    ],
    ids=["text", "beyond", "too many", "text as orientation"],
)
def test_a_whole_jpeg_with_odd_exif_is_read(odd, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(Image.fromarray(PIXELS), "JPEG", exif=exif_of(6, odd)))
    photo = read_image(path)
    assert photo.size in ((20, 30), (30, 20))
    assert photo.size == photo_size(path)
    if b"abc" in odd:
        assert photo.size == (20, 30)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12), st.sampled_from(["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF"]))  # fmt: skip
@settings(max_examples=150)
def test_a_mutated_picture_is_a_photo_or_a_sentence(changes, kind):
    exif = {"exif": exif_of(6)[6:]} if kind == "TIFF" else {"exif": exif_of(6)}
    data = bytearray(encoded(Image.fromarray(PIXELS), kind, **({} if kind in ("GIF", "BMP") else exif)))
    for place, value in changes:
        data[place % len(data)] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(ImageError):
            assert read_image(bytes(data)).pixels.dtype == np.uint8


@pytest.mark.parametrize(
    "damage", [ValueError, TypeError, struct.error, RecursionError, KeyError, ZeroDivisionError]
)
def test_whatever_a_decoder_raises_is_one_broken_photo(damage, monkeypatch):
    def load(self):
        raise damage("of a decoder")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
    data = encoded(Image.fromarray(PIXELS), "PNG")
    with pytest.raises(ImageError, match="cannot be decoded"):
        read_image(data)
    with pytest.raises(ImageError, match="cannot be decoded"):
        photo_from_pil(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((1_000_000, 1), "sides have at most 65,535"),
        ((1, 65_536), "sides"),
        ((30_000, 30_000), "400 megapixels"),
    ],
    ids=str,
)
def test_sides_and_area_are_bounded_before_decoding(size, sentence, tmp_path):
    with pytest.raises(ImageError, match=sentence):
        read_image(png_header(*size))
    (tmp_path / "a.png").write_bytes(png_header(*size))
    with pytest.raises(ImageError, match=sentence):
        photo_size(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("kind", "side", "sentence"),
    [
        (2, 20_000, "20000×20000 in the file given, which takes 2.8 GB"),
        (2, 16_000, "cannot be decoded"),
        (0, 22_000, "400 megapixels"),
        (0, 20_000, "cannot be decoded"),
    ],
)
def test_photos_of_16_bits_stay_below_2_gb(kind, side, sentence):
    with pytest.raises(ImageError, match=sentence):
        read_image(png_header(side, side, 16, kind))


def test_the_host_s_own_limit_of_pixels_stays_and_does_not_bind(monkeypatch):
    code = "from PIL import Image; before = Image.MAX_IMAGE_PIXELS; import crowdscale.files.images, crowdscale.cli.count; print(before == Image.MAX_IMAGE_PIXELS)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_image(encoded(Image.fromarray(PIXELS), "PNG")).pixels, PIXELS)


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
        (b"%PDF-1.7", "a PDF"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a damaged HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a film"),
        (b"\x1aE\xdf\xa3\x01\0\0", "a film"),
        (b"RIFF\0\0\0\0AVI LIST", "a film"),
        (b"\x89PNG\r\n\x1a\n", "a damaged PNG"),
        (b"<svg xmlns=", "an SVG drawing"),
        (b"  <html>", "a web page"),
        (b"P6 9 9 255\n" + bytes(243), "no photo"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_photo_is_named_and_starts_no_program(start, named, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    with pytest.raises(ImageError, match=f"the file given is {named}"):
        read_image(start)


def test_a_tiff_gives_its_largest_page_and_names_it():
    small, large = Image.fromarray(PIXELS[:5, :5]), Image.fromarray(PIXELS)
    pages = lambda *all: encoded(all[0], "TIFF", save_all=True, append_images=all[1:])  # noqa: E731
    photo = read_image(pages(small, large))
    np.testing.assert_array_equal(photo.pixels, PIXELS)
    assert photo.notes == ("The file has 2 pages: page 2, the largest, was counted.",)
    assert read_image(pages(large, small)).notes == (
        "The file has 2 pages: page 1, the largest, was counted.",
    )
    assert read_image(pages(small, large, large)).notes == (
        "The file has 3 pages: page 2, the first of the largest, was counted.",
    )


def test_a_tiff_s_marked_copies_are_no_pages_and_need_no_note():
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(
        stream, "TIFF", save_all=True, append_images=[Image.new("RGB", (60, 40))], tiffinfo={SUBFILE: 0}
    )
    assert read_image(stream.getvalue()).size == (60, 40)
    copy = Image.fromarray(PIXELS)
    copy.encoderinfo = {"tiffinfo": {SUBFILE: 1}}
    stream = io.BytesIO()
    Image.new("RGB", (9, 6)).save(stream, "TIFF", save_all=True, append_images=[copy])
    photo = read_image(stream.getvalue())
    assert (photo.size, photo.notes) == ((9, 6), ())  # a copy is never the photo, however large


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_gives_its_first_frame_and_says_so(kind):
    frames = [Image.fromarray(np.roll(PIXELS, step, axis=1)) for step in range(3)]
    photo = read_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert photo.size == (30, 20)
    assert photo.notes == ("The file is an animation: frame 1 of 3 was counted.",)


def test_a_phone_s_jpeg_with_previews_is_its_first_picture():
    photo = read_image(encoded(Image.fromarray(PIXELS), "MPO", save_all=True, append_images=[Image.fromarray(PIXELS[:4])]))  # fmt: skip
    assert (photo.size, photo.notes) == ((30, 20), ())


def test_a_damaged_orientation_is_none():
    image = Image.new("RGB", (3, 2))
    for value in ("6", (6,), 9, 0, b"\6", None, 6.0):
        image.getexif = lambda value=value: {0x0112: value}
        assert orientation_of(image) == 1
    image.getexif = lambda: 1 / 0
    assert orientation_of(image) == 1


def test_an_open_file_and_a_stream_that_cannot_seek(tmp_path):
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.stream = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.stream.readinto(buffer)

    data = encoded(Image.fromarray(PIXELS), "PNG")
    with opened(Pipe(data), "pipe") as image:
        assert image.size == (30, 20)
