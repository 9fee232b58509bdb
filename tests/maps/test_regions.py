"""Dense regions and the pooling of their features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.errors import OptionError
from crowdscale.maps.regions import DensityRule, LabelRule, RuleChoice, pool_region
from crowdscale.points import Box


def labels_with(*boxes, shape=(40, 60)):
    output = np.full((2, *shape), 10, np.float32)
    for box in boxes:
        output[(slice(None), *box.slices)] = 3
    return output


SMALL, LARGE = Box(2, 2, 8, 8), Box(20, 5, 40, 30)


def test_nothing_dense_gives_no_region():
    assert LabelRule().find(labels_with()) == []
    assert DensityRule().find(np.zeros((1, 9, 9), np.float32)) == []


def test_largest_comes_first_and_no_more_than_asked():
    rule = LabelRule(minimum=0.001)
    assert rule.find(labels_with(SMALL, LARGE), most=1) == [LARGE]
    assert rule.find(labels_with(SMALL, LARGE), most=9) == [LARGE, SMALL]


def test_true_area_decides_not_the_box():
    output = labels_with(Box(30, 2, 42, 14))
    output[:, np.arange(28) + 5, np.arange(28)] = 3  # a diagonal: a box of 784 with 28 pixels
    assert LabelRule(minimum=0.001).find(output) == [Box(30, 2, 42, 14)]


def test_ties_go_to_the_first_from_the_top_left():
    first, second = Box(30, 2, 36, 8), Box(4, 20, 10, 26)
    assert LabelRule(minimum=0.001).find(labels_with(second, first), most=2) == [first, second]


def test_component_below_the_minimum_is_none():
    share = SMALL.area / (40 * 60)
    assert LabelRule(minimum=share).find(labels_with(SMALL)) == [SMALL]
    assert LabelRule(minimum=share * 1.01).find(labels_with(SMALL)) == []


def test_corners_connect():
    output = labels_with(Box(5, 5, 10, 10), Box(10, 10, 15, 15))
    assert LabelRule(minimum=0.001).find(output, most=5) == [Box(5, 5, 15, 15)]


def test_label_threshold_is_exclusive():
    output = np.full((2, 10, 10), 8, np.float32)
    assert LabelRule(below=8).find(output) == []
    assert LabelRule(below=9).find(output) == [Box(0, 0, 10, 10)]


def test_density_above_twice_the_mean():
    density = np.zeros((1, 10, 20), np.float32)
    density[0, 2:6, 3:9] = 1  # mean 0.12
    assert DensityRule(minimum=0.12).find(density) == [Box(3, 2, 9, 6)]
    assert DensityRule(minimum=0.13).find(density) == []


def test_density_measured_by_the_box():
    density = np.zeros((1, 10, 20), np.float32)
    density[0, np.arange(8), np.arange(8)] = 1
    assert DensityRule(minimum=0.3).find(density) == []
    assert DensityRule(minimum=0.3, by="box").find(density) == [Box(0, 0, 8, 8)]
    with pytest.raises(OptionError, match="region or box"):
        DensityRule(by="circle")


def test_published_threshold_differs_from_the_papers():
    density = np.full((1, 10, 10), 0.1, np.float32)
    density[0, :, 5:] = 0.32  # mean 0.21: above 2·mean nothing, above 150/255 of the top half the photo
    assert DensityRule().find(density) == []
    assert DensityRule(published_code=True).find(density) == [Box(5, 0, 10, 10)]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_pooling_is_the_area_mean_of_brute_force(data):
    left, top = data.draw(st.integers(0, 90)), data.draw(st.integers(0, 60))
    box = Box(left, top, data.draw(st.integers(left + 1, 96)), data.draw(st.integers(top + 1, 64)))
    features = np.random.default_rng(3).normal(size=(2, 8, 12)).astype(np.float32)
    fine = 7  # each feature cell as 8·7 × 8·7 samples: bins of the box are means of those they hold
    expected = np.zeros((2, 14, 14))
    for row in range(14):
        ys = (box.top + box.height * (row + (np.arange(56 * fine) + 0.5) / (56 * fine)) / 14) / 8
        for column in range(14):
            xs = (box.left + box.width * (column + (np.arange(56 * fine) + 0.5) / (56 * fine)) / 14) / 8
            expected[:, row, column] = features[:, ys.astype(int)].mean(1)[:, xs.astype(int)].mean(1)
    np.testing.assert_allclose(pool_region(features, box, 8), expected, atol=0.02)


def test_pooling_a_constant_gives_it_back():
    pooled = pool_region(np.full((3, 5, 5), 2.5, np.float32), Box(3, 7, 11, 9), 8)
    assert pooled.shape == (3, 14, 14)
    np.testing.assert_allclose(pooled, 2.5, rtol=1e-5)


@pytest.mark.parametrize("rule", [LabelRule, DensityRule, RuleChoice])
@pytest.mark.parametrize("share", [-0.1, 7, float("nan")])
def test_a_minimum_is_a_share(rule, share):
    with pytest.raises(OptionError, match="region minimum from 0 to 1"):
        rule(minimum=share)
