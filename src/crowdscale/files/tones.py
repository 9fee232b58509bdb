"""Values of more than 8 bits, and of floating point, as 8 bits by a stated rule: grey, or three colours together.

1. Values that are not finite, or that the file names as missing, are black.
2. Integers are divided by the largest value of 8, 10, 12, 14 or 16 bits that holds them all: cameras store 12 bits
   in files of 16. Values of floating point are divided by their largest one.
3. Where nine tenths of the values lie within an eighth of that range (a thermal camera), or where some are
   negative, the range from the 0.5th to the 99.5th percentile becomes 0 … 255 instead.
4. A file in which 0 is white is inverted.

Whatever is not a plain division by 255 (16 bits: by 65535) is returned as a note for the user.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["to_8_bits"]

Grey = NDArray[np.uint8]

BITS = (8, 10, 12, 14, 16)
NARROW = 1 / 8
"""Share of the range within which values are stretched."""
SAMPLES = 4_000_000
"""Values of which percentiles are taken."""
MISSING = 1e3
"""Multiples of the 99.9th percentile from which a value of floating point means "no data"."""
BAND = 512
"""Rows that are converted at a time."""


def to_8_bits(
    values: NDArray[Any],
    missing: float | None = None,
    white_is_zero: bool = False,
    noun: str = "grey values",
) -> tuple[Grey, str]:
    """Return (h, w) values of any number type as 8 bits, and a note where their range was guessed.

    Args:
        values: Grey values, or the colours of each pixel side by side.
        missing: The value that the file names as missing.
        white_is_zero: Whether 0 is white.
        noun: What the values are, for the note.
    """
    integers = bool(np.issubdtype(values.dtype, np.integer))
    sample = _sample(values, missing)
    if not sample.size:
        return np.zeros(values.shape, np.uint8), "The photo holds no numbers: it was counted as black."
    low, high, note = _integer_range(values, noun) if integers else _float_range(sample)
    inner_low, inner_high = (float(each) for each in np.percentile(sample, (5, 95)))
    narrow = 0 < inner_high - inner_low < NARROW * (high - low)
    if narrow or sample.min() < 0:
        low, high = (float(each) for each in np.percentile(sample, (0.5, 99.5)))
        note = f"Its {noun} lie mostly from {low:g} to {high:g}: they were stretched to the whole range."
    grey = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), BAND):
        grey[top : top + BAND] = _scaled(values[top : top + BAND], low, high, missing, white_is_zero)
    return grey, note


def _sample(values: NDArray[Any], missing: float | None) -> NDArray[np.float64]:
    """Return the known values, or an even selection of many."""
    step = max(1, int(np.ceil((values.size / SAMPLES) ** 0.5)))
    across = step + (step % 3 == 0)  # of colours side by side each one comes up
    few = values[::step, ::across].astype(np.float64).ravel()
    finite = np.isfinite(few)
    if missing is not None:
        finite &= few != missing
    few = few[finite]
    if few.size and not np.issubdtype(values.dtype, np.integer):
        usual = float(np.percentile(np.abs(few), 99.9))
        few = few[np.abs(few) <= MISSING * max(usual, 1e-12)]
        few = few[few > -9000] if (few <= -9000).mean() < 0.9 else few  # -9999 is the usual mark of no data
    return few


def _integer_range(values: NDArray[Any], noun: str) -> tuple[float, float, str]:
    most = float(values.max(initial=0))
    bits = next((bits for bits in BITS if most < 2**bits), None)
    if bits is None:
        return 0.0, most, f"Its {noun} reach {most:g}: they were divided by that."
    if bits == BITS[-1]:
        return 0.0, 65535.0, ""
    note = f"Its {noun} reach {most:g} of 65535: they were read as {bits} bits."
    return 0.0, float(2**bits - 1), note if most else ""


def _float_range(sample: NDArray[np.float64]) -> tuple[float, float, str]:
    most = float(sample.max())
    return 0.0, most if most > 0 else 1.0, ""


def _scaled(
    values: NDArray[Any], low: float, high: float, missing: float | None, white_is_zero: bool
) -> Grey:
    deep = values.astype(np.float32)
    unknown = ~np.isfinite(deep)
    if missing is not None:
        unknown |= deep == np.float32(missing)
    deep[unknown] = low
    scale = 255.0 / max(high - low, 1e-12)
    grey: Grey = np.rint((np.clip(deep, low, high) - low) * scale).astype(np.uint8)
    if white_is_zero:
        np.subtract(255, grey, out=grey)
        grey[unknown] = 0
    return grey
