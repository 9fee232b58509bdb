"""Density maps: the sum is the count, whatever the border and the stride."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.errors import OptionError
from crowdscale.maps import BlockEstimate, Density
from crowdscale.maps.estimates import DensityEstimate
from crowdscale.points import Box, Points

FRAME = st.tuples(st.integers(1, 70), st.integers(1, 70))
SHARES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20)


def points_in(shares, width, height):
    return Points(np.array(shares).reshape(-1, 2) * (width - 0.02, height - 0.02) - 0.49)


@settings(max_examples=60, deadline=None)
@given(FRAME, SHARES, st.floats(0.5, 8), st.booleans())
def test_sum_is_the_number_of_people(frame, shares, sigma, adaptive):
    points = points_in(shares, *frame)
    codec = Density(sigma, adaptive)
    assert codec.count(codec.encode(points, *frame)) == pytest.approx(len(points), abs=1e-3)


def test_people_outside_the_frame_are_left_out():
    assert Density().encode(Points([[-1, 5], [5, 5], [5, 40]]), 20, 20).sum() == pytest.approx(1, abs=1e-5)


def test_two_people_in_one_place_are_two():
    assert Density().encode(Points([[9, 9], [9, 9]]), 20, 20).sum() == pytest.approx(2, abs=1e-5)


def test_kernel_is_the_gaussian_of_its_closed_form():
    density = Density(3.0).encode(Points([[30, 20]]), 61, 41)
    rows, columns = np.mgrid[:41, :61]
    expected = np.exp(-((columns - 30) ** 2 + (rows - 20) ** 2) / 18) / (2 * np.pi * 9)
    np.testing.assert_allclose(density, expected, atol=2e-5)


def test_adaptive_kernels_are_wider_where_heads_are_apart():
    apart = Density(4, adaptive=True).encode(Points([[40, 50], [60, 50]]), 100, 100)
    close = Density(4, adaptive=True).encode(Points([[48, 50], [52, 50]]), 100, 100)
    assert apart.max() < close.max()


def test_locate_finds_spaced_people():
    points = Points([[10, 12], [40, 12], [25, 44]])
    found = Density(3.0).locate(Density(3.0).encode(points, 60, 60))
    np.testing.assert_allclose(sorted(found.xy.tolist()), sorted(points.xy.tolist()), atol=1e-6)


@pytest.mark.parametrize("empty", [np.zeros((9, 9), np.float32), np.zeros((1, 1), np.float32)])
def test_empty_map_has_nobody(empty):
    assert len(Density().locate(empty)) == 0
    assert Density().count(empty) == 0


def test_blank_empties_only_the_box():
    density = np.ones((6, 8), np.float32)
    blanked = Density().blank(density, Box(1, 2, 4, 5))
    assert blanked.sum() == 48 - 9
    assert density.sum() == 48


def test_count_of_a_noisy_map_is_never_below_zero():
    assert DensityEstimate(np.full((4, 4), -0.1, np.float32), Box(0, 0, 4, 4)).count == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 90), st.integers(1, 90))
def test_placing_an_enlarged_view_keeps_the_mass(width, height, view_width, view_height):
    view = np.random.default_rng(1).random((view_height, view_width)).astype(np.float32)
    context = Box(3, 4, 3 + width, 4 + height)
    placed = DensityEstimate(view, Box(0, 0, view_width, view_height)).place(context, view_width, view_height)
    assert placed.density.shape == (height, width)
    assert placed.density.sum() == pytest.approx(view.sum(), rel=1e-4)


def test_sigma_must_be_positive():
    with pytest.raises(OptionError, match="sigma above 0"):
        Density(0)


def heads_of(reading):
    return sorted(reading.points.xy.tolist())


def test_dots_are_the_maxima_and_the_count_stays_the_sum():
    points = Points([[20, 20], [20.4, 20], [60, 50]])  # two melt into one maximum
    density = Density(3.0).encode(points, 90, 80)
    assert Density(3.0).read(density[None]).points is None
    reading = Density(3.0, dots=True).read(density[None])
    assert heads_of(reading) == [[20.0, 20.0], [60.0, 50.0]]
    assert reading.count == pytest.approx(3, abs=1e-4)


def test_dots_follow_their_density_through_the_merge():
    whole = Density(2.0, dots=True)
    first = whole.read(whole.encode(Points([[10, 10], [60, 50]]), 90, 80)[None])
    second = whole.read(whole.encode(Points([[30, 20], [60, 60]]), 100, 80)[None]).place(
        Box(40, 30, 90, 70), 100, 80
    )
    assert heads_of(second) == [[54.75, 39.75], [69.75, 59.75]]  # half the size, moved by the box
    merged = first.replace(Box(45, 35, 80, 68), second)
    assert heads_of(merged) == [[10.0, 10.0], [54.75, 39.75], [69.75, 59.75]]
    assert heads_of(first.add(second)) == sorted([*heads_of(first), *heads_of(second)])
    blocks = merged.in_cells(Box(0, 0, 90, 80), 16)
    assert heads_of(blocks) == heads_of(merged)
    assert blocks.count == pytest.approx(merged.count, abs=1e-4)


@pytest.mark.parametrize("in_cells", [False, True], ids=["density", "cells"])
def test_tiles_keep_the_dots_they_own(in_cells):
    codec = Density(2.0, dots=True)
    points = Points([[10, 10], [40, 20], [70, 30]])
    parts = []
    for owned, seen in ((Box(0, 0, 32, 48), Box(0, 0, 64, 48)), (Box(32, 0, 96, 48), Box(16, 0, 96, 48))):
        local = codec.read(codec.encode(points.shift(-seen.left, 0), seen.width, 48)[None])
        placed = local.place(seen, seen.width, 48)
        parts.append((owned, placed.in_cells(owned, 16) if in_cells else placed))
    joined = BlockEstimate.join(parts, 96, 48, 16) if in_cells else DensityEstimate.join(parts, 96, 48)
    assert heads_of(joined) == points.xy.tolist()
