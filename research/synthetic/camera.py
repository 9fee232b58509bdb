"""The pinhole camera over a flat ground: metres of the scene to pixels of the photo, and back.

World axes: x to the right, ``up`` above the ground, z forward along it; the camera stands at x = z = 0. For
what stands at one height, pixels per metre grow linearly with the rows below the horizon:
scale = (row - horizon) · cos(pitch) / (elevation - up).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Camera"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A camera that looks along z, turned down by its pitch."""

    width: int
    height: int
    focal: float
    """Focal length in pixels."""
    elevation: float
    """Metres above the ground."""
    pitch: float
    """Radians below level; negative looks up."""

    @classmethod
    def with_horizon(cls, size: tuple[int, int], focal: float, elevation: float, horizon: float) -> Camera:
        """Return the camera whose horizon lies on this row of a photo of (width, height)."""
        return cls(*size, focal, elevation, math.atan(((size[1] - 1) / 2 - horizon) / focal))

    @property
    def centre(self) -> tuple[float, float]:
        """The principal point (x, y)."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    @property
    def horizon(self) -> float:
        """The row of the horizon; it may lie outside the photo."""
        return self.centre[1] - self.focal * math.tan(self.pitch)

    def depth(self, up: ArrayLike, z: ArrayLike) -> Floats:
        """Return metres along the line of sight."""
        below = self.elevation - np.asarray(up, dtype=np.float64)
        return np.asarray(below * math.sin(self.pitch) + np.asarray(z) * math.cos(self.pitch))

    def project(self, x: ArrayLike, up: ArrayLike, z: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Return (column, row, pixels per metre) of points of the scene that lie before the camera."""
        scale = self.focal / np.maximum(self.depth(up, z), 1e-3)
        below = self.elevation - np.asarray(up, dtype=np.float64)
        drop = below * math.cos(self.pitch) - np.asarray(z) * math.sin(self.pitch)
        return self.centre[0] + scale * np.asarray(x), self.centre[1] + scale * drop, scale

    def ground(self, column: ArrayLike, row: ArrayLike) -> tuple[Floats, Floats]:
        """Return (x, z) on the ground seen at pixels; rows must lie below the horizon."""
        ahead = (np.asarray(row, dtype=np.float64) - self.centre[1]) / self.focal
        fall = math.sin(self.pitch) + ahead * math.cos(self.pitch)  # the ray's fall per metre of depth
        depth = self.elevation / np.maximum(fall, 1e-9)
        x = (np.asarray(column, dtype=np.float64) - self.centre[0]) / self.focal * depth
        return x, np.asarray(depth * (math.cos(self.pitch) - ahead * math.sin(self.pitch)))

    def depths_in_view(self, up: float) -> tuple[float, float]:
        """Return the least and the greatest depth at which things at this height are in the frame."""
        near, far = 0.0, math.inf
        rise = self.focal * (self.elevation - up) / math.cos(self.pitch)
        for row in (-0.5, self.height - 0.5):
            depth = rise / (row - self.horizon) if row != self.horizon else math.inf
            if depth > 0 and (row > 0) == (rise > 0):
                near = depth
            elif depth > 0:
                far = depth
        return near, far
