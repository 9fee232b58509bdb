"""Tiles cover a photo once; a tiled photo says what the whole one says."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.backends import NetworkOutput
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.counting.tiles import TileOptions, batches, plan_tiles
from crowdscale.errors import OptionError
from crowdscale.files.images import read_image
from crowdscale.maps import Density, DistanceLabels, HybridLabels
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.metrics import match_counts
from crowdscale.models.description import ModelConfig
from crowdscale.points import Box
from tests.support.fakes import FixedRule

SMALL = TileOptions(whole=1024, side=128, margin=64)


@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from([32, 96, 128]), st.sampled_from([0, 32, 64]))
def test_each_pixel_is_owned_once_and_tiles_begin_on_the_grid(width, height, side, margin):
    tiles = plan_tiles(width, height, TileOptions(whole=1024, side=side, margin=margin))
    owners = np.zeros((height, width), int)
    for tile in tiles:
        owners[tile.owned.slices] += 1
        assert tile.context == tile.owned.grow(margin if len(tiles) > 1 else 0, (height, width))
        assert (tile.context.left % 32, tile.context.top % 32) == (0, 0)
        assert tile.owned.area > 0
        if len(tiles) > 1:
            assert max(tile.owned.width, tile.owned.height) <= side
        cut = np.zeros((tile.context.height, tile.context.width), bool)
        cut[tile.inner.slices] = True
        assert cut.sum() == tile.owned.area
    assert (owners == 1).all()


def test_a_photo_that_is_small_enough_is_one_tile():
    (tile,) = plan_tiles(1600, 1000, TileOptions())
    assert tile.owned == tile.context == Box(0, 0, 1600, 1000)


def test_a_strip_that_padding_makes_large_is_cut():
    assert len(plan_tiles(1600, 1, TileOptions())) == 1
    assert len(plan_tiles(131_070, 2, TileOptions())) == 128


def test_batches_hold_tiles_of_one_size_in_order():
    tiles = plan_tiles(640, 300, SMALL)
    runs = list(batches(tiles, 2))
    assert [tile for run in runs for tile in run] == tiles
    assert all(len({(t.context.width, t.context.height) for t in run}) == 1 and len(run) <= 2 for run in runs)
    assert any(len(run) == 2 for run in runs)


@pytest.mark.parametrize(
    "wrong", [{"side": 100}, {"side": 0}, {"margin": 5}, {"batch": 0}, {"whole": 1}], ids=str
)
def test_what_tiles_cannot_be(wrong):
    with pytest.raises(OptionError, match="expected"):
        TileOptions(**wrong)


class BlurBackend:
    """A network of bounded receptive field: what it says of a pixel follows from the 20 pixels around it."""

    def __init__(self, density: bool = False, gain: float = 50) -> None:
        self.density, self.gain = density, gain
        self.batches: list[int] = []

    def predict(self, pixels):
        return self.predict_batch([pixels])[0]

    def predict_batch(self, views):
        self.batches.append(len(views))
        return [self._see(view) for view in views]

    def _see(self, pixels):
        height, width = pixels.shape[:2]
        blurred = cv2.GaussianBlur(
            pixels[..., 0].astype(np.float32), (41, 41), 3, borderType=cv2.BORDER_CONSTANT
        )
        grey = np.minimum(1, blurred / 255 * self.gain)  # a lone head peaks at 0.88
        label = np.clip(11 - 11 * grey, 0, 10)
        output = np.stack([label, np.rint(label)]).astype(np.float32)
        padded = np.pad(grey, ((0, -height % 32), (0, -width % 32)))
        rows, columns = padded.shape
        blocks = padded.reshape(rows // 16, 16, columns // 16, 16).sum((1, 3)) / 50
        features = padded.reshape(1, rows // 8, 8, columns // 8, 8).mean((2, 4))
        return NetworkOutput(
            grey[None] / 100 if self.density else output, features.astype(np.float32), blocks
        )

    def area_factor(self, pooled):
        return float(1 + 3 * pooled.mean())


CODECS = {"points": DistanceLabels(), "hybrid": HybridLabels(), "density": Density()}


def blurred(method, tiles, rule=None, **options):
    config = ModelConfig(method, method, "none", CODECS[method], rule or FixedRule([]), feature_channels=1)
    return Predictor(BlurBackend(method == "density"), config, PredictOptions(tiles=tiles, **options))


def crowd_pixels(width, height, seed):
    rng = np.random.default_rng(seed)
    pixels = np.zeros((height, width, 3), np.uint8)
    # Closer heads melt into plateaus that reach across tiles; a plateau's centre follows from all of it.
    heads = min(400, width * height // 250)
    pixels[rng.integers(0, height, heads), rng.integers(0, width, heads)] = 255
    return pixels


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(sorted(CODECS)), st.integers(130, 420), st.integers(130, 420), st.integers(0, 9),
    st.sampled_from([1, 3]),
)  # fmt: skip
def test_tiled_is_whole_for_a_network_of_bounded_receptive_field(method, width, height, seed, batch):
    pixels = crowd_pixels(width, height, seed)
    whole = blurred(method, TileOptions()).predict(pixels)
    tiled = blurred(method, replace(SMALL, batch=batch)).predict(pixels)
    assert tiled.tiles > whole.tiles == 1
    assert tiled.count == pytest.approx(whole.count, rel=1e-3)
    assert tiled.map == pytest.approx(whole.map, abs=1e-3)
    if method != "density":
        # Sums differ in the last bits: where the budget of dots lies at a half, one dot more or less is kept.
        slack = 0 if method == "points" else 1
        found = match_counts(tiled.points.xy, whole.points.xy, 1e-3).item()
        assert found >= max(len(tiled.points), len(whole.points)) - slack
        assert found > 10
    if method != "points":
        cells = whole.density
        if method == "density":
            rows, columns = np.arange(0, height, 16), np.arange(0, width, 16)
            cells = np.add.reduceat(np.add.reduceat(cells, rows, axis=0), columns, axis=1)
        assert tiled.density == pytest.approx(cells, abs=1e-3)
        assert tiled.blocks().y_edges[-1] == height


def test_a_margin_too_thin_for_the_receptive_field_shows():
    """The law above is no matter of course: without a margin, heads at the seams are seen otherwise."""
    pixels = crowd_pixels(400, 400, 1)
    whole = blurred("hybrid", TileOptions()).predict(pixels)
    tiled = blurred("hybrid", replace(SMALL, margin=0)).predict(pixels)
    assert abs(tiled.density - whole.density).max() > 0.05


def test_tiles_of_a_size_go_through_the_network_together():
    predictor = blurred("points", replace(SMALL, batch=4))
    predictor.predict(crowd_pixels(900, 200, 0))
    assert max(predictor.backend.batches) == 4


def test_dense_regions_of_a_large_photo_are_refined_in_each_tile_and_each_by_its_own_factor():
    pixels = np.zeros((256, 512, 3), np.uint8)
    pixels[20:100, 20:100] = 255  # features 1 on its tile, factor 2
    pixels[148:228, 404:484] = 128
    found = blurred("hybrid", replace(SMALL, side=256), LabelRule(minimum=0.05)).predict(pixels)
    assert found.tiles == 2
    assert len(found.regions) == 2
    assert found.regions[0].zoom != found.regions[1].zoom
    for region, inside in zip(
        sorted(found.regions, key=lambda r: r.box.left), [(60, 60), (444, 188)], strict=True
    ):
        assert region.box.contains(np.array([inside]))[0]
    assert found.count == pytest.approx(
        found.first_pass_count + sum(r.count - r.first_pass_count for r in found.regions), rel=1e-6
    )


def test_thresholds_do_not_depend_on_the_tile():
    """A region too small beside a full tile is none in a narrow last tile either."""
    pixels = np.zeros((300, 140, 3), np.uint8)
    pixels[270:300, 20:50] = 255
    rule = LabelRule(minimum=0.2)
    tiles = TileOptions(whole=1024, side=256, margin=32)
    assert len(plan_tiles(140, 300, tiles)) > 1
    assert blurred("points", tiles, rule).predict(pixels).regions == ()
    assert LabelRule(minimum=0.02).find(
        np.full((2, 30, 140), 0, np.float32)
    )  # it would be one of the strip alone


def test_a_density_models_threshold_is_that_of_the_whole_photo():
    """Two tiles of even density, one four times the other: by its own mean neither has a region, by the whole's one."""
    pixels = np.full((256, 512, 3), 60, np.uint8)
    pixels[:, 256:] = 240
    rule = DensityRule(times_mean=1.3, minimum=0.1)
    predictor = blurred("density", replace(SMALL, side=256), rule, zoom=1.5)
    predictor.backend.gain = 1
    found = predictor.predict(pixels)
    assert found.tiles == 2
    (region,) = found.regions
    assert region.box.left >= 250


