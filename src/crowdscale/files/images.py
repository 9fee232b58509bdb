"""Photos in and out: any common format to RGB uint8, and pictures back to files.

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
from PIL import Image, PngImagePlugin

from crowdscale.errors import ImageError
from crowdscale.files.decoder import MAX_PIXELS, TURNED, check_bounds, choose_page, opened, orientation_of
from crowdscale.files.finding import IMAGE_SUFFIXES, PICTURE_MARK, has_picture_name
from crowdscale.files.tones import to_8_bits
from crowdscale.files.writing import write_atomic

__all__ = [
    "MAX_PIXELS",
    "Photo",
    "photo_from_array",
    "photo_from_pil",
    "read_image",
    "resize_image",
    "write_image",
]

Pixels = NDArray[np.uint8]

BAND = 512
"""Rows of a large photo that are converted at a time."""
WHOLE = 4_000_000
"""Pixels up to which a photo is converted at once."""

WRITTEN = dict(
    zip(IMAGE_SUFFIXES, ("JPEG", "JPEG", "PNG", "WEBP", "BMP", "TIFF", "TIFF"), strict=True)
)  # Pillow's own table would import decoders of every format
PHOTOMETRIC, NO_DATA = 262, 42113
"""TIFF tags: 0 in the first means that 0 is white; the second holds GDAL's value of missing pixels."""
TRANSPOSED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation. The EXIF block itself is never written again: a damaged one cannot be."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo.

    Args:
        pixels: (h, w, 3) RGB uint8, turned upright by its EXIF orientation.
        size: (width, height) of the upright original, larger than ``pixels`` where it was reduced.
        notes: A sentence for each choice that the reader made: a page, a range of grey values.
    """

    pixels: Pixels
    size: tuple[int, int]
    notes: tuple[str, ...] = ()

    @property
    def reduction(self) -> tuple[float, float]:
        """(x, y) factors that lead from original pixels to ``pixels``; (1, 1) where nothing was reduced."""
        height, width = self.pixels.shape[:2]
        return width / self.size[0], height / self.size[1]


def read_image(source: str | os.PathLike[str] | bytes | IO[bytes], max_pixels: float | None = None) -> Photo:
    """Read a photo from a path, from bytes or from an open binary file.

    JPEG, PNG, WebP, BMP, TIFF; the first frame of GIF and AVIF under these names. RGBA lies over white; grey of
    more than 8 bits is converted by the rule of ``tones``; a TIFF gives its largest page.

    Args:
        source: The photo.
        max_pixels: Reduce a photo with more pixels to about this many while it is decoded.

    Raises:
        ImageError: The file is missing, no regular one, empty, truncated, no picture, or too large.
    """
    name = "the bytes given" if isinstance(source, bytes) or hasattr(source, "read") else str(source)
    if source == b"":
        raise ImageError("expected a photo", f"{name}, which is empty")
    with opened(io.BytesIO(source) if isinstance(source, bytes) else source, name) as image:
        note = choose_page(image, name)
        return _decode(image, max_pixels, (note,) if note else ())


def photo_from_pil(image: Image.Image, max_pixels: float | None = None) -> Photo:
    """Return a PIL image of any mode as a photo, upright and reduced to ``max_pixels``. Raises ImageError."""
    check_bounds(image.size, "the image given")
    try:
        return _decode(image, max_pixels)
    except Exception as error:  # it may not be loaded yet, and its file may be damaged
        raise ImageError("expected a whole photo", f"an image that cannot be decoded ({error})") from error


def photo_from_array(array: NDArray[Any], max_pixels: float | None = None) -> Photo:
    """Return an array as a photo, reduced to ``max_pixels``.

    Channels are last: (h, w), (h, w, 1) grey, (h, w, 3) RGB, (h, w, 4) RGBA over white. Where the last axis is
    longer than 4 and the first is not, as in (3, h, w), channels are first.

    Raises:
        ImageError: The array is no uint8, or has other channels.
    """
    if array.dtype != np.uint8 or array.size == 0 or array.ndim not in (2, 3):
        raise ImageError("expected RGB pixels as (h, w, 3) uint8", f"shape {array.shape} of {array.dtype}")
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] > 4 and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in (1, 3, 4):
        raise ImageError("expected 1 (grey), 3 (RGB) or 4 (RGBA) channels", f"{array.shape[2]}")
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    if array.shape[2] == 4:
        opaque = array[..., 3:].astype(np.float32) / 255
        array = np.rint(array[..., :3] * opaque + 255 * (1 - opaque)).astype(np.uint8)
    size = (array.shape[1], array.shape[0])
    check_bounds(size, "the array given")
    return Photo(_reduced(np.ascontiguousarray(array), size, max_pixels), size)


def _decode(image: Image.Image, max_pixels: float | None, notes: tuple[str, ...] = ()) -> Photo:
    width, height = image.size
    deep_colours = image.mode.startswith("RGB") and _is_deep(image)  # asked first: reading EXIF may decode
    orientation = orientation_of(image)
    if max_pixels and width * height > max_pixels:
        factor = (max_pixels / (width * height)) ** 0.5
        image.draft("RGB", (max(1, int(width * factor)), max(1, int(height * factor))))
    pixels, note = _to_rgb(image, orientation)
    note = note or _dark_note(pixels, deep_colours)
    size = (height, width) if orientation in TURNED else (width, height)
    return Photo(_reduced(pixels, size, max_pixels), size, (*notes, note) if note else notes)


def _reduced(pixels: Pixels, size: tuple[int, int], max_pixels: float | None) -> Pixels:
    """Return the pixels of a photo of ``size``, reduced to about ``max_pixels``."""
    if not max_pixels or pixels.shape[0] * pixels.shape[1] <= max_pixels:
        return pixels
    factor = (max_pixels / (size[0] * size[1])) ** 0.5
    return resize_image(pixels, max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))


def _to_rgb(image: Image.Image, orientation: int) -> tuple[Pixels, str]:
    """Return the upright RGB of a picture of any mode, and a note where its grey values were stretched."""
    deep, note = _deep_grey(image)
    image = deep or image
    turn = TRANSPOSED.get(orientation)
    image = image if turn is None else image.transpose(turn)
    width, height = image.size
    if width * height <= WHOLE:
        return np.require(_opaque(image), requirements="W"), note
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, BAND):  # whole copies would cost a large photo ten bytes a pixel more
        band = image.crop((0, top, width, min(top + BAND, height)))
        pixels[top : top + BAND] = _opaque(band)
    return pixels, note


def _is_deep(image: Image.Image) -> bool:
    """Whether a file holds 16 bits a colour, of which the upper 8 are read."""
    return any(";16" in str(tile[-1]) for tile in getattr(image, "tile", ()))


def _dark_note(pixels: Pixels, deep: bool) -> str:
    """Return a note for colours of 10, 12 or 14 bits in a file of 16: they are read far too dark."""
    most = int(pixels.max()) if deep else 255
    if most >= 64:
        return ""
    return f"Its colours reach {256 * most + 255} of 65535 at most: save 10, 12 or 14 bits as 8 bits, or it is too dark."


def _deep_grey(image: Image.Image) -> tuple[Image.Image | None, str]:
    """Return a picture of more than 8 bits a grey value as 8 bits; None where it is none."""
    if not image.mode.startswith(("I", "F")):
        return None, ""
    tags = getattr(image, "tag_v2", {})
    grey, note = to_8_bits(np.asarray(image), _no_data(tags), tags.get(PHOTOMETRIC) == 0)
    return Image.fromarray(grey), note


def _no_data(tags: Any) -> float | None:
    try:
        return float(str(tags.get(NO_DATA, "")).strip("\0 ")) if NO_DATA in tags else None
    except ValueError:
        return None


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
    """Write (h, w, 3) RGB or (h, w) grey uint8 to ``path``, atomically; the suffix names the format.

    A picture with a name such as ``crowd_people.jpg`` gets a mark, by which a search for photos passes it over.

    Raises:
        ImageError: Another suffix.
    """
    kind, drawn = WRITTEN.get(path.suffix.lower(), ""), has_picture_name(path)

    def write(stream: IO[bytes]) -> None:
        mark: dict[str, Any] = {}
        if drawn and kind == "PNG":
            mark["pnginfo"] = PngImagePlugin.PngInfo()
            mark["pnginfo"].add_text("Software", PICTURE_MARK.decode())
        elif drawn:
            mark["comment"] = PICTURE_MARK
        Image.fromarray(pixels).save(stream, format=kind, quality=92, **mark)

    if not kind:
        raise ImageError(f"expected a picture's suffix ({', '.join(IMAGE_SUFFIXES)})", str(path))
    write_atomic(path, write)
