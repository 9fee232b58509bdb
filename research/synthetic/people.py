"""People: one person drawn from feet to hair, seen from wherever the camera stands."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from research.synthetic.camera import Camera
from research.synthetic.light import Light, shade_head, shade_upright, veil
from research.synthetic.placement import HEAD_ASPECT, Person
from research.synthetic.sketch import Colour, Patch, Sketch, mix
from research.synthetic.wardrobe import Look

__all__ = ["draw_person"]

BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)
LIP: Colour = (150, 60, 60)

FEATURES = 9.0
"""Height of a head in pixels from which it has eyes."""
CREASES = 24.0
"""Pixels per metre from which clothes have creases."""


def draw_person(
    camera: Camera, person: Person, light: Light, folds: NDArray[np.float32], crowding: float
) -> Patch | None:
    """Return the person's patch; None where nothing of it is in the frame.

    Args:
        camera: Who looks.
        person: Who stands where.
        light: The weather.
        folds: A large tile of noise, of which a piece becomes the creases.
        crowding: 0…1; in a crowd little light reaches the feet.
    """
    sketch = Sketch(camera, person.x, person.z, (0.34 * person.height, person.height * 1.3))
    if not sketch.visible:
        return None
    figure = _Figure(sketch, person, camera)
    figure.draw()
    patch = sketch.finish()
    column, _ = sketch.pixel(0, person.height / 2)
    height, width = patch.alpha.shape
    creases = None
    if sketch.scale > CREASES and max(height, width) <= 400:
        at = person.look % 97
        creases = folds[at : at + height, at : at + width]
    shade_upright(patch, column, 0.27 * sketch.scale, light, creases, 0.2 + 0.4 * crowding)
    shade_head(patch, sketch.pixel(0, person.head_centre), figure.head_pixels, light)
    veil(patch, float(camera.depth(person.height, person.z)), light)
    return patch


class _Figure:
    """One person on a sketch; all lengths in metres."""

    def __init__(self, sketch: Sketch, person: Person, camera: Camera) -> None:
        self.sketch, self.person = sketch, person
        self.look = Look.draw(person.look, person.arms_up)
        sight = math.atan2(person.x, person.z)
        self.front = -math.cos(person.heading - sight)  # 1 faces the camera, -1 turns his back on it
        self.aside = math.sin(person.heading - sight)  # 1 looks to the right of the photo
        self.above = math.sin(math.atan2(camera.elevation - person.height, max(person.z, 0.1)))
        self.height = person.height
        broad = 0.193 * abs(self.front) + 0.128 * abs(self.aside)
        self.half = broad * self.look.build * self.height / 1.72

    @property
    def head_pixels(self) -> tuple[float, float]:
        """Half width and half height of the head."""
        tall = self.person.head / 2 * self.sketch.scale_at(self.person.head_centre)
        return tall * HEAD_ASPECT, tall

    def draw(self) -> None:
        """Draw everything, back to front."""
        far = -1 if self.aside > 0 else 1
        if self.look.long_hair and self.front > -0.2 and self.look.headgear != "scarf":
            self._hair_behind()
        behind = [far] if abs(self.aside) > 0.5 else []
        if self.front < -0.3 and self.look.arms in ("phone", "bent"):
            behind = [far, -far]  # the hands are before a body that is seen from the back
        for side in behind:
            self._arm(side, darker=0.2)
        self._legs(far)
        self._torso()
        for side in (far, -far):
            if side not in behind:
                self._arm(side)
        self._bags()
        self._neck()
        self._head()

    def _legs(self, far: int) -> None:
        look, h = self.look, self.height
        step = 0.13 * h * look.stride * abs(self.aside)
        apart = 0.052 * h * abs(self.front) + 0.012 * h
        for side in (far, -far):
            dark = 0.22 if side == far else 0.0
            foot = side * apart + side * step, 0.045 * h
            knee = side * apart * 1.05 + side * step * 0.55 + 0.02 * h * self.aside, 0.27 * h
            hip = side * apart * 1.05, 0.5 * h
            bare = look.legs != "trousers"
            skin, cloth = (mix(colour, BLACK, dark) for colour in (look.skin, look.bottom))
            wide = 0.085 * h * look.build
            self.sketch.limb(knee, foot, (wide * 0.8, wide * 0.5), skin if bare else cloth)
            self.sketch.limb(hip, knee, (wide * 1.2, wide * 0.85), cloth if look.legs != "dress" else skin)
            toe = foot[0] + 0.045 * h * self.aside + 0.01 * h * side, 0.022 * h
            self.sketch.limb(foot, toe, (0.05 * h, 0.045 * h), mix(look.shoe, BLACK, dark))
        if look.legs in ("skirt", "dress"):
            flare = 0.13 * h * look.build
            colour = look.bottom if look.legs == "skirt" else look.top
            self.sketch.polygon(
                [(-0.085 * h, 0.6 * h), (0.085 * h, 0.6 * h), (flare, 0.3 * h), (-flare, 0.3 * h)], colour
            )

    def _outline(self, low: float, widen: float = 1.0) -> list[tuple[float, float]]:
        """Return the torso's outline down to ``low`` (a share of the height)."""
        h, half = self.height, self.half
        right = [(0.035 * h, 0.87), (half * 0.5, 0.848), (half * 0.85, 0.825), (half, 0.785)]
        right += [(half * 0.92, 0.7), (half * 0.8 * widen, 0.61), (half * 0.88 * widen, 0.51)]
        right += [(half * 0.9 * widen, low + 0.015), (half * 0.5, low)]
        return [(x, up * h) for x, up in right] + [(-x, up * h) for x, up in reversed(right)]

    def _torso(self) -> None:
        look, h, half = self.look, self.height, self.half
        coat = look.cut == "coat"
        self.sketch.polygon(self._outline(0.36 if coat else 0.47, 1.12 if coat else 1.0), look.top)
        self.sketch.ball((0, 0.805 * h), (half * 0.98, 0.035 * h + 0.075 * max(0.0, self.above)), look.top)
        if self.sketch.scale < 18:
            return
        if look.cut == "open" and self.front > 0.1:
            middle, wide = self.aside * half * 0.4, half * 0.42 * self.front
            self.sketch.polygon(
                [(middle - wide * 0.5, 0.845 * h), (middle + wide * 0.5, 0.845 * h),
                 (middle + wide, 0.49 * h), (middle - wide, 0.49 * h)], look.inner,
            )  # fmt: skip
        elif look.cut == "stripes":
            for up in np.arange(0.52, 0.82, 0.05).tolist():
                wide = half * (0.72 + 0.9 * abs(up - 0.6))
                self.sketch.polygon(
                    [(-wide, up * h), (wide, up * h), (wide, (up + 0.022) * h), (-wide, (up + 0.022) * h)],
                    look.inner,
                )
        elif look.cut == "print" and abs(self.front) > 0.4:
            at, wide = self.aside * half * 0.3, half * 0.4 * abs(self.front)
            self.sketch.polygon([(at + dx * wide, (0.71 + dy * 0.035) * h) for dx, dy in _SQUARE], look.inner)

    def _arm(self, side: int, darker: float = 0.0) -> None:
        look, h = self.look, self.height
        wide = 0.062 * h * look.build
        shoulder = side * (self.half - wide * 0.35), 0.79 * h
        elbow, wrist = self._bend(side)
        cloth, skin = mix(look.top, BLACK, 0.1 + darker), mix(look.skin, BLACK, darker)
        self.sketch.limb(elbow, wrist, (wide * 0.85, wide * 0.62), cloth if look.sleeves else skin)
        self.sketch.limb(shoulder, elbow, (wide * 1.15, wide * 0.9), cloth)
        self.sketch.ball(wrist, (wide * 0.38, wide * 0.46), skin)
        if look.arms in ("phone", "up") and side == 1 and look.lot < 0.6:
            self.sketch.polygon(
                [(wrist[0] + dx * 0.04, wrist[1] + dy * 0.07 + 0.03) for dx, dy in _SQUARE], (28, 30, 36)
            )

    def _bend(self, side: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return elbow and wrist for the way the arm is held."""
        h, half, arms = self.height, self.half, self.look.arms
        ahead = self.aside * 0.1 * h
        swing = (self.look.stride - 0.3) * 0.1 * h * side * abs(self.aside)
        if arms == "up" and (side == 1 or self.look.lot < 0.5):
            return (side * (half + 0.05 * h), 0.93 * h), (side * (half + 0.01 * h), 1.11 * h)
        if arms in ("phone", "bent") and (side == 1 or self.look.lot < 0.4):
            reach = 0.70 * h if arms == "phone" else 0.58 * h
            inner = side * half * 0.35 * abs(self.front) + ahead * 1.5
            return (side * half * 1.05 + ahead * 0.2, 0.62 * h), (inner, reach)
        if arms == "hip" and abs(self.front) > 0.6:
            return (side * (half + 0.075 * h), 0.64 * h), (side * half * 0.8, 0.54 * h)
        out = side * (half + 0.012 * h)
        return (out + swing * 0.4, 0.635 * h), (out + swing * 1.4 + ahead * 0.4, 0.485 * h)

    def _bags(self) -> None:
        look, h, half = self.look, self.height, self.half
        if look.bag == "back" and self.front <= 0.2:
            at = -self.aside * half * 0.9
            wide = half * (1.25 if abs(self.front) > 0.5 else 0.9)
            self.sketch.limb((at, 0.76 * h), (at, 0.63 * h), (wide, wide * 1.1), look.gear)
            self.sketch.limb(
                (at, 0.65 * h), (at, 0.61 * h), (wide * 0.75, wide * 0.8), mix(look.gear, BLACK, 0.25)
            )
        elif look.bag == "back" and self.front > 0.5:
            for side in (-1, 1):
                inner = side * half * 0.55
                self.sketch.limb((inner, 0.84 * h), (inner * 1.1, 0.66 * h), (0.035, 0.03), look.gear)
        if look.bag == "side" and self.sketch.scale > 14:
            side = 1 if look.lot < 0.5 else -1
            at = side * half * 0.95
            self.sketch.limb((-at * 0.5, 0.83 * h), (at, 0.56 * h), (0.02, 0.02), mix(look.gear, BLACK, 0.3))
            self.sketch.polygon(
                [(at - 0.09, 0.56 * h), (at + 0.09, 0.56 * h), (at + 0.1, 0.45 * h), (at - 0.1, 0.45 * h)],
                look.gear,
            )

    def _neck(self) -> None:
        h = self.height
        colour = mix(self.look.skin, BLACK, 0.28)
        wide = 0.066 * h
        self.sketch.limb((self.aside * 0.01, 0.83 * h), (self.aside * 0.02, 0.885 * h), (wide, wide), colour)

    def _hair_behind(self) -> None:
        size, centre = self.person.head, self.person.head_centre
        low = centre - size * (0.55 + 0.5 * self.look.lot)
        wide = size * HEAD_ASPECT * 1.04
        colour = mix(self.look.hair, BLACK, 0.15)
        self.sketch.limb((-self.aside * 0.03, centre), (-self.aside * 0.05, low), (wide, wide * 0.85), colour)

    def _head(self) -> None:
        look, size = self.look, self.person.head
        centre, tall = self.person.head_centre, size / 2
        wide = tall * HEAD_ASPECT
        scarf = look.headgear == "scarf"
        skull = look.gear if scarf else mix(look.skin, WHITE, 0.06) if look.bald else look.hair
        if scarf:
            self.sketch.limb(
                (0, centre - tall * 0.4), (0, centre - tall * 1.5), (wide * 1.9, wide * 2.1), skull
            )
        self.sketch.ball((0, centre), (wide, tall), skull)
        if self.front > -0.35:
            self._face(centre, tall, wide)
        if look.long_hair and not scarf and self.front <= 0.1:
            low = centre - size * (0.45 + 0.6 * look.lot)
            back = -self.aside * wide * 0.35
            self.sketch.limb((back, centre), (back, low), (wide * 1.75, wide * 1.4), look.hair)
        if not scarf and not look.long_hair and abs(self.front) < 0.97:
            ear = mix(look.skin, BLACK, 0.12)
            at = -math.copysign(1, self.aside) * wide * (0.92 * abs(self.front) - 0.15 * abs(self.aside))
            self.sketch.ball((at, centre - tall * 0.12), (wide * 0.14, tall * 0.17), ear)
        self._headgear(centre, tall, wide)

    def _face(self, centre: float, tall: float, wide: float) -> None:
        look = self.look
        down = tall * (0.16 + 0.26 * max(0.0, self.above)) * (0.4 if look.bald else 1.0)
        at = self.aside * wide * 0.4, centre - down
        half = wide * (0.56 + 0.3 * max(self.front, -0.3)), tall - down
        self.sketch.ball(at, half, look.skin)
        pixels = self.head_pixels[1] * 2
        if look.bearded:
            dark = mix(look.hair, look.skin, 0.35)
            self.sketch.ball(
                (at[0], at[1] - half[1] * 0.32), (half[0] * 0.92, half[1] * 0.66), dark, (0, 180)
            )
        if pixels < FEATURES:
            return
        look_at = at[0] + self.aside * half[0] * 0.35
        for side in (-1, 1):
            x = look_at + side * half[0] * 0.42 * max(0.35, self.front)
            self.sketch.ball(
                (x, at[1] + half[1] * 0.2), (half[0] * 0.2, half[1] * 0.1), mix(look.skin, BLACK, 0.55)
            )
            if pixels > 26:
                self._eye(x, at[1] + half[1] * 0.2, half)
        nose = look_at + self.aside * half[0] * 0.2, at[1] - half[1] * 0.1
        self.sketch.ball(nose, (half[0] * 0.15, half[1] * 0.17), mix(look.skin, (200, 110, 80), 0.18))
        mouth = look_at, at[1] - half[1] * 0.46
        self.sketch.ball(mouth, (half[0] * 0.32, half[1] * 0.075), mix(look.skin, LIP, 0.5))

    def _eye(self, x: float, up: float, half: tuple[float, float]) -> None:
        look = self.look
        self.sketch.ball((x, up), (half[0] * 0.2, half[1] * 0.1), mix(look.skin, BLACK, 0.18))
        self.sketch.ball((x, up), (half[0] * 0.16, half[1] * 0.065), (232, 228, 222))
        self.sketch.ball((x, up), (half[0] * 0.075, half[1] * 0.07), (38, 28, 24))
        brow = mix(look.hair, look.skin, 0.2)
        self.sketch.ball((x, up + half[1] * 0.2), (half[0] * 0.24, half[1] * 0.04), brow)

    def _headgear(self, centre: float, tall: float, wide: float) -> None:
        gear, kind = self.look.gear, self.look.headgear
        brow = centre + tall * (0.22 - 0.3 * max(0.0, self.above))
        if kind in ("cap", "beanie"):
            self.sketch.ball((0, brow), (wide * 1.04, centre + tall - brow), gear, (180, 360))
        if kind == "cap" and self.front > -0.5:
            peak = self.aside * wide * 0.9, brow - tall * 0.04
            half = wide * (0.75 if abs(self.aside) < 0.5 else 0.6), tall * (0.1 + 0.2 * self.above)
            self.sketch.ball(peak, half, mix(gear, BLACK, 0.3))
        if kind == "beanie":
            self.sketch.polygon(
                [(dx * wide * 1.05, brow + dy * tall * 0.14) for dx, dy in _SQUARE], mix(gear, BLACK, 0.25)
            )
        if kind == "brim":
            self.sketch.ball(
                (0, brow), (wide * 1.75, tall * (0.16 + 0.6 * max(0.0, self.above))), mix(gear, BLACK, 0.2)
            )
            self.sketch.ball((0, brow + tall * 0.1), (wide * 0.98, centre + tall - brow), gear, (180, 360))
            self.sketch.ball((0, brow + tall * 0.1), (wide * 0.98, tall * 0.3 * max(0.1, self.above)), gear)


_SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