def test_a_second_look_that_is_large_is_tiled_too():
    pixels = crowd_pixels(300, 300, 2)
    box = Box(40, 40, 260, 260)
    results = [
        blurred("points", tiles, FixedRule([box]), zoom=2.0).predict(pixels)
        for tiles in (TileOptions(), TileOptions(whole=300 * 300, side=128, margin=64))
    ]
    assert results[1].tiles == 1
    ours, theirs = (np.array(sorted(r.points.xy.tolist())) for r in results)
    assert ours == pytest.approx(theirs, abs=1e-3)


def test_the_map_can_be_left_out():
    assert blurred("points", SMALL, keep_map=False).predict(crowd_pixels(300, 300, 2)).map is None


@pytest.mark.realdata
@pytest.mark.slow
def test_the_bundled_model_says_the_same_in_tiles(bundled, shanghaitech_root):
    """Photos of the training split stitched to a mosaic: counts within 1 %, dots the same but for a few."""
    names = [f"IMG_{number}" for number in (3, 5, 27, 80)]
    folder = next(shanghaitech_root.glob("part_A*/train*/images"))
    parts = [cv2.resize(read_image(folder / f"{name}.jpg").pixels, (800, 600)) for name in names]
    mosaic = np.concatenate([np.concatenate(parts[:2], 1), np.concatenate(parts[2:], 1)])
    whole, tiled = (
        load(bundled, options=PredictOptions(refine=False, read_scale=1.0, tiles=tiles)).predict(mosaic)
        for tiles in (TileOptions(), TileOptions(whole=1024))
    )
    assert (whole.tiles, tiled.tiles) == (1, 4)
    assert tiled.count == pytest.approx(whole.count, rel=0.01)
    assert len(tiled.points) == pytest.approx(len(whole.points), rel=0.01)
