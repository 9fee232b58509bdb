"""Uprightness: detects photos on their side or upside down, by the mean of the network's features.

Networks are trained on upright photos alone. One linear reading, fitted by ridge regression to upright training photos and to the
same photos turned by 90, 180 and 270°, separates the two. A photo with an unusual reading is checked in all four
orientations. The most upright one is right, if heads are located more surely in it than in the photo as it lies: a camera
high above a lawn has an unusual reading, and nobody is found at another turn.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.files.images import resize_image

__all__ = [
    "DOUBT",
    "TURNS",
    "TurnLook",
    "Uprightness",
    "best_turn",
    "find_turn",
    "learn_uprightness",
    "read_turns",
]

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

TURNS = (1, 2, 3)
"""Quarters of a turn, counter-clockwise, by which training photos are turned."""

RIDGE = 0.1
"""Weight of the squared slopes beside the mean squared error, in standardised features: of 0.005 to 0.5 the best one on
validation photos by itself, fitted to a quarter of the training photos: all but two of 210 turned ones, and no upright one."""

FOLDS = 5

DOUBT = 0.95
"""Share of upright training photos whose reading leaves no doubt. The others are checked in all four orientations."""

LOOK_PIXELS = 400_000
"""Pixels to which a photo in doubt is reduced for that: the smallest of 50, 100, 200 and 400 thousand at which every validation
photo read as most upright the right way up, by both bundled models."""

MARGIN = 0.2
"""By how much another turn has to read as more upright."""

FEWEST_TURNED = 20
"""Photos also seen turned below which nothing is learned of turned ones."""


@dataclass(frozen=True, eq=False)
class Uprightness:
    """A linear reading of (c,) mean features: about -1 for upright photos and 1 for turned ones."""

    slopes: Floats
    """(c,)."""
    offset: float

    def turned(self, features: Floats) -> float:
        """Return the reading of a photo with (c,) mean features."""
        return float(features @ self.slopes + self.offset)

    def to_text(self) -> str:
        """Return the reading as text: float32 numbers in base64, the offset last."""
        return base64.b64encode(np.append(self.slopes, self.offset).astype("<f4").tobytes()).decode()

    @classmethod
    def from_text(cls, text: str) -> Uprightness:
        """Return the reading that ``to_text`` wrote."""
        *slopes, offset = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
        return cls(np.array(slopes), float(offset))

    @classmethod
    def fit(cls, upright: Floats, turned: Floats) -> Uprightness:
        """Return the reading that separates (n, c) features of upright photos from (m, c) of turned ones."""
        rows = np.concatenate([upright, turned])
        wanted = np.repeat([-1.0, 1.0], [len(upright), len(turned)])
        shares = np.repeat([0.5 / len(upright), 0.5 / len(turned)], [len(upright), len(turned)])
        centre, spread = rows.mean(axis=0), rows.std(axis=0)
        spread[spread == 0] = 1
        normal = (rows - centre) / spread
        middle = shares @ normal
        leaning = (normal - middle) * shares[:, None]
        slopes = np.linalg.solve(
            leaning.T @ (normal - middle) + RIDGE * np.eye(rows.shape[1]), leaning.T @ wanted
        )
        slopes = slopes / spread
        return cls(slopes, -float((centre + middle * spread) @ slopes))


def learn_uprightness(upright: Floats, turned: Mapping[int, Floats]) -> tuple[Uprightness, Floats]:
    """Return the reading, and what readings of the other photos say of each upright photo (cross-fitted).

    Args:
        upright: (n, c) mean features of training photos.
        turned: (k, c) of the same photo turned, by its place; of some photos or of all.
    """
    every = np.concatenate(list(turned.values()))
    said = np.empty(len(upright))
    folds = np.arange(len(upright)) % FOLDS
    folds[sorted(turned)] = np.arange(len(turned)) % FOLDS  # evenly, whatever the places
    for fold in range(FOLDS):
        own = folds == fold
        others = [rows for place, rows in turned.items() if folds[place] != fold]
        reading = Uprightness.fit(upright[~own], np.concatenate(others))
        said[own] = [reading.turned(row) for row in upright[own]]
    return Uprightness.fit(upright, every), said


class TurnLook(NamedTuple):
    """The reading of a photo at one turn."""

    reading: float
    """About -1 for upright, 1 for turned."""
    sure: float
    """Sum of confidences of the heads, or the count of a model without."""


def find_turn(reading: Uprightness, pixels: Pixels, look: Callable[[Pixels], tuple[Floats, float]]) -> int:
    """Return by how many quarters, counter-clockwise, a photo has to be turned to stand upright; 0 where it does.

    Args: those of ``read_turns``.
    """
    return best_turn(read_turns(reading, pixels, look))


def best_turn(looks: Sequence[TurnLook]) -> int:
    """Return the turn that reads as most upright, 0 where it is hardly more so than the photo as it is.

    A turn at which heads are located no more surely than in the photo as it lies is none. (At 20 training photos of
    ShanghaiTech, 60 turns, the sum of confidences was highest the right way up at all, the count at 59.)

    Args:
        looks: Those of ``read_turns``.
    """
    readings = [
        look.reading if turn == 0 or look.sure > looks[0].sure else np.inf for turn, look in enumerate(looks)
    ]
    best = int(np.argmin(readings))
    return best if readings[0] - readings[best] > MARGIN else 0


def read_turns(
    reading: Uprightness, pixels: Pixels, look: Callable[[Pixels], tuple[Floats, float]]
) -> list[TurnLook]:
    """Return how a photo looks after 0 to 3 quarters of a turn, counter-clockwise.

    Args:
        reading: Of the model.
        pixels: (h, w, 3) RGB.
        look: Pixels to the (c,) mean features of the network and the sum of confidences of the heads.
    """
    factor = min(1.0, (LOOK_PIXELS / (pixels.shape[0] * pixels.shape[1])) ** 0.5)
    height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
    small = resize_image(pixels, width, height)
    looks = [look(np.ascontiguousarray(np.rot90(small, turn))) for turn in (0, *TURNS)]
    return [TurnLook(reading.turned(features), sure) for features, sure in looks]
