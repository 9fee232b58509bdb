"""Arrays of any number type as RGB uint8, by a stated rule.

1. Channels are last: (h, w), (h, w, 1) grey, (h, w, 3) RGB, (h, w, 4) RGBA over white. Where the last axis is longer
   than 4 and the first is not, as in (3, h, w), channels are first. A fourth axis of length 1 in front is dropped.
2. uint8 stays as it is; booleans are black and white.
3. Other integers from 0 to 255 stay as they are. Larger ones, up to 65535, follow the rule of ``tones``.
4. Floating point from 0 to 1 is multiplied by 255. From 0 to 255, with a value above 1, it is rounded.
5. Anything else is refused: negative values, as of photos normalised for a network, larger ones, NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import ImageError
from crowdscale.files.deep import colours_to_8_bits
from crowdscale.files.tones import to_8_bits

__all__ = ["as_pixels"]

Pixels = NDArray[np.uint8]
CHANNELS = (1, 3, 4)


def as_pixels(array: NDArray[Any]) -> tuple[Pixels, str]:
    """Return an array as (h, w, 3) RGB uint8, and a note where its range was guessed.

    Raises:
        ImageError: The array is no photo by the rule above.
    """
    eight, note = _eight_bits(_channels_last(array))
    if eight.shape[2] == 1:
        return np.repeat(eight, 3, axis=2), note
    if eight.shape[2] == 4:
        opaque = eight[..., 3:].astype(np.float32) / 255
        eight = np.rint(eight[..., :3] * opaque + 255 * (1 - opaque)).astype(np.uint8)
    return eight, note


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    """Return (h, w, 1, 3 or 4). Raises ImageError."""
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.dtype.kind not in "biuf" or array.size == 0 or array.ndim not in (2, 3):
        raise ImageError("expected pixels as (h, w, 3) numbers", f"shape {array.shape} of {array.dtype}")
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] > 4 and array.shape[0] in CHANNELS:
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in CHANNELS:
        raise ImageError("expected 1 (grey), 3 (RGB) or 4 (RGBA) channels", f"{array.shape[2]}")
    return array


def _eight_bits(array: NDArray[Any]) -> tuple[Pixels, str]:
    if array.dtype == np.uint8:
        return array, ""
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * 255, ""
    low, high = float(array.min()), float(array.max())
    if not 0 <= low <= high < 2**16:  # NaN fails every comparison
        raise _refused(array, low, high)
    if array.dtype.kind in "iu" and high > 255:
        return _deep(array.astype(np.uint16))
    if high > 255:
        raise _refused(array, low, high)
    factor = 255 if array.dtype.kind == "f" and high <= 1 else 1
    return np.rint(array * factor).astype(np.uint8), ""


def _deep(array: NDArray[np.uint16]) -> tuple[Pixels, str]:
    if array.shape[2] > 1:
        return colours_to_8_bits(array)
    grey, note = to_8_bits(array[..., 0])
    return grey[..., None], note


def _refused(array: NDArray[Any], low: float, high: float) -> ImageError:
    expected = "expected pixels as whole numbers up to 65535, or in floating point from 0 to 1 or to 255"
    received = f"{array.dtype} from {low:g} to {high:g}"
    return ImageError(expected, received, "Give the photo as it is, not normalised for a network")
