"""The measured diagnosis of a study: heads read off a density, a baseline in given regions, and the tables of both."""

from __future__ import annotations

import math

import numpy as np
import pytest

from crowdscale.backends import NetworkOutput
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.data.sample import Sample
from crowdscale.errors import OptionError
from crowdscale.evaluation.regions import RegionRow
from crowdscale.evaluation.run import Evaluation, Row
from crowdscale.files.images import write_image
from crowdscale.maps import Density
from crowdscale.metrics import ImageRow, Scoring
from crowdscale.models.description import ModelConfig, ZoomOptions
from crowdscale.points import Box, Points
from research.reproduce.cells import Cell, HeadCounter, _regions_by
from research.reproduce.recipe import Line, Recipe, Variant
from research.reproduce.tabulate import diagnosis_table, split_tables
from tests.support.fakes import FixedRule, TruthBackend, truth_config

NAN = float("nan")
PHOTO = np.zeros((32, 40, 3), np.uint8)
LINE = Line("points AutoScale", Variant("points"), True, "sha", "shb")
BASE = Line("points", Variant("points"), False, "sha", "sha")


class Maps:
    """Returns given maps, one after the other: of each, (column, row) → people."""

    def __init__(self, *maps):
        self.maps = iter(maps)

    def predict(self, pixels):
        height, width = pixels.shape[:2]
        density = np.zeros((1, height, width), np.float32)
        for (column, row), people in next(self.maps).items():
            density[0, row, column] = people
        return NetworkOutput(density, np.zeros((1, 4, 5), np.float32))


FIRST = {(5, 5): 0.16, (20, 10): 0.08, (30, 20): 0.05, (31, 20): 0.05, (35, 28): 0.01}
"""Three heads, one of them on two pixels; a lone head of σ = 1 peaks at 0.159, and below a tenth of it is none."""
SECOND = {(8, 8): 0.1, (10, 13): 0.16, (2, 2): 0.3}
"""Of a view that begins at (12, 0): two heads in the region, one beside it."""


def heads_of(options, *maps, sigma=1.0):
    rule = FixedRule([Box(16, 4, 28, 16)])
    config = ModelConfig("d", "density", "none", Density(sigma), rule, ZoomOptions(context=4))
    return HeadCounter(Predictor(Maps(*maps), config, options)).predict(PHOTO)


def test_heads_of_a_density_are_its_maxima_and_their_number_the_count():
    found = heads_of(PredictOptions(refine=False), FIRST)
    assert found.points.xy.tolist() == [[5, 5], [20, 10], [30.5, 20]]
    assert found.points.confidence == pytest.approx([1, 0.08 / 0.159, 0.05 / 0.159], rel=0.01)
    assert (found.count, found.first_pass_count) == (3, 3)
    assert found.density.sum() == pytest.approx(0.35), "the map itself is kept"


def test_heads_of_both_passes_are_counted():
    found = heads_of(PredictOptions(zoom=1.0), FIRST, SECOND)
    assert found.first_pass_count == 3
    assert sorted(found.points.xy.tolist()) == [[5, 5], [20, 8], [22, 13], [30.5, 20]]
    assert found.count == 4


@pytest.mark.parametrize(("sigma", "count"), [(1.0, 3), (0.5, 2), (4.0, 4)])
def test_a_tenth_of_a_lone_heads_peak_is_a_head(sigma, count):
    """Peaks of 0.64, 0.159 and 0.01: heads from 0.064, 0.016 and 0.001 on."""
    assert heads_of(PredictOptions(refine=False), FIRST, sigma=sigma).count == count


def test_nobody_is_nobody():
    found = heads_of(PredictOptions(refine=False), {})
    assert (found.count, found.first_pass_count, len(found.points)) == (0, 0, 0)


def test_labels_have_no_maxima_to_count():
    with pytest.raises(OptionError, match="expected a density model"):
        HeadCounter(Predictor(TruthBackend(Points()), truth_config()))


def image(name, truth, count, level=""):
    return ImageRow(name, "", truth, count, attributes={"level": level} if level else {})


def row(name, truth, count, *boxes):
    """A row whose regions are the boxes; what it says of them is another network's affair."""
    dense = tuple(RegionRow(box, 1.5, False, 99, 99, 99, 9.0) for box in boxes)
    return Row(image(name, truth, count), image(name, truth, count), len(dense), NAN, NAN, 0.1, dense)


TRUTH = {"a": [[5, 5], [15, 5], [25, 5], [60, 30]], "b": [[5, 5]], "c": [[1, 1]]}
FOUND = {
    "a": [[5, 5], [25, 5], [27, 9], [60, 30]],
    "b": [[11, 5], [5, 16], [16, 5], [16, 16], [50, 30]],
}


