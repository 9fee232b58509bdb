"""The display matrix of a film: frames of phones and mirrored cameras, upright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Display"]

Pixels = NDArray[np.uint8]
Matrix = tuple[float, float, float, float]


class Display:
    """How the frames of one film are shown: its display matrix is read once, and again where its rotation changes.

    PyAV's side data and its frame hold each other: read from each frame, they keep frames and their threads in memory
    until Python collects cycles, which may take hours.
    """

    def __init__(self) -> None:
        self._rotation: float | None = None
        self._matrix: Matrix | None = None

    def upright(self, picture: Any) -> Pixels:
        """Return a picture as (h, w, 3) RGB, turned and mirrored as its display matrix says."""
        pixels: Pixels = picture.to_ndarray(format="rgb24")
        rotation = picture.rotation or 0
        if rotation != self._rotation:
            self._rotation, self._matrix = rotation, _display_matrix(picture)
        if self._matrix is None:
            turns = round(rotation / 90) % 4  # degrees counter-clockwise
            return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
        return np.ascontiguousarray(_placed(pixels, self._matrix))


def _display_matrix(picture: Any) -> Matrix | None:
    """Return (a, b, c, d): a pixel (x, y) is shown at (a·x + c·y, b·x + d·y); None where there is none."""
    for data in getattr(picture, "side_data", ()):
        if data.type.name == "DISPLAYMATRIX" and len(bytes(data)) >= 20:
            a, b, _, c, d = np.frombuffer(bytes(data)[:20], np.int32).tolist()
            return a, b, c, d
    return None


def _placed(pixels: Pixels, matrix: Matrix) -> Pixels:
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        across, down = a, d
    else:
        pixels = pixels.transpose(1, 0, 2)
        across, down = c, b
    pixels = pixels[:, ::-1] if across < 0 else pixels
    return pixels[::-1] if down < 0 else pixels
