"""Pictures, films, names and passwords of the cases: each is drawn, read, and answered in one line."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crowdscale.errors import CrowdscaleError
from crowdscale.files.finding import find_images
from crowdscale.files.images import read_image
from crowdscale.video.sources import SourceOptions, open_source, sample
from tests.support.films import grey_frame, write_packets

__all__ = ["MEDIA"]

GREY = np.random.default_rng(0).integers(0, 256, (30, 40)).astype(np.uint8)
GREY[0, :2] = 0, 255
FRAMES = [grey_frame(level, 128, 96) for level in range(0, 200, 4)]


def tiff(values: Any, *more: Any, **tags: Any) -> bytes:
    """Return arrays as the pages of a TIFF with tags such as ``t262``."""
    stream = io.BytesIO()
    pages = [Image.fromarray(page) for page in more]
    info = {int(name[1:]): value for name, value in tags.items()}
    Image.fromarray(values).save(stream, "TIFF", tiffinfo=info, save_all=True, append_images=pages)
    return stream.getvalue()


def levels(data: bytes) -> str:
    """Read a grey picture and compare it with the one it was made of."""
    try:
        photo = read_image(data)
    except CrowdscaleError as error:
        return str(error)
    if photo.pixels.shape[:2] != GREY.shape:
        return f"{photo.size} instead of 40×30"
    off = np.median(np.abs(photo.pixels[..., 0].astype(int) - GREY))
    return " ".join([f"{off:g} levels off.", *photo.warnings, *photo.notes])


def with_holes() -> bytes:
    """Return shares in floating point, some of them NaN."""
    values = (GREY / 255).astype(np.float32)
    values[3:5, 4:6] = np.nan
    return tiff(values)


def float_colours() -> bytes:
    """Return a TIFF of three float channels."""
    import cv2

    return bytes(cv2.imencode(".tif", np.repeat(GREY[..., None], 3, 2).astype(np.float32))[1])


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that disappears."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def film(make: Callable[[Path], Path]) -> str:
    """Return the rows that a watch each 0.5 s counts of a film, its notes and its problems."""
    with scratch() as folder:
        source = open_source(str(make(folder)))
        frames = list(sample(source, 0.5))
        notes = [*source.notes, *(f"Error: {problem}" for problem in source.problems)]
        return " ".join([f"{len(frames)} rows.", *notes]).replace(f"{folder}/", "")


def joined(folder: Path, *parts: Path) -> Path:
    """Return transport streams one after the other."""
    whole = folder / "whole.ts"
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    return whole


def mirrored() -> str:
    """Return where the white quarter of a mirrored film is shown."""
    matrix = (-(1 << 16), 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    with scratch() as folder:
        frame = next(iter(open_source(str(write_packets(folder / "a.mp4", FRAMES[:3], matrix=matrix)))))
    corners = frame.pixels[2, 2].mean(), frame.pixels[2, -3].mean()
    return "mirrored" if corners[1] > corners[0] + 100 else "not mirrored"


def password() -> str:
    """Return the error for a camera that does not answer."""
    try:
        open_source("rtsp://admin:S3cret@127.0.0.1:9/x", SourceOptions(timeout=2, retries=0))
    except CrowdscaleError as error:
        return str(error)
    return "it answered"


def odd_name() -> str:
    """Return how many photos are found and read where one has a name that is no UTF-8."""
    with scratch() as folder:
        Image.fromarray(GREY).save(folder / "a.png")
        os.rename(folder / "a.png", os.fsencode(folder) + b"/caf\xe9.png")  # noqa: PTH104
        Image.fromarray(GREY).save(folder / "b.png")
        (folder / "._b.png").write_bytes(b"of macOS")
        return f"{len([read_image(path) for path in find_images([folder])])} photos read"


MEDIA: dict[str, tuple[Callable[[], str], str]] = {
    "images/float_nan": (lambda: levels(with_holes()), "0 levels off."),
    "images/grey_12_bit_in_16": (lambda: levels(tiff(GREY.astype(np.uint16) * 16)), "they were read as 12 bits"),
    "images/miniswhite_16_bit": (lambda: levels(tiff((255 - GREY).astype(np.uint16) * 257, t262=0)), "0 levels off."),
    "images/second_page_is_the_photo": (lambda: levels(tiff(GREY[:9, :9], GREY)), "0 levels off. The file has 2 pages: page 2"),
    "images/rgb_float": (lambda: levels(float_colours()), "0 levels off."),
    "videos/one_bad_packet": (lambda: film(lambda at: write_packets(at / "a.mkv", FRAMES, broken=[12])), "10 rows. a.mkv has"),
    "videos/clock_30_s_back": (
        lambda: film(lambda at: joined(at, write_packets(at / "1.ts", FRAMES[:25], 40), write_packets(at / "2.ts", FRAMES[25:], 10))),
        "10 rows. The clock of whole.ts jumped",
    ),
    "videos/begins_without_key_frame": (
        lambda: film(lambda at: write_packets(at / "a.ts", FRAMES, skip=2)),
        "9 rows. a.ts begins without a key frame: 3 frames before the first one are left out.",
    ),
    "videos/size_changes": (
        lambda: film(lambda at: joined(at, write_packets(at / "1.ts", FRAMES[:25]), write_packets(at / "2.ts", [f[::2, ::2] for f in FRAMES[25:]], 2.5))),
        "10 rows.",
    ),
    "videos/mirrored": (mirrored, "mirrored"),
    "password in an address": (password, "rtsp://admin:***@127.0.0.1:9/x"),
    "names that are no UTF-8, ._ files": (odd_name, "2 photos read"),
}  # fmt: skip
