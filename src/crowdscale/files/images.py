"""Photos in and out: any common format to RGB uint8, and pictures back to files.

BGR stops at this door: every array that leaves this file is (h, w, 3) RGB.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from crowdscale.errors import ImageError
from crowdscale.files.decoder import MAX_PIXELS, TURNED, check_bounds, choose_page, opened, orientation_of
from crowdscale.files.deep import NOTE, PHOTOMETRIC, colours_to_8_bits, no_data, read_deep
from crowdscale.files.finding import PICTURE_MARK, has_picture_name
from crowdscale.files.memory import DEEP, DEEP_COLOURS, DEEP_GREY, check_memory, fits_memory
from crowdscale.files.pixels import as_pixels
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
DARK = 64
"""Largest of the upper 8 bits below which colours of 16 bits use 14 at most."""

WRITTEN = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
"""Kinds that are written, by suffix; Pillow's own table would import decoders of every format."""
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
        warnings: A sentence for each guess at what values mean, such as a range of grey.
        notes: A sentence for each choice that changes no value: the page of a file.
    """

    pixels: Pixels
    size: tuple[int, int]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def turned(self, degrees: int) -> Photo:
        """Return the photo turned clockwise by 0, 90, 180 or 270 degrees."""
        if degrees % 360 == 0:
            return self
        pixels = np.ascontiguousarray(np.rot90(self.pixels, -degrees // 90))
        return replace(self, pixels=pixels, size=self.size if degrees == 180 else self.size[::-1])

    @property
    def reduction(self) -> tuple[float, float]:
        """(x, y) factors that lead from original pixels to ``pixels``; (1, 1) where nothing was reduced."""
        height, width = self.pixels.shape[:2]
        return width / self.size[0], height / self.size[1]


def read_image(
    source: str | os.PathLike[str] | bytes | IO[bytes],
    max_pixels: float | None = None,
    page: int | None = None,
) -> Photo:
    """Read a photo from a path, from bytes or from an open binary file.

    The kinds are those of ``kinds.KINDS``. RGBA lies over white; more than 8 bits are converted by the rule of
    ``tones``; a TIFF gives its largest page, an animation its first frame.

    Args:
        source: The photo.
        max_pixels: Reduce a photo with more pixels to about this many while it is decoded.
        page: The page or frame, from 1; None chooses it.

    Raises:
        ImageError: The file is missing, no regular one, empty, truncated, no picture, or too large.
    """
    name = "the file given" if isinstance(source, bytes) or hasattr(source, "read") else str(source)
    if source == b"":
        raise ImageError.plain(f"{name} is empty")
    with opened(io.BytesIO(source) if isinstance(source, bytes) else source, name) as image:
        note = choose_page(image, name, page)
        return replace(_decode(image, max_pixels, name, own=True), notes=(note,) if note else ())


def photo_from_pil(image: Image.Image, max_pixels: float | None = None) -> Photo:
    """Return a PIL image of any mode as a photo, upright and reduced to ``max_pixels``. Raises ImageError."""
    check_bounds(image.size, "the image given")
    try:
        return _decode(image, max_pixels)
    except Exception as error:  # it may not be loaded yet, and its file may be damaged
        raise ImageError.plain(f"the image given is damaged and cannot be decoded ({error})") from error


def photo_from_array(array: NDArray[Any], max_pixels: float | None = None) -> Photo:
    """Return an array as a photo, reduced to ``max_pixels``, by the rule of ``pixels.as_pixels``.

    Raises:
        ImageError: The array is no photo by that rule.
    """
    pixels, note = as_pixels(array)
    size = (pixels.shape[1], pixels.shape[0])
    check_bounds(size, "the array given")
    return Photo(_reduced(np.ascontiguousarray(pixels), size, max_pixels), size, (note,) if note else ())


def _decode(
    image: Image.Image, max_pixels: float | None, name: str = "the image given", own: bool = False
) -> Photo:
    """Return a picture as a photo; ``own`` pictures may be emptied before the result is made."""
    warnings: tuple[str, ...] = ()
    width, height = image.size
    deep_stream = _deep_stream(image)  # asked first: reading EXIF may decode
    if image.mode.startswith(("I", "F")):
        check_memory(image.size, DEEP_GREY.get(image.mode, 4), name)
    elif deep_stream is not None:
        check_memory(image.size, DEEP, name)
    page = image.tell()
    orientation = orientation_of(image)
    if max_pixels and width * height > max_pixels:
        factor = (max_pixels / (width * height)) ** 0.5
        image.draft("RGB", (max(1, int(width * factor)), max(1, int(height * factor))))
    most = _brightest(image) if deep_stream is not None else 255
    if deep_stream is not None and most < DARK:
        image, guess = _deep_colours(image, most, deep_stream, page)
        warnings = (guess,)
    pixels, note = _to_rgb(image, orientation, own)
    size = (height, width) if orientation in TURNED else (width, height)
    return Photo(_reduced(pixels, size, max_pixels), size, (*warnings, note) if note else warnings)


def _reduced(pixels: Pixels, size: tuple[int, int], max_pixels: float | None) -> Pixels:
    """Return the pixels of a photo of ``size``, reduced to about ``max_pixels``."""
    if not max_pixels or pixels.shape[0] * pixels.shape[1] <= max_pixels:
        return pixels
    factor = (max_pixels / (size[0] * size[1])) ** 0.5
    return resize_image(pixels, max(1, round(size[0] * factor)), max(1, round(size[1] * factor)))


def _to_rgb(image: Image.Image, orientation: int, own: bool) -> tuple[Pixels, str]:
    """Return the upright RGB of a picture of any mode, and a note where its grey values were stretched."""
    deep, note = _deep_grey(image, own)
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


def _deep_stream(image: Image.Image) -> IO[bytes] | None:
    """Return the file of a picture of 16 bits a colour, of which Pillow keeps the upper 8; None for another one."""
    deep = image.mode.startswith("RGB") and any(";16" in str(t[-1]) for t in getattr(image, "tile", ()))
    return getattr(image, "fp", None) if deep else None


def _brightest(image: Image.Image) -> int:
    """Return the largest value of a picture's colours."""
    bands: Any = image.getextrema()
    return max(int(high) for _, high in bands[:3])


