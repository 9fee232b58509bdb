"""Uprightness: turned photos are told from upright ones by a linear reading of mean features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import crowdscale
from crowdscale.files.images import read_image
from crowdscale.trust.upright import LOOK_PIXELS, MARGIN, Uprightness, find_turn, learn_uprightness

CHANNELS = 40


def draw(number: int, seed: int, turned: bool = False) -> np.ndarray:
    """Features of which a few lean to one side where the photo is turned; one is the same in all."""
    random = np.random.default_rng(seed)
    rows = random.normal(3, np.linspace(0.1, 5, CHANNELS), (number, CHANNELS))
    rows[:, 5:9] += 0.8 * turned * np.linspace(0.1, 5, CHANNELS)[5:9] * 3
    rows[:, 0] = 7
    return rows


def test_upright_and_turned_photos_that_were_not_fitted_are_told_apart():
    turned = {place: draw(3, 100 + place, turned=True) for place in range(0, 200, 2)}
    reading, said = learn_uprightness(draw(200, 1), turned)
    limit = np.quantile(said, 0.9975)
    assert [reading.turned(row) > limit for row in draw(100, 2)].count(True) <= 3
    assert [reading.turned(row) > limit for row in draw(100, 3, turned=True)].count(True) >= 90


def test_the_reading_is_ridge_regression_with_either_kind_weighing_half():
    upright, turned = draw(30, 4), draw(90, 5, turned=True)
    reading = Uprightness.fit(upright, turned)
    means = np.mean([reading.turned(r) for r in upright]), np.mean([reading.turned(r) for r in turned])
    assert sum(means) == pytest.approx(0, abs=1e-9)  # both kinds weigh the same, however many there are
    assert -1 < means[0] < 0 < means[1] < 1
    twice = Uprightness.fit(upright, np.concatenate([turned, turned]))
    assert twice.slopes == pytest.approx(reading.slopes, rel=0.2, abs=0.01)


def test_readings_of_held_out_photos_are_judged_by_others():
    upright = draw(25, 6)
    turned = {place: draw(3, 200 + place, turned=True) for place in range(25)}
    reading, said = learn_uprightness(upright, turned)
    own = np.array([reading.turned(row) for row in upright])
    assert said.mean() > own.mean()  # fitted photos look more upright than they would


@pytest.mark.parametrize("step", [1, 5, 7])
def test_turned_photos_may_lie_at_any_places(step):
    turned = {place: draw(3, 300 + place, turned=True) for place in range(0, 150, step)}
    _, said = learn_uprightness(draw(150, 6), turned)
    assert np.isfinite(said).all()
    assert said.mean() < 0


def test_text_keeps_it():
    reading = Uprightness.fit(draw(30, 7), draw(30, 8, turned=True))
    back = Uprightness.from_text(reading.to_text())
    row = draw(1, 9)[0]
    assert back.turned(row) == pytest.approx(reading.turned(row), rel=1e-5)


BRIGHTER = Uprightness(np.array([-1.0, 1.0]), 0.0)
"""Reads how much brighter the lower half is than the upper one."""


def halves(pixels: np.ndarray) -> np.ndarray:
    """The light of the upper and the lower half, from 0 to 1."""
    middle = pixels.shape[0] // 2
    return np.array([pixels[:middle].mean(), pixels[middle:].mean()]) / 255


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
@pytest.mark.parametrize("size", [(60, 40), (1500, 1000)])
def test_the_turn_that_brings_a_photo_upright_is_found(turn, size):
    sky = np.linspace(255, 0, size[1]).astype(np.uint8)
    upright = np.repeat(np.repeat(sky[:, None, None], size[0], 1), 3, 2)
    seen = []

    def look(pixels: np.ndarray) -> tuple[np.ndarray, float]:
        seen.append(pixels.shape[0] * pixels.shape[1])
        light = halves(pixels)
        return light, 10 * light[0]

    assert find_turn(BRIGHTER, np.ascontiguousarray(np.rot90(upright, -turn)), look) == turn
    assert len(seen) == 4
    assert max(seen) <= LOOK_PIXELS * 1.01


def test_little_difference_turns_nothing():
    flat = np.full((40, 60, 3), 100, np.uint8)
    flat[:20] -= round(255 * MARGIN / 3)
    assert find_turn(BRIGHTER, flat, lambda pixels: (halves(pixels), 10 * float(halves(pixels)[0]))) == 0


@pytest.mark.parametrize(
    ("turn", "words"),
    [(0, None), (1, "by 90° clockwise"), (2, "upside down"), (3, "by 90° counter-clockwise")],
)
def test_the_bundled_model_says_how_to_turn_the_crossing(turn, words):
    pixels = read_image(Path(__file__).parents[2] / "examples" / "crossing.jpg").pixels
    warnings = (
        crowdscale.load("lite", threads=1).predict(np.ascontiguousarray(np.rot90(pixels, turn))).warnings
    )
    assert [words in each for each in warnings] == ([True] if words else [])


@pytest.mark.parametrize(
    ("sure", "turn"),
    [
        ((3.5, 0.0, 0.0, 0.0), 0),
        ((3.5, 9.0, 0.0, 3.6), 3),
        ((3.5, 3.5, 3.5, 3.5), 0),
        ((3.5, 4.0, 9.0, 2.0), 1),
    ],
    ids=["nobody otherwise", "surer at the most upright", "as sure at all", "the most upright of the surer"],
)
def test_a_turn_at_which_heads_are_no_surer_is_none(sure, turn):
    """As in a film from high above a lawn: the reading prefers another turn, at which the network finds nobody."""
    readings = (0.63, 0.14, 0.41, -0.05)
    looks = iter([(np.array([reading]), each) for reading, each in zip(readings, sure, strict=True)])
    assert (
        find_turn(Uprightness(np.ones(1), 0.0), np.zeros((40, 60, 3), np.uint8), lambda _: next(looks))
        == turn
    )
