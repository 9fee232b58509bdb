"""The base scale follows the size of heads: evidence decides, small photos and empty ones included."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from crowdscale.counting.canvas import Canvas
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.counting.read_scale import ReadScaleOptions, choose_read_scale
from crowdscale.data.opening import open_dataset
from crowdscale.errors import OptionError
from crowdscale.maps.estimates import DensityEstimate, PointsEstimate
from crowdscale.points import Box, Points
from tests.support.fakes import TruthBackend, coordinate_photo, truth_config

OPTIONS = ReadScaleOptions(above=10_000, overview=20_000, window=96)
BEST = 12.0
"""Size in pixels at which the tests' network is surest of a head."""


class Discs:
    """Sees white discs; is the surer of one the nearer its size is to the best."""

    def __init__(self, density=False):
        self.density, self.seen = density, []

    def __call__(self, view):
        self.seen.append(view.shape[:2])
        height, width = view.shape[:2]
        _, _, stats, centres = cv2.connectedComponentsWithStats((view[..., 0] > 100).astype(np.uint8))
        sizes = np.sqrt(stats[1:, cv2.CC_STAT_AREA] * 4 / np.pi)
        sure = np.exp(-(np.log2(np.maximum(sizes, 0.1) / BEST) ** 2) / 2)
        if self.density:
            cells = np.zeros((height, width), np.float32)
            at = np.rint(centres[1:]).astype(int)
            cells[at[:, 1], at[:, 0]] = sure
            return DensityEstimate(cells, Box(0, 0, width, height))
        return PointsEstimate(Points(centres[1:], sure))


def crowd(size, width=1600, height=1200, step=3.0):
    pixels = np.zeros((height, width, 3), np.uint8)
    for y in np.arange(size * 2, height - size, size * step):
        for x in np.arange(size * 2, width - size, size * step):
            cv2.circle(pixels, (int(x), int(y)), round(size / 2), (255, 255, 255), -1)
    return pixels


@pytest.mark.parametrize("density", [False, True], ids=["dots", "density"])
@pytest.mark.parametrize("size", [10, 24, 48, 96])
def test_heads_come_near_the_size_that_is_known(size, density):
    base = choose_read_scale(Discs(density), crowd(size), OPTIONS)
    assert BEST / 2 <= size * base <= BEST * 2.2


def test_small_photos_are_read_as_they_are_without_a_look():
    see = Discs()
    assert choose_read_scale(see, crowd(30, 100, 99), OPTIONS) == 1.0
    assert see.seen == []


def test_an_empty_photo_is_read_small_and_looks_stay_small():
    see = Discs()
    base = choose_read_scale(see, np.zeros((1200, 1600, 3), np.uint8), OPTIONS)
    assert base < 0.2
    assert all(height * width <= 20_000 + 4 * (96 + 64) ** 2 for height, width in see.seen)


def test_heads_too_small_for_the_overview_are_found_all_over():
    base = choose_read_scale(Discs(), crowd(8, step=6), OPTIONS)
    assert base == 1.0


def test_the_cost_of_looking_does_not_grow_with_the_photo():
    costs = []
    for side in (1600, 3200):
        see = Discs()
        choose_read_scale(see, crowd(10, side, side), OPTIONS)
        costs.append(sum(height * width for height, width in see.seen) / side**2)
    assert costs[1] < costs[0]


def test_views_take_their_details_from_the_photo_itself():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 255, (400, 600, 3), np.uint8)
    canvas = Canvas(pixels, 0.5)
    assert (canvas.width, canvas.height) == (300, 200)
    box = Box(20, 30, 120, 80)
    assert (canvas.enlarge(box, 2.0) == pixels[60:160, 40:240]).all()
    assert canvas.enlarge(box, 1.0).shape == (50, 100, 3)
    assert (canvas.cut(box) == canvas.reduced[30:80, 20:120]).all()
    whole = Canvas(pixels)
    assert whole.reduced is pixels
    assert whole.enlarge(box, 1.5).shape == (75, 150, 3)


class Sizes(TruthBackend):
    """Knows every head, and notes the sizes of the views that it is shown."""

    def __init__(self, points):
        super().__init__(points)
        self.seen = []

    def predict(self, pixels):
        self.seen.append(pixels.shape[:2])
        return super().predict(pixels)


@pytest.mark.parametrize(
    ("below", "options", "factor"),
    [
        (0, {}, 1),
        (10_800, {}, 1),
        (24_300, {}, 1.5),
        (1_000_000, {}, 2),
        (1_000_000, {"read_scale": 1.0}, 1),
        (0, {"read_scale": 1.5}, 1.5),
        (1_000_000, {"merge": "published"}, 1),
    ],
)
def test_a_small_photo_is_read_enlarged_where_the_model_says_so(below, options, factor):
    heads = Points(
        np.stack(np.meshgrid(np.arange(10, 115, 12), np.arange(10, 85, 12)), -1).reshape(-1, 2).astype(float)
    )
    see = Sizes(heads)
    config = replace(truth_config(), enlarge_below=below)
    found = Predictor(see, config, PredictOptions(refine=False, **options)).predict(coordinate_photo(120, 90))
    assert see.seen == [(round(90 * factor), round(120 * factor))]
    assert found.read_scale == pytest.approx(factor)
    assert found.size == (120, 90)
    assert found.count == pytest.approx(len(heads))
    nearest = np.abs(found.points.xy[:, None] - heads.xy).max(axis=2).min(axis=1)
    assert nearest.max() <= 1.0


def test_a_base_scale_of_more_than_two_is_refused():
    with pytest.raises(OptionError, match=r"read scale from 0\.01 to 2, but got 2\.5"):
        PredictOptions(read_scale=2.5)


def test_an_enlarged_view_takes_its_pixels_from_the_photo():
    pixels = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    canvas = Canvas(pixels, 2.0)
    assert (canvas.width, canvas.height) == (160, 120)
    straight = cv2.resize(pixels[10:40, 20:50], (90, 90), interpolation=cv2.INTER_LINEAR)
    assert (canvas.enlarge(Box(40, 20, 100, 80), 1.5) == straight).all()


@pytest.mark.realdata
@pytest.mark.slow
def test_a_photo_enlarged_is_counted_as_well_as_the_photo(bundled, shanghaitech_root):
    """Photos of the training split at three times their size: the base scale undoes what made heads huge.

    The error may be that of the photo itself, or 15 %, and is less than without a base scale.
    """
    known = {sample.name: sample for sample in open_dataset(f"sha:{shanghaitech_root}").samples}
    predictor = load(bundled, options=PredictOptions(refine=False))
    whole = load(bundled, options=PredictOptions(refine=False, read_scale=1.0))
    for name in ("IMG_44", "IMG_80"):
        pixels, truth = known[name].read(), len(known[name].points)
        height, width = pixels.shape[:2]
        large = cv2.resize(pixels, (3 * width, 3 * height), interpolation=cv2.INTER_CUBIC)
        found = predictor.predict(large)
        assert found.read_scale < 1
        error = abs(found.count - truth)
        assert error <= max(abs(predictor.predict(pixels).count - truth), 0.15 * truth)
        assert error < abs(whole.predict(large).count - truth)
