"""What the second look did, measured: rows of regions, their errors and spread, and how ``evaluate`` tells it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from crowdscale.cli.main import app
from crowdscale.counting import predictor as prediction
from crowdscale.counting.prediction import Prediction, Region
from crowdscale.counting.predictor import Predictor
from crowdscale.evaluation.diagnosis import diagnose
from crowdscale.evaluation.regions import RegionRow, region_rows
from crowdscale.evaluation.run import Evaluation, Row
from crowdscale.files.images import write_image
from crowdscale.metrics import GroundTruth, ImageRow, Scoring
from crowdscale.models.description import ZoomOptions
from crowdscale.points import Box, Points
from tests.support.fakes import TruthBackend, axis, coordinate_photo, truth_config

NAN = float("nan")
SIDES = (0, 0, 100, 100)
ROWS = (
    RegionRow(SIDES, 2.0, True, 10, 7, 9, 4.0, (7, 9), (4, 5, 6), (8, 8, 9)),
    RegionRow(SIDES, 2.0, True, 20, 26, 24, 8.0, (26, 24), (10, 12, 16), (12, 15, 17)),
    RegionRow(SIDES, 1.0, True, 30, 30, 27, 16.0, (30, 27), (20, 24, 26), (22, 25, 26)),
    RegionRow(SIDES, 0.5, False, 2, 2, 3, 32.0, (2, 3), (1, 1, 2), (1, 2, 2)),
    RegionRow(SIDES, 1.0, False, 1, 0, 1, NAN, (0, 1), (0, 0, 0), (1, 1, 1)),
)
ZOOM = ZoomOptions(area_low=0.25, area_high=4.0)


def row(name, truth, first, refined, dense=()):
    counts = (ImageRow(name, "", truth, count) for count in (refined, first))
    return Row(*counts, len(dense), NAN, NAN, 0.1, dense)


def diagnosed(*regions):
    """Two photos with regions and one without."""
    rows = (row("a", 50, 40, 44, regions[:2]), row("b", 60, 72, 66, regions[2:]), row("c", 5, 500, 500))
    return diagnose(Evaluation(rows), ZOOM)


def test_errors_of_photos_and_of_regions_alone():
    """Errors of the regions before -3, 6, 0, 0, -1, and after -1, 4, -3, 1, 0; the photo without one is left out."""
    known = diagnosed(*ROWS)
    assert (known.images, known.regions, known.heads) == (2, 5, 63)
    assert (known.mae_first, known.mae_refined) == (11, 6)
    assert (known.dense_mae_first, known.dense_mae_refined) == (2.0, 1.8)
    assert known.dense_rmse_first == pytest.approx(math.sqrt(46 / 5))
    assert known.dense_rmse_refined == pytest.approx(math.sqrt(27 / 5))
    assert known.dense_bias_first == pytest.approx(0.4)
    assert known.dense_bias_refined == pytest.approx(0.2)


def test_f_of_the_regions_is_of_totals():
    known = diagnosed(*ROWS)  # 65 heads found at first, 64 at last, of 63
    assert known.dense_f_first == pytest.approx({"4px": 70 / 128, "8px": 84 / 128, "16px": 100 / 128})
    assert known.dense_f_refined == pytest.approx({"4px": 88 / 127, "8px": 102 / 127, "16px": 110 / 127})


def test_regions_without_heads_have_no_f():
    counted = [
        RegionRow(SIDES, 1.0, False, each.truth, each.first_pass_count, each.count, 9.0) for each in ROWS
    ]
    assert diagnosed(*counted).dense_f_first == {}


def test_factors_and_what_limits_them():
    known = diagnosed(*ROWS)
    assert known.factors == pytest.approx((0.7, 1.0, 2.0))
    assert (known.clamped_low, known.clamped_high, known.capped) == (0.2, 0.4, 0.6)


def test_spread_of_spacing_and_how_the_factor_follows_it():
    """Spacings 4, 8, 16, 32 become 8, 16, 16, 16; the region of one head has none."""
    known = diagnosed(*ROWS)
    assert (known.spacing_before, known.spacing_after) == (12, 16)
    assert known.log_spread_before == pytest.approx(math.sqrt(5 / 4) * math.log10(2))
    assert known.log_spread_after == pytest.approx(math.sqrt(3 / 16) * math.log10(2))
    # log₂ r = 1, 1, 0, -1 about its mean against 2, 1, 0, -1 about theirs
    assert known.factor_fit == pytest.approx(3.5 / math.sqrt(2.75 * 5))


@pytest.mark.parametrize(
    ("factors", "fit", "spread"),
    [((2, 1, 0.5), 1, 0), ((0.5, 1, 2), -1, 2 * math.sqrt(2 / 3)), ((1, 1, 1), NAN, math.sqrt(2 / 3))],
    ids=["brings all to one spacing", "the wrong way round", "fixed"],
)
def test_fit_is_one_where_all_regions_come_to_one_spacing(factors, fit, spread):
    regions = [
        RegionRow(SIDES, r, False, 2, 2, 2, spacing)
        for r, spacing in zip(factors, (4.0, 8.0, 16.0), strict=True)
    ]
    known = diagnosed(*regions)
    assert known.factor_fit == pytest.approx(fit, nan_ok=True)
    assert known.log_spread_after == pytest.approx(spread * math.log10(2), abs=1e-9)


def test_without_regions_nothing_is_measured():
    known = diagnosed()
    assert (known.images, known.regions, known.heads, known.dense_f_first) == (0, 0, 0, {})
    plain = known.to_dict()
    assert plain["mae_first"] is plain["dense_mae_refined"] is plain["factor_fit"] is plain["capped"] is None
    assert plain["factors"] == [None] * 3


HEADS = GroundTruth(Points([[10, 10], [10, 16], [18, 10], [60, 60], [29.6, 10]]))
BOX = Box(0, 0, 30, 20)
FIRST = Points([[10, 13], [18, 15], [70, 70]])
LAST = Points([[10, 11], [10, 16], [18, 10], [25, 18], [60, 60]])


def test_a_row_holds_what_lies_in_its_region():
    """Three of five heads, 6, 6 and 8 pixels from their nearest; one of the first pass is 5 off, one 3."""
    region = Region(BOX, 1.5, 2, 4, capped=True)
    seen = Prediction(5, LAST, None, (region,), 3, FIRST, (100, 80), "known")
    (found,) = region_rows(seen, HEADS, Scoring())
    assert (found.box, found.zoom, found.capped) == ((0, 0, 30, 20), 1.5, True)
    assert (found.truth, found.first_pass_count, found.count, found.predicted) == (3, 2, 4, (2, 4))
    assert found.spacing == pytest.approx(20 / 3)
    assert found.density == 50  # 3 heads in 600 square pixels
    assert (found.first_pass_matched, found.matched) == ((1, 2, 2), (3, 3, 3))
    assert RegionRow.from_dict(found.to_dict()) == found
    (half,) = region_rows(replace(seen, read_scale=0.5), HEADS, Scoring())
    assert half.spacing == pytest.approx(10 / 3)  # as the first pass saw it


def test_a_region_of_another_network_is_read_off_the_density():
    """Cells of 16 pixels: 2 whole of 0.5 and 1 people a cell in the first row, a quarter of the second."""
    cells = np.array([[0.5, 1.0, 9.0], [2.0, 4.0, 9.0]], np.float32)
    seen = Prediction(25.5, None, None, (), 25.5, None, (48, 32), "known", cells, (16.0, 16.0))
    (found,) = region_rows(seen, HEADS, Scoring(), [Box(0, 0, 32, 20)])
    assert found.first_pass_count == found.count == pytest.approx(0.5 + 1 + (2 + 4) / 4)
    assert (found.truth, found.zoom, found.predicted, found.matched) == (4, 1.0, None, ())


def test_a_region_of_another_network_is_read_off_its_heads():
    seen = Prediction(5, LAST, None, (), 5, LAST, (100, 80), "known")
    (found,) = region_rows(seen, HEADS, Scoring(), [BOX])
    assert (found.first_pass_count, found.count, found.predicted) == (4, 4, (4, 4))
    assert found.first_pass_matched == found.matched == (3, 3, 3)


class ShortSighted(TruthBackend):
    """Sees two heads of a square at first, and all where it is enlarged; the fifth stands apart."""

    def _seen(self, pixels):
        enlarged = axis(pixels[0, :, 0], pixels[0, 0, 2])[0] < 0.9
        seen = self.points if enlarged else self.points.select(np.array([0, 1, 4]))
        return TruthBackend(seen)._seen(pixels)


@pytest.fixture
def crowd(tmp_path, monkeypatch):
    """Two photos that look alike: one is annotated as it is, one with three heads in a column, 6 pixels apart."""
    heads = Points([[40, 30], [52, 30], [40, 60], [52, 60], [110, 85]])
    rows = ["image,x,y", *(f"a.png,{x:g},{y:g}" for x, y in heads.xy)]
    rows += [f"b.png,{x},{y}" for x, y in ((40, 30), (40, 36), (40, 42), (110, 85))]
    (tmp_path / "points.csv").write_text("\n".join(rows) + "\n")
    for name in "ab":
        write_image(tmp_path / f"{name}.png", coordinate_photo(120, 90))
    config = truth_config(Box(20, 10, 100, 80))
    found = lambda name, options, **engine: Predictor(ShortSighted(heads), config, options)  # noqa: E731
    monkeypatch.setattr(prediction, "load", found)
    return tmp_path


def evaluated(crowd, *more):
    done = CliRunner().invoke(app, ["evaluate", "truth", "--data", f"folder:{crowd}", *more])
    assert done.exit_code == 0, done.output
    return done.output


def test_dense_only_prints_the_errors_of_the_regions_alone(crowd):
    """Four heads and three in the regions; 2 and 2 are found at first, 4 and 4 by the second look."""
    told = evaluated(crowd, "--dense-only")
    for line in (
        "| MAE of images with a region | 1.5 | 0.5 |",
        "| MAE of the regions alone | 1.5 | 0.5 |",
        "| RMSE of the regions alone | 1.6 | 0.7 |",  # √2.5, √0.5
        "| bias of the regions alone | -1.5 | 0.5 |",
        "| F 4px in the regions (%) | 54.5 | 66.7 |",  # 2 · 3 / (4 + 7), 2 · 5 / (8 + 7)
        "| F 16px in the regions (%) | 72.7 | 80.0 |",  # 2 · 4 / 11, 2 · 6 / 15
        "| median true spacing (px) | 9.0 | 13.5 |",  # of 12 and 6
        "| log-spread of true spacing | 0.151 | 0.151 |",  # half of log₁₀ 2
        "2 regions of 2 photos with 7 heads; zoom 1.50, 1.50, 1.50 (10th, 50th, 90th percentile), "
        "clamped below 0 %, above 0 %, capped 0 %; correlation with the true spacing nan",
    ):
        assert line in told


def test_dense_only_says_where_there_is_no_region(crowd):
    assert "No photo has a dense region." in evaluated(crowd, "--dense-only", "--no-refine")
    assert "dense region" not in evaluated(crowd)
