"""The smoothed count is steady where the crowd is, and follows a step within two counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.errors import OptionError
from crowdscale.video.smoothing import StepMean


def smoothed(counts, **options):
    mean = StepMean(**options)
    return np.array([mean.update(float(count)) for count in counts])


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(20, 2000), st.floats(-0.9, 3))
def test_a_step_has_arrived_after_two_counts(seed, level, height):
    rng = np.random.default_rng(seed)
    noise = 0.03 * level
    step = height * level
    if abs(step) < 8 * noise:
        return
    counts = np.concatenate([np.full(30, level), np.full(20, level + step)]) + rng.normal(0, noise, 50)
    after = smoothed(counts)
    assert abs(after[31] - (level + step)) < 4 * noise
    assert np.abs(after[31:] - (level + step)).max() < 4 * noise


def test_noise_is_reduced_on_steady_counts():
    rng = np.random.default_rng(1)
    counts = 300 + rng.normal(0, 12, 4000)
    assert smoothed(counts)[50:].var() < counts.var() / 4


def test_a_lone_outlier_is_left_out():
    counts = [100.0] * 20 + [300.0] + [100.0] * 5
    assert smoothed(counts).max() == pytest.approx(100)


def test_zero_people_stay_zero_and_one_who_comes_is_seen():
    assert smoothed([0] * 9 + [3, 3]).tolist() == [0] * 10 + [3]


def test_the_first_count_is_taken_as_it_is():
    assert smoothed([42]).tolist() == [42]


@pytest.mark.parametrize("wrong", [{"window": 0}, {"limit": 0}, {"floor": -1}], ids=str)
def test_options(wrong):
    with pytest.raises(OptionError, match="expected window"):
        StepMean(**wrong)
