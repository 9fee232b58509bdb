"""Confidence of heads: a curve that is right on average, keeps their order, and survives JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from crowdscale.errors import DataError
from crowdscale.evaluation.heads import right_heads
from crowdscale.points import Points
from crowdscale.trust.confidence import HeadConfidence, fit_heads


def photos(offset, slope, number=20, heads=400, seed=0):
    """Heads that are right as often as a curve says."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        values = random.uniform(0, 0.7, heads)
        made.append(
            (values, (random.random(heads) < 1 / (1 + np.exp(-(offset + slope * values)))).astype(float))
        )
    return made


def test_curve_is_found_again_and_holds_on_other_photos():
    curve = fit_heads(photos(-1.0, 5.0), ["drawn: 20 photos"])
    assert (curve.offset, curve.slope) == pytest.approx((-1.0, 5.0), abs=0.25)
    assert (curve.heads, curve.photos, curve.data) == (8000, 20, ("drawn: 20 photos",))
    values, right = (np.concatenate(each) for each in zip(*photos(-1.0, 5.0, seed=1), strict=True))
    said = curve.probability(values)
    for low in (0.2, 0.4, 0.6, 0.8):
        band = (said >= low) & (said < low + 0.2)
        assert right[band].mean() == pytest.approx(said[band].mean(), abs=0.04)
    assert curve.error < 0.03
    assert sum(band.heads for band in curve.bands) == 8000


def test_a_value_of_half_is_no_probability_of_half():
    """The network's value 0.3 may well mean 9 of 10."""
    assert fit_heads(photos(1.0, 4.0)).probability(np.array([0.3]))[0] == pytest.approx(0.9, abs=0.02)


def test_order_of_heads_stays():
    values = np.linspace(0, 1, 50)
    assert (np.diff(fit_heads(photos(-1.0, 5.0)).probability(values)) > 0).all()
    falling = fit_heads(photos(2.0, -4.0))
    assert falling.slope == 0
    assert falling.probability(values) == pytest.approx(falling.probability(values)[0])


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_heads_all_right_or_all_wrong(right):
    values = np.linspace(0, 0.7, 100)
    curve = fit_heads([(values, np.full(100, right))] * 6)
    assert curve.probability(values) == pytest.approx(np.full(100, right), abs=0.05)


@pytest.mark.parametrize("some", [photos(0, 1, 20, 9), photos(0, 1, 4)])
def test_too_few_heads_or_photos(some):
    with pytest.raises(DataError, match="200 located heads in 5 photos"):
        fit_heads(some)


def test_json_and_back():
    curve = fit_heads(photos(-1.0, 5.0), ["a", "b"])
    assert HeadConfidence.from_dict(json.loads(json.dumps(asdict(curve)))) == curve


def test_a_head_is_right_once():
    """Two heads on one person: one is right; one at exactly the radius counts; one beyond does not."""
    heads = Points([[10, 10], [11, 10], [58, 50], [100, 100]], [0.9, 0.2, 0.5, 0.4])
    confidence, right = right_heads(heads, Points([[10, 11], [50, 50], [100, 109]]), 8)
    assert confidence.tolist() == [0.9, 0.2, 0.5, 0.4]
    assert (right[:2].sum(), right[2:].tolist()) == (1, [1, 0])
