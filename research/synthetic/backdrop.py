"""Backdrop: the ground that runs to the horizon, what stands beyond it, and the sky."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from research.synthetic.camera import Camera
from research.synthetic.light import Light, noise_tile
from research.synthetic.sketch import Colour, Sketch, mix

__all__ = ["GROUNDS", "draw_backdrop"]

Floats = NDArray[np.float32]

GROUNDS: dict[str, Colour] = {
    "asphalt": (98, 99, 102), "paving": (162, 156, 147), "cobbles": (124, 118, 112), "grass": (92, 116, 62),
    "sand": (190, 172, 138),
}  # fmt: skip
"""Kinds of ground and their mean colours."""

SLAB = {"paving": 1.2, "cobbles": 0.35}
"""Side of a slab in metres."""

WALLS: tuple[Colour, ...] = (
    (176, 164, 148), (150, 104, 84), (198, 188, 170), (124, 128, 134), (164, 150, 122), (206, 202, 196),
    (140, 122, 108),
)  # fmt: skip

FAR = 1e5
"""Metres beyond which the ground has no texture."""
TILE = 256
"""Side of a noise tile."""
OCTAVES = ((0.006, 1.2), (0.03, 1.0), (0.2, 0.7), (1.1, 0.7), (5.0, 0.8))
"""Metres that one texel of the ground's noise spans, and its weight."""


def draw_backdrop(
    camera: Camera, far: float, pattern: str, light: Light, random: np.random.Generator
) -> Floats:
    """Return the (h, w, 3) picture, 0…1, of everything behind the people.

    Args:
        camera: Who looks.
        far: Metres along the ground to where buildings stand.
        pattern: ``stage`` sets one up at the far end.
        light: The weather.
        random: The scene's lots.
    """
    picture = _sky(camera, light, random)
    _ground(picture, camera, light, random)
    rim = camera.project(0.0, 0.0, far)[1]
    if rim > 0:
        _buildings(picture, camera, far, light, random)
        if pattern == "stage":
            _stage(picture, camera, far * 0.985, random)
    return picture


def _sky(camera: Camera, light: Light, random: np.random.Generator) -> Floats:
    """A gradient with clouds where the sun shines, plain grey where it does not."""
    height, width = camera.height, camera.width
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    blue = np.array([0.36, 0.55, 0.82], dtype=np.float32)
    grey = np.array([0.74, 0.77, 0.80], dtype=np.float32)
    zenith = grey * (1 - light.sun) + blue * light.sun
    span = max(camera.horizon, 1.0) / height
    share = np.clip(rows / span, 0, 1) ** 0.8
    sky = zenith * (1 - share) + np.array(light.haze, dtype=np.float32) * share
    small = noise_tile(random, TILE, 3.0) + 1.4 * noise_tile(random, TILE, 14.0)
    cloud = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip(cloud * 0.28 + 0.15 - 0.2 * light.sun, 0, 0.8)[..., None]
    return np.asarray(np.broadcast_to(sky, (height, width, 3)) * (1 - cover) + 0.94 * cover, dtype=np.float32)


def _ground(picture: Floats, camera: Camera, light: Light, random: np.random.Generator) -> None:
    """Fill the rows below the horizon with noise and slabs that shrink with distance."""
    first = max(0, math.floor(camera.horizon) + 1)
    if first >= camera.height:
        return
    kind = list(GROUNDS)[int(random.integers(0, len(GROUNDS)))]
    rows, columns = np.mgrid[first : camera.height, 0 : camera.width].astype(np.float32)
    x, z = (np.asarray(part, dtype=np.float32) for part in camera.ground(columns, rows))
    along = camera.elevation / np.maximum(rows - camera.horizon, 0.5)  # metres of a pixel sideways, nearly
    deep = np.asarray(
        np.minimum(z, FAR) ** 2 / (camera.focal * camera.elevation), dtype=np.float32
    )  # and in depth
    shade = _mottle(x, z, np.asarray(np.maximum(along, deep), dtype=np.float32), kind, random)
    if kind in SLAB:
        shade *= _joints(x, z, deep, SLAB[kind], random)
    base = np.array(GROUNDS[kind], dtype=np.float32) / 255 * random.uniform(0.85, 1.12)
    colour = np.asarray(shade[..., None] * base, dtype=np.float32)
    if kind == "grass":
        colour *= 1 + (shade[..., None] - 1) * np.array([0.6, 0.1, 0.2], dtype=np.float32)
    if kind == "asphalt" and random.random() < 0.6:
        _paint_lines(colour, x, z, deep, random)
    veiled = (1 - np.exp(-np.minimum(z, 4000.0) / 260.0))[..., None]
    haze = np.array(light.haze, dtype=np.float32)
    picture[first:] = colour * (1 - veiled) + haze * veiled


