"""Where people stand: alone, in groups, in queues, before a stage; never two in one place.

Every pattern gives rows (x, z, heading): metres on the ground and the way a person faces, in radians from
"away from the camera", clockwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from research.synthetic.camera import Camera
from research.synthetic.options import Setting
from research.synthetic.sketch import Patch

__all__ = ["HEAD", "HEAD_ASPECT", "Field", "Person", "choose_visible", "fits", "place_people"]

Floats = NDArray[np.float64]

HEAD = 0.24
"""Metres from chin to crown, hair included, of someone 1.72 m tall."""
HEAD_ASPECT = 0.8
"""Width of a head over its height."""
HEAD_PLANE = 1.55
"""Metres above the ground at which most heads are."""

LEAST_EXTENT = 0.35
"""A field ends no nearer than this share of the depth at which heads are too small."""
SPACING = 0.46
"""Least metres between two people."""
OVERSAMPLED = 2.2
"""Places drawn for each person wanted: some fall on others, outside the frame or behind somebody."""

SPARE = 1.15
"""People chosen for each one wanted: some turn out to be hidden once they are drawn."""
CLEAR = 0.55
"""Least visible share of a head for its person to be chosen; stricter than ``scene.SEEN``, since silhouettes here are
coarse."""


@dataclass(frozen=True)
class Person:
    """A person on the ground."""

    x: float
    z: float
    height: float
    heading: float
    look: int
    """Seed of clothes and pose."""
    arms_up: float = 0.0
    """Probability of raised arms."""

    @property
    def head(self) -> float:
        """Metres from chin to crown: children have larger heads for their height."""
        return HEAD * (0.75 + 0.25 * self.height / 1.72)

    @property
    def head_centre(self) -> float:
        """Metres of the head's centre above the ground."""
        return self.height - self.head / 2


@dataclass(frozen=True)
class Field:
    """The part of the ground on which heads are in the frame and of a size that is wanted."""

    camera: Camera
    near: float
    """Least depth of a head in metres."""
    far: float
    """Greatest depth."""

    @classmethod
    def of(cls, setting: Setting, density: float) -> Field:
        """Return the field of a setting, ended where it has room at ``density`` people a square metre."""
        camera, (smallest, largest) = setting.camera, setting.heads
        low, high = camera.depths_in_view(HEAD_PLANE)
        near = max(low * 0.97, camera.focal * HEAD / largest)
        far = min(high, camera.focal * HEAD / smallest)
        wanted = setting.people / density * camera.focal / camera.width  # the field is a cut-off wedge
        ended = max(math.sqrt(near**2 + wanted), far * LEAST_EXTENT)
        return cls(camera, near, max(near * 1.05, min(far, ended)))

    def at(self, depth: Floats, across: Floats) -> Floats:
        """Return (n, 2) ground positions at depths of heads and at shares -1…1 of the frame's width."""
        below = (self.camera.elevation - HEAD_PLANE) * math.sin(self.camera.pitch)
        z = (depth - below) / math.cos(self.camera.pitch)
        return np.column_stack([across * depth * self.camera.width / 2 / self.camera.focal, z])

    def scatter(self, count: int, random: np.random.Generator, evenness: float = 1.0) -> Floats:
        """Return (n, 2) random positions: even on the ground at 1, in the picture's depth at 0."""
        lot = random.random(count)
        even = np.sqrt(self.near**2 + lot * (self.far**2 - self.near**2))
        steep = self.near * (self.far / self.near) ** lot
        depth = np.where(random.random(count) < evenness, even, steep)
        return self.at(depth, random.uniform(-1.02, 1.02, count))

    @property
    def middle(self) -> Floats:
        """(x, z) of the middle of its far edge."""
        return np.asarray(self.at(np.array([self.far]), np.array([0.0]))[0])


