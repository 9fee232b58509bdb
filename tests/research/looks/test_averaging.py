"""Test-time averaging with engines whose answers are known: people are neither lost nor made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from crowdscale.backends import NetworkOutput
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.errors import OptionError
from crowdscale.maps import Density, HybridLabels
from crowdscale.maps.blocks import BLOCK
from crowdscale.maps.regions import DensityRule
from crowdscale.points import Box, Points
from crowdscale.trust.intervals import calibrate_counts
from research.looks.__main__ import app
from research.looks.averaging import AveragingBackend, AveragingOptions, average_looks
from research.synthetic import SceneOptions, write_scenes
from tests.support.fakes import TruthBackend, coordinate_photo, truth_config

HYBRID = replace(truth_config(), method="hybrid", codec=HybridLabels())
DENSITY = replace(truth_config(), method="density", codec=Density(2.0), rule=DensityRule())


class LightCounts:
    """Sees ten people for each unit of light, a tenth more for each pixel to the left of the middle."""

    def __init__(self) -> None:
        self.looks: list[tuple[int, int]] = []

    def predict(self, pixels):
        height, width = pixels.shape[:2]
        self.looks.append((width, height))
        density = pixels[..., 0] / np.float32(255)
        tall, wide = -(-height // 32) * 2, -(-width // 32) * 2
        whole = np.zeros((tall * BLOCK, wide * BLOCK), np.float32)
        whole[:height, :width] = density
        blocks = whole.reshape(tall, BLOCK, wide, BLOCK).sum((1, 3))
        features = np.zeros((2, tall * 2, wide * 2), np.float32)
        output = np.stack([density, density])
        return NetworkOutput(output, features, blocks)

    def predict_batch(self, views):
        return [self.predict(view) for view in views]

    def area_factor(self, pooled):
        return 1.0


def dots(width, height):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 3, width // 5] = 255
    pixels[height - 3, width - 2] = 255
    return pixels


@pytest.mark.parametrize("size", [(64, 48), (101, 67), (16, 16), (30, 95)], ids=str)
def test_mirroring_loses_nobody_at_any_size(size):
    engine = AveragingBackend(LightCounts(), HYBRID, AveragingOptions(flip=True))
    seen = engine.predict(dots(*size))
    plain = LightCounts().predict(dots(*size))
    assert seen.blocks.sum() == pytest.approx(2, abs=1e-5)
    assert seen.output[0] == pytest.approx(plain.output[0])  # symmetric: the mirror image says the same
    if size[0] % BLOCK == 0:
        assert seen.blocks == pytest.approx(
            plain.blocks[: seen.blocks.shape[0], : seen.blocks.shape[1]], abs=1e-5
        )


class InCells(LightCounts):
    """Tells its map in cells of 2 pixels."""

    def predict(self, pixels):
        seen = super().predict(pixels)
        (height, width), (tall, wide) = seen.size, (-(-side // 2) for side in seen.size)
        whole = np.pad(seen.output, ((0, 0), (0, 2 * tall - height), (0, 2 * wide - width)), mode="edge")
        cells = whole.reshape(2, tall, 2, wide, 2).mean((2, 4))
        return seen._replace(output=cells, cell=2, frame=(height, width))


@pytest.mark.parametrize("size", [(64, 48), (101, 67)], ids=str)
def test_maps_in_cells_are_averaged_in_pixels(size):
    pixels = np.random.default_rng(0).integers(0, 255, (*size[::-1], 3), np.uint8)
    seen = AveragingBackend(InCells(), HYBRID, AveragingOptions(flip=True)).predict(pixels)
    plain = InCells().predict(pixels)
    assert plain.size == size[::-1]
    assert (seen.cell, seen.size) == (1, size[::-1])
    turned = InCells().predict(np.ascontiguousarray(pixels[:, ::-1])).enlarged()
    expected = (plain.enlarged().output[0] + turned.output[0, :, ::-1]) / 2
    assert seen.output[0] == pytest.approx(expected, abs=1e-6)
    assert seen.blocks.sum() == pytest.approx(plain.blocks.sum(), rel=1e-4)


def test_the_mean_of_scales_is_taken():
    """Light over pixels grows with the area: 1 at full size, 4 at twice, so the mean of both is 2.5 times it."""
    pixels = np.full((64, 96, 3), 255, np.uint8)
    engine = LightCounts()
    seen = AveragingBackend(engine, HYBRID, AveragingOptions(scales=(2.0,))).predict(pixels)
    assert engine.looks == [(96, 64), (192, 128)]
    assert seen.blocks == pytest.approx(np.full((4, 6), 2.5 * BLOCK**2))
    assert seen.output[0].max() == 1  # labels of another scale are other labels


def test_densities_are_averaged_with_their_mass():
    pixels = np.full((60, 90, 3), 255, np.uint8)
    seen = AveragingBackend(LightCounts(), DENSITY, AveragingOptions(True, (0.5, 2.0))).predict(pixels)
    assert seen.output.shape == (2, 60, 90)
    assert seen.output[0].sum() == pytest.approx(60 * 90 * (1 + 0.25 + 4) / 3, rel=1e-4)


def test_heads_stay_where_they_are():
    points = Points([[20, 20], [60.3, 40.2], [99, 70]])
    usual = truth_config(Box(10, 10, 80, 60))
    plain = Predictor(TruthBackend(points), usual, PredictOptions(zoom=1.5))
    found = average_looks(plain, AveragingOptions(flip=True)).predict(coordinate_photo(120, 90))
    assert len(found.points) == 3
    order = np.argsort(found.points.xy[:, 0])
    assert found.points.xy[order] == pytest.approx(points.xy, abs=0.5)
    assert found.regions


class Counted(TruthBackend):
    """Counts its runs."""

    runs = 0

    def predict(self, pixels):
        self.runs += 1
        return super().predict(pixels)


def test_a_derived_predictor_averages_once():
    """Frames of a video after the first one, whose predictor is derived, cost as many runs as the first."""
    plain = Predictor(Counted(Points([[20, 20], [60, 40]])), truth_config(Box(10, 10, 80, 60)))
    predictor = average_looks(plain, AveragingOptions(flip=True))
    runs = []
    for each in (
        predictor,
        predictor.with_options(read_scale=1.0),
        predictor.with_options(regions=1).with_options(),
    ):
        before = plain.backend.runs
        each.predict(coordinate_photo(120, 90))
        runs.append(plain.backend.runs - before)
        assert each.backend is predictor.backend
    assert runs == [4, 4, 4]  # two passes of two views


def test_without_further_views_the_predictor_stays():
    plain = Predictor(TruthBackend(Points()), truth_config())
    assert average_looks(plain, AveragingOptions()) is plain


def test_averaged_counts_have_no_calibrated_interval():
    config = replace(
        truth_config(), calibration=calibrate_counts(np.arange(40.0), np.arange(40.0) + 1, "drawn")
    )
    plain = Predictor(TruthBackend(Points()), config)
    assert plain.config.calibration is not None
    assert average_looks(plain, AveragingOptions(flip=True)).config.calibration is None


@pytest.mark.parametrize("scales", [(1.0,), (0.1,), (5.0, 0.5)], ids=str)
def test_scales_out_of_range_are_refused(scales):
    with pytest.raises(OptionError, match="--scales"):
        AveragingOptions(scales=scales)


def test_a_model_of_labels_alone_has_no_scales():
    with pytest.raises(OptionError, match="density or hybrid"):
        AveragingBackend(LightCounts(), truth_config(), AveragingOptions(scales=(2.0,)))


def test_the_command_prints_both_tables(bundled, tmp_path):
    write_scenes(tmp_path / "photos", 1, SceneOptions(width=96, height=96, kind="sparse", seed=1))
    words = [bundled, "--data", f"folder:{tmp_path / 'photos'}", "--threads", "1"]
    done = CliRunner().invoke(app, [*words, "--flip", "--scales", "0.8"])
    assert done.exit_code == 0, done.output
    assert [line for line in done.stdout.splitlines() if line.endswith("photos")] == [
        "plain, 1 photos",
        "averaged, 1 photos",
    ]
    for wrong, words_of_error in ((["--scales", "a"], "such as 0.8,1.25"), ([], "--flip or --scales")):
        assert words_of_error in str(CliRunner().invoke(app, [*words, *wrong]).exception)