def _mottle(x: Floats, z: Floats, span: Floats, kind: str, random: np.random.Generator) -> Floats:
    """Return noise about 1 in world coordinates; what is finer than a pixel fades out."""
    amount = {"grass": 0.16, "asphalt": 0.075, "sand": 0.09}.get(kind, 0.06)
    shade = np.ones_like(x)
    for texel, weight in OCTAVES:
        tile = noise_tile(random, TILE, 1.1) * 0.7 + noise_tile(random, TILE, 4.0) * 0.5
        tile = np.pad(tile, ((0, 1), (0, 1)), mode="wrap")
        u, v = np.mod(x / texel, TILE).astype(np.float32), np.mod(z / texel, TILE).astype(np.float32)
        texture = cv2.remap(tile, u, v, cv2.INTER_LINEAR)
        fade = 1 / (1 + (span / (3.0 * texel)) ** 2)
        shade += amount * weight * texture * fade
    return shade.clip(0.3, 1.8)


def _joints(x: Floats, z: Floats, span: Floats, side: float, random: np.random.Generator) -> Floats:
    """Return the shade of slabs: each a little different, dark joints between them."""
    i, j = np.floor(x / side), np.floor(z / side)
    tones = random.normal(1.0, 0.055, (64, 64)).astype(np.float32)
    tone = tones[np.mod(i, 64).astype(np.int32), np.mod(j, 64).astype(np.int32)]
    edge = np.minimum(np.abs(x / side - np.rint(x / side)), np.abs(z / side - np.rint(z / side))) * side
    width = 0.012 + 0.5 * span
    joint = np.clip(1 - edge / width, 0, 1) * np.minimum(1, 0.03 / np.maximum(span, 1e-3)) * 0.45
    fade = 1 / (1 + (span / side) ** 2)
    return np.asarray((1 + (tone - 1) * fade) * (1 - joint * fade), dtype=np.float32)


def _paint_lines(colour: Floats, x: Floats, z: Floats, span: Floats, random: np.random.Generator) -> None:
    """Paint road markings: two dashed lanes and a crossing."""
    paint = np.zeros_like(x)
    for at in random.uniform(-9, 9, 2):
        near = np.clip((0.08 - np.abs(x - at)) / (0.02 + 0.1 * span) + 0.5, 0, 1)
        paint = np.maximum(paint, near * (np.mod(z, 6.0) < 3.5))
    start = random.uniform(8, 25)
    stripes = (np.mod(x, 1.0) < 0.5) & (z > start) & (z < start + 3.0)
    paint = np.maximum(paint, stripes.astype(np.float32))
    fade = (0.55 / (1 + (span / 0.8) ** 2) * paint)[..., None]
    colour[...] = colour * (1 - fade) + 0.86 * fade


def _buildings(
    picture: Floats, camera: Camera, far: float, light: Light, random: np.random.Generator
) -> None:
    """Draw a row of façades, or of trees, across the far end."""
    half = far * camera.width / 2 / camera.focal * 1.15
    left = -half
    while left < half:
        width, tall = random.uniform(6, 17), random.uniform(6, 22)
        wood = random.random() < 0.2
        sketch = Sketch(camera, left + width / 2, far + random.uniform(0, 3), (width / 2 + 1.5, tall))
        if sketch.visible:
            (_trees if wood else _facade)(sketch, width, tall, random)
            _lay(picture, sketch, far, light)
        left += width * random.uniform(0.98, 1.02)


