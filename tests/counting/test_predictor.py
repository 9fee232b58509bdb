"""The Predictor with a network that knows the truth: what merging, reducing and enlarging must keep."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial import cKDTree

from crowdscale.backends import NetworkOutput
from crowdscale.counting.predictor import PredictOptions, Predictor, load, open_photo
from crowdscale.errors import ImageError, OptionError
from crowdscale.files.images import Photo, resize_image
from crowdscale.maps import Density, HybridLabels
from crowdscale.maps.regions import DensityRule, RuleChoice
from crowdscale.models.description import ModelConfig, ZoomOptions
from crowdscale.points import Box, Points
from crowdscale.trust.appearance import FeatureCloud
from crowdscale.trust.intervals import Calibration
from crowdscale.trust.profile import Profile
from tests.support.fakes import TruthBackend, axis, coordinate_photo, truth_config
from tests.support.people import assert_same_people

WIDTH, HEIGHT = 120, 90
PHOTO = coordinate_photo(WIDTH, HEIGHT)
CROWD = Points([[x, y] for y in range(20, 70, 9) for x in range(30, 90, 9)])


def predictor(points, *boxes, area=2.25, limits=None, **options):
    return Predictor(TruthBackend(points, area), truth_config(*boxes, zoom=limits), PredictOptions(**options))


heads = st.lists(
    st.tuples(st.integers(2, WIDTH - 3), st.integers(2, HEIGHT - 3), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    heads, st.integers(5, 60), st.integers(5, 40), st.integers(12, 50), st.integers(12, 45), st.floats(0.9, 3)
)
def test_nobody_on_the_seam_is_counted_twice_or_lost(places, left, top, width, height, factor):
    points = Points([[x + dx, y + dy] for x, y, dx, dy in places])
    assume(len(points) == 1 or cKDTree(points.xy).query(points.xy, 2)[0][:, 1].min() >= 7)
    box = Box(left, top, left + width, top + height)
    result = predictor(points, box, zoom=factor).predict(PHOTO)
    assert_same_people(result.points, points, tolerance=0.4)
    assert result.count == len(points)
    (region,) = result.regions
    assert region.first_pass_count == region.count == len(points.inside(box))


def test_seam_through_a_column_of_heads_keeps_them_all():
    points = Points([[x, 30] for x in range(10, 110, 10)])
    for edge in range(45, 56):
        result = predictor(points, Box(edge, 10, 100, 60)).predict(PHOTO)
        assert_same_people(result.points, points, 0.4)


def test_published_merge_counts_the_seam_twice():
    points = Points([[x, 30] for x in range(10, 110, 10)])
    result = predictor(points, Box(51, 10, 92, 60), merge="published").predict(PHOTO)
    assert result.first_pass_count == 10
    assert result.count > 10


def test_published_merge_agrees_where_no_head_is_near_the_seam():
    points = Points([[60, 45], [70, 45], [8, 8]])
    result = predictor(points, Box(30, 15, 100, 80), merge="published").predict(PHOTO)
    assert result.count == 3


APART = (Box(0, 0, 40, 90), Box(80, 0, 120, 90)), (Box(0, 0, 50, 90), Box(70, 0, 120, 90))


@pytest.mark.parametrize(("merge", "boxes"), list(zip(["ownership", "published"], APART, strict=True)))
def test_several_regions_are_all_kept(merge, boxes):
    points = Points([[20, 45], [100, 45]])
    result = predictor(points, *boxes, merge=merge, regions=2).predict(PHOTO)
    assert result.count == 2
    assert [(region.first_pass_count, region.count) for region in result.regions] == [(1, 1), (1, 1)]


def test_the_region_is_found_enlarged_and_told():
    backend = TruthBackend(CROWD, area=2.25)
    result = Predictor(backend, truth_config(), PredictOptions()).predict(PHOTO)
    (region,) = result.regions
    assert region.box.as_tuple() == (19, 9, 96, 77)  # labels below 8 reach 11 pixels beyond the outer heads
    assert region.zoom == 1.5
    assert not region.capped
    context = region.box.grow(16, (HEIGHT, WIDTH))
    assert backend.shown == [(WIDTH, HEIGHT), (round(context.width * 1.5), round(context.height * 1.5))]


@pytest.mark.parametrize(("area", "factor"), [(0.01, 0.5**0.5), (100.0, 5.0**0.5)])
def test_learned_factor_is_clamped(area, factor):
    result = predictor(CROWD, Box(20, 10, 60, 60), area=area).predict(PHOTO)
    assert result.regions[0].zoom == pytest.approx(factor)


def test_factor_is_capped_by_pixels_and_told():
    box = Box(20, 10, 60, 60)
    zoom = ZoomOptions(max_pixels=round(box.grow(16, (HEIGHT, WIDTH)).area * 1.21))
    result = predictor(CROWD, box, limits=zoom, zoom=3.0).predict(PHOTO)
    assert result.regions[0].zoom == pytest.approx(1.1, abs=1e-3)
    assert result.regions[0].capped


def test_refine_off_gives_the_first_pass_alone():
    backend = TruthBackend(CROWD)
    result = Predictor(backend, truth_config(), PredictOptions(refine=False)).predict(PHOTO)
    assert result.regions == ()
    assert result.count == result.first_pass_count == len(CROWD)
    assert len(backend.shown) == 1


def test_model_without_scale_net_refines_only_by_a_fixed_factor():
    config = replace(truth_config(), refines=False)
    assert Predictor(TruthBackend(CROWD), config).predict(PHOTO).regions == ()
    fixed = Predictor(TruthBackend(CROWD), config, PredictOptions(zoom=2.0)).predict(PHOTO)
    assert fixed.regions[0].zoom == 2.0


@pytest.mark.parametrize("points", [Points(), Points([[40, 30]])], ids=["nobody", "one person"])
def test_few_people(points):
    photo = coordinate_photo(250, 250)
    result = predictor(points).predict(photo)
    assert result.count == result.first_pass_count == len(points)
    assert_same_people(result.points, points, 0.01)
    assert result.regions == ()


def test_one_pixel():
    result = predictor(Points()).predict(np.zeros((1, 1, 3), np.uint8))
    assert (result.count, result.size, result.regions) == (0, (1, 1), ())


def test_reduced_photo_answers_in_original_pixels():
    points = Points([[30, 30], [50, 30], [30, 50], [100, 80]])
    result = predictor(points, Box(10, 5, 20, 30), max_pixels=WIDTH * HEIGHT // 4).predict(PHOTO)
    assert result.read_scale == 0.5
    assert result.size == (WIDTH, HEIGHT)
    assert_same_people(result.points, points, 0.1)
    assert result.regions[0].box == Box(20, 10, 40, 60)


def test_a_photo_reduced_by_the_reader_is_scaled_back_too():
    photo = Photo(resize_image(PHOTO, WIDTH // 3, HEIGHT // 3), (WIDTH, HEIGHT))
    points = Points([[30, 30], [60, 60]])
    assert_same_people(predictor(points).predict_photo(photo).points, points, 0.1)


def test_eight_threads_get_the_answers_of_one():
    shared = predictor(CROWD)
    views = [np.ascontiguousarray(PHOTO[:, : 100 + 2 * n]) for n in range(8)]
    alone = [predictor(CROWD).predict(view) for view in views]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(shared.predict, views * 3))
    for index, result in enumerate(together):
        assert result.points == alone[index % 8].points
        assert result.regions == alone[index % 8].regions


def test_every_kind_of_source_gives_the_same_people(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(PHOTO).save(path)
    expected = predictor(CROWD).predict(PHOTO).points
    rgba = np.dstack([PHOTO, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    data = path.read_bytes()
    sources = [
        path,
        str(path),
        data,
        bytearray(data),
        memoryview(data),
        io.BytesIO(data),
        Image.open(path),
        rgba,
    ]
    for source in sources:
        assert predictor(CROWD).predict(source).points == expected


@pytest.mark.parametrize(
    "source",
    [
        np.full((4, 4, 3), -1.0),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        "none.jpg",
        b"no photo",
    ],
    ids=["negative", "two channels", "empty", "missing", "bytes"],
)
def test_what_is_no_photo_is_refused(source):
    with pytest.raises(ImageError):
        predictor(CROWD).predict(source)


@pytest.mark.parametrize("source", [None, 7, {"photo": 1}, object()], ids=lambda value: type(value).__name__)
def test_what_is_nothing_like_a_photo_is_one_sentence(source):
    with pytest.raises(
        ImageError, match="expected a photo as a path, bytes, an open file, a PIL image or an array"
    ):
        predictor(CROWD).predict(source)


def test_grey_arrays_of_both_shapes_are_one():
    grey = PHOTO.mean(axis=2).astype(np.uint8)
    photos = [open_photo(each, 10**6).pixels for each in (grey, grey[..., None])]
    np.testing.assert_array_equal(*photos)
    assert photos[0].shape == (HEIGHT, WIDTH, 3)


def test_with_options_shares_the_backend_and_keeps_the_rest():
    plain = predictor(CROWD)
    first = plain.with_options(refine=False)
    assert first.backend is plain.backend
    assert (first.options, first.config) == (replace(plain.options, refine=False), plain.config)
    assert first.with_options(refine=True).options == plain.options
    moved = first.with_options(config=replace(plain.config, offset=(1.0, 0.0)))
    assert (moved.config.offset, moved.options) == ((1.0, 0.0), first.options)
    other = TruthBackend(CROWD)
    assert plain.with_options(PredictOptions(regions=2), backend=other, zoom=2.0).backend is other


def test_a_rule_of_options_goes_with_the_options():
    usual = Predictor(TruthBackend(CROWD), truth_config(), PredictOptions(rule=RuleChoice(minimum=0.5)))
    assert usual.config.rule.minimum == 0.5
    assert usual.with_options(rule=RuleChoice()).config.rule == truth_config().rule


def test_a_predictor_says_what_it_is():
    assert re.fullmatch(r"Predictor\('\w+', TruthBackend\)", repr(predictor(CROWD)))


def test_threads_are_checked(label_model):
    with pytest.raises(OptionError, match="threads of at least 0, but got -1"):
        load(label_model, threads=-1)
    with pytest.raises(OptionError, match=r"unknown device 'mps'\. Choose one of cpu, cuda\.$"):
        load(label_model, device="mps")


def test_an_unknown_level_is_one_sentence():
    calibration = Calibration((0.5, 0.9), (0.1, 0.2), 10.0, 0.0, 5, 900, 60)
    for level in ("x", 0.7, None):
        with pytest.raises(OptionError, match=rf"a level out of 0\.5, 0\.9, but got {level!r}"):
            calibration.interval(100, level)


@pytest.mark.parametrize(
    "values",
    [
        {"merge": "both"},
        {"zoom": 0.0},
        {"zoom": float("nan")},
        {"zoom": 11},
        {"regions": 0},
        {"regions": "most"},
        {"third_pass": True, "merge": "published"},
        {"max_pixels": 9},
    ],
    ids=str,
)
def test_options_are_checked(values):
    with pytest.raises(OptionError, match="expected"):
        PredictOptions(**values)


class DensityBackend(TruthBackend):
    """Shows the true density of known heads, a quarter too low at first sight."""

    def predict(self, pixels):
        first = super().predict(pixels)
        heads = np.argwhere(first.output[1] == 0)[:, ::-1]
        height, width = pixels.shape[:2]
        share = 0.75 if len(self.shown) == 1 else 1.0
        return NetworkOutput(share * Density(2.0).encode(Points(heads), width, height)[None], first.features)


@pytest.mark.parametrize("merge", ["ownership", "published"])
def test_density_model_takes_the_regions_mass_from_the_second_pass(merge):
    inside, outside = Points([[50, 40], [60, 40], [55, 50]]), Points([[10, 10], [110, 80]])
    box = Box(30, 20, 80, 70)
    config = ModelConfig("d", "density", "none", Density(2.0), DensityRule())
    config = replace(config, rule=truth_config(box).rule)
    backend = DensityBackend(Points.concatenate([inside, outside]))
    result = Predictor(backend, config, PredictOptions(merge=merge, zoom=2.0)).predict(PHOTO)
    assert result.first_pass_count == pytest.approx(5 * 0.75, abs=0.01)
    assert result.count == pytest.approx(3 + 2 * 0.75, abs=0.01)
    assert result.points is None
    assert result.density.sum() == pytest.approx(result.count, abs=1e-3)
    assert result.regions[0].count == pytest.approx(3, abs=0.01)


CALIBRATION = Calibration((0.5, 0.9), (0.1, 0.2), offset=0.0, growth=0.0, smallest=1, largest=100, images=40)


def test_intervals_come_with_the_count_where_it_is_counted_as_calibrated():
    config = replace(truth_config(), calibration=CALIBRATION)
    usual = Predictor(TruthBackend(CROWD), config).predict(PHOTO)
    assert usual.interval() == (33, 51)  # 42 ± 0.2 · 42
    assert usual.to_dict()["intervals"] == {"0.5": [37, 47], "0.9": [33, 51]}
    assert replace(usual, warnings=("Dark.",)).interval() is None
    assert predictor(CROWD).predict(PHOTO).interval() is None
    for other in ({"refine": False}, {"zoom": 1.5}, {"merge": "published"}, {"regions": 2}):
        changed = Predictor(TruthBackend(CROWD), config, PredictOptions(**other)).predict(PHOTO)
        assert (changed.interval(), changed.to_dict()["intervals"]) == (None, None)


def test_nobody_gives_an_interval_from_nobody():
    empty = Predictor(TruthBackend(Points()), replace(truth_config(), calibration=CALIBRATION)).predict(PHOTO)
    assert (empty.count, empty.interval()) == (0, (0, 0))


def test_a_photo_unlike_those_trained_on_is_warned_of():
    familiar = Profile({"luminance": 60.0}, 100, 2, 1.0, FeatureCloud(np.zeros(2), np.eye(2), 0.0).to_text())
    config = replace(truth_config(), familiar=familiar, calibration=CALIBRATION)
    grey = np.full((90, 120, 3), 80, np.uint8)
    seen = Predictor(TruthBackend(Points()), config).predict(grey)
    assert seen.warnings == ()
    assert seen.appearance.light == pytest.approx(80)
    dark = Predictor(TruthBackend(Points()), config).predict(grey // 2)
    assert len(dark.warnings) == 1
    assert "darker" in dark.to_dict()["warnings"][0]
    assert dark.interval() is None


def test_to_dict_is_plain_json():
    import json

    values = json.loads(json.dumps(predictor(CROWD).predict(PHOTO).to_dict()))
    assert values["count"] == len(CROWD) == len(values["heads"])
    assert values["regions"][0]["zoom"] == 1.5
    assert len(values["heads"][0]) == 3


class BlockTruth(TruthBackend):
    """Knows the people in each block of the view as well."""

    def predict(self, pixels):
        seen = super().predict(pixels)
        height, width = pixels.shape[:2]
        (sx, x0), (sy, y0) = axis(pixels[0, :, 0], pixels[0, 0, 2]), axis(pixels[:, 0, 1], pixels[0, 0, 2])
        xy = (self.points.xy - (x0, y0)) / (sx, sy)
        blocks = np.zeros((-(-height // 16), -(-width // 16)), np.float32)
        columns, rows = np.floor((xy + 0.5) / 16).astype(int).T
        on = (columns >= 0) & (columns < blocks.shape[1]) & (rows >= 0) & (rows < blocks.shape[0])
        np.add.at(blocks, (rows[on], columns[on]), 1)
        return seen._replace(blocks=blocks)


def test_a_hybrid_counts_by_blocks_and_its_dots_agree():
    """A dense cluster of 35 and two lone heads; the region's people come from its second pass."""
    grid = [(x, y) for x in range(40, 96, 8) for y in range(40, 80, 8)]
    points = Points(np.array([*grid, (10, 100), (118, 12)], float))
    config = replace(truth_config(Box(32, 32, 100, 84)), method="hybrid", codec=HybridLabels())
    found = Predictor(BlockTruth(points), config).predict(coordinate_photo(128, 112))
    assert found.regions
    assert found.count == pytest.approx(len(points), abs=1.5)
    assert found.density is not None
    assert found.density.sum() == pytest.approx(found.count)
    assert abs(len(found.points) - found.count) <= 1
    published = Predictor(BlockTruth(points), config, PredictOptions(merge="published"))
    assert published.predict(coordinate_photo(128, 112)).density is None
