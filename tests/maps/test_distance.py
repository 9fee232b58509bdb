"""Distance labels: the codec's laws, the published minima and the sub-pixel ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from crowdscale.errors import OptionError
from crowdscale.maps import LABEL_EDGES, DistanceLabels, expected_label, regional_minima
from crowdscale.maps.distance import window_minima
from crowdscale.points import Box, Points

CODEC = DistanceLabels()
PLACES = st.lists(st.tuples(st.integers(0, 79), st.integers(0, 59)), min_size=1, max_size=25)


def same_places(found, expected, tolerance=1e-9):
    assert len(found) == len(expected)
    distances, partners = cKDTree(expected.xy).query(found.xy)
    assert len(set(partners.tolist())) == len(expected)
    assert distances.max(initial=0) <= tolerance


def brute_labels(points, width, height, edges):
    rows, columns = np.mgrid[:height, :width]
    heads = np.floor(points.xy + 0.5)
    squared = ((columns[..., None] - heads[:, 0]) ** 2 + (rows[..., None] - heads[:, 1]) ** 2).min(-1)
    return sum((squared >= edge * edge).astype(int) for edge in edges)


@settings(max_examples=40, deadline=None)
@given(PLACES)
def test_labels_are_the_exact_distances_classed_by_the_edges(places):
    points = Points(places)
    np.testing.assert_array_equal(CODEC.encode(points, 80, 60), brute_labels(points, 80, 60, LABEL_EDGES))


def test_edges_that_are_no_whole_pixels_class_exactly_too():
    edges, points = (0.5, 1.3, 1.5, 2.7), Points([[10, 10]])
    labels = DistanceLabels(edges).encode(points, 21, 21)
    np.testing.assert_array_equal(labels, brute_labels(points, 21, 21, edges))


@settings(max_examples=60, deadline=None)
@given(PLACES)
def test_spaced_points_come_back(places):
    xy = np.array(places, float)
    assume(len(xy) == 1 or cKDTree(xy).query(xy, 2)[0][:, 1].min() >= 3)
    same_places(CODEC.locate(CODEC.encode(Points(xy), 80, 60)), Points(xy))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 79), st.floats(0, 59)), max_size=12),
    st.integers(0, 50), st.integers(0, 40), st.integers(1, 29), st.integers(1, 19),
)  # fmt: skip
def test_labels_of_a_crop_are_the_photos_labels_in_it(places, left, top, width, height):
    points, box = Points(places), Box(left, top, left + width, top + height)
    whole = CODEC.encode(points, 80, 60)
    crop = CODEC.encode(points.shift(-left, -top), width, height)
    np.testing.assert_array_equal(crop, whole[box.slices])


@pytest.mark.parametrize("points", [Points(), Points([[500, 500]])], ids=["nobody", "far away"])
def test_nobody_near_is_background(points):
    labels = CODEC.encode(points, 7, 5)
    assert labels.shape == (5, 7)
    assert (labels == 10).all()
    assert len(CODEC.locate(labels)) == 0


def test_two_heads_in_one_pixel_melt_into_one():
    assert CODEC.count(CODEC.encode(Points([[5.1, 5], [4.9, 5.2]]), 11, 11)) == 1


@pytest.mark.parametrize("level", [0, 5, 10])
def test_constant_map_has_nobody(level):
    assert len(regional_minima(np.full((6, 7), level, np.uint8), 10)) == 0


def test_background_plateau_is_no_head():
    labels = np.full((9, 9), 11, np.uint8)
    labels[3:5, 3:5] = 10
    assert len(regional_minima(labels, 10)) == 0


def test_plateau_is_one_head_at_its_centre():
    labels = np.full((9, 9), 4, np.uint8)
    labels[2:4, 5:8] = 1
    assert regional_minima(labels, 10).tolist() == [[6, 2.5]]


def test_plateaus_that_touch_by_a_corner_are_one_head():
    labels = np.full((9, 9), 4, np.uint8)
    labels[3, 3] = labels[4, 4] = 1
    assert regional_minima(labels, 10).tolist() == [[3.5, 3.5]]


def test_plateau_with_a_lower_pixel_at_its_corner_is_no_head():
    labels = np.full((9, 9), 4, np.uint8)
    labels[2:5, 2:5] = 2
    labels[5, 5] = 1
    assert regional_minima(labels, 10).tolist() == [[5, 5]]


def test_minimum_at_the_border_counts():
    labels = np.full((5, 5), 3, np.uint8)
    labels[0, 0] = labels[4, 2] = 1
    assert sorted(regional_minima(labels, 10).tolist()) == [[0, 0], [2, 4]]


def test_blanking_is_background_in_the_box_only():
    labels = CODEC.encode(Points([[4, 4], [20, 4]]), 30, 9)
    blanked = CODEC.blank(labels, Box(0, 0, 12, 9))
    assert (blanked[:, :12] == 10).all()
    np.testing.assert_array_equal(blanked[:, 12:], labels[:, 12:])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 78), st.floats(1, 58)), min_size=1, max_size=20))
def test_sub_pixel_minima_of_a_smooth_map_are_exact(places):
    xy = np.array(places)
    assume(len(xy) == 1 or cKDTree(xy).query(xy, 2)[0][:, 1].min() >= 6)
    rows, columns = np.mgrid[:60, :80]
    distances = cKDTree(xy).query(np.stack([columns, rows], -1))[0]
    found = window_minima(np.minimum(distances**2 / 9, 10).astype(np.float32), 5, 6.0)
    same_places(found, Points(xy), tolerance=0.01)
    assert found.confidence.min() > 0.9


def test_minimum_half_way_between_two_pixels_is_there():
    x = np.arange(12, dtype=np.float32)
    bowl = ((x[None] - 5.5) ** 2 + (x[:, None] - 6) ** 2).astype(np.float32) / 9
    np.testing.assert_allclose(window_minima(bowl, 5, 6.0).xy, [[5.5, 6]], atol=1e-6)


@pytest.mark.parametrize("place", [(0, 6), (11, 6), (6, 0), (6, 11), (0, 0), (11, 11)])
def test_head_on_the_border_stays_in_the_frame(place):
    x = np.arange(12, dtype=np.float32)
    bowl = ((x[None] - place[0]) ** 2 + (x[:, None] - place[1]) ** 2) / 9
    np.testing.assert_allclose(window_minima(bowl, 5, 6.0).xy, [place], atol=1e-6)


def test_minimum_above_the_ceiling_is_nobody():
    bowl = np.abs(np.arange(15, dtype=np.float32) - 7)[None].repeat(15, 0) + 6
    assert len(window_minima(bowl, 5, 6.0)) == 0
    assert len(window_minima(bowl - 0.5, 5, 6.0)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 7)])
def test_constant_expected_label_is_nobody(shape):
    assert len(window_minima(np.full(shape, 2, np.float32), 5, 6.0)) == 0


def test_expected_label_is_the_mean_of_the_softmax():
    scores = np.random.default_rng(0).normal(size=(11, 4, 5)).astype(np.float32) * 30
    shares = np.exp(scores.astype(np.float64))
    expected = (np.arange(11)[:, None, None] * shares).sum(0) / shares.sum(0)
    np.testing.assert_allclose(expected_label(scores), expected, atol=1e-4)


@pytest.mark.parametrize("edges", [(), (2.0, 1.0), (1.0, 1.0), (0.0, 1.0)])
def test_edges_must_ascend_from_above_zero(edges):
    with pytest.raises(OptionError, match="ascending"):
        DistanceLabels(edges)


@pytest.mark.parametrize("window", [1, 4])
def test_window_must_be_odd(window):
    with pytest.raises(OptionError, match="odd"):
        DistanceLabels(window=window)
