"""A scene from its options: camera, places, people from the nearest to the farthest, ground, photo.

People are drawn from front to back, each below those already there. So the visible part of a head is exact to the pixel
before its person is drawn. **The rule**: a person is left out if the centre of the head is hidden, or if less than the
share ``SEEN`` of the head is visible. So each person in the picture has a point, and the pixel of a point shows that head.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from crowdscale.points import Points
from research.synthetic.backdrop import draw_backdrop
from research.synthetic.camera import Camera
from research.synthetic.light import Light, cast_shadows, grade, noise_tile
from research.synthetic.options import SceneOptions, Setting
from research.synthetic.people import draw_person
from research.synthetic.placement import HEAD_ASPECT, Field, Person, choose_visible, place_people
from research.synthetic.sketch import Patch
from research.synthetic.things import Thing, draw_thing, place_things

__all__ = [
    "FOLDS",
    "SEEN",
    "Layers",
    "Scene",
    "choose_pattern",
    "compose_scene",
    "draw_scene",
    "head_boxes",
    "populate",
    "shadowed",
]

Floats = NDArray[np.float32]

SEEN = 0.4
"""Least visible share of each head in the picture."""
ATTEMPTS = 4
"""Attempts to find a place for all people."""
ENOUGH = 1.1
"""Probably visible people needed per wanted person."""
WIDE = 0.3
"""Share of the scenes that run as far as heads are large enough."""
DENSITIES = 0.03, 0.45, 2.5
"""People per square metre: the fewest in a street, the fewest in a crowd, the most anywhere."""
FOLDS = 512
"""Side of the tile of noise that creases are cut from."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A synthetic photo with its truth."""

    pixels: NDArray[np.uint8]
    """(h, w, 3) RGB."""
    points: Points
    """The centres of the heads, nearest person first."""
    sizes: NDArray[np.float64]
    """(n, 2) width and height of each head's box."""
    ids: NDArray[np.int32]
    """(h, w): number of the person at each pixel, from 1; -1 is a thing, 0 the ground."""
    people: tuple[Person, ...]
    things: tuple[Thing, ...]
    camera: Camera


def draw_scene(options: SceneOptions) -> tuple[NDArray[np.uint8], Points, NDArray[np.float64]]:
    """Return (pixels, points, sizes) of a scene: (h, w, 3) RGB, head centres, (n, 2) head boxes.

    Equal options give equal scenes.
    """
    scene = compose_scene(options)
    return scene.pixels, scene.points, scene.sizes


def compose_scene(options: SceneOptions) -> Scene:
    """Return a scene with its truth."""
    random = options.random()
    setting = Setting.draw(options, random)
    light = Light.draw(random)
    camera = setting.camera
    pattern = choose_pattern(setting, random)
    place = populate(setting, pattern, light, random)
    layers, people = _lay_crowd(place, setting, light, random)
    feet = [thing.foot for thing in place.things] + [(p.x, p.z, p.height, 0.2) for p in people]
    behind = draw_backdrop(camera, place.far, pattern, light, random)
    behind = shadowed(behind, cast_shadows(camera, feet, light), camera, place.far)
    pixels = grade(layers.over(behind), light, random)
    points, sizes = head_boxes(camera, people)
    return Scene(pixels, points, sizes, layers.ids, tuple(people), tuple(place.things), camera)


def _lay_crowd(
    place: _Place, setting: Setting, light: Light, random: np.random.Generator
) -> tuple[Layers, list[Person]]:
    """Return the picture and its people: as many visible ones as wanted.

    A first pass over all people finds the hidden ones. Leaving out some of the others hides nobody.
    """
    folds = noise_tile(random, FOLDS, 2.2)

    @cache
    def draw(person: Person) -> Patch | None:
        return draw_person(setting.camera, person, light, folds, setting.crowding)

    visible = Layers(setting.camera).lay_all(place.people, place.patches, draw)
    chosen = sorted(random.permutation(len(visible))[: setting.people].tolist())
    layers = Layers(setting.camera)
    return layers, layers.lay_all([visible[index] for index in chosen], place.patches, draw)


@dataclass(frozen=True)
class _Place:
    """People and things with their positions, and the depth of the place."""

    people: list[Person]
    things: list[Thing]
    patches: list[Patch]
    far: float
    """Metres along the ground."""


def populate(setting: Setting, pattern: str, light: Light, random: np.random.Generator) -> _Place:
    """Return a place with as many people as wanted, larger if too many would be hidden."""
    density = _density(setting, random)
    place = _fill(Field.of(setting, density), setting, pattern, light, random)
    for _ in range(ATTEMPTS - 1):
        if len(place.people) >= setting.people * ENOUGH:
            break
        density /= 2.5
        place = _fill(Field.of(setting, density), setting, pattern, light, random)
    return place


