"""What a study refuses before it trains, how it names its networks, and where their centre starts."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.prediction import Prediction, Region
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.files.images import write_image
from crowdscale.learn.scaling import CentreOptions, closeness
from crowdscale.learn.training.preparation import Gathered
from crowdscale.learn.training.settings import choose_settings
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Box, Points
from research.reproduce import machine, networks
from research.reproduce.budget import parse_budget
from research.reproduce.library import HELD_OUT, Library
from research.reproduce.networks import SPACINGS, Trained, Trainer
from research.reproduce.pictures import draw_maps
from research.reproduce.recipes import find_recipe
from research.reproduce.request import Request, parse_options
from research.reproduce.study import Study, run_recipe
from tests.support.learn_crowds import draw, write_part


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    root = tmp_path_factory.mktemp("sh")
    write_part(root, "A", "train", [4, 3, 5, 6])
    return root


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("crops=10", "Use --budget"),
        ("l2s-crops=4", "Use --budget"),
        ("seed=1", "Use --seeds"),
        ("name=x", "other options than name"),
        ("init=lite", "other options than init"),
        ("loss=ce", "what the lines share, but got loss"),
        ("method=hybrid", "what the lines share"),
        ("lr=fast", "expected lr as float"),
        ("workers=true", "expected workers as int"),
        ("learning=1", "training option"),
    ],
)
def test_what_a_study_sets_itself_is_refused_before_it_trains(crowd, tmp_path, text, words):
    write_part(crowd, "A", "test", [3, 4])
    request = Request(
        {"sha": str(crowd)}, parse_budget("smoke"), (0,), tmp_path, options=parse_options([text])
    )
    with pytest.raises(OptionError, match=words):
        run_recipe(find_recipe("losses"), request, report=pytest.fail)


def test_a_set_without_test_photos_is_told_before_it_trains(tmp_path):
    write_part(tmp_path, "A", "train", [4, 3])
    request = Request({"sha": str(tmp_path)}, parse_budget("smoke"), (0,), tmp_path / "out")
    with pytest.raises(DataError, match="test_data"):
        run_recipe(find_recipe("losses"), request, report=pytest.fail)


def test_photos_from_elsewhere_and_sets_without_test_photos_are_held_out_ones(tmp_path):
    for part, counts in (("A", [4, 3, 5, 6]), ("B", [2, 1, 3])):
        write_part(tmp_path, part, "train", counts)
    write_part(tmp_path, "A", "test", [3, 4])
    brt = tmp_path / "brt"
    brt.mkdir()
    for name in "ab":
        write_image(brt / f"{name}.png", np.zeros((40, 60, 3), np.uint8))
        (brt / f"{name}.json").write_text("[[3, 4]]")
    listed = tmp_path / "list.txt"
    listed.write_text("shb/IMG_4\nsha/IMG_3\n")
    data = {"sha": str(tmp_path), "shb": str(tmp_path), "brt": str(brt)}
    library = Library(Request(data, parse_budget("smoke"), (0,), tmp_path / "out", listed))
    ways = {(line.train, line.test) for line in find_recipe("transfer").lines if library.has(line)}
    assert ways == {("sha", "shb"), ("shb", "sha"), ("sha", "brt"), ("shb", "brt")}
    found = {name: (test.split, [each.name for each in test.samples]) for name, test in library.tests.items()}
    assert found == {
        "sha": ("test", ["IMG_3", "IMG_4"]), "shb": (HELD_OUT, ["IMG_4"]), "brt": (HELD_OUT, ["a", "b"])
    }  # fmt: skip
    assert set(library.problems) == {"shb"}
    assert re.fullmatch(
        r"shb: expected .*test_data.*[^.]\. Networks of other sets .*", library.problems["shb"]
    )
    own = [line for line in find_recipe("main").lines if library.has(line)]
    assert {line.train for line in own} == {"sha"}, "B would be judged by the photos that chose its weights"
    listed.write_text("shb/IMG_4\nsha/IMG_3\nbrt/b\n")
    again = Library(library.request)
    assert again.readable.keys() == data.keys()
    assert [each.name for each in again.tests["brt"].samples] == ["b"]


@pytest.mark.parametrize(("seeds", "threads"), [((), 0), ((-1,), 0), ((0,), -2)])
def test_seeds_and_threads_below_nothing_are_refused(tmp_path, seeds, threads):
    with pytest.raises(OptionError, match=r"--seeds|--threads"):
        Request({}, parse_budget("smoke"), seeds, tmp_path, threads=threads)


def gathered(*held):
    samples = [Sample(f"IMG_{n}", None, Points(np.zeros((1, 2)))) for n in range(4)]  # type: ignore[arg-type]
    rest = [s for s in samples if s.name not in held]
    return Gathered(rest, [1.0] * len(rest), [s for s in samples if s.name in held], ["sha/train 2016"])


def test_other_held_out_photos_or_another_release_make_another_network(tmp_path):
    line = find_recipe("main").lines[0]

    def place(found):
        trainer = Trainer(tmp_path, parse_budget("600"), lambda name: found, {}, pytest.fail)
        return trainer._place(line.variant, "sha", 0, None)[0].name

    first = gathered("IMG_1")
    assert place(first) == place(gathered("IMG_1"))
    assert place(first) != place(gathered("IMG_2"))
    assert place(first) != place(replace(first, sets=["sha/train 2015"]))


def test_every_law_and_closeness_enlarges_the_same_regions_as_much(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    regions = [(Points(random.uniform(0, side, (80, 2))), Box(0, 0, side, side)) for side in (60, 90, 150)]
    monkeypatch.setattr(networks, "_dense_regions", lambda *_: regions)
    monkeypatch.setattr(networks, "find_model", lambda folder: folder)
    config = type("C", (), {"method": "points"})
    monkeypatch.setattr(networks, "read_config", lambda folder: config)
    base = Trained(str(tmp_path), 1, 0, 0, (), "", 0.0, float("nan"), float("nan"))

    def factor(regime="ours", **chosen):
        settings = replace(choose_settings(), centre=CentreOptions(**chosen))
        centre = networks._with_centre(settings, gathered(), base, regime).centre
        ratios = centre.centre / np.array([closeness(p, b, centre.closeness) for p, b in regions])
        return np.median(ratios) ** (0.5 if centre.law == "paper" else 1)

    usual = factor()
    assert usual == pytest.approx(SPACINGS["points"] / np.median([closeness(*each) for each in regions]))
    assert factor(law="paper") == pytest.approx(usual)
    assert factor(closeness="density") == pytest.approx(usual)
    assert factor("paper", law="paper") == pytest.approx(CentreOptions().wanted_factor)


def seen(points, width, height, region=None):
    labels = DistanceLabels().encode(points, width, height)[::8, ::8].astype(np.float32)
    regions, people = (region,) if region else (), float(len(points))
    return Prediction(people, points, labels, regions, people, points, (width, height), "drawn")


def test_maps_show_heads_in_boxes_and_labels_light_at_heads():
    pixels, xy = draw(160, 128, 12, 3)
    heads = Points(xy)
    region = Region(Box(20, 20, 100, 90), 1.5, 4, 5)
    plain, refined = seen(heads, 160, 128), seen(heads, 160, 128, region)
    whole = draw_maps(pixels, heads, plain, refined, DistanceLabels())
    assert whole.shape[1] == 3 * 160 + 2 * ((whole.shape[1] - 480) // 2)
    labels = whole[-128:, :160]
    x, y = np.rint(xy).astype(int).T
    assert labels[y, x].sum(1).min() > 500
    assert np.median(labels.sum(2)) < 300
    alone = draw_maps(pixels, heads, plain, None, DistanceLabels())
    assert alone.shape[1] < whole.shape[1]
    bare = draw_maps(pixels, heads, plain, refined, Density())
    assert bare.shape[0] < whole.shape[0]


def test_a_table_of_which_nothing_was_run_keeps_its_columns(tmp_path):
    request = Request({}, parse_budget("smoke"), (0,), tmp_path)
    table = Study(find_recipe("regressors"), request, {}).tables()["regressors"]
    assert [name for name in table.header if name in ("MAE", "RMSE", "NAE", "bias")] == [
        "MAE",
        "RMSE",
        "NAE",
        "bias",
    ]
    assert {line[2] for line in table.lines} == {"not run"}


@pytest.mark.parametrize(("threads", "words"), [(1, "1 core of "), (10**6, " of ")])
def test_the_machine_is_the_cores_that_are_used(monkeypatch, threads, words):
    monkeypatch.setattr(machine.torch, "get_num_threads", lambda: threads)
    told = machine.describe_machine("cpu")
    assert words in told
    assert int(told.split()[0]) == min(threads, len(machine._cores()))
