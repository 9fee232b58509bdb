"""Emptiness: pictures with nobody in them (walls, sky, leaves, patterns, pages of text), as hard negatives.

What they hold was chosen for what counting networks take for crowds: many small, round or dark things in rows.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.drawing.text import text_mask
from crowdscale.errors import OptionError, unknown_name
from research.synthetic.light import noise_tile

__all__ = ["EMPTINESS", "draw_emptiness"]

Floats = NDArray[np.float32]
Random = np.random.Generator


def draw_emptiness(width: int, height: int, random: Random, kind: str | None = None) -> NDArray[np.uint8]:
    """Return a (height, width, 3) RGB picture without people.

    Args:
        width: Columns.
        height: Rows.
        random: The picture's lots; equal ones draw equal pictures.
        kind: One of ``EMPTINESS``; drawn by lot where None.

    Raises:
        OptionError: No kind has this name, or a side is below 8 pixels.
    """
    if min(width, height) < 8:
        raise OptionError("expected a picture of at least 8×8 pixels", f"{width}×{height}")
    if kind is not None and kind not in EMPTINESS:
        raise unknown_name("kind of emptiness", kind, EMPTINESS)
    kind = kind or list(EMPTINESS)[int(random.integers(len(EMPTINESS)))]
    picture = EMPTINESS[kind](width, height, random)
    if random.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6)), np.float32)
    grain = random.standard_normal((height, width, 1)).astype(np.float32) * random.uniform(0, 0.02)
    shade = np.linspace(1, random.uniform(0.6, 1.4), width, dtype=np.float32)[None, :, None]
    return np.asarray(((picture * shade + grain) * 255).round().clip(0, 255), np.uint8)


def _colour(random: Random) -> Floats:
    """A colour of little saturation: most of what is photographed is nearly grey."""
    return np.asarray((random.uniform(0.05, 0.95) + random.normal(0, 0.1, 3)).clip(0, 1), np.float32)


def _mixed(share: Floats, random: Random) -> Floats:
    """Two colours mixed by an (h, w) share 0…1."""
    one, other = _colour(random), _colour(random)
    return np.asarray(one + (other - one) * share[..., None], np.float32)


def _grid(width: int, height: int, random: Random) -> tuple[Floats, Floats]:
    """Pixel coordinates turned by lot and, every other time, seen in perspective: (columns, rows)."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    if random.random() < 0.5:
        depth = 1 + random.uniform(0, 2.5) * (height - rows) / height
        columns, rows = (columns - width / 2) * depth, rows * depth
    turn = random.choice((0.0, random.uniform(0, math.pi)))
    return (
        np.asarray(columns * math.cos(turn) + rows * math.sin(turn), np.float32),
        np.asarray(rows * math.cos(turn) - columns * math.sin(turn), np.float32),
    )


def _side(random: Random) -> float:
    """Pixels of one thing of a pattern, from the smallest heads to large ones."""
    return math.exp(random.uniform(math.log(5), math.log(60)))


