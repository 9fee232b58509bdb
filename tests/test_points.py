"""Points and boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crowdscale import points as module
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Box, Points, nearest_distances

SQUARE = Points([[0, 0], [3, 0], [3, 4], [10, 4]])
some_points = arrays(np.float64, st.tuples(st.integers(0, 30), st.just(2)), elements=st.floats(-50, 150))


@pytest.mark.parametrize("empty", [[], np.zeros((0, 2)), np.zeros((0, 0))], ids=["list", "0x2", "0x0"])
def test_nobody_has_shape_0_2(empty):
    assert Points(empty).xy.shape == (0, 2)
    assert len(Points(empty)) == 0


@pytest.mark.parametrize("bad", [[1, 2], [[1, 2, 3]], np.zeros((2, 2, 2))], ids=["flat", "three", "cube"])
def test_other_shapes_are_refused(bad):
    with pytest.raises(DataError, match=r"\(n, 2\).*shape"):
        Points(bad)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_place_are_refused_and_counted(value):
    with pytest.raises(DataError, match="1 with NaN"):
        Points([[0, 0], [1, value]])


def test_confidences_must_match():
    with pytest.raises(DataError, match="expected 2 confidences"):
        Points([[0, 0], [1, 1]], np.ones(3))


def test_points_are_frozen_and_do_not_follow_their_source():
    source = np.array([[1.0, 2.0]])
    points = Points(source)
    source[0, 0] = 99
    assert points.xy[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        points.xy[0, 0] = 5


@given(some_points, st.integers(-20, 120))
def test_each_point_belongs_to_exactly_one_side_of_a_seam(xy, seam):
    points, left, right = Points(xy), Box(-100, -100, seam, 200), Box(seam, -100, 200, 200)
    assert len(points.inside(left)) + len(points.inside(right)) == len(points)
    assert len(points.inside(left)) + len(points.outside(left)) == len(points)


def test_half_pixels_round_up_at_the_seam():
    box = Box(0, 0, 5, 5)
    assert box.contains(np.array([[4.49, 0], [4.5, 0], [-0.5, 0], [-0.51, 0]])).tolist() == [
        True,
        False,
        True,
        False,
    ]


@given(some_points, st.floats(0.2, 5), st.floats(0.2, 5))
def test_scaling_there_and_back(xy, x, y):
    back = Points(xy).scale(x, y).scale(1 / x, 1 / y)
    np.testing.assert_allclose(back.xy, Points(xy).xy, atol=1e-9)


def test_scaling_follows_pixel_centres():
    assert Points([[0, 0], [3, 1]]).scale(2).xy.tolist() == [[0.5, 0.5], [6.5, 2.5]]
    with pytest.raises(OptionError, match="positive"):
        SQUARE.scale(0)


@given(some_points)
def test_flipping_twice_changes_nothing(xy):
    np.testing.assert_allclose(Points(xy).flip(100).flip(100).xy, Points(xy).xy, atol=1e-12)
    assert Points([[0, 7]]).flip(100).xy.tolist() == [[99, 7]]


def test_crop_moves_into_the_box():
    cropped = Points([[5, 6], [50, 50]], [0.5, 0.9]).crop(Box(4, 4, 10, 10))
    assert cropped == Points([[1, 2]], [0.5])


def test_spacing_is_the_mean_distance_to_the_nearest_other():
    assert SQUARE.spacing() == pytest.approx((3 + 3 + 4 + 7) / 4)
    assert np.isnan(Points([[1, 1]]).spacing())
    assert np.isnan(Points().spacing())


def test_two_heads_in_one_place_have_distance_zero():
    assert nearest_distances(np.array([[1.0, 1.0], [1.0, 1.0]])).tolist() == [0, 0]


def test_fewer_neighbours_than_asked_for_are_used():
    assert nearest_distances(np.array([[0.0, 0.0], [3.0, 4.0]]), k=5).tolist() == [5, 5]


@pytest.mark.parametrize("k", [1, 3, 8])
@given(xy=some_points)
def test_few_points_and_many_have_the_same_nearest_distances(k, xy):
    few = nearest_distances(xy, k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEW", 0)
        assert few == pytest.approx(nearest_distances(xy, k), nan_ok=True)


def test_concatenation_keeps_confidence_only_where_all_have_it():
    sure, plain = Points([[1, 1]], [0.5]), Points([[2, 2]])
    assert Points.concatenate([sure, sure]).confidence.tolist() == [0.5, 0.5]
    assert Points.concatenate([sure, plain]) == Points([[1, 1], [2, 2]])
    assert len(Points.concatenate([])) == 0


def test_boxes_are_half_open_and_never_inside_out():
    box = Box(2, 3, 10, 7)
    assert (box.width, box.height, box.area) == (8, 4, 32)
    assert np.zeros((20, 20))[box.slices].shape == (4, 8)
    assert box.grow(5, within=(8, 12)) == Box(0, 0, 12, 8)
    with pytest.raises(OptionError, match="left <= right"):
        Box(5, 0, 4, 1)
