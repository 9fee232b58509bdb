"""The display matrix of a film: frames of phones and mirrored cameras, upright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["upright"]

Pixels = NDArray[np.uint8]


def upright(picture: Any) -> Pixels:
    """Return a picture as (h, w, 3) RGB, turned and mirrored as its display matrix says."""
    pixels: Pixels = picture.to_ndarray(format="rgb24")
    matrix = _display_matrix(picture)
    if matrix is None:
        turns = round((picture.rotation or 0) / 90) % 4  # degrees counter-clockwise
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
    return np.ascontiguousarray(_placed(pixels, matrix))


def _display_matrix(picture: Any) -> tuple[float, float, float, float] | None:
    """Return (a, b, c, d): a pixel (x, y) is shown at (a·x + c·y, b·x + d·y); None where there is none."""
    for data in getattr(picture, "side_data", ()):
        if data.type.name == "DISPLAYMATRIX" and len(bytes(data)) >= 20:
            a, b, _, c, d = np.frombuffer(bytes(data)[:20], np.int32).tolist()
            return a, b, c, d
    return None


def _placed(pixels: Pixels, matrix: tuple[float, float, float, float]) -> Pixels:
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        across, down = a, d
    else:
        pixels = pixels.transpose(1, 0, 2)
        across, down = c, b
    pixels = pixels[:, ::-1] if across < 0 else pixels
    return pixels[::-1] if down < 0 else pixels
