"""The merge law, by a network that returns the true map at any scale: nobody on a seam is lost or counted twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from crowdscale.backends import FirstPass
from crowdscale.maps import Density
from crowdscale.points import Box, Points
from crowdscale.prediction import PredictOptions, Predictor
from crowdscale.regions import DensityRule
from crowdscale.weights import ModelConfig, ZoomOptions
from tests.fakes import TruthBackend, axis, coordinate_photo, truth_config
from tests.test_prediction import assert_same_people

WIDTH, HEIGHT = 120, 90
PHOTO = coordinate_photo(WIDTH, HEIGHT)
SIGMA = 1.0
REACH = 4 * SIGMA

heads = st.lists(
    st.tuples(st.integers(4, WIDTH - 5), st.integers(4, HEIGHT - 5)), min_size=1, max_size=25, unique=True
)
regions = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 60), st.integers(0, 40), st.integers(12, 60), st.integers(12, 50),
)  # fmt: skip
factors = st.floats(0.7, 3.0)
contexts = st.integers(8, 32)


class TrueDensity(TruthBackend):
    """Returns the true density of known heads with one kernel, whatever the scale of the view."""

    def predict(self, pixels):
        height, width = pixels.shape[:2]
        (sx, x0), (sy, y0) = axis(pixels[0, :, 0], pixels[0, 0, 2]), axis(pixels[:, 0, 1], pixels[0, 0, 2])
        view = Points((self.points.xy - (x0, y0)) / (sx, sy))
        features = np.zeros((2, -(-height // 32) * 4, -(-width // 32) * 4), np.float32)
        return FirstPass(Density(SIGMA).encode(view, width, height)[None], features)


def counted(points, box, factor, context, merge="ownership"):
    config = ModelConfig("d", "density", "none", Density(SIGMA), DensityRule(), ZoomOptions(context=context))
    config = replace(config, rule=truth_config(box).rule)
    return Predictor(TrueDensity(points), config, PredictOptions(factor=factor, merge=merge)).predict(PHOTO)


def from_seam(points, box):
    """Distance in pixels of each head from the border of the box, photo borders being no seam."""
    x, y = points.xy.T
    edges = [(x, box.left, WIDTH), (x, box.right, WIDTH), (y, box.top, HEIGHT), (y, box.bottom, HEIGHT)]
    gaps = [np.abs(place + 0.5 - edge) for place, edge, length in edges if 0 < edge < length]
    return np.min(gaps, axis=0) if gaps else np.full(len(points), np.inf)


@settings(max_examples=25, deadline=None)
@given(heads, regions, factors, contexts)
def test_labels_are_exact_for_any_region_factor_and_padding(places, box, factor, context):
    points = Points(np.array(places, float))
    apart = np.inf if len(points) == 1 else cKDTree(points.xy).query(points.xy, 2)[0][:, 1].min()
    assume(apart * min(1.0, factor) >= 4)  # 3 px and the rounding of both heads to pixels of the view
    config = truth_config(box, zoom=ZoomOptions(context=context))
    found = Predictor(TruthBackend(points), config, PredictOptions(factor=factor)).predict(PHOTO)
    assert found.count == len(points)
    assert_same_people(found.points, points, tolerance=0.5)


@settings(max_examples=25, deadline=None)
@given(heads, regions, factors, contexts)
def test_density_is_exact_away_from_the_seam_and_bounded_by_what_crosses_it(places, box, factor, context):
    points = Points(np.array(places, float))
    near = from_seam(points, box) <= (REACH + 1) / min(1.0, factor) + 1
    result = counted(points, box, factor, context)
    # A kernel whose head lies on one side has at most three quarters of its mass on the other, at a corner.
    assert abs(result.count - len(points)) <= 0.8 * near.sum() + 1e-3
    kept = points.select(~near)
    assert counted(kept, box, factor, context).count == pytest.approx(len(kept), abs=1e-3)


COLUMN = Points([[x, 30] for x in range(10, 110, 10)])


@pytest.mark.parametrize("edge", range(46, 55))
def test_published_blanking_fails_each_seam_that_ownership_passes(edge):
    box = Box(edge, 10, 100, 60)
    ours, published = (
        Predictor(TruthBackend(COLUMN), truth_config(box), PredictOptions(factor=1.5, merge=merge)).predict(
            PHOTO
        )
        for merge in ("ownership", "published")
    )
    assert ours.count == len(COLUMN)
    assert published.count != len(COLUMN)


def test_published_blanking_leaks_density_at_a_seam_through_heads():
    points = Points([[50, y] for y in range(10, 80, 4)])
    box = Box(50, 5, 100, 85)
    ours, published = (counted(points, box, 2.0, 16, merge).count for merge in ("ownership", "published"))
    assert abs(ours - len(points)) < abs(published - len(points))
    assert abs(published - len(points)) > 1


@pytest.mark.parametrize("points", [Points(), Points([[60, 45]])], ids=["nobody", "one person"])
def test_few_people_pass_through_a_second_look(points):
    box = Box(20, 20, 100, 80)
    found = Predictor(TruthBackend(points), truth_config(box), PredictOptions(factor=2.0)).predict(PHOTO)
    assert found.count == len(points)
    assert found.regions[0].count_after == len(points)
