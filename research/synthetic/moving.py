"""Moving crowds: frames of one scene whose people walk, each with the true identity of every head.

People keep their clothes, avoid one another and turn back at the edge of the frame. A person whose head is hidden is not in the
frame (the rule of ``scene``), and has the same identity when it shows again.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crowdscale.points import Points
from research.synthetic.backdrop import draw_backdrop
from research.synthetic.light import Light, cast_shadows, grade, noise_tile
from research.synthetic.options import SceneOptions, Setting
from research.synthetic.people import draw_person
from research.synthetic.placement import Person, fits
from research.synthetic.scene import FOLDS, Layers, choose_pattern, head_boxes, populate, shadowed

__all__ = ["MovingFrame", "moving_frames"]

Floats = NDArray[np.float64]

STEP = 0.04
"""Seconds of a step of the walk."""
PACE = 1.25, 0.25
"""Mean and standard deviation of the walking speed in metres a second."""
ROOM = 0.7
"""Metres below which two people push each other apart, …"""
PUSH = 3.0
"""… with metres a second for each metre too near."""
STANDING = 0.15
"""Share of people who stand."""


@dataclass(frozen=True, eq=False)
class MovingFrame:
    """A frame of a moving crowd."""

    time: float
    pixels: NDArray[np.uint8]
    """(h, w, 3) RGB."""
    points: Points
    """True head centres."""
    identities: NDArray[np.int64]
    """(n,) of the same people in all frames."""
    everyone: Points
    """Head centres of all people in the view, hidden ones too."""
    everyone_identities: NDArray[np.int64]


def moving_frames(
    options: SceneOptions, rate: float, frames: int, chosen: Container[int] | None = None
) -> Iterator[MovingFrame]:
    """Yield frames of a scene, ``rate`` a second. Equal arguments give equal frames.

    Args:
        options: The scene.
        rate: Frames a second.
        frames: Length of the film.
        chosen: Numbers of the frames to draw; None draws all. A frame is the same whatever others are drawn.
    """
    random = options.random()
    setting = Setting.draw(options, random)
    light = Light.draw(random)
    pattern = choose_pattern(setting, random)
    place = populate(setting, pattern, light, random)
    folds = noise_tile(random, FOLDS, 2.2)
    ground = draw_backdrop(setting.camera, place.far, pattern, light, random)
    there = random.permutation(len(place.people))[: setting.people]
    walk = _Walk([place.people[index] for index in sorted(there.tolist())], setting, place.far, random)
    noise = int(random.integers(2**31))
    for number in range(frames):
        people = walk.to(number / rate)
        if chosen is not None and number not in chosen:
            continue
        order = np.argsort([person.z for person in people], kind="stable")
        layers = Layers(setting.camera)
        order = np.array([index for index in order.tolist() if fits(people[index], setting)], int)
        ordered = [people[index] for index in order]
        shown = layers.lay_all(
            ordered,
            place.patches,
            lambda person: draw_person(setting.camera, person, light, folds, setting.crowding),
        )
        index_of = {id(person): int(index) for person, index in zip(ordered, order, strict=True)}
        drawn = [index_of[id(person)] for person in shown]
        feet = [(thing.foot) for thing in place.things] + [(p.x, p.z, p.height, 0.2) for p in shown]
        behind = shadowed(ground.copy(), cast_shadows(setting.camera, feet, light), setting.camera, place.far)
        pixels = grade(layers.over(behind), light, np.random.default_rng([noise, number]))
        points, _ = head_boxes(setting.camera, shown)
        everyone, _ = head_boxes(setting.camera, ordered)
        yield MovingFrame(number / rate, pixels, points, np.array(drawn, np.int64), everyone, order)


class _Walk:
    """The people of a scene on their ways."""

    def __init__(
        self, people: list[Person], setting: Setting, far: float, random: np.random.Generator
    ) -> None:
        self.people, self.camera = people, setting.camera
        self.place = np.array([(person.x, person.z) for person in people]).reshape(-1, 2)
        heading = np.array([person.heading for person in people])
        pace = np.clip(random.normal(*PACE, len(people)), 0.4, 2.0) * (random.random(len(people)) > STANDING)
        self.wish = pace[:, None] * np.column_stack([np.sin(heading), np.cos(heading)])
        self.heading = heading
        self.near = float(self.place[:, 1].min(initial=1.0))
        self.far = min(far - 0.6, float(self.place[:, 1].max(initial=far)) + 0.5)
        self._steps = 0

    def to(self, time: float) -> list[Person]:
        """Return the people at a time, which never falls."""
        while self._steps * STEP < time - 1e-9:
            self._step()
        return [
            replace(person, x=float(x), z=float(z), heading=float(heading))
            for person, (x, z), heading in zip(self.people, self.place, self.heading, strict=True)
        ]

    def _step(self) -> None:
        self._steps += 1
        move = self.wish + self._push()
        self.place = self.place + STEP * move
        half = self.camera.width / 2 * 0.97 / self.camera.focal
        side = half * self.camera.depth(1.55, self.place[:, 1])
        beyond = np.column_stack(
            [np.abs(self.place[:, 0]) > side, (self.place[:, 1] < self.near) | (self.place[:, 1] > self.far)]
        )
        inward = -np.sign(np.column_stack([self.place[:, 0], self.place[:, 1] - (self.near + self.far) / 2]))
        self.wish = np.where(beyond, inward * np.abs(self.wish), self.wish)
        self.place[:, 0] = np.clip(self.place[:, 0], -side, side)
        self.place[:, 1] = np.clip(self.place[:, 1], self.near, self.far)
        walking = np.hypot(*self.wish.T) > 0.1
        turn = np.arctan2(self.wish[:, 0], self.wish[:, 1]) - self.heading
        turn = (turn + math.pi) % (2 * math.pi) - math.pi
        self.heading = self.heading + np.where(walking, np.clip(turn, -4 * STEP, 4 * STEP), 0.0)

    def _push(self) -> Floats:
        """Return the velocity by which those too near leave one another."""
        push = np.zeros_like(self.place)
        pairs = (
            cKDTree(self.place).query_pairs(ROOM, output_type="ndarray")
            if len(self.place)
            else np.zeros((0, 2), int)
        )
        gap = self.place[pairs[:, 0]] - self.place[pairs[:, 1]]
        apart = np.maximum(np.hypot(*gap.T), 0.05)[:, None]
        force = PUSH * (ROOM - apart) * gap / apart
        np.add.at(push, pairs[:, 0], force)
        np.add.at(push, pairs[:, 1], -force)
        return push