def _facade(sketch: Sketch, width: float, tall: float, random: np.random.Generator) -> None:
    wall = WALLS[int(random.integers(0, len(WALLS)))]
    half = width / 2
    sketch.polygon([(-half, -0.1), (half, -0.1), (half, tall), (-half, tall)], wall)
    trim = mix(wall, (0, 0, 0), 0.25)
    sketch.polygon([(-half, tall - 0.4), (half, tall - 0.4), (half, tall), (-half, tall)], trim)
    sketch.polygon([(-half, 0), (half, 0), (half, 3.0), (-half, 3.0)], mix(wall, (60, 60, 64), 0.4))
    count = max(2, round(width / random.uniform(1.7, 2.8)))
    pitch = width / count
    for column in range(count):
        at = -half + (column + 0.5) * pitch
        shop = mix((40, 46, 54), (230, 206, 150), float(random.random() ** 3))
        wide = pitch * 0.4
        sketch.polygon([(at - wide, 0.3), (at + wide, 0.3), (at + wide, 2.5), (at - wide, 2.5)], shop)
        for up in np.arange(3.6, tall - 1.9, 3.0).tolist():
            pane = mix((44, 54, 66), (150, 170, 186), float(random.random()))
            wide, high = pitch * 0.27, 1.55
            sketch.polygon(
                [(at - wide, up), (at + wide, up), (at + wide, up + high), (at - wide, up + high)], pane
            )


def _trees(sketch: Sketch, width: float, tall: float, random: np.random.Generator) -> None:
    green: Colour = (62, 84, 46)
    top = min(tall, 9.0)
    base = [(-width / 2, 0), (width / 2, 0), (width / 2.2, top * 0.55), (-width / 2.2, top * 0.55)]
    sketch.polygon(base, mix(green, (0, 0, 0), 0.5))
    lots = random.random((130, 3))
    for rank, (a, b, c) in enumerate(sorted(lots.tolist(), key=lambda lot: lot[1])):
        shade = mix(mix(green, (0, 0, 0), 0.45), mix(green, (190, 200, 110), 0.2), rank / len(lots))
        sketch.ball(((a - 0.5) * width, 0.4 + b * (top - 1.2)), (0.5 + 0.6 * c, 0.4 + 0.5 * c), shade)


def _lay(picture: Floats, sketch: Sketch, far: float, light: Light) -> None:
    """Blend a sketch over the picture, veiled by the air between."""
    patch = sketch.finish()
    share = 1 - math.exp(-far / 220.0)
    haze = np.array(light.haze, dtype=np.float32)
    colour = patch.colour * (1 - share) + patch.alpha[..., None] * haze * share
    area = picture[patch.slices]
    area *= 1 - patch.alpha[..., None]
    area += colour


def _stage(picture: Floats, camera: Camera, far: float, random: np.random.Generator) -> None:
    """Set up a stage: a dark box with a bright screen, a truss and lamps, all round and none a head."""
    sketch = Sketch(camera, 0.0, far, (11.0, 9.5))
    if not sketch.visible:
        return
    sketch.polygon([(-9, 0), (9, 0), (9, 8), (-9, 8)], (22, 22, 28))
    glow: Colour = tuple(random.uniform(60, 230, 3).tolist())
    sketch.polygon([(-5, 2.6), (5, 2.6), (5, 6.6), (-5, 6.6)], glow)
    for index in range(6):
        at = -4.6 + 1.7 * index
        sketch.polygon(
            [(at, 2.6), (at + 0.5, 2.6), (at + 1.2, 6.6), (at + 0.2, 6.6)], mix(glow, (255, 255, 255), 0.3)
        )
    sketch.polygon([(-9.6, 0), (9.6, 0), (9.6, 1.4), (-9.6, 1.4)], (36, 36, 42))
    for side in (-1, 1):
        sketch.polygon([(side * 9, 0), (side * 10.2, 0), (side * 10.2, 8.6), (side * 9, 8.6)], (64, 66, 72))
        sketch.polygon([(side * 7.6, 2), (side * 8.7, 2), (side * 8.7, 7), (side * 7.6, 7)], (12, 12, 14))
    sketch.polygon([(-10.4, 8.0), (10.4, 8.0), (10.4, 8.8), (-10.4, 8.8)], (70, 72, 78))
    for at in np.linspace(-8, 8, 12).tolist():
        sketch.ball((at, 7.8), (0.2, 0.2), mix((250, 240, 200), glow, float(random.random())))
    patch = sketch.finish()
    area = picture[patch.slices]
    area *= 1 - patch.alpha[..., None]
    area += patch.colour
