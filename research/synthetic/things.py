"""Things that are no people and must not be counted: trees, lamps, cars, signs, balloons, balls, bins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from research.synthetic.camera import Camera
from research.synthetic.light import Light, shade_head, shade_upright, veil
from research.synthetic.placement import Field
from research.synthetic.sketch import Colour, Patch, Sketch, mix

__all__ = ["KINDS_OF_THINGS", "Thing", "draw_thing", "place_things"]

BLACK: Colour = (0, 0, 0)
STEEL: Colour = (86, 90, 94)
GLASS: Colour = (58, 70, 82)

BRIGHT: tuple[Colour, ...] = (
    (214, 48, 52), (238, 180, 46), (52, 120, 200), (66, 160, 92), (226, 110, 160), (240, 236, 228),
    (150, 84, 190), (240, 130, 60),
)  # fmt: skip
CARS: tuple[Colour, ...] = (
    (30, 32, 36), (92, 96, 100), (176, 180, 184), (226, 228, 228), (128, 34, 38), (40, 62, 104), (70, 88, 80),
)  # fmt: skip
WORDS = (
    "EXIT",
    "TAXI",
    "CAFE",
    "OPEN",
    "HOTEL",
    "MARKET",
    "TICKETS",
    "PARKING",
    "INFO",
    "NORTH GATE",
    "SALE",
)

BALL = 0.15
"""Radius of a ball in metres: about a head's."""

Lots = list[float]


@dataclass(frozen=True)
class Thing:
    """Something on the ground that is nobody."""

    kind: str
    x: float
    z: float
    seed: int

    @property
    def room(self) -> float:
        """Metres around it in which nobody stands."""
        return SHAPES[self.kind][1][0]

    @property
    def foot(self) -> tuple[float, float, float, float]:
        """(x, z, height, half width) in metres: what throws its shadow."""
        _, height, half = SHAPES[self.kind][1]
        return self.x, self.z, height, half


def place_things(field: Field, crowding: float, random: np.random.Generator) -> list[Thing]:
    """Return things by lot: fewer stand where a crowd stands."""
    count = round(random.uniform(5, 16) * (1 - 0.6 * crowding))
    kinds = list(KINDS_OF_THINGS)
    weights = np.array([SHAPES[kind][2] for kind in kinds])
    drawn = random.choice(len(kinds), count, p=weights / weights.sum())
    things: list[Thing] = []
    for kind, spot in zip(drawn.tolist(), field.scatter(count * 2, random, 0.4), strict=False):
        name, depth = kinds[kind], spot[1]
        aside = spot[0] + 0.35 * depth * (1 if spot[0] > 0 else -1) * (name in ("tree", "car"))
        room = SHAPES[name][1][0]
        if depth < 2.5 * room + 4 or any(
            math.hypot(aside - thing.x, depth - thing.z) < room + 1.2 for thing in things
        ):
            continue
        things.append(Thing(name, float(aside), float(depth), int(random.integers(0, 2**31))))
    return things


def draw_thing(camera: Camera, thing: Thing, light: Light) -> Patch | None:
    """Return the thing's patch; None where nothing of it is in the frame."""
    draw, (_, top, _), _ = SHAPES[thing.kind]
    reach = {"car": 2.6, "tree": 3.4, "balloons": 1.0}.get(thing.kind, 1.3)
    sketch = Sketch(camera, thing.x, thing.z, (reach, top * 1.15))
    if camera.depth(top, thing.z) < 1.0 or not sketch.visible:
        return None
    lots: Lots = np.random.default_rng(thing.seed).random(340).tolist()
    draw(sketch, lots, light)
    patch = sketch.finish()
    if thing.kind == "ball":
        radius = BALL * sketch.scale_at(BALL)
        shade_head(patch, sketch.pixel(0, BALL), (radius, radius), light)
    else:
        column, _ = sketch.pixel(0, 0)
        shade_upright(patch, column, reach * 0.8 * sketch.scale, light)
    veil(patch, float(camera.depth(0.0, thing.z)), light)
    return patch


def _one_of(colours: tuple[Colour, ...], lot: float) -> Colour:
    return colours[int(lot * len(colours))]


