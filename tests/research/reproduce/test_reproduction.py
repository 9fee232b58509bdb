"""Reproducing tables: budgets, recipes, the table beside the papers' numbers, and a run that is killed and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from crowdscale.errors import DataError, OptionError
from crowdscale.evaluation.regions import RegionRow
from crowdscale.files.images import read_image
from crowdscale.learn.training.preparation import Gathered, gather
from crowdscale.learn.training.settings import choose_settings
from research.reproduce.budget import parse_budget
from research.reproduce.networks import Trainer
from research.reproduce.pictures import COLOURS, FRAME, _ticks, draw_histogram, draw_levels
from research.reproduce.recipes import RECIPES, find_recipe
from research.reproduce.request import Request, parse_data, parse_options
from research.reproduce.study import Study, run_recipe
from tests.support.learn_crowds import write_part

ROOT = Path(__file__).parents[3]

SMALL = {
    "crop": 64, "l2s_crop": 64, "batch": 2, "l2s_batch": 2, "workers": 0, "precision": "32-true",
    "backbone_weights": "none", "canvas": 64, "save_every": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "crops", "l2s_crops"), [("smoke", 64, 32), ("600", 600, 100), ("800+40", 800, 40), ("3", 3, 1)]
)
def test_budgets(text, crops, l2s_crops):
    budget = parse_budget(text)
    assert (budget.crops, budget.l2s_crops) == (crops, l2s_crops)
    assert budget.options("count")["l2s_crops"] == 0
    assert budget.options("l2s")["crops"] == 0


@pytest.mark.parametrize("text", ["", "much", "0", "5+0", "-3", "1.5"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(OptionError, match="--budget"):
        parse_budget(text)


NOBODY = Gathered([], [], [], [])


def trainer(out, budget="600", **options):
    return Trainer(out, parse_budget(budget), lambda data: NOBODY, options, lambda text: None)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("budget", ["lite", "paper"])
def test_every_line_trains_with_options_that_exist(tmp_path, name, budget):
    made = trainer(tmp_path, budget)
    for line in find_recipe(name).lines:
        for phase in ("count", "l2s"):
            chosen = made._chosen(line.variant, line.train, 0, phase)
            settings = choose_settings(made.budget.regime, **chosen)
            assert (settings.train.crops, settings.train.l2s_crops).count(0) == 1


WAYS = {("sha", "shb"), ("shb", "sha"), ("qnrf", "sha"), ("qnrf", "shb"), ("sha", "qnrf")}
WAYS |= {(train, test) for train in ("sha", "shb") for test in ("scut_a", "scut_b", "brt", "ucf_cc_50")}


@pytest.mark.parametrize(
    ("name", "read", "wanted"),
    [
        ("main", lambda line: line.test, {"sha", "shb", "qnrf", "jhu", "nwpu"}),
        ("regressors", lambda line: line.variant.options.get("network"), {"mcnn", "csrnet", "bl"}),
        ("zooms", lambda line: line.predict.get("zoom"), {1.5, 2.0}),
        ("losses", lambda line: line.variant.options.get("loss", "dynamic"), {"dynamic", "ce", "focal", "ordinal"}),
        ("maxima", lambda line: line.variant.options.get("sigma"), {1, 2, 4, 8}),
        ("choices", lambda line: line.variant.l2s.get("closeness"), {"density"}),
        ("choices", lambda line: line.variant.l2s.get("scaled_kernel"), {True}),
        ("choices", lambda line: line.predict.get("region_minimum"), {0.1}),
        ("choices", lambda line: line.predict.get("regions"), {"all"}),
        ("transfer", lambda line: (line.train, line.test), WAYS),
        ("vehicles", lambda line: line.test, {"trancos"}),
        ("recipes", lambda line: line.variant.options.get("backbone", "lite"), {"lite", "nano", "vgg16"}),
        ("recipes", lambda line: line.train, {"sha", "sha+shb"}),
    ],
)  # fmt: skip
def test_the_papers_experiments_all_have_lines(name, read, wanted):
    lines = find_recipe(name).lines
    assert {read(line) for line in lines} >= wanted
    if name not in ("maxima", "vehicles"):
        assert {line.refined for line in lines} == {False, True}


def test_lines_share_a_baseline_unless_it_differs(tmp_path):
    lines = {line.label: line for line in find_recipe("choices").lines + find_recipe("losses").lines}
    place = lambda label, made: made._place(lines[label].variant, "sha", 0, None)[0].name  # noqa: E731
    plain = trainer(tmp_path)
    assert (
        place("points", plain)
        == place("points AutoScale, law S·r² (Eq. 2)", plain)
        == place("dynamic", plain)
    )
    assert place("points", plain) != place("ce", plain)
    assert place("points", plain) == place("points", trainer(tmp_path, workers=4))
    assert place("points", plain) != place("points", trainer(tmp_path, lr=1e-2))
    assert place("points", plain) != place("points", trainer(tmp_path, "601"))


def test_the_papers_numbers_stand_in_the_table(tmp_path):
    request = Request({}, parse_budget("smoke"), (0,), tmp_path)
    table = Study(find_recipe("main"), request, {}).tables()["main"]
    by_line = {(line[0], line[1]): dict(zip(table.header, line, strict=True)) for line in table.lines}
    cell = by_line["sha", "points AutoScale"]
    assert (cell["MAE of the paper"], cell["RMSE of the paper"]) == ("65.8", "112.1")
    assert {line["MAE"] for line in by_line.values()} == {"not run"}
    assert len(by_line) == 20


def test_data_and_options_as_typed():
    assert parse_data(["sha:a:b", "shb:c"]) == {"sha": "a:b", "shb": "c"}
    assert parse_options(["lr=1e-3", "l2s-crops=4", "backbone=vgg16", "blocks=true"]) == {
        "lr": 1e-3, "l2s_crops": 4, "backbone": "vgg16", "blocks": True,
    }  # fmt: skip
    with pytest.raises(OptionError, match="--data"):
        parse_data(["sha/test:x"])
    with pytest.raises(OptionError, match="--set"):
        parse_options(["lr"])


def test_a_set_that_is_not_there_is_told_in_a_sentence(tmp_path):
    request = Request({"trancos": str(tmp_path / "none")}, parse_budget("smoke"), (0,), tmp_path)
    with pytest.raises(DataError, match="expected the data of a line of vehicles"):
        run_recipe(find_recipe("vehicles"), request)
    with pytest.raises(OptionError, match="Choose one of choices, losses"):
        find_recipe("best")


def bars(picture, colour):
    """(middle in pixels, share of the height) of each bar of a colour, from left to right."""
    left, upper, right, base = FRAME
    shown = (picture[upper:base, left : right + 1] == colour).all(axis=2)
    starts, stops = np.flatnonzero(np.diff(shown.any(axis=0), prepend=False, append=False)).reshape(-1, 2).T
    tall = [shown[:, start].sum() / (base - upper) for start in starts]
    return [(left + at, share) for at, share in zip((starts + stops - 1) / 2, tall, strict=True)]


def place(value, low, high):
    """Where a value lies on the logarithmic axis of values from low to high."""
    left, _, right, _ = FRAME
    return left + (right - left) * np.log(1.05 * value / low) / np.log(1.05**2 * high / low)


def test_bars_stand_where_the_values_lie():
    drawn = bars(draw_histogram({"r": [2.0, 8.0, 1.0, 2.0]}, "factors"), COLOURS[1])
    middles, shares = zip(*drawn, strict=True)
    assert middles == pytest.approx([place(value, 1, 8) for value in (1, 2, 8)], abs=900 / 24 / 2)
    assert shares == pytest.approx([0.5, 1, 0.5], abs=0.01)
    assert not bars(draw_histogram({"r": []}, "none"), COLOURS[1])


def test_levels_fall_by_the_area_factor():
    """Densities 20 and 40 as in the photo, 5 and 10 as enlarged by 2."""
    rows = [RegionRow((0, 0, 100, 100), 2.0, False, truth, 1.0, 1.0, 9.0) for truth in (20, 40)]
    picture = draw_levels(rows, "points")
    assert picture.shape == (460, 1000, 3)
    for colour, levels in zip(COLOURS, ((20, 40), (5, 10)), strict=True):
        middles, shares = zip(*bars(picture, colour), strict=True)
        assert middles == pytest.approx([place(level, 5, 40) for level in levels], abs=900 / 24 * 0.75)
        assert shares == pytest.approx([1, 1], abs=0.01)


@pytest.mark.parametrize("span", [(1.24, 1.37), (3.3, 3.7), (0.67, 1.64), (6, 80)])
def test_an_axis_has_two_ticks_at_least_within_it(span):
    values, places = zip(*_ticks(*span), strict=True)
    assert len(values) >= 2
    assert list(places) == sorted(places)
    assert 69 < places[0] < places[-1] < 971


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    root = tmp_path_factory.mktemp("sh")
    write_part(root, "A", "train", [40, 30, 25, 0, 1, 50, 35, 20, 45, 60])
    write_part(root, "A", "test", [30, 0, 1, 45])
    return root


def command(crowd, out, *more):
    options = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    data = ["--data", f"sha:{crowd}", "--data", f"shb:{crowd / 'none'}"]
    words = [
        "main",
        *data,
        "--seeds",
        "0",
        "--budget",
        "16+8",
        "--only",
        "points",
        "--only",
        "points AutoScale",
    ]
    return [sys.executable, "-m", "research.reproduce", *words, *options, "--out", str(out), *more]


@pytest.mark.slow
def test_a_killed_study_goes_on_and_says_what_is_missing(crowd, tmp_path):
    out, env = tmp_path / "study", {**os.environ, "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(
        command(crowd, out), env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    limit = time.monotonic() + 300
    while not list(out.glob("networks/points-sha-count-*/state.pt")) and time.monotonic() < limit:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not list(out.glob("networks/*/trained.json"))
    done = subprocess.run(
        command(crowd, out), env=env, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert "shb: expected" in done.stderr
    rows = json.loads((out / "main" / "main.json").read_text())
    told = {(row["data"], row["model"]): row for row in rows}
    assert told["sha", "points"]["crops"] == "16"
    assert told["sha", "points AutoScale"]["crops"] == "16 + 8"
    assert float(told["sha", "points AutoScale"]["MAE"]) >= 0
    assert told["shb", "points"]["MAE"] == "not run"
    networks = {path: path.stat().st_mtime_ns for path in out.glob("networks/*/state.pt")}
    assert len(networks) == 2
    for picture in out.glob("main/pictures/*"):
        assert read_image(picture).pixels.size
    again = subprocess.run(
        command(crowd, out), env=env, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False
    )
    assert "training" not in again.stderr
    assert {path: path.stat().st_mtime_ns for path in networks} == networks
    assert json.loads((out / "main" / "main.json").read_text()) == rows


@pytest.mark.slow
def test_recipes_are_evaluated_on_held_out_photos_alone(tmp_path):
    """One set lends its photos to another's network; neither has a test split."""
    for part in "AB":
        write_part(tmp_path, part, "train", [20, 5, 30, 10, 40, 12])
    data = {"sha": str(tmp_path), "shb": str(tmp_path)}
    options = {name: value for name, value in SMALL.items() if name not in ("crop", "batch")}
    request = Request(data, parse_budget("16+8"), (0,), tmp_path / "out", options=options)
    only = ["A and B", "hybrid", "mean with the mirror image"]
    study = run_recipe(find_recipe("recipes"), request, only, lambda text: None)
    assert not study.problems
    cells = {study.recipe.lines[place].label: found[0] for place, found in study.cells.items() if found}
    names = {label: [row.refined.name for row in cell.result.rows] for label, cell in cells.items()}
    held = [sample.name for sample in gather([f"sha:{tmp_path}"], None, None, 0.1, 0, True).held_out]
    assert names == dict.fromkeys(only, held)
    assert cells["A and B"].about["data"] == "sha/held out"
    assert [told[:3] for told in cells["A and B"].about["trained on"]] == ["sha", "shb"]
    assert (
        cells["hybrid"].about["weights"]
        == cells[only[2]].about["weights"]
        != cells["A and B"].about["weights"]
    )
    counts = [[row.refined.count for row in cells[label].result.rows] for label in only[1:]]
    assert counts[0] != counts[1]
