"""Photos in and out: every kind of file that users have, and those that are none."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from crowdscale.errors import ImageError, OptionError
from crowdscale.files import images
from crowdscale.files.decoder import photo_size
from crowdscale.files.finding import find_images
from crowdscale.files.images import photo_from_pil, read_image, resize_image, write_image
from crowdscale.files.writing import check_writable, write_atomic
from tests.hostile.media import with_exif

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_lossless_formats_come_back_equal(tmp_path, suffix):
    write_image(tmp_path / f"a{suffix}", PIXELS)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}").pixels, PIXELS)


def as_stored(orientation):
    return np.ascontiguousarray({
        1: PIXELS, 2: PIXELS[:, ::-1], 3: PIXELS[::-1, ::-1], 4: PIXELS[::-1], 5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, 1), 7: PIXELS[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(PIXELS, -1),
    }[orientation])  # fmt: skip


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_turned_upright(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"a{suffix}", Image.fromarray(as_stored(orientation)), exif=exif)
    photo = read_image(path)
    np.testing.assert_array_equal(photo.pixels, PIXELS)
    np.testing.assert_array_equal(photo_from_pil(Image.open(path)).pixels, PIXELS)
    assert photo.size == photo_size(path) == (30, 20)
    assert photo.reduction == (1, 1)


@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_orientation_of_deep_pngs(tmp_path, orientation):
    _, data = cv2.imencode(".png", as_stored(orientation)[..., ::-1].astype(np.uint16) * 16)
    entry = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    photo = read_image(with_exif(data.tobytes(), b"II*\0\x08\0\0\0" + entry))
    assert photo.size == (30, 20)
    assert np.abs(photo.pixels.astype(int) - PIXELS).max() <= 1


def with_orientation(tiff, orientation):
    """Return a little-endian TIFF with the tag, in a new directory at its end."""
    (start,) = struct.unpack_from("<I", tiff, 4)
    (number,) = struct.unpack_from("<H", tiff, start)
    entries = [tiff[start + 2 + 12 * at : start + 14 + 12 * at] for at in range(number)]
    entries.append(struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return tiff[:4] + struct.pack("<I", len(tiff)) + tiff[8:] + directory


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("kind", ["12 bits", "16 bits", "floating point", "16 bits of grey"])
def test_orientation_of_deep_tiffs(tmp_path, orientation, kind):
    pixels = as_stored(orientation)
    deep = {
        "12 bits": pixels.astype(np.uint16) * 16, "16 bits": pixels.astype(np.uint16) * 257,
        "floating point": pixels.astype(np.float32) / 255, "16 bits of grey": pixels[..., 0].astype(np.uint16) * 257,
    }[kind]  # fmt: skip
    path = tmp_path / "a.tif"
    cv2.imwrite(str(path), deep[..., ::-1] if deep.ndim == 3 else deep, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    path.write_bytes(with_orientation(path.read_bytes(), orientation))
    photo = read_image(path)
    assert photo.size == photo_size(path) == (30, 20)
    right = np.repeat(PIXELS[..., :1], 3, axis=2) if deep.ndim == 2 else PIXELS
    assert np.abs(photo.pixels.astype(int) - right).max() <= 1


def test_grey_is_repeated(tmp_path):
    grey = PIXELS[..., 0]
    photo = read_image(saved(tmp_path / "a.png", Image.fromarray(grey)))
    np.testing.assert_array_equal(photo.pixels, np.repeat(grey[..., None], 3, axis=2))


def test_transparency_lies_over_white(tmp_path):
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    pixels = read_image(saved(tmp_path / "a.png", Image.fromarray(rgba))).pixels
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[1, 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_bands_and_the_whole_are_the_same_and_can_be_written_on(monkeypatch, mode):
    image = Image.fromarray(RNG.integers(0, 256, (images.BAND + 3, 8, 4), np.uint8)).convert(mode)
    whole = photo_from_pil(image).pixels
    monkeypatch.setattr(images, "WHOLE", 0)
    np.testing.assert_array_equal(photo_from_pil(image).pixels, whole)
    whole[0, 0] = 7
    assert whole.flags.c_contiguous


def test_bands_of_deep_grey_are_the_whole(monkeypatch):
    deep = Image.fromarray(RNG.integers(0, 60_000, (23, 8), np.uint16))
    whole = photo_from_pil(deep).pixels
    monkeypatch.setattr(images, "BAND", 5)
    np.testing.assert_array_equal(photo_from_pil(deep).pixels, whole)
    assert deep.getpixel((0, 0)) >= 0  # the caller's picture stays open


def test_16_bit_grey_is_scaled_not_cut(tmp_path):
    deep = np.array([[0, 257 * 100], [257 * 200, 65535]], np.uint16)
    pixels = read_image(saved(tmp_path / "a.png", Image.fromarray(deep))).pixels
    assert pixels[..., 0].tolist() == [[0, 100], [200, 255]]


def test_palette_gives_its_colours(tmp_path):
    flat = np.repeat(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), 4, axis=0)
    path = saved(tmp_path / "a.png", Image.fromarray(flat).convert("P", palette=Image.Palette.ADAPTIVE))
    assert Image.open(path).mode == "P"
    np.testing.assert_array_equal(read_image(path).pixels, flat)


def test_bytes_and_open_files_are_read_too(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(PIXELS))
    np.testing.assert_array_equal(read_image(path.read_bytes()).pixels, PIXELS)
    with path.open("rb") as stream:
        np.testing.assert_array_equal(read_image(stream).pixels, PIXELS)
    np.testing.assert_array_equal(read_image(io.BytesIO(path.read_bytes())).pixels, PIXELS)
    np.testing.assert_array_equal(photo_from_pil(Image.open(path)).pixels, PIXELS)


def test_truncated_file_is_named(tmp_path):
    whole = saved(tmp_path / "a.jpg", Image.fromarray(np.tile(PIXELS, (9, 9, 1)))).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match=r"cut\.jpg.*cannot be decoded"):
        read_image(tmp_path / "cut.jpg")


@pytest.mark.parametrize(
    "content", [b"", b"name,people\n", b"\xff\xd8\xff"], ids=["0 bytes", "text", "only magic"]
)
def test_no_picture_under_a_picture_name(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.jpg"):
        read_image(tmp_path / "a.jpg")


def test_missing_file_and_folder_are_told_apart(tmp_path):
    with pytest.raises(ImageError, match="no such photo"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


def test_one_pixel(tmp_path):
    photo = read_image(saved(tmp_path / "a.png", Image.new("RGB", (1, 1), (1, 2, 3))), max_pixels=1024)
    assert photo.pixels.tolist() == [[[1, 2, 3]]]


def test_long_strip_is_reduced_and_never_vanishes(tmp_path):
    photo = read_image(saved(tmp_path / "a.png", Image.new("RGB", (20, 20_000))), max_pixels=1024)
    assert photo.size == (20, 20_000)
    assert photo.pixels.shape == (1012, 1, 3)
    assert photo.reduction == (1 / 20, 1012 / 20_000)


@pytest.mark.parametrize("orientation", [1, 6])
def test_large_jpeg_is_reduced_while_decoded(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.jpg", Image.new("RGB", (1600, 800), "red"), exif=exif)
    photo = read_image(path, max_pixels=20_000)
    assert photo.size == ((1600, 800) if orientation == 1 else (800, 1600))
    assert photo.pixels.shape == ((100, 200, 3) if orientation == 1 else (200, 100, 3))
    assert abs(photo.pixels.reshape(-1, 3).mean(0) - (254, 0, 0)).max() < 2


def test_gigantic_photo_is_refused_before_decoding(tmp_path):
    header = io.BytesIO()
    Image.new("1", (1, 1)).save(header, "BMP")
    data = bytearray(header.getvalue())
    data[18:26] = (60_000).to_bytes(4, "little") * 2
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(
        ImageError, match=r"at most 400 megapixels, but got 60000×60000 = 3600 in .*\. Reduce it"
    ):
        read_image(tmp_path / "a.bmp")


def test_find_images_searches_folders_and_patterns_once(tmp_path):
    for name in ("b.jpg", "a.PNG", "deep/er/c.jpeg", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_images([tmp_path, tmp_path / "b.jpg", f"{tmp_path}/*.jpg"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a.PNG", "b.jpg", "deep/er/c.jpeg"]


def test_other_pictures_are_reported_and_links_to_nothing_are_photos(tmp_path):
    for name in ("a.jpg", "b.psd", "c.MP4", "scan", "notes.txt", "points.csv", ".cache"):
        (tmp_path / name).touch()
    (tmp_path / "gone.png").symlink_to("nothing")
    (tmp_path / "gone").symlink_to("nothing")
    (tmp_path / "folder.jpg").mkdir()
    others = []
    found = find_images([tmp_path], others.append)
    assert [path.name for path in found] == ["a.jpg", "gone.png"]
    assert [path.name for path in others] == ["b.psd", "c.MP4", "scan"]
    assert [path.name for path in find_images([f"{tmp_path}/*"])] == ["a.jpg", "gone.png"]


def test_what_is_no_file_or_empty_is_refused(tmp_path):
    (tmp_path / "a.jpg").touch()
    for source in (tmp_path / "a.jpg", b""):
        with pytest.raises(ImageError, match="is empty"):
            read_image(source)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "b.jpg")
        with pytest.raises(ImageError, match=r"b\.jpg, which is a pipe or a device"):
            read_image(tmp_path / "b.jpg")


def test_find_images_keeps_named_files_that_are_missing_or_odd(tmp_path):
    assert find_images([tmp_path / "none.jpg", "photo.raw"]) == [
        tmp_path / "none.jpg",
        type(tmp_path)("photo.raw"),
    ]


def test_file_with_brackets_in_its_name_is_no_pattern(tmp_path):
    (tmp_path / "a[1].jpg").touch()
    assert find_images([tmp_path / "a[1].jpg"]) == [tmp_path / "a[1].jpg"]


def test_folder_and_pattern_without_photos_say_so(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ImageError, match="no photos in"):
        find_images([tmp_path])
    with pytest.raises(ImageError, match="no photo matches"):
        find_images([f"{tmp_path}/*.jpg"])


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    def fail(stream):
        stream.write(b"half")
        raise RuntimeError("disk full")

    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(RuntimeError):
        write_atomic(tmp_path / "a.csv", fail)
    assert (tmp_path / "a.csv").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").symlink_to("deep/real.csv")
    for text in (b"first", b"second"):  # the link leads to nothing at first
        write_atomic(tmp_path / "a.csv", lambda stream, text=text: stream.write(text))
    assert (tmp_path / "a.csv").is_symlink()
    assert (tmp_path / "deep" / "real.csv").read_bytes() == b"second"
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "real.csv"]


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
def test_a_device_and_a_pipe_are_written_into(tmp_path):
    write_atomic(Path("/dev/null"), lambda stream: stream.write(b"gone"))
    assert Path("/dev/null").is_char_device()
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomic(tmp_path / "pipe", lambda stream: stream.write(b"x"))
    assert os.read(reader, 9) == b"x"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    code = "from crowdscale.files.writing import *; from pathlib import Path; print('table', flush=True)\n"
    code += "write_atomic(Path('/dev/stdout'), lambda stream: stream.write(b'rows'))"
    with (tmp_path / "shown").open("wb") as shown:  # a redirected output is gone on with
        subprocess.run([sys.executable, "-c", code], stdout=shown, check=True)
    assert (tmp_path / "shown").read_bytes() == b"table\nrows"


def test_a_file_that_cannot_be_written_is_known_before(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "a.csv", Path("/proc/none/a.csv"), tmp_path / ("x" * 300)):
        with pytest.raises(OptionError, match="cannot be written"):
            check_writable(path)
    for path in (None, tmp_path / "new" / "a.csv", tmp_path / "file", Path("/dev/null")):
        check_writable(path)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_unknown_suffix_is_refused_before_writing(tmp_path):
    with pytest.raises(ImageError, match="suffix"):
        write_image(tmp_path / "a.xyz", PIXELS)
    assert not list(tmp_path.iterdir())


def test_resizing_by_area_keeps_the_mean():
    small = resize_image(np.tile(np.array([[0, 200]], np.uint8)[..., None], (4, 4, 3)), 4, 2)
    assert small.shape == (2, 4, 3)
    assert (small == 100).all()


@pytest.mark.skipif(sys.platform != "linux", reason="reads peaks of memory as Linux tells them")
def test_a_large_photo_is_decoded_without_copies(tmp_path):
    """Peak: the decoder's four bytes a pixel and our three, not three times as much."""
    Image.new("RGB", (6000, 4000), (200, 30, 60)).save(tmp_path / "large.jpg")
    code = (
        "from pathlib import Path; from crowdscale.files.images import read_image\n"
        "peak = lambda: 1024 * int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        f"before = peak(); photo = read_image({str(tmp_path / 'large.jpg')!r}); print((peak() - before) / 24e6)\n"
        "assert abs(photo.pixels[3999, 5999].astype(int) - (200, 30, 60)).max() < 4"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 3 < float(done.stdout) < 9