def _tree(sketch: Sketch, lots: Lots, light: Light) -> None:
    """A trunk and round foliage: many balls of leaves, lit ones drawn last."""
    trunk: Colour = (78, 62, 48)
    sketch.limb((0, 0), (0.05, 2.6), (0.34, 0.22), trunk)
    for lean in (-0.7, 0.6):
        sketch.limb((0.02, 2.2), (lean, 3.4), (0.16, 0.08), trunk)
    green: Colour = (52 + 50 * lots[0], 84 + 40 * lots[1], 36 + 20 * lots[2])
    sketch.ball((0, 4.0), (1.6, 1.2), mix(green, BLACK, 0.55))
    leaves = []
    for index in range(110):
        a, b, c = lots[3 + 3 * index : 6 + 3 * index]
        angle, away = a * 2 * math.pi, math.sqrt(b)
        leaves.append((math.cos(angle) * away * 1.75, 4.0 + math.sin(angle) * away * 1.35, c))
    leaves.sort(key=lambda leaf: leaf[1] + light.side * leaf[0] * 0.5 + leaf[2])
    for rank, (dx, up, lot) in enumerate(leaves):
        shade = mix(mix(green, BLACK, 0.5), mix(green, (214, 220, 120), 0.25), rank / len(leaves))
        sketch.ball((dx, up), (0.16 + 0.22 * lot, 0.14 + 0.18 * lot), shade)


def _lamp(sketch: Sketch, lots: Lots, _light: Light) -> None:
    """A post with one or two round lights."""
    sketch.limb((0, 0), (0, 0.6), (0.15, 0.12), STEEL)
    sketch.limb((0, 0.6), (0, 3.7), (0.1, 0.07), STEEL)
    globes = (-0.42, 0.42) if lots[0] < 0.5 else (0.0,)
    for dx in globes:
        sketch.limb((0, 3.5), (dx, 3.7), (0.06, 0.06), STEEL)
        sketch.ball((dx, 3.9), (0.19, 0.19), (226, 224, 212))
        sketch.ball((dx - 0.05, 3.95), (0.08, 0.08), (250, 248, 240))


def _sign(sketch: Sketch, lots: Lots, _light: Light) -> None:
    """A board with a word on a post."""
    sketch.limb((0, 0), (0, 2.9), (0.08, 0.08), STEEL)
    ground = _one_of(((30, 74, 140), (34, 104, 70), (236, 234, 226), (150, 36, 36), (240, 196, 60)), lots[0])
    ink = (245, 245, 240) if sum(ground) < 400 else (30, 30, 34)
    word = WORDS[int(lots[1] * len(WORDS))]
    half = 0.16 + 0.085 * len(word)
    sketch.stamp(_lettered(word, ground, ink), [(-half, 2.95), (half, 2.95), (half, 2.4), (-half, 2.4)])


def _lettered(word: str, ground: Colour, ink: Colour) -> NDArray[np.uint8]:
    """Return a board as a picture."""
    board = Image.new("RGB", (64 + 48 * len(word), 110), tuple(map(int, ink)))
    pen = ImageDraw.Draw(board)
    pen.rectangle((5, 5, board.width - 6, 104), fill=tuple(map(int, ground)))
    font = ImageFont.load_default(size=72)
    pen.text((board.width / 2, 55), word, fill=tuple(map(int, ink)), font=font, anchor="mm")
    return np.asarray(board)


def _car(sketch: Sketch, lots: Lots, _light: Light) -> None:
    """A parked car from its side."""
    paint, way = _one_of(CARS, lots[0]), 1 if lots[1] < 0.5 else -1
    body = [(-2.1, 0.3), (-2.12, 0.75), (-1.95, 0.9), (-1.35, 0.96), (-0.75, 1.42), (0.65, 1.45),
            (1.25, 1.0), (1.95, 0.86), (2.12, 0.66), (2.1, 0.3)]  # fmt: skip
    sketch.polygon([(way * x, up) for x, up in body], paint)
    sketch.polygon([(way * x, up) for x, up in ((-2.12, 0.55), (2.12, 0.55), (2.1, 0.28), (-2.1, 0.28))],
                   mix(paint, BLACK, 0.35))  # fmt: skip
    for window in (((-1.15, 0.98), (-0.7, 1.34), (-0.08, 1.37), (-0.08, 0.98)),
                   ((0.02, 0.98), (0.02, 1.37), (0.58, 1.37), (1.0, 0.98))):  # fmt: skip
        sketch.polygon([(way * x, up) for x, up in window], GLASS)
    for x in (-1.35, 1.35):
        sketch.ball((x, 0.33), (0.36, 0.34), (24, 24, 26))
        sketch.ball((x, 0.33), (0.2, 0.19), (150, 152, 156))
    sketch.ball((way * 2.0, 0.72), (0.1, 0.07), (250, 244, 214))
    sketch.ball((way * -2.05, 0.74), (0.06, 0.09), (170, 30, 30))


