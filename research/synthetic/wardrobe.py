"""Wardrobe: what somebody looks like — skin, hair, hats, clothes, build and pose — drawn by lot from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.synthetic.sketch import Colour, mix

__all__ = ["Look"]

SKINS: tuple[Colour, ...] = (
    (247, 222, 205), (240, 205, 180), (229, 188, 156), (214, 168, 132), (194, 145, 108),
    (168, 119, 84), (139, 94, 64), (110, 72, 50), (82, 53, 38), (62, 40, 30),
)  # fmt: skip
"""Tones over the whole human range; those between are mixed."""

HAIRS: tuple[Colour, ...] = (
    (22, 18, 17), (30, 24, 22), (40, 29, 23), (58, 40, 28), (84, 58, 36), (122, 84, 48),
    (176, 138, 84), (206, 176, 124), (138, 62, 34), (150, 148, 146), (205, 203, 200),
)  # fmt: skip

CLOTHES: tuple[Colour, ...] = (
    (24, 25, 30), (34, 36, 42), (45, 48, 56), (28, 36, 60), (36, 52, 88), (60, 84, 128), (92, 122, 168),
    (120, 122, 126), (170, 172, 174), (222, 222, 220), (238, 236, 230), (206, 190, 164), (150, 126, 96),
    (98, 76, 56), (70, 78, 58), (52, 92, 70), (120, 34, 40), (176, 42, 46), (204, 84, 54), (214, 160, 52),
    (230, 206, 96), (92, 60, 110), (206, 120, 146), (228, 180, 190), (66, 140, 150), (120, 170, 110),
)  # fmt: skip

TROUSERS: tuple[Colour, ...] = (
    (26, 28, 36), (34, 38, 52), (46, 58, 84), (64, 82, 116), (88, 108, 142), (58, 56, 58), (96, 92, 88),
    (150, 136, 112), (190, 178, 154), (44, 40, 38), (70, 66, 52),
)  # fmt: skip

SHOES: tuple[Colour, ...] = ((28, 26, 26), (52, 40, 32), (210, 208, 204), (92, 92, 96), (150, 60, 56))

HEADGEAR = (("", 0.8), ("cap", 0.09), ("beanie", 0.03), ("brim", 0.03), ("scarf", 0.05))
ARMS = (("down", 0.46), ("swing", 0.22), ("bent", 0.16), ("phone", 0.10), ("hip", 0.06))
LEGS = (("trousers", 0.72), ("shorts", 0.12), ("skirt", 0.09), ("dress", 0.07))
TOPS = (("plain", 0.5), ("open", 0.18), ("stripes", 0.08), ("print", 0.12), ("coat", 0.12))


@dataclass(frozen=True)
class Look:
    """Clothes, colours and pose of a person."""

    skin: Colour
    hair: Colour
    top: Colour
    inner: Colour
    """Of a shirt under an open jacket, of stripes and prints."""
    bottom: Colour
    shoe: Colour
    gear: Colour
    headgear: str
    arms: str
    legs: str
    cut: str
    """Of the top: plain, open, stripes, print or coat."""
    long_hair: bool
    bald: bool
    bearded: bool
    sleeves: bool
    bag: str
    """``back``, ``side`` or none."""
    build: float
    """Width over the usual."""
    stride: float
    """0 standing … 1 in full step."""
    lot: float
    """One more lot, 0…1, for small things."""

    @classmethod
    def draw(cls, seed: int, arms_up: float) -> Look:
        """Draw a look; equal seeds draw equal looks."""
        lot = np.random.default_rng(seed).random(28).tolist()
        long_hair = lot[0] < 0.42
        skin = _tone(SKINS, lot[1])
        hair = _pick_hair(lot[2], dark=lot[1] > 0.45)
        return cls(
            skin=skin, hair=_vary(hair, lot[3], 8), top=_vary(_cloth(lot[4]), lot[5]),
            inner=_cloth(lot[6]), bottom=_vary(TROUSERS[int(lot[7] * len(TROUSERS))], lot[8]),
            shoe=SHOES[int(lot[9] * len(SHOES))], gear=_vary(_cloth(lot[10]), lot[11]),
            headgear=_pick(HEADGEAR, lot[12]), arms="up" if lot[13] < arms_up else _pick(ARMS, lot[14]),
            legs=_pick(LEGS, lot[15]) if long_hair or lot[15] < 0.84 else "trousers", cut=_pick(TOPS, lot[16]),
            long_hair=long_hair, bald=not long_hair and lot[17] < 0.12,
            bearded=not long_hair and lot[18] < 0.3, sleeves=lot[19] < 0.62,
            bag="back" if lot[20] < 0.14 else "side" if lot[20] < 0.26 else "",
            build=0.88 + 0.22 * lot[21] + 0.16 * lot[22] ** 4 - 0.06 * long_hair,
            stride=lot[23] if lot[24] < 0.6 else 0.15, lot=lot[25],
        )  # fmt: skip


def _pick(choices: tuple[tuple[str, float], ...], lot: float) -> str:
    for name, share in choices:
        if lot < share:
            return name
        lot -= share
    return choices[0][0]


def _cloth(lot: float) -> Colour:
    """Return a colour of clothes: dark and grey ones are worn most, and none is as bright as paint."""
    colour = CLOTHES[int(lot**1.3 * len(CLOTHES))]
    grey = sum(colour) / 3
    return mix(colour, (grey, grey, grey), 0.22)


def _pick_hair(lot: float, dark: bool) -> Colour:
    if dark or lot < 0.55:
        return HAIRS[int(lot * 97) % 4]
    return HAIRS[3 + int((lot - 0.55) / 0.45 * (len(HAIRS) - 3))]


def _tone(tones: tuple[Colour, ...], lot: float) -> Colour:
    place = lot * (len(tones) - 1)
    return mix(tones[int(place)], tones[min(int(place) + 1, len(tones) - 1)], place % 1)


def _vary(colour: Colour, lot: float, amount: float = 18) -> Colour:
    """Return the colour a little lighter or darker."""
    shift = (lot - 0.5) * 2 * amount
    return tuple(min(250.0, max(6.0, part + shift)) for part in colour)  # type: ignore[return-value]
