"""The second look: regions that touch, views that go together, parts that are still too dense."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.backends import NetworkOutput
from crowdscale.counting.dense import BUCKET, FALL, TOGETHER, buckets, join_touching, trusted_share
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.counting.tiles import TileOptions
from crowdscale.errors import OptionError
from crowdscale.maps import Density, HybridEstimate
from crowdscale.maps.blocks import BlockEstimate
from crowdscale.maps.estimates import PointsEstimate
from crowdscale.maps.regions import DensityRule, LabelRule, RuleChoice
from crowdscale.models.description import ModelConfig, ZoomOptions
from crowdscale.points import Box, Points
from tests.support.fakes import FixedRule, TruthBackend, coordinate_photo, truth_config
from tests.support.people import assert_same_people

PHOTO = coordinate_photo(250, 120)
FRAME = (120, 250)
LEFT = [(x, y) for x in range(24, 60, 8) for y in range(36, 84, 8)]
RIGHT = [(x, y) for x in range(190, 226, 8) for y in range(36, 84, 8)]
TWO = Points(np.array([*LEFT, *RIGHT, (125, 60)], float))

boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 200), st.integers(0, 80), st.integers(1, 50), st.integers(1, 40),
)  # fmt: skip


@given(st.lists(boxes, min_size=1, max_size=8), st.integers(0, 16))
def test_joined_boxes_cover_the_parts_and_do_not_touch(parts, context):
    joined = join_touching(parts, context, FRAME)
    for part in parts:
        assert any(part.within(box) == part for box in joined)
    grown = [box.grow(context, FRAME) for box in joined]
    for index, box in enumerate(grown):
        assert not any(box.touches(other) for other in grown[index + 1 :])


def test_boxes_apart_stay_in_their_order():
    apart = [Box(100, 0, 120, 20), Box(0, 0, 20, 20), Box(0, 60, 20, 80)]
    assert join_touching(apart, 4, FRAME) == apart
    assert join_touching(apart, 20, FRAME) == [Box(100, 0, 120, 20), Box(0, 0, 20, 80)]


@given(st.lists(st.tuples(st.integers(1, 1500), st.integers(1, 1500)), max_size=12))
def test_each_view_is_in_one_bucket_of_alike_views_of_few_pixels(shapes):
    found = buckets(shapes)
    assert sorted(i for group in found for i in group) == list(range(len(shapes)))
    for group in found:
        heights, widths = zip(*(shapes[i] for i in group), strict=True)
        assert max(heights) - min(heights) < BUCKET
        assert max(widths) - min(widths) < BUCKET
        assert len(group) == 1 or len(group) * max(heights) * max(widths) <= TOGETHER


class Batching(TruthBackend):
    """Notes how many views went together."""

    def __init__(self, points, area=2.25):
        super().__init__(points, area)
        self.batches = []

    def predict_batch(self, views):
        self.batches.append(len(views))
        assert len({view.shape for view in views}) == 1
        return super().predict_batch(views)


@pytest.mark.parametrize(("regions", "found"), [(1, 1), (2, 2), ("all", 2)])
def test_the_largest_or_all_regions_are_refined(regions, found):
    backend = Batching(TWO, area=4.0)
    result = Predictor(backend, truth_config(), PredictOptions(regions=regions)).predict(PHOTO)
    assert len(result.regions) == found
    assert backend.batches == ([2] if found == 2 else [])
    assert_same_people(result.points, TWO, 0.4)
    for region in result.regions:
        assert region.first_pass_count == region.count == len(LEFT)


def test_views_of_other_sizes_go_alone():
    backend = Batching(TWO)
    config = truth_config(Box(10, 20, 80, 100), Box(200, 20, 250, 100))
    result = Predictor(backend, config, PredictOptions(regions=2, zoom=3.0)).predict(PHOTO)
    assert backend.batches == []
    assert_same_people(result.points, TWO, 0.4)


def test_regions_that_touch_are_looked_at_as_one():
    config = truth_config(Box(10, 20, 60, 100), Box(70, 20, 110, 100))
    result = Predictor(TruthBackend(TWO), config, PredictOptions(regions="all")).predict(PHOTO)
    (region,) = result.regions
    assert region.box == Box(10, 20, 110, 100)
    assert_same_people(result.points, TWO, 0.4)


class Coarse(TruthBackend):
    """Tells maps in cells of 2 pixels, whole or enlarged."""

    def __init__(self, points, enlarged):
        super().__init__(points)
        self.enlarged = enlarged

    def predict(self, pixels):
        seen = super().predict(pixels)
        (height, width), output = seen.size, np.pad(seen.output, ((0, 0), (0, 1), (0, 1)), mode="edge")
        rows, columns = -(-height // 2), -(-width // 2)
        means = output[0, : 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean((1, 3))
        cells = np.stack([means, output[1, : 2 * rows : 2, : 2 * columns : 2]])
        coarse = seen._replace(output=cells, cell=2, frame=(height, width))
        return coarse.enlarged() if self.enlarged else coarse


@pytest.mark.parametrize("width", [250, 251, 256])
@pytest.mark.parametrize(
    "options",
    [
        PredictOptions(),
        PredictOptions(regions="all"),
        PredictOptions(tiles=TileOptions(whole=1024, side=64, margin=32)),
    ],
)
def test_regions_are_the_same_in_cells_and_in_pixels(width, options):
    beyond = Points(np.array([(x, y) for x in range(width - 40, width, 8) for y in range(80, 120, 8)], float))
    people = Points.concatenate([TWO, beyond])
    photo = coordinate_photo(width, 120)
    in_pixels, in_cells = (
        Predictor(Coarse(people, enlarged), truth_config(), options).predict(photo)
        for enlarged in (True, False)
    )
    assert in_pixels.regions == in_cells.regions
    assert len(in_pixels.regions) >= 1
    assert in_pixels.map.shape == in_cells.map.shape
    assert np.abs(in_pixels.map - in_cells.map).max() < 0.5
    assert_same_people(in_pixels.points, in_cells.points, 0.5)


class Shy(TruthBackend):
    """Wants each region larger by the factors given, one after the other."""

    def __init__(self, points, *factors):
        super().__init__(points)
        self.factors = list(factors)

    def area_factor(self, pooled):
        return self.factors.pop(0) ** 2


def test_a_region_that_is_still_too_dense_is_looked_at_once_more():
    backend = Shy(TWO, 1.2, 1.5)
    result = Predictor(backend, truth_config(), PredictOptions(third_pass=True)).predict(PHOTO)
    (region,) = result.regions
    (inner,) = region.inner
    assert region.zoom == pytest.approx(1.2)
    assert inner.zoom == pytest.approx(1.8)
    assert inner.box.within(region.box) == inner.box
    assert inner.first_pass_count == inner.count == len(LEFT)
    assert_same_people(result.points, TWO, 0.4)
    assert len(backend.shown) == 3


def test_one_that_is_large_enough_is_not():
    backend = Shy(TWO, 1.5, 1.1)
    result = Predictor(backend, truth_config(), PredictOptions(third_pass=True)).predict(PHOTO)
    assert result.regions[0].inner == ()
    assert len(backend.shown) == 2


def test_nothing_is_refined_without_a_region():
    config = replace(truth_config(), rule=LabelRule(minimum=0.9))
    result = Predictor(TruthBackend(TWO), config, PredictOptions(regions="all", third_pass=True)).predict(
        PHOTO
    )
    assert result.regions == ()
    assert result.count == result.first_pass_count == len(TWO)


def test_a_choice_stands_in_place_of_the_models_rule():
    assert RuleChoice().apply(LabelRule()) == LabelRule()
    assert RuleChoice(minimum=0.3, below=6).apply(LabelRule()) == LabelRule(6, 0.3)
    chosen = RuleChoice(times_mean=3.0, by="box", published_code=True).apply(DensityRule())
    assert chosen == DensityRule(3.0, 0.1, "box", True)
    result = Predictor(TruthBackend(TWO), truth_config(), PredictOptions(rule=RuleChoice(minimum=0.9)))
    assert result.predict(PHOTO).regions == ()


@pytest.mark.parametrize(
    ("choice", "rule"), [(RuleChoice(below=4), DensityRule()), (RuleChoice(by="box"), LabelRule())]
)
def test_a_choice_of_the_other_kind_of_map_is_refused(choice, rule):
    with pytest.raises(OptionError, match="expected choices"):
        choice.apply(rule)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.7, 3.0), st.integers(1, 3), st.booleans())
def test_nobody_is_lost_or_doubled_by_several_regions(factor, regions, again):
    config = truth_config(Box(8, 20, 75, 100), Box(95, 30, 140, 90), Box(176, 20, 240, 100))
    options = PredictOptions(zoom=factor, regions=regions, third_pass=again)
    result = Predictor(TruthBackend(TWO), config, options).predict(PHOTO)
    assert_same_people(result.points, TWO, 0.5)


class Grainy:
    """A network that counts 40 people in the photo, and ``times`` as many once a part is enlarged."""

    def __init__(self, times):
        self.times = times

    def predict(self, pixels):
        height, width = pixels.shape[:2]
        people = 40.0 if (height, width) == (64, 96) else 40.0 * self.times
        features = np.zeros((2, -(-height // 32) * 4, -(-width // 32) * 4), np.float32)
        return NetworkOutput(np.full((1, height, width), people / (height * width), np.float32), features)

    def area_factor(self, pooled):
        return 2.25


def grainy(times, doubt):
    rule = FixedRule([Box(0, 0, 96, 64)])
    config = ModelConfig("grain", "density", "none", Density(4.0), rule, ZoomOptions(context=0, doubt=doubt))
    return Predictor(Grainy(times), config).predict(np.zeros((64, 96, 3), np.uint8))


@pytest.mark.parametrize(
    ("times", "doubt", "count"),
    [
        (1.8, 0.0, 72.0),  # trusted always
        (1.8, math.log(77 / 45), 56.0),  # half of the growth
        (8.0, 0.2, 40.0),  # refused, but for a few
        (1.02, 0.3, 40.8),  # agreed
        (0.85, 0.2, 34.0),  # somewhat fewer people are trusted
        (0.5, 0.0, 20.0),  # trusted always
        (45 / 40 * math.exp(-FALL) - 5 / 40, 0.2, 40 - 22.5 * (1 - math.exp(-FALL))),  # half of the fall
        (0.0, 0.2, 39.8),  # refused, but for a few
    ],
)
def test_a_second_pass_that_finds_far_more_or_fewer_people_counts_less(times, doubt, count):
    found = grainy(times, doubt)
    assert found.count == pytest.approx(count, abs=0.3)
    assert found.first_pass_count == pytest.approx(40, abs=1e-3)
    (region,) = found.regions
    assert region.count == pytest.approx(found.count, abs=1e-3)


@given(st.floats(0, 3000), st.floats(0, 9000), st.floats(0.01, 3))
def test_the_share_of_the_second_pass_falls_with_the_difference_of_the_counts(before, after, doubt):
    share = trusted_share(before, after, doubt)
    assert 0 <= share <= 1
    further = after + 50 if after >= before else after / 2
    assert trusted_share(before, further, doubt) <= share
    assert trusted_share(before, before, doubt) == 1


def test_blends_keep_mass_and_the_heads_of_the_larger_share():
    edges = np.array([0.0, 16.0, 32.0]), np.array([0.0, 16.0])
    first, second = (
        BlockEstimate(np.array([[a, b]]), *edges, Points(np.array([[a, 1.0]])))
        for a, b in ((1.0, 2.0), (5.0, 4.0))
    )
    for share, x in ((0.25, 1.0), (0.75, 5.0)):
        mixed = first.blend(second, share)
        assert mixed.count == pytest.approx((1 - share) * first.count + share * second.count)
        assert mixed.points.xy[0, 0] == x
        hybrids = [HybridEstimate(each.points, each, 64) for each in (first, second)]
        both = hybrids[0].blend(hybrids[1], share)
        assert both.count == mixed.count
        assert both.candidates.xy[0, 0] == x
        assert PointsEstimate(first.points).blend(PointsEstimate(second.points), share).points.xy[0, 0] == x


@pytest.mark.parametrize(("least", "zoom", "regions"), [(1.4, None, 1), (1.6, None, 0), (1.6, 1.2, 1)])
def test_a_region_with_too_small_a_zoom_keeps_its_first_pass(least, zoom, regions):
    rule = FixedRule([Box(0, 0, 96, 64)])
    config = ModelConfig("grain", "density", "none", Density(4.0), rule, ZoomOptions(context=0, least=least))
    options = PredictOptions(zoom=zoom) if zoom else PredictOptions()
    found = Predictor(Grainy(2.0), config, options).predict(np.zeros((64, 96, 3), np.uint8))
    assert len(found.regions) == regions
    assert found.count == pytest.approx(80 if regions else 40, abs=1e-2)


@pytest.mark.parametrize("options", [{"doubt": -1}, {"least": -0.1}])
def test_limits_of_the_second_pass_name_themselves(options):
    with pytest.raises(OptionError, match="expected a"):
        ZoomOptions(**options)
