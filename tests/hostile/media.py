"""Small sound pictures of each format, with and without EXIF, as the seeds of damaged ones."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

__all__ = ["PICTURES"]


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
}
"""Name → bytes."""
