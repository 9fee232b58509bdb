"""Photos in and out: any common format to RGB uint8 and back, padding to the stride and its undoing.

BGR stops at this door: every array that leaves this file is (h, w, 3) RGB.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from crowdscale.errors import ImageError
from crowdscale.files.finding import IMAGE_SUFFIXES
from crowdscale.files.writing import write_atomic

__all__ = [
    "Photo",
    "check_regular",
    "photo_from_pil",
    "read_image",
    "resize_image",
    "write_image",
]

Pixels = NDArray[np.uint8]


MAX_PIXELS = 400_000_000
"""A photo larger than this is refused before it is decoded (1.2 GB as RGB)."""


ORIENTATION = 0x0112
"""The EXIF tag of how a photo is to be turned."""
BAND = 512
"""Rows of a large photo that are converted at a time."""
WHOLE = 4_000_000
"""Pixels up to which a photo is converted at once."""

Image.MAX_IMAGE_PIXELS = None  # our own limit, in our own words, is checked before decoding


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo.

    Args:
        pixels: (h, w, 3) RGB uint8, turned upright by its EXIF orientation.
        size: (width, height) of the upright original, larger than ``pixels`` where it was reduced.
    """

    pixels: Pixels
    size: tuple[int, int]

    @property
    def reduction(self) -> tuple[float, float]:
        """(x, y) factors that lead from original pixels to ``pixels``; (1, 1) where nothing was reduced."""
        height, width = self.pixels.shape[:2]
        return width / self.size[0], height / self.size[1]


def read_image(source: str | os.PathLike[str] | bytes | IO[bytes], max_pixels: float | None = None) -> Photo:
    """Read a photo from a path, from bytes or from an open binary file.

    JPEG, PNG, WebP, BMP, TIFF; grey, RGBA (over white), palette and 16-bit are turned to RGB uint8.

    Args:
        source: The photo.
        max_pixels: Reduce a photo with more pixels to about this many while it is decoded.

    Raises:
        ImageError: The file is missing, no regular one, empty, truncated, no picture, or beyond ``MAX_PIXELS``.
    """
    name = "the bytes given" if isinstance(source, bytes) or hasattr(source, "read") else str(source)
    if isinstance(source, (str, os.PathLike)):
        check_regular(Path(source))
    if source == b"":
        raise ImageError("expected a photo", f"{name}, which is empty")
    opened: Any = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(opened) as image:
            return _decode(image, name, max_pixels)
    except FileNotFoundError:
        raise ImageError("expected a photo", f"no file at {name}", "Check the path") from None
    except IsADirectoryError:
        raise ImageError("expected a photo", f"the folder {name}", "Name a file in it") from None
    except UnidentifiedImageError:
        raise ImageError(
            "expected a JPEG, PNG, WebP, BMP or TIFF", f"something else in {name}", "Convert or remove it"
        ) from None
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError) as error:
        raise ImageError("expected a whole photo", f"{name}, which cannot be decoded ({error})") from error


def check_regular(path: Path) -> None:
    """Refuse a pipe, a device (which would be waited for) and an empty file. Raises ImageError."""
    if path.exists() and not path.is_dir() and not path.is_file():
        raise ImageError(
            "expected a photo", f"{path}, which is a pipe or a device", "Save it to a file first"
        )
    if path.is_file() and not path.stat().st_size:
        raise ImageError("expected a photo", f"{path}, which is empty")


def photo_from_pil(image: Image.Image, max_pixels: float | None = None) -> Photo:
    """Return a PIL image of any mode as a photo, upright and reduced to ``max_pixels``."""
    return _decode(image, "the image given", max_pixels)


def _decode(image: Image.Image, name: str, max_pixels: float | None) -> Photo:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"expected a photo of at most {MAX_PIXELS / 1e6:.0f} megapixels",
            f"{width}×{height} = {width * height / 1e6:.0f} in {name}",
            "Reduce it or cut it into parts with another program first",
        )
    if max_pixels and width * height > max_pixels:
        factor = (max_pixels / (width * height)) ** 0.5
        image.draft("RGB", (max(1, int(width * factor)), max(1, int(height * factor))))
    # Only where it is turned: the call copies the photo even where nothing is to be done.
    upright = ImageOps.exif_transpose(image) if image.getexif().get(ORIENTATION, 1) != 1 else image
    size = (height, width) if _is_turned(image) else (width, height)
    pixels = _to_rgb(upright)
    if max_pixels and pixels.shape[0] * pixels.shape[1] > max_pixels:
        factor = (max_pixels / (size[0] * size[1])) ** 0.5
        pixels = resize_image(pixels, max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))
    return Photo(pixels, size)


def _is_turned(image: Image.Image) -> bool:
    """Whether the EXIF orientation swaps width and height."""
    return image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)


def _to_rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, dtype=np.float32)
        top = 65535.0 if image.mode != "F" else max(float(deep.max(initial=0.0)), 1e-12)
        grey = np.clip(deep / top * 255.0, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    width, height = image.size
    if width * height <= WHOLE:
        return np.require(_opaque(image), requirements="W")
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, BAND):  # whole copies would cost a large photo ten bytes a pixel more
        band = image.crop((0, top, width, min(top + BAND, height)))
        pixels[top : top + BAND] = _opaque(band)
    return pixels


def _opaque(image: Image.Image) -> Pixels:
    """Return the RGB of a picture laid over white."""
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    plain = image if image.mode == "RGB" else image.convert("RGB")
    return np.asarray(plain, dtype=np.uint8)


def resize_image(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return (h, w, 3) pixels at the new size: by area when reducing, bilinear when enlarging."""
    if (width, height) == (pixels.shape[1], pixels.shape[0]):
        return pixels
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), dtype=np.uint8)


def write_image(path: Path, pixels: Pixels) -> None:
    """Write (h, w, 3) RGB or (h, w) grey uint8 to ``path``, atomically; the suffix names the format."""

    def write(stream: IO[bytes]) -> None:
        Image.fromarray(pixels).save(
            stream, format=Image.registered_extensions()[path.suffix.lower()], quality=92
        )

    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise ImageError(f"expected a picture's suffix ({', '.join(IMAGE_SUFFIXES)})", str(path))
    write_atomic(path, write)