def _fill(field: Field, setting: Setting, pattern: str, light: Light, random: np.random.Generator) -> _Place:
    """Put things and people into a field."""
    far = float(field.middle[1]) * 1.04 + 2.0
    things = [thing for thing in place_things(field, setting.crowding, random) if thing.z < far]
    patches = [patch for thing in things if (patch := draw_thing(setting.camera, thing, light)) is not None]
    obstacles = np.array([(t.x, t.z, t.room) for t in things]).reshape(-1, 3)
    candidates = place_people(field, setting, pattern, obstacles, random)
    candidates = [person for person in candidates if person.z < far - 0.6]
    return _Place(choose_visible(candidates, patches, setting, random), things, patches, far)


def choose_pattern(setting: Setting, random: np.random.Generator) -> str:
    """A few people are in a street; many on a square or before a stage."""
    if setting.crowding < 0.3:
        return "street"
    return "stage" if random.random() < 0.45 else "square"


def _density(setting: Setting, random: np.random.Generator) -> float:
    """Return how many people a square metre are aimed at."""
    street, crowd, most = map(math.log, DENSITIES)
    if random.random() < WIDE:
        return 1e-6
    return math.exp(random.uniform(street + (crowd - street) * setting.crowding, most))


def shadowed(picture: Floats, shade: Floats, camera: Camera, far: float) -> Floats:
    """Shadows lie on the ground, not on what stands behind its far end."""
    rim = max(0, round(float(camera.project(0.0, 0.0, far)[1])))
    picture[rim:] *= shade[rim:, :, None]
    return picture


def head_boxes(camera: Camera, people: list[Person]) -> tuple[Points, NDArray[np.float64]]:
    """Return the head centres and the boxes, as projected."""
    if not people:
        return Points(), np.zeros((0, 2))
    x, up, z, head = np.array([(p.x, p.head_centre, p.z, p.head) for p in people]).T
    columns, rows, scale = camera.project(x, up, z)
    tall = head * scale
    return Points(np.column_stack([columns, rows])), np.column_stack([tall * HEAD_ASPECT, tall])


class Layers:
    """The picture so far, from the front: colour times alpha, alpha, and whose pixel it is."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._colour = np.zeros((camera.height, camera.width, 3), dtype=np.float32)
        self._alpha = np.zeros((camera.height, camera.width), dtype=np.float32)
        self.ids = np.zeros((camera.height, camera.width), dtype=np.int32)

    def lay_all(
        self, people: list[Person], things: list[Patch], draw: Callable[[Person], Patch | None]
    ) -> list[Person]:
        """Draw people and things from the nearest on, and return the people in the picture."""
        waiting = sorted(things, key=lambda patch: -patch.z)
        shown: list[Person] = []
        for person in people:
            while waiting and waiting[-1].z < person.z:
                self._lay(waiting.pop(), -1)
            if not self._is_visible(person):
                continue
            patch = draw(person)
            if patch is not None:
                shown.append(person)
                self._lay(patch, len(shown))
        for patch in reversed(waiting):
            self._lay(patch, -1)
        return shown

    def over(self, behind: Floats) -> Floats:
        """Return the picture over a background."""
        return np.asarray(self._colour + (1 - self._alpha[..., None]) * behind, dtype=np.float32)

    def _is_visible(self, person: Person) -> bool:
        """Return whether the centre of the person's head, and enough of the head, is free."""
        column, row, scale = map(float, self._camera.project(person.x, person.head_centre, person.z))
        if self.ids[round(row), round(column)] or self._alpha[round(row), round(column)] > 0.25:
            return False
        tall = person.head * scale / 2
        wide = tall * HEAD_ASPECT
        y, x = np.mgrid[
            round(row - tall) : round(row + tall) + 1, round(column - wide) : round(column + wide) + 1
        ]
        inside = ((x - column) / wide) ** 2 + ((y - row) / tall) ** 2 <= 1
        inside &= (x >= 0) & (y >= 0) & (x < self._camera.width) & (y < self._camera.height)
        return float((1 - self._alpha[y[inside], x[inside]]).sum()) >= SEEN * max(1, _area(wide, tall))

    def _lay(self, patch: Patch, number: int) -> None:
        """Draw a patch below the picture so far."""
        room = 1 - self._alpha[patch.slices]
        self._colour[patch.slices] += patch.colour * room[..., None]
        shown = patch.alpha * room
        self._alpha[patch.slices] += shown
        ids = self.ids[patch.slices]
        ids[(shown >= 0.5) & (ids == 0)] = number


def _area(wide: float, tall: float) -> float:
    """Return the pixels of an ellipse."""
    return float(np.pi * wide * tall)