def _balloons(sketch: Sketch, lots: Lots, light: Light) -> None:
    """A bunch of balloons on strings, above the heads."""
    for index in range(3 + int(lots[0] * 6)):
        a, b, c = lots[1 + 3 * index : 4 + 3 * index]
        dx, up = (a - 0.5) * 1.1, 2.35 + b * 0.8
        sketch.limb((0, 0.9), (dx, up - 0.15), (0.012, 0.012), (200, 200, 200))
        colour = _one_of(BRIGHT, c)
        sketch.ball((dx, up), (0.14, 0.17), colour)
        sketch.ball((dx + 0.05 * light.side, up + 0.06), (0.05, 0.06), mix(colour, (255, 255, 255), 0.55))
    sketch.polygon([(-0.12, 0), (0.12, 0), (0.1, 0.9), (-0.1, 0.9)], STEEL)


def _ball(sketch: Sketch, lots: Lots, _light: Light) -> None:
    """A ball on the ground."""
    colour = _one_of(BRIGHT, lots[0])
    sketch.ball((0, BALL), (BALL, BALL), colour)
    sketch.ball((0.02, BALL * 1.1), (BALL * 0.5, BALL * 0.85), mix(colour, (255, 255, 255), 0.7))
    sketch.ball((0.02, BALL * 1.1), (BALL * 0.25, BALL * 0.75), colour)


def _bin(sketch: Sketch, lots: Lots, _light: Light) -> None:
    """A litter bin with a round lid."""
    colour = mix((44, 62, 52), (90, 90, 96), lots[0])
    sketch.polygon([(-0.25, 0), (0.25, 0), (0.28, 0.85), (-0.28, 0.85)], colour)
    sketch.ball((0, 0.86), (0.29, 0.16), mix(colour, BLACK, 0.3), (180, 360))
    sketch.polygon([(-0.15, 0.66), (0.15, 0.66), (0.15, 0.76), (-0.15, 0.76)], (14, 14, 16))


def _bollards(sketch: Sketch, _lots: Lots, _light: Light) -> None:
    """Three short posts with ball heads."""
    for dx in (-0.9, 0.0, 0.9):
        sketch.limb((dx, 0), (dx, 0.75), (0.16, 0.13), (58, 60, 64))
        sketch.ball((dx, 0.86), (0.12, 0.12), (80, 82, 88))


def _stall(sketch: Sketch, lots: Lots, _light: Light) -> None:
    """A parasol over a counter."""
    colour = _one_of(BRIGHT, lots[0])
    sketch.polygon([(-0.8, 0), (0.8, 0), (0.8, 0.85), (-0.8, 0.85)], (122, 98, 72))
    sketch.polygon([(-0.86, 0.8), (0.86, 0.8), (0.86, 0.92), (-0.86, 0.92)], (164, 140, 108))
    sketch.limb((0, 0.9), (0, 2.4), (0.06, 0.06), STEEL)
    edge = np.linspace(-1.25, 1.25, 9).tolist()
    for index, (left, right) in enumerate(pairwise(edge)):
        sketch.polygon([(0, 2.75), (left, 2.1), (right, 2.1)],
                       colour if index % 2 else (238, 234, 224))  # fmt: skip


Drawing = Callable[[Sketch, Lots, Light], None]

SHAPES: dict[str, tuple[Drawing, tuple[float, float, float], float]] = {
    "tree": (_tree, (0.5, 5.8, 0.9), 1.3),
    "lamp": (_lamp, (0.3, 4.1, 0.08), 1.3),
    "sign": (_sign, (0.3, 3.0, 0.1), 1.0),
    "car": (_car, (2.3, 1.45, 1.5), 1.0),
    "balloons": (_balloons, (0.3, 3.3, 0.25), 1.0),
    "ball": (_ball, (0.3, 2 * BALL, BALL), 0.7),
    "bin": (_bin, (0.4, 1.05, 0.28), 0.8),
    "bollards": (_bollards, (1.1, 1.0, 0.15), 0.6),
    "stall": (_stall, (1.2, 2.8, 0.9), 0.7),
}
"""Of each kind: how it is drawn; the radius in which nobody stands, its height and the half width of its
shadow, in metres; how often it comes."""

KINDS_OF_THINGS = tuple(SHAPES)