def test_a_baseline_is_measured_in_the_regions_that_another_enlarged(tmp_path):
    """In the regions it finds 1, 2 and 4 of 2, 1 and 1; in the photos 4 and 5 of 4 and 1; c has no region."""

    class Known:
        def predict(self, pixels):
            points = Points(np.array(FOUND["abc"[pixels[0, 0, 0]]], float))
            count = len(points)
            return Prediction(count, points, None, (), count, points, (64, 40), "known")

    for place, name in enumerate("abc"):
        write_image(tmp_path / f"{name}.png", np.full((40, 64, 3), place, np.uint8))
    samples = [Sample(n, tmp_path / f"{n}.png", Points(np.array(xy, float))) for n, xy in TRUTH.items()]
    left, right = (0, 0, 20, 20), (20, 0, 40, 20)
    rows = [row("a", 4, 4, left, right), row("b", 1, 5, left), row("c", 1, 1)]
    found = _regions_by(Known(), rows, samples, Scoring())
    assert found["mae"] == 2
    assert found["dense_mae"] == pytest.approx(5 / 3)
    assert found["dense_rmse"] == pytest.approx(math.sqrt(11 / 3))
    assert found["dense_bias"] == pytest.approx(1)
    # 7 found and 4 true: one match in each region, that of b 6 pixels off
    assert found["dense_f"] == pytest.approx({"4px": 4 / 11, "8px": 6 / 11, "16px": 6 / 11})


def cell(seed, diagnosis, beside, centre):
    return Cell({"seed": seed, "centre": centre}, Evaluation(()), diagnosis, beside)


def measured(shift, fit, low):
    """A diagnosis whose numbers all differ, moved by the seed."""
    return {
        "regions": 10 + shift,
        "dense_mae_first": 20.0 + shift, "dense_mae_refined": 15.0 + shift,
        "dense_bias_first": -8.0 + shift, "dense_bias_refined": -3.0 + shift,
        "mae_first": 60.0 + shift, "mae_refined": 55.0 + shift,
        "clamped_low": low, "clamped_high": 0.2 + 0.1 * shift, "capped": 0.04 * shift,
        "factor_fit": fit, "log_spread_before": 0.25 + 0.01 * shift, "log_spread_after": 0.125,
        "dense_f_first": {"4px": 0.4, "8px": 0.6 + 0.1 * shift, "16px": 0.9},
        "dense_f_refined": {"4px": 0.5 + 0.01 * shift, "8px": 0.7},
        "factors": (0.8, 1.2 + 0.1 * shift, 2.0),
    }  # fmt: skip


BESIDE = {"mae": 62.5, "dense_mae": 22.0, "dense_bias": -9.0, "dense_f": {"4px": 0.3, "8px": 0.5}}


def test_the_diagnosis_of_seeds_is_their_mean_and_leaves_out_what_is_not_known():
    """A baseline, without a second look, has no line; a fit that one seed lacks is the other's."""
    cells = {
        0: [Cell({}, Evaluation(()), {}, {})],
        1: [
            cell(0, measured(0, 0.75, 0.1), BESIDE, (13.0, 13.25)),
            cell(1, measured(2, None, 0.4), {**BESIDE, "dense_mae": 25.0}, (13.0, 13.5)),
        ],
    }
    table = diagnosis_table((BASE, LINE), cells)
    assert len(table.header) == len(table.lines[0])
    assert table.lines == ((
        "sha → shb", "points AutoScale", "11.0", "23.5", "21.0", "16.0", "-9.0", "-7.0", "-2.0", "62.5", "61.0", "56.0",
        "25", "30", "4", "0.750", "0.260", "0.125",
        "30.0 / 50.0", "40.0 / 70.0", "51.0 / 70.0", "0.80 / 1.30 / 2.00", "13.00 → 13.25, 13.00 → 13.50",
    ),)  # fmt: skip
    shown = dict(zip(table.header[:9], table.lines[0][:9], strict=True))
    assert (shown["dense MAE, baseline"], shown["dense bias, baseline"]) == ("23.5", "-9.0")


def test_what_was_not_measured_is_a_dash():
    plain = {name: None for name in measured(0, 0, 0)} | {"factors": (1.0, 1.0, 1.0)}
    plain |= {"dense_f_first": {}, "dense_f_refined": {}}
    (line,) = diagnosis_table([LINE], {0: [cell(0, plain, {}, (13.0, 13.0))]}).lines
    assert set(line[2:-2]) == {"–"}


def test_scores_are_split_by_level_and_are_means_over_seeds():
    """Errors of seed 0: low 1 and -7, high -10; of seed 1: low 2 and -14; the first line's set has no levels."""
    scoring = Scoring(attributes=("level",))
    rows = [
        [image("a", 10, 11, "low"), image("b", 20, 13, "low"), image("c", 90, 80, "high")],
        [image("a", 10, 12, "low"), image("b", 20, 6, "low")],
    ]
    split = [
        Cell({}, Evaluation(tuple(Row(r, r, 0, NAN, NAN, 0.1) for r in part), (), scoring), {}, {})
        for part in rows
    ]
    whole = Cell({}, Evaluation((row("a", 10, 13),)), {}, {})
    tables = split_tables(Recipe("t", "t", (BASE, LINE)), {0: [whole], 1: split})
    assert list(tables) == ["level"]
    assert tables["level"].header == ("data", "model", "high", "low")
    # low: MAE (4 + 8) / 2, RMSE (5 + 10) / 2
    assert tables["level"].lines == (("sha → shb", "points AutoScale", "10.0 / 10.0", "6.0 / 7.5"),)