def _deep_colours(image: Image.Image, most: int, stream: IO[bytes], page: int) -> tuple[Image.Image, str]:
    """Return colours of 10, 12 or 14 bits in a file of 16 by the rule of ``tones``, with its note."""
    fits = fits_memory(image.size, DEEP_COLOURS)
    values = None if stream.closed or not fits else read_deep(stream, page)
    if values is None or values.ndim == 2:
        return (
            image,
            f"Its colours reach {256 * most + 255} of 65535: save them as 8 bits, or it is too dark.",
        )
    pixels, note = colours_to_8_bits(values)
    return Image.fromarray(pixels), note


def _deep_grey(image: Image.Image, own: bool) -> tuple[Image.Image | None, str]:
    """Return a picture of more than 8 bits a grey value as 8 bits; None where it is none."""
    if not image.mode.startswith(("I", "F")):
        return None, str(image.info.get(NOTE, ""))
    tags = getattr(image, "tag_v2", {})
    values = _values(image)
    if own:
        image.close()  # of 400 megapixels 0.8 GB
    grey, note = to_8_bits(values, no_data(tags), tags.get(PHOTOMETRIC) == 0)
    return Image.fromarray(grey), note


def _values(image: Image.Image) -> NDArray[Any]:
    """Return the (h, w) grey values, copied in bands: the whole at once takes three times its memory."""
    width, height = image.size
    first = np.asarray(image.crop((0, 0, width, min(BAND, height))))
    if height <= BAND:
        return first
    values = np.empty((height, width), first.dtype)
    for top in range(0, height, BAND):
        values[top : top + BAND] = np.asarray(image.crop((0, top, width, min(top + BAND, height))))
    return values


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


def write_image(path: Path, pixels: Pixels, drawn: bool = False) -> None:
    """Write (h, w, 3) RGB or (h, w) grey uint8 to ``path``, atomically; the suffix names the format.

    Args:
        path: The file.
        pixels: The picture.
        drawn: Whether it is a drawing for people. It gets a mark, by which a search for photos passes it
            over, as does one with a name such as ``crowd_people.jpg``.

    Raises:
        ImageError: Another suffix.
    """
    kind = WRITTEN.get(path.suffix.lower(), "")
    mark = _mark_of(kind) if drawn or has_picture_name(path) else {}

    def write(stream: IO[bytes]) -> None:
        Image.fromarray(pixels).save(stream, format=kind, quality=92, **mark)
        if mark and kind == "BMP":  # which has no place for it: decoders end before
            stream.write(PICTURE_MARK)

    if not kind:
        raise ImageError(f"expected a picture's suffix ({', '.join(WRITTEN)})", str(path))
    write_atomic(path, write)


def _mark_of(kind: str) -> dict[str, Any]:
    """Return the arguments with which Pillow writes the mark of a drawn picture."""
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Software", PICTURE_MARK.decode())
        return {"pnginfo": text}
    key = {"JPEG": "comment", "WEBP": "xmp", "TIFF": "description", "BMP": "comment"}.get(kind, "comment")
    return {key: PICTURE_MARK.decode() if kind == "TIFF" else PICTURE_MARK}