def place_people(
    field: Field, setting: Setting, pattern: str, obstacles: Floats, random: np.random.Generator
) -> list[Person]:
    """Return candidates, nearest first: more than are wanted, for some will stand behind others.

    Args:
        field: Where they may stand.
        setting: How many are wanted and the sizes of heads.
        pattern: ``street``, ``square`` or ``stage``.
        obstacles: (n, 3) rows (x, z, radius) in metres that nobody stands in.
        random: The scene's lots.
    """
    wanted = math.ceil(setting.people * OVERSAMPLED) + 12 if setting.people else 0
    rows = _pattern_rows(field, pattern, wanted, setting.crowding, random)
    rows = rows[_apart(rows[:, :2], obstacles)]
    tall = np.where(random.random(len(rows)) < 0.07, random.uniform(1.0, 1.5, len(rows)), 0.0)
    adult = np.clip(random.normal(1.70, 0.085, len(rows)), 1.48, 1.98)
    heights = np.where(tall > 0, tall, adult)
    looks = random.integers(0, 2**31, len(rows))
    up = 0.16 if pattern == "stage" else 0.01
    people = [
        Person(float(x), float(z), float(height), float(heading), int(look), up)
        for (x, z, heading), height, look in zip(rows, heights, looks, strict=True)
    ]
    fitting = [person for person in people if fits(person, setting)]
    return sorted(fitting, key=lambda person: person.z)


def fits(person: Person, setting: Setting) -> bool:
    """Whether the head's centre is in the frame and the head of a wanted size."""
    camera = setting.camera
    if camera.depth(person.height, person.z) < 0.5:
        return False
    column, row, scale = map(float, camera.project(person.x, person.head_centre, person.z))
    size = person.head * scale
    inside = 0 <= column <= camera.width - 1 and size * 0.2 <= row <= camera.height - 1 - size * 0.1
    return inside and setting.heads[0] <= size <= setting.heads[1]


def _pattern_rows(
    field: Field, pattern: str, count: int, crowding: float, random: np.random.Generator
) -> Floats:
    """Return the rows of a mixture of ways to stand."""
    shares = {
        "street": {_alone: 0.45, _groups: 0.45, _queues: 0.1},
        "square": {_alone: 0.5, _groups: 0.38, _queues: 0.12},
        "stage": {_audience: 0.85, _groups: 0.1, _alone: 0.05},
    }[pattern]
    parts = [way(field, math.ceil(count * share), crowding, random) for way, share in shares.items()]
    rows = np.concatenate(parts)
    return rows[random.permutation(len(rows))]


def _alone(field: Field, count: int, crowding: float, random: np.random.Generator) -> Floats:
    """Walkers all over, most of them along one of two ways."""
    way = random.uniform(-math.pi, math.pi) + math.pi * (random.random(count) < 0.5)
    heading = np.where(random.random(count) < 0.6, way + random.normal(0, 0.3, count), 2 * way)
    return np.column_stack([field.scatter(count, random, 0.3 + 0.5 * crowding), heading])


def _groups(field: Field, count: int, crowding: float, random: np.random.Generator) -> Floats:
    """A Thomas process: parents anywhere, their people normally around them, turned to the middle."""
    size = 3.5 + 40 * crowding**2
    parents = field.scatter(max(1, round(count / size)), random, 0.3 + 0.5 * crowding)
    own = random.integers(0, len(parents), count)
    sigma = (0.55 + 2.6 * crowding**2) * random.uniform(0.7, 1.5, len(parents))
    offset = random.normal(0, 1, (count, 2)) * sigma[own][:, None]
    together = random.random(len(parents))[own] < 0.4  # these walk side by side
    heading = np.arctan2(-offset[:, 0], -offset[:, 1]) + random.normal(0, 0.5, count)
    heading = np.where(together, random.uniform(-math.pi, math.pi, len(parents))[own], heading)
    return np.column_stack([parents[own] + offset, heading])


