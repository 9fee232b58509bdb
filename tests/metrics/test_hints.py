"""Hints: each change of coordinates is named, and sound predictions get none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from crowdscale.metrics.hints import placement_hint
from crowdscale.metrics.thresholds import Fixed
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import Points

RNG = np.random.default_rng(0)
TRUE = [RNG.uniform(10, 390, (12, 2)) for _ in range(4)]


def hint(change: Callable[[np.ndarray], np.ndarray]) -> str:
    pairs = [(Points(change(xy)), GroundTruth(Points(xy))) for xy in TRUE]
    return placement_hint(pairs, [Fixed(8)]) or ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda xy: xy[:, ::-1], "x and y swapped"),
        (lambda xy: xy * 2, "x and y halved"),
        (lambda xy: xy / 2, "x and y doubled"),
        (lambda xy: xy / 400, "x and y multiplied by 400"),
        (lambda xy: xy[:, ::-1] / 3, "x and y swapped and multiplied by 3"),
        (lambda xy: np.add(xy, (30, -20)), "shifted by (-30, 20) px"),
        (lambda xy: np.column_stack([400 - xy[:, 0], xy[:, 1]]), "x mirrored to 400 - x"),
        (lambda xy: np.column_stack([xy[:, 0], 300 - xy[:, 1]]), "y mirrored to 300 - y"),
        (lambda xy: np.vstack([xy, xy]), "points that stand there twice taken once"),
    ],
)
def test_other_coordinates_are_named(change: Callable[[np.ndarray], np.ndarray], words: str) -> None:
    assert words in hint(change)


def test_sound_and_hopeless_predictions_get_no_hint() -> None:
    assert hint(lambda xy: xy + 1) == ""
    assert hint(lambda xy: np.random.default_rng(1).uniform(0, 400, xy.shape)) == ""
