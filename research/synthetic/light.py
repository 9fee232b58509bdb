"""Light: where the sun stands, what it does to bodies, heads and ground, and how the photo is graded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from research.synthetic.camera import Camera
from research.synthetic.sketch import SHIFT, Patch

__all__ = ["Light", "cast_shadows", "grade", "noise_tile", "shade_head", "shade_upright", "veil"]

Floats = NDArray[np.float32]

HAZE = 260.0
"""Metres in which air hides 63 % of a thing."""


@dataclass(frozen=True)
class Light:
    """The weather of one scene."""

    side: float
    """From where light falls: -1 from the left … 1 from the right."""
    sun: float
    """0 for an overcast sky … 1 for hard sun."""
    throw: tuple[float, float]
    """Where a metre of height throws its shadow: metres (x, z) on the ground."""
    haze: tuple[float, float, float]
    """Colour of the distant air, 0…1."""
    gain: tuple[float, float, float]
    """Colour cast of the photo."""
    contrast: float
    exposure: float
    grain: float

    @classmethod
    def draw(cls, random: np.random.Generator) -> Light:
        """Draw the weather by lot."""
        sun = float(np.clip(random.normal(0.5, 0.4), 0, 1))
        around, length = random.uniform(-math.pi, math.pi), random.uniform(0.35, 1.5)
        throw = math.sin(around) * length, math.cos(around) * length
        warmth = random.normal(0.0, 0.035) + 0.03 * sun
        return cls(
            side=float(np.clip(-throw[0] / length + random.normal(0, 0.2), -1, 1)),
            sun=sun,
            throw=throw,
            haze=(0.74 + 0.06 * sun, 0.78 + 0.04 * sun, 0.83),
            gain=(1 + warmth, 1.0 + random.normal(0, 0.01), 1 - warmth),
            contrast=random.uniform(0.92, 1.16),
            exposure=random.uniform(0.86, 1.12),
            grain=random.uniform(0.003, 0.011),
        )

    @property
    def depth_of_shadow(self) -> float:
        """How much light a cast shadow takes away, 0…1."""
        return 0.12 + 0.4 * self.sun


def noise_tile(random: np.random.Generator, size: int, smooth: float) -> Floats:
    """Return a (size, size) tile of smooth noise about 0 with deviation 1 that repeats without a seam."""
    noise = random.standard_normal((size, size)).astype(np.float32)
    margin = min(size, math.ceil(smooth * 4))
    wide = np.pad(noise, margin, mode="wrap")
    tile = cv2.GaussianBlur(wide, (0, 0), smooth)[margin : margin + size, margin : margin + size]
    return np.asarray((tile - tile.mean()) / max(float(tile.std()), 1e-6), dtype=np.float32)


def shade_upright(
    patch: Patch, centre: float, half: float, light: Light, folds: Floats | None = None, foot: float = 0.25
) -> None:
    """Round a body about its column and darken it towards the ground, in place.

    Args:
        patch: The body.
        centre: Column of its axis in the photo.
        half: Half its width in pixels.
        light: The weather.
        folds: A tile of noise at least as large as the patch: creases of cloth.
        foot: Light that is lost at the ground.
    """
    height, width = patch.alpha.shape
    across = ((np.arange(width, dtype=np.float32) + patch.left - centre) / max(half, 1.0)).clip(-1.2, 1.2)
    round_off = 1 + (0.1 + 0.16 * light.sun) * light.side * across - 0.13 * across**2
    fall = 1.04 - foot * (np.arange(height, dtype=np.float32) / height) ** 1.5
    shade = fall[:, None] * round_off
    if folds is not None:
        shade *= 1 + 0.045 * folds[:height, :width]
    patch.colour[...] *= shade[..., None]


def shade_head(patch: Patch, centre: tuple[float, float], radii: tuple[float, float], light: Light) -> None:
    """Round a head as a ball, in place; ``centre`` (column, row) and ``radii`` in pixels of the photo."""
    left, right = (round(centre[0] + side * radii[0] * 1.15) - patch.left for side in (-1, 1))
    top, bottom = (round(centre[1] + side * radii[1] * 1.15) - patch.top for side in (-1, 1))
    area = patch.colour[max(0, top) : max(0, bottom + 1), max(0, left) : max(0, right + 1)]
    if area.size == 0:
        return
    rows = np.arange(area.shape[0], dtype=np.float32) + max(0, top) + patch.top
    columns = np.arange(area.shape[1], dtype=np.float32) + max(0, left) + patch.left
    x = ((columns - centre[0]) / radii[0])[None, :]
    y = ((rows - centre[1]) / radii[1])[:, None]
    ball = 1.06 + (0.08 + 0.2 * light.sun) * light.side * x - 0.15 * y - 0.16 * (x**2 + y**2)
    area *= ball.clip(0.5, 1.35)[..., None]


def veil(patch: Patch, depth: float, light: Light) -> None:
    """Let the air between hide a thing a little, in place."""
    share = 1 - math.exp(-depth / HAZE)
    patch.colour[...] *= 1 - share
    patch.colour[...] += patch.alpha[..., None] * (np.array(light.haze, dtype=np.float32) * share)


def cast_shadows(camera: Camera, feet: Sequence[tuple[float, float, float, float]], light: Light) -> Floats:
    """Return the (h, w) light left on the ground by things at rows (x, z, height, half width) in metres."""
    mask = np.zeros((camera.height, camera.width), dtype=np.uint8)
    touch = np.zeros_like(mask)
    circle = np.linspace(0, 2 * math.pi, 14, endpoint=False)
    ring = np.column_stack([np.sin(circle), np.cos(circle)])
    for x, z, height, half in feet:
        _fill_ground(mask, camera, np.array((x, z)) + _thrown(ring, light.throw, height, half))
        _fill_ground(touch, camera, ring * (half * 1.25, half * 1.1) + (x, z))
    soft = 0.6 + 2.2 * (1 - light.sun)
    thrown = cv2.GaussianBlur(mask, (0, 0), soft * camera.width / 1024 + 0.3).astype(np.float32) / 255
    close = cv2.GaussianBlur(touch, (0, 0), 3.0 * camera.width / 1024 + 0.3).astype(np.float32) / 255
    return np.asarray((1 - light.depth_of_shadow * thrown) * (1 - 0.42 * close), dtype=np.float32)


def _thrown(
    ring: NDArray[np.float64], throw: tuple[float, float], height: float, half: float
) -> NDArray[np.float64]:
    """Return the outline of a shadow: the foot's circle at one end, the head's at the other."""
    tip = np.array(throw) * height
    forward = ring @ tip > 0
    return np.asarray(ring * half * np.where(forward, 0.75, 0.9)[:, None] + tip * forward[:, None])


def _fill_ground(mask: NDArray[np.uint8], camera: Camera, outline: NDArray[np.float64]) -> None:
    if camera.depth(0.0, outline[:, 1]).min() < 0.4:
        return
    columns, rows, _ = camera.project(outline[:, 0], 0.0, outline[:, 1])
    pixels = np.column_stack([columns, rows]).clip(-20_000, 20_000) * (1 << SHIFT)
    cv2.fillConvexPoly(mask, np.rint(pixels).astype(np.int32), 255, cv2.LINE_AA, SHIFT)


def grade(colour: Floats, light: Light, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the photo that a camera makes of the (h, w, 3) picture 0…1: lens, sensor, colours."""
    height, width = colour.shape[:2]
    soft = cv2.GaussianBlur(colour, (0, 0), 0.55)
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    edge = (1 - 0.1 * (x**2 + y**2)).astype(np.float32)
    toned = (soft * light.exposure * edge[..., None] - 0.45) * light.contrast + 0.45
    toned = toned * np.array(light.gain, dtype=np.float32)
    grain = random.standard_normal((height, width, 1)).astype(np.float32)
    blotch = random.standard_normal((height // 2 + 1, width // 2 + 1, 3)).astype(np.float32)
    speckle = cv2.resize(blotch, (width, height), interpolation=cv2.INTER_LINEAR)
    toned = toned + light.grain * (grain + 0.7 * speckle)
    return np.asarray((toned * 255).round().clip(0, 255), dtype=np.uint8)