def _queues(field: Field, count: int, crowding: float, random: np.random.Generator) -> Floats:
    """Lines of people, each looking at the back of the next."""
    length = max(4, round(6 + 12 * crowding))
    lines = max(1, round(count / length))
    starts = field.scatter(lines, random, 0.3 + 0.5 * crowding)
    own = np.arange(count) % lines
    place = (np.arange(count) // lines)[:, None] * 0.75
    way = random.uniform(-math.pi, math.pi, lines)[own]
    step = np.column_stack([np.sin(way), np.cos(way)])
    spots = starts[own] - step * place + random.normal(0, 0.1, (count, 2))
    return np.column_stack([spots, way + random.normal(0, 0.25, count)])


def _audience(field: Field, count: int, crowding: float, random: np.random.Generator) -> Floats:
    """A crowd that faces a stage at the far edge, denser before it."""
    spots = field.scatter(count * 2, random, 0.35 + 0.5 * crowding)
    stage = field.middle
    away = np.hypot(*(spots - stage).T)
    keep = np.argsort(away * random.uniform(0.25, 1.0, len(away)))[:count]
    spots = spots[keep]
    heading = np.arctan2(stage[0] - spots[:, 0], stage[1] - spots[:, 1])
    return np.column_stack([spots, heading + random.normal(0, 0.22, count)])


def _apart(xz: Floats, obstacles: Floats) -> list[int]:
    """Return which places keep their distance from all that were taken before; in order, by a grid."""
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    free: list[int] = []
    blocked = np.zeros(len(xz), dtype=bool)
    for x, z, radius in obstacles:
        blocked |= np.hypot(xz[:, 0] - x, xz[:, 1] - z) < radius + 0.25
    for index, (x, z) in enumerate(xz.tolist()):
        i, j = math.floor(x / SPACING), math.floor(z / SPACING)
        around = (other for a in (-1, 0, 1) for b in (-1, 0, 1) for other in taken.get((i + a, j + b), ()))
        if blocked[index] or any((x - u) ** 2 + (z - v) ** 2 < SPACING**2 for u, v in around):
            continue
        taken.setdefault((i, j), []).append((x, z))
        free.append(index)
    return free


def choose_visible(
    people: list[Person],
    things: list[Patch],
    setting: Setting,
    random: np.random.Generator,
) -> list[Person]:
    """Return people whose heads are likely to be seen, ``SPARE`` times as many as wanted, nearest first.

    People hidden by nearer ones are left out before the choice. Leaving out others hides nobody.
    """
    camera = setting.camera
    covered = np.zeros((camera.height, camera.width), dtype=np.uint8)
    waiting = sorted(things, key=lambda patch: -patch.z)
    visible = []
    for index, person in enumerate(people):
        while waiting and waiting[-1].z < person.z:
            patch = waiting.pop()
            area = covered[patch.slices]
            np.maximum(area, (patch.alpha > 0.3).astype(np.uint8), out=area)
        if _cover(person, camera, covered):
            visible.append(index)
    chosen = random.permutation(visible)[: math.ceil(setting.people * SPARE)]
    return [people[index] for index in sorted(chosen.tolist())]


def _cover(person: Person, camera: Camera, covered: NDArray[np.uint8]) -> bool:
    """Add a person's silhouette to the covered area if enough of the head is free; return whether it was."""
    column, row, scale = map(float, camera.project(person.x, person.head_centre, person.z))
    tall = person.head * scale / 2
    wide = tall * HEAD_ASPECT
    top, left = max(0, round(row - tall * 0.8)), max(0, round(column - wide * 0.8))
    box = covered[top : round(row + tall * 0.8) + 1, left : round(column + wide * 0.8) + 1]
    if covered[round(row), round(column)] or box.mean() > 1 - CLEAR:
        return False
    _, foot, low = map(float, camera.project(person.x, 0.0, person.z))
    half, hip = 0.27 * scale, 0.2 * low
    body = [
        (column - half, row + tall * 1.4), (column + half, row + tall * 1.4),
        (column + hip, foot), (column - hip, foot),
    ]  # fmt: skip
    cv2.fillConvexPoly(covered, np.rint(body).clip(-20000, 20000).astype(np.int32), 1)
    axes = max(1, round(wide)), max(1, round(tall))
    cv2.ellipse(covered, (round(column), round(row)), axes, 0, 0, 360, 1, -1)
    return True
