"""Small sound pictures of each format, with and without EXIF, as the seeds of damaged ones."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["PICTURES", "odd_exif", "with_checksums", "with_exif"]

INPUTS = Path(__file__).parents[1] / "files" / "inputs"


def _picture(kind: str, mode: str = "RGB", exif: bool = False, frames: int = 1) -> bytes:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    options: dict[str, object] = {}
    if exif:
        tags = Image.Exif()
        tags[0x0112], tags[0x010F], tags[0x0132] = 6, "maker", "2026:03:05 14:05:00"
        tags.get_ifd(0x8769)[0x9003] = "2026:03:05 14:05:00"
        options["exif"] = tags
    if frames > 1:
        options |= {"save_all": True, "append_images": [image.rotate(90 * turn) for turn in range(1, frames)]}
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _grey(kind: str) -> bytes:
    stream = io.BytesIO()
    values = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 5
    Image.fromarray(values).save(stream, kind)
    return stream.getvalue()


PICTURES: dict[str, bytes] = {
    "jpeg": _picture("JPEG"),
    "jpeg-exif": _picture("JPEG", exif=True),
    "png": _picture("PNG"),
    "png-exif": _picture("PNG", "RGBA", exif=True),
    "png-palette": _picture("PNG", "P"),
    "png-16-bit": _grey("PNG"),
    "tiff": _picture("TIFF"),
    "tiff-pages": _picture("TIFF", exif=True, frames=3),
    "tiff-16-bit": _grey("TIFF"),
    "webp": _picture("WEBP", exif=True),
    "gif": _picture("GIF", "P", frames=2),
    "bmp": _picture("BMP"),
    "avif": _picture("AVIF", exif=True),
    **{name: (INPUTS / name).read_bytes() for name in ("plain.heic", "turned.heic", "deep.heic", "two.heic")},
}
"""Name → bytes."""

TAGS = (0x0112, 0x010F, 0x0132, 0x8769, 0x8825, 0x9003, 0x0201, 0x0202, 0x0100, 0x0101, 0x927C, 0xFFFF)
"""Orientation, maker, dates, links to further directories, previews, sizes, maker's notes."""


def odd_exif(rng: random.Random) -> bytes:
    """Return an EXIF block with directories of any tag, type, number and value, in either byte order."""
    order = rng.choice("<>")
    start = struct.pack(
        f"{order}2sHI", b"II" if order == "<" else b"MM", 42, rng.choice((8, 8, 8, 0, 9, 2**31))
    )
    block = bytearray(start)
    for _ in range(rng.randint(1, 3)):
        entries = rng.randint(0, 6)
        block += struct.pack(f"{order}H", rng.choice((entries, entries, entries, 65535)))
        for _ in range(entries):
            number = rng.choice((0, 1, 1, 1, 2, 5, 1000, 2**32 - 1))
            value = rng.choice((0, 1, 6, 8, 9, 26, len(block), rng.getrandbits(32)))
            block += struct.pack(f"{order}HHII", rng.choice(TAGS), rng.randint(0, 14), number, value)
        block += struct.pack(f"{order}I", rng.choice((0, 8, len(block), rng.getrandbits(32))))
    return bytes(block) + rng.randbytes(rng.randint(0, 30))


def with_exif(picture: bytes, exif: bytes) -> bytes:
    """Return a JPEG or a PNG with an EXIF block behind its beginning; other pictures as they are."""
    if picture.startswith(b"\xff\xd8"):
        content = b"Exif\0\0" + exif
        return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + picture[2:]
    if picture.startswith(b"\x89PNG"):
        return picture[:33] + _chunk(b"eXIf", exif) + picture[33:]
    return picture


def with_checksums(picture: bytes) -> bytes:
    """Return a PNG whose chunks have right checksums, so that a decoder meets the damage in them."""
    whole, at = bytearray(picture[:8]), 8
    while picture.startswith(b"\x89PNG") and at + 12 <= len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        whole += _chunk(picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length])
        at += 12 + length
    return bytes(whole) if len(whole) > 8 else picture


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
