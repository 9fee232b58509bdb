"""Sketch: a little canvas for what stands upright at one place of the ground; Patch: what comes of it.

Shapes are given in metres (sideways from where it stands, up from the ground), projected by the camera and
drawn larger than they are seen, so that reducing them smooths every edge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from research.synthetic.camera import Camera

__all__ = ["Colour", "Patch", "Sketch", "mix"]

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]
"""Red, green and blue, 0…255."""

SHIFT = 4
"""Binary digits after the point of a vertex."""
FAR_OUT = 30_000.0
"""No vertex lies further out; OpenCV counts in 32 bits with ``SHIFT`` of them behind the point."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A drawn thing: where it lies in the photo, its colour (h, w, 3) times its alpha (h, w), both 0…1."""

    left: int
    top: int
    z: float
    """Metres along the ground at which it stands."""
    colour: Floats
    alpha: Floats

    @property
    def slices(self) -> tuple[slice, slice]:
        """The (row, column) slices of the photo that it covers."""
        height, width = self.alpha.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


class Sketch:
    """A canvas at (x, z) of the ground.

    Args:
        camera: Who looks.
        x: Metres to the right.
        z: Metres forward.
        reach: (half width, top) in metres of all that will be drawn; the rest is cut off.
    """

    def __init__(self, camera: Camera, x: float, z: float, reach: tuple[float, float]) -> None:
        self._camera, self._x, self.z = camera, x, z
        self._sin, self._cos = math.sin(camera.pitch), math.cos(camera.pitch)
        corners = [self.pixel(side * reach[0], up) for side in (-1, 1) for up in (-0.12, reach[1])]
        columns, rows = zip(*corners, strict=True)
        self.left, self.top = max(0, math.floor(min(columns)) - 1), max(0, math.floor(min(rows)) - 1)
        self.right = min(camera.width, math.ceil(max(columns)) + 2)
        self.bottom = min(camera.height, math.ceil(max(rows)) + 2)
        self.scale = self.scale_at(reach[1] / 2)
        self._times = 4 if self.scale < 60 else 3 if self.scale < 140 else 2
        shape = (self.bottom - self.top) * self._times, (self.right - self.left) * self._times, 4
        self._canvas = np.zeros(shape if self.visible else (1, 1, 4), dtype=np.uint8)

    @property
    def visible(self) -> bool:
        """Whether any of it lies in the frame."""
        return bool(self.right > self.left and self.bottom > self.top)

    def scale_at(self, up: float) -> float:
        """Return the pixels per metre at this height."""
        depth = (self._camera.elevation - up) * self._sin + self.z * self._cos
        return self._camera.focal / max(depth, 0.2)

    def pixel(self, dx: float, up: float) -> tuple[float, float]:
        """Return (column, row) in the photo."""
        scale = self.scale_at(up)
        drop = (self._camera.elevation - up) * self._cos - self.z * self._sin
        centre = self._camera.centre
        return centre[0] + scale * (self._x + dx), centre[1] + scale * drop

    def polygon(self, corners: Sequence[tuple[float, float]], colour: Colour) -> None:
        """Fill a polygon of (sideways, up) metres."""
        self._fill([self.pixel(*corner) for corner in corners], colour)

    def limb(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        widths: tuple[float, float],
        colour: Colour,
    ) -> None:
        """Draw a round-ended stroke whose width runs from one to the other, in metres."""
        (ax, ay), (bx, by) = self.pixel(*start), self.pixel(*end)
        a, b = (width / 2 * self.scale_at(up) for width, up in zip(widths, (start[1], end[1]), strict=True))
        length = math.hypot(bx - ax, by - ay) or 1.0
        nx, ny = (ay - by) / length, (bx - ax) / length
        sides = [(ax + nx * a, ay + ny * a), (bx + nx * b, by + ny * b)]
        sides += [(bx - nx * b, by - ny * b), (ax - nx * a, ay - ny * a)]
        self._fill(sides, colour)
        self._oval((ax, ay), (a, a), colour)
        self._oval((bx, by), (b, b), colour)

    def ball(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        arc: tuple[float, float] = (0, 360),
        tilt: float = 0.0,
    ) -> None:
        """Fill an ellipse of metres that no view flattens; ``arc`` in degrees, 180…360 is the upper half."""
        scale = self.scale_at(centre[1])
        self._oval(self.pixel(*centre), (radii[0] * scale, radii[1] * scale), colour, arc, tilt)

    def _fill(self, pixels: Sequence[tuple[float, float]], colour: Colour) -> None:
        points = np.array(pixels, dtype=np.float64)
        points = (points - (self.left, self.top) + 0.5) * self._times - 0.5
        points = np.rint(points.clip(-FAR_OUT, FAR_OUT) * (1 << SHIFT)).astype(np.int32)
        cv2.fillPoly(self._canvas, [points], (*colour, 255), cv2.LINE_8, SHIFT)

    def _oval(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        arc: tuple[float, float] = (0, 360),
        tilt: float = 0.0,
    ) -> None:
        fixed = self._times * (1 << SHIFT)
        half = 0.5 * (1 << SHIFT)
        column = round((centre[0] - self.left + 0.5) * fixed - half)
        row = round((centre[1] - self.top + 0.5) * fixed - half)
        if abs(column) > FAR_OUT * 16 or abs(row) > FAR_OUT * 16:
            return
        axes = max(1, round(radii[0] * fixed)), max(1, round(radii[1] * fixed))
        cv2.ellipse(
            self._canvas, (column, row), axes, tilt, *arc, (*colour, 255), cv2.FILLED, cv2.LINE_8, SHIFT
        )

    def stamp(self, picture: NDArray[np.uint8], corners: Sequence[tuple[float, float]]) -> None:
        """Lay an (h, w, 3) picture onto a quadrilateral: its corners from the upper left, clockwise."""
        height, width = picture.shape[:2]
        source = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float32)
        target = (np.array([self.pixel(*corner) for corner in corners]) - (self.left, self.top)) * self._times
        layer = np.dstack([picture, np.full((height, width), 255, np.uint8)])
        matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
        warped = cv2.warpPerspective(layer, matrix, self._canvas.shape[1::-1], flags=cv2.INTER_AREA)
        opaque = warped[..., 3] > 127
        self._canvas[opaque] = warped[opaque]

    def finish(self) -> Patch:
        """Return the drawing at its true size; the sketch must be visible."""
        size = self.right - self.left, self.bottom - self.top
        small = cv2.resize(self._canvas, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
        return Patch(self.left, self.top, self.z, np.ascontiguousarray(small[..., :3]), small[..., 3].copy())


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return a colour between two: the first at 0, the other at 1."""
    a, b = 1 - share, share
    return one[0] * a + other[0] * b, one[1] * a + other[1] * b, one[2] * a + other[2] * b