def _plain(width: int, height: int, random: Random) -> Floats:
    """A wall, a sky: one colour that runs into another."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None] ** random.uniform(0.5, 2)
    return _mixed(np.broadcast_to(share, (height, width)), random)


def _cloudy(width: int, height: int, random: Random) -> Floats:
    """Clouds, stone, gravel, sand: noise of several sizes, coarser ones stronger by lot."""
    share = np.zeros((height, width), np.float32)
    steep = random.uniform(0, 1.2)
    for octave in range(6):
        side = 1 << octave
        tile = noise_tile(random, 64, 1.2)
        rows, columns = math.ceil(height / side), math.ceil(width / side)
        tile = np.tile(tile, (rows // 64 + 1, columns // 64 + 1))[:rows, :columns]
        share += side**steep * cv2.resize(tile, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = np.percentile(share, (2, 98))
    return _mixed(((share - low) / max(high - low, 1e-6)).clip(0, 1), random)


def _striped(width: int, height: int, random: Random) -> Floats:
    """Blinds, planks, corrugated iron."""
    x, _ = _grid(width, height, random)
    wave = np.sin(x * (2 * math.pi / _side(random))) * random.uniform(1, 6)
    return _mixed(np.asarray((0.5 + wave / 2).clip(0, 1), np.float32), random)


def _tiled(width: int, height: int, random: Random) -> Floats:
    """Bricks, tiles, windows of a façade: rectangles with joints, each a little different."""
    x, y = _grid(width, height, random)
    wide = _side(random)
    tall = wide * random.uniform(0.35, 1.2)
    row = np.floor(y / tall)
    x = x + np.where(np.mod(row, 2) == 1, wide * random.choice((0.0, 0.5)), 0)
    tones = random.normal(0.75, random.uniform(0.02, 0.2), (64, 64)).astype(np.float32)
    tone = tones[np.mod(row, 64).astype(np.int32), np.mod(np.floor(x / wide), 64).astype(np.int32)]
    edge = np.minimum(
        np.abs(x / wide - np.rint(x / wide)) * wide, np.abs(y / tall - np.rint(y / tall)) * tall
    )
    return _mixed(
        np.asarray((tone * (edge > tall * random.uniform(0.03, 0.15))).clip(0, 1), np.float32), random
    )


def _dotted(width: int, height: int, random: Random) -> Floats:
    """Halftone, rivets, perforated metal, peas: round things in a grid, displaced by lot."""
    x, y = _grid(width, height, random)
    side = _side(random)
    x = x + np.where(np.mod(np.floor(y / side), 2) == 1, side / 2, 0)
    wander = random.uniform(0, 0.25) * side
    shifts = random.normal(0, wander, (2, 64, 64)).astype(np.float32)
    i, j = np.mod(np.floor(y / side), 64).astype(np.int32), np.mod(np.floor(x / side), 64).astype(np.int32)
    across = np.mod(x, side) - side / 2 - shifts[0][i, j]
    along = np.mod(y, side) - side / 2 - shifts[1][i, j]
    radius = side * random.uniform(0.2, 0.45)
    return _mixed(np.asarray((radius - np.hypot(across, along) + 0.5).clip(0, 1), np.float32), random)


def _leafy(width: int, height: int, random: Random) -> Floats:
    """Leaves, grass, straw: long things in all directions, one over the other."""
    base = np.array((random.uniform(0.1, 0.5), random.uniform(0.25, 0.6), random.uniform(0.05, 0.3)))
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = base * 0.4
    length = _side(random)
    number = min(1500, round(3 * width * height / length**2))
    centres, turns = random.uniform(0, (width, height), (number, 2)), random.uniform(0, 360, number)
    shades = random.uniform(0.4, 1.5, number)
    for centre, turn, shade in zip(centres.tolist(), turns.tolist(), shades.tolist(), strict=True):
        axes = max(1, round(length / 2)), max(1, round(length / 9))
        at = round(centre[0]), round(centre[1])
        cv2.ellipse(picture, at, axes, turn, 0, 360, (base * shade).tolist(), -1, cv2.LINE_AA)
    return picture


def _written(width: int, height: int, random: Random) -> Floats:
    """A page, a poster, a screen: lines of random words, dark on light or light on dark."""
    cover = np.zeros((height, width), np.float32)
    size = round(float(np.clip(_side(random), 7, height / 2)))
    letters = list(string.ascii_letters + string.digits + ".,:;-()")
    top, left = int(random.integers(0, size + 1)), int(random.integers(0, max(1, width // 5)))
    line = max(1, round(size * random.uniform(1.1, 2.0)))
    for row in range(top, height - round(1.25 * size), line):
        count = math.ceil(2.5 * width / size)
        signs = [" " if random.random() < 0.16 else str(random.choice(letters)) for _ in range(count)]
        mask = text_mask("".join(signs), size, 100_000)[:, : width - left].astype(np.float32) / 255
        cover[row : row + len(mask), left : left + mask.shape[1]] = mask
        if random.random() < 0.1:
            cover[row : row + len(mask), int(random.integers(left, width)) :] = 0  # the end of a paragraph
    ink, paper = _colour(random) * 0.35, 0.7 + 0.3 * _colour(random)
    if random.random() < 0.25:
        ink, paper = paper, ink
    return np.asarray(paper + (ink - paper) * cover[..., None], np.float32)


EMPTINESS: dict[str, Callable[[int, int, Random], Floats]] = {
    "plain": _plain,
    "cloudy": _cloudy,
    "striped": _striped,
    "tiled": _tiled,
    "dotted": _dotted,
    "leafy": _leafy,
    "written": _written,
}
"""Kinds of pictures without people."""
