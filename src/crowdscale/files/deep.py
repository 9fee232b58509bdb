"""Colours of more than 8 bits: Pillow keeps the upper 8 or refuses them, OpenCV reads them as they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from crowdscale.files.tones import to_8_bits

__all__ = ["NOTE", "PHOTOMETRIC", "colours_to_8_bits", "deep_tiff", "no_data", "read_deep"]

WIDTH, HEIGHT = 256, 257
PHOTOMETRIC, NO_DATA = 262, 42113
"""TIFF tags: 0 in the first means that 0 is white; the second holds GDAL's value of missing pixels."""
BITS, SAMPLES = 258, 277
BIG = 43
"""Third byte of a BigTIFF."""
NOTE = "crowdscale_note"
"""Key of ``info`` under which a picture keeps the note on its range."""


class _Quiet:
    """Silences OpenCV, which prints a line for each odd tag of a TIFF; the level of the host program comes back."""

    def __init__(self) -> None:
        self._lock, self._running, self._level = threading.Lock(), 0, 0

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Stay silent while any thread decodes."""
        with self._lock:
            if not self._running:
                self._level = cv2.utils.logging.getLogLevel()
                cv2.utils.logging.setLogLevel(0)
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    cv2.utils.logging.setLogLevel(self._level)


_QUIET = _Quiet()


def read_deep(stream: IO[bytes], page: int = 0) -> NDArray[Any] | None:
    """Return (h, w) or (h, w, 3 or 4) RGB values of a picture; None where OpenCV does not read it.

    OpenCV turns a TIFF by its orientation, other pictures not.

    Args:
        stream: The whole file.
        page: Of a TIFF, from 0.
    """
    stream.seek(0)
    data = np.frombuffer(stream.read(), np.uint8)
    flags = cv2.IMREAD_UNCHANGED
    try:
        with _QUIET.decoding():
            if page:
                read, pages = cv2.imdecodemulti(data, flags, range=(page, page + 1))
                values = pages[0] if read and pages else None
            else:
                values = cv2.imdecode(data, flags)
    except cv2.error:
        return None
    if values is None or values.ndim == 2:
        return values
    return np.ascontiguousarray(values[..., [2, 1, 0, 3][: values.shape[2]]])


def colours_to_8_bits(values: NDArray[Any], missing: float | None = None) -> tuple[NDArray[np.uint8], str]:
    """Return (h, w, 3 or 4) values as 8 bits by the rule of ``tones``, and its note.

    All colours share one range. A fourth channel is opacity, whose range is that of its type.
    """
    colours = np.ascontiguousarray(values[..., :3])
    flat, note = to_8_bits(colours.reshape(len(colours), -1), missing, noun="colours")
    pixels = flat.reshape(colours.shape)
    if values.shape[2] == 3:
        return pixels, note
    integers = np.issubdtype(values.dtype, np.integer)
    opaque = values[..., 3:].astype(np.float32) * (255 / (np.iinfo(values.dtype).max if integers else 1))
    opaque = np.rint(np.clip(np.nan_to_num(opaque), 0, 255)).astype(np.uint8)
    return np.concatenate([pixels, opaque], axis=2), note


def deep_tiff(stream: IO[bytes], check: Callable[[tuple[int, int], int], None]) -> Image.Image | None:
    """Return the first page of a TIFF that Pillow refuses, such as colours in floating point; None if nothing reads it.

    Its note lies in ``info`` under ``NOTE``.

    Args:
        stream: The file.
        check: Raises an error for a (width, height) with so many bytes a pixel that is too large to decode.
    """
    tags = _first_tags(stream)
    bits, samples = tags.get(BITS, 8), int(tags.get(SAMPLES, 1))
    deepest = max(bits) if isinstance(bits, tuple) else int(bits)
    check((int(tags[WIDTH]), int(tags[HEIGHT])), samples * (deepest // 4 + 2))  # two copies, and the result
    values = read_deep(stream)
    if values is None or values.size == 0:
        return None
    missing = no_data(tags)
    if values.ndim == 2:
        pixels, note = to_8_bits(values, missing, tags.get(PHOTOMETRIC) == 0)
    else:
        pixels, note = colours_to_8_bits(values, missing)
    image = Image.fromarray(pixels)
    image.info[NOTE] = note
    return image


def _first_tags(stream: IO[bytes]) -> Any:
    """Return the tags of a TIFF's first page. Raises KeyError, SyntaxError, struct.error."""
    stream.seek(0)
    header = stream.read(16)
    tags: Any = TiffImagePlugin.ImageFileDirectory_v2(header[: 16 if header[2] == BIG else 8])
    stream.seek(tags.next)
    tags.load(stream)
    return tags


def no_data(tags: Any) -> float | None:
    """Return the value that a TIFF names as missing; None where it names none."""
    try:
        return float(str(tags.get(NO_DATA, "")).strip("\0 ")) if NO_DATA in tags else None
    except ValueError:
        return None
