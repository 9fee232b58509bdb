"""Writes the HEIC pictures of the tests: ``python tests/files/inputs/make.py`` with pillow-heif installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent


def slopes(width: int = 64, height: int = 48) -> np.ndarray:
    """Return red that rises to the right, green that rises downwards."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return pixels


def main() -> None:
    """Write the pictures."""
    import pillow_heif

    upright = Image.fromarray(slopes())
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90° clockwise
    pillow_heif.from_pillow(upright).save(HERE / "plain.heic", quality=90)
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    pillow_heif.register_heif_opener()
    stored.save(HERE / "turned.heic", quality=90, exif=exif.tobytes())  # with the box that turns it
    pillow_heif.from_pillow(upright).save(HERE / "only_exif.heic", quality=90, exif=exif.tobytes())
    data = (HERE / "only_exif.heic").read_bytes()  # the box counts, and the standard ignores EXIF
    (HERE / "only_exif.heic").write_bytes(data.replace(b"irot\3", b"irot\0"))
    deep = np.ascontiguousarray(slopes().astype(np.uint16) * 257)
    pillow_heif.encode("RGB;16", upright.size, deep.tobytes(), HERE / "deep.heic", quality=90)
    two = pillow_heif.from_pillow(upright)
    two.add_from_pillow(Image.new("RGB", (64, 48), "blue"))
    two.save(HERE / "two.heic", quality=90)
    data = (HERE / "plain.heic").read_bytes()
    (HERE / "mif1.heif").write_bytes(data[:8] + b"mif1" + data[12:])


if __name__ == "__main__":
    main()
