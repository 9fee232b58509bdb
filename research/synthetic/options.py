"""What a synthetic scene is asked to be: its size, its kind, how many people and how they are seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from crowdscale.errors import OptionError, unknown_name
from research.synthetic.camera import Camera

__all__ = ["KINDS", "SceneOptions", "Setting"]

KINDS = ("mixed", "sparse", "dense", "empty")

PEOPLE = {"sparse": (3, 60), "mixed": (3, 1500), "dense": (400, 1500), "empty": (0, 0)}
"""Fewest and most people of a kind in a photo of ``USUAL`` pixels; others have them in proportion."""
USUAL = 1024 * 768

EMPTY_SHARE = 1 / 8
"""How many of the mixed scenes show nobody."""

LIMITS: dict[str, tuple[float, float]] = {
    "width": (64, 8192),
    "height": (64, 8192),
    "horizon": (-1.0, 0.8),
    "camera_height": (1.2, 60.0),
}


@dataclass(frozen=True)
class SceneOptions:
    """What to draw; what is None is drawn by lot."""

    width: int = 1024
    """Width of the photo in pixels."""
    height: int = 768
    """Height of the photo in pixels."""
    kind: str = "mixed"
    """sparse (a street), dense (a crowd), empty (nobody), or mixed: anything between, every eighth empty."""
    seed: int = 0
    """Equal seeds and numbers draw equal scenes."""
    number: int = 0
    """Number of the scene within its seed: scenes of different seeds share nothing."""
    people: tuple[int, int] | None = None
    """Fewest and most people; fewer are drawn where more would stand hidden."""
    heads: tuple[float, float] = (3.0, 80.0)
    """Smallest and largest height of a head in pixels."""
    horizon: float | None = None
    """Row of the horizon over the photo's height: 0 is the upper edge, negative above it."""
    camera_height: float | None = None
    """Metres of the camera above the ground."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise unknown_name("kind of scene", self.kind, KINDS)
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise OptionError(f"expected {name} from {low:g} to {high:g}", repr(value))
        if self.seed < 0 or self.number < 0:
            raise OptionError("expected seed and number of at least 0", f"{self.seed} and {self.number}")
        if not 2 <= self.heads[0] < self.heads[1] <= 200:
            raise OptionError(
                "expected heads as two rising numbers of pixels from 2 to 200", repr(self.heads)
            )
        self._check_people()

    def _check_people(self) -> None:
        if self.people is None:
            return
        low, high = self.people
        if not 0 <= low <= high <= 20_000:
            raise OptionError("expected people as two rising numbers from 0 to 20000", repr(self.people))
        if self.kind == "empty" and high > 0:
            remedy = "Leave people out, or choose another kind"
            raise OptionError("expected no people in an empty scene", repr(self.people), remedy)

    def random(self) -> np.random.Generator:
        """Return the generator of this scene's lots."""
        return np.random.default_rng([self.seed, self.number])

    def people_range(self) -> tuple[int, int]:
        """Return the fewest and most people: those asked for, or the kind's in proportion to the pixels."""
        if self.people is not None:
            return self.people
        share = self.width * self.height / USUAL
        low, high = PEOPLE[self.kind]
        return (round(low * min(1, share)), max(1, round(high * share))) if high else (0, 0)


@dataclass(frozen=True)
class Setting:
    """What fell by lot for one scene: its camera and its crowd."""

    camera: Camera
    people: int
    heads: tuple[float, float]
    crowding: float
    """0 for a street with a few people … 1 for a dense crowd."""

    @classmethod
    def draw(cls, options: SceneOptions, random: np.random.Generator) -> Setting:
        """Draw lots for what the options leave open."""
        low, high = options.people_range()
        empty = options.kind == "empty" or (
            options.kind == "mixed" and options.people is None and random.random() < EMPTY_SHARE
        )
        people = 0 if empty else round(math.exp(random.uniform(math.log(low + 1), math.log(high + 1))) - 1)
        people = 0 if empty else min(max(people, low), high)
        share = options.width * options.height / USUAL
        crowding = float(np.clip(math.log((people / share + 1) / 20) / math.log(25), 0, 1))
        if empty:
            crowding = float(random.random())
        return cls(_draw_camera(options, crowding, random), people, options.heads, crowding)


def _draw_camera(options: SceneOptions, crowding: float, random: np.random.Generator) -> Camera:
    """A crowd is photographed from higher up and looking down more than a street is."""
    elevation, horizon = options.camera_height, options.horizon
    drawn = 1.65 + 2.2 * random.random() ** 2 + crowding * random.uniform(2.5, 8.0)
    elevation = drawn if elevation is None else elevation
    drawn = random.uniform(0.28, 0.44) - crowding * random.uniform(0.06, 0.3)
    horizon = drawn if horizon is None else horizon
    size = options.width, options.height
    focal = max(size) * random.uniform(0.85, 1.25)
    return Camera.with_horizon(size, focal, elevation, horizon * options.height)
