"""Rows, the scores derived from them, intervals, comparisons, tables."""

import json

import numpy as np
import pytest

from crowdscale.data.protocol import Protocol
from crowdscale.errors import DataError, OptionError
from crowdscale.metrics import (
    BoxRadius,
    Fixed,
    GroundTruth,
    ImageRow,
    NearestNeighbours,
    ResultTable,
    Scores,
    Scoring,
    check_table,
    compare,
    interval,
    score_image,
    size_bands,
    threshold,
)
from crowdscale.points import Points

RANDOM = np.random.default_rng(0)


def rows(errors, truth=100):
    return tuple(ImageRow(f"p{i}", "x", truth, truth + e) for i, e in enumerate(errors))


def test_counting_measures_equal_the_counting_scores():
    scores = Scores((ImageRow("a", "x", 10, 13.5), ImageRow("b", "x", 0, 2), ImageRow("c", "x", 4, 3)))
    measures, plain = scores.measures(), scores.counting()
    assert [measures[n].value for n in ("MAE", "RMSE", "NAE", "bias")] == pytest.approx(
        [plain.mae, plain.rmse, plain.nae, plain.bias]
    )


def test_boxes_give_radii_and_bands():
    sizes = np.array([[6.0, 8.0], [1.0, 10.0], [400.0, 300.0], [10.0, 10.1]])
    truth = GroundTruth.from_boxes(Points(np.zeros((4, 2))), sizes)
    assert BoxRadius("small").radii(truth).tolist() == [3, 0.5, 150, 5]
    assert BoxRadius("large").radii(truth)[0] == 5.0
    assert size_bands(sizes).tolist() == [1, 0, 5, 2], "10 px is still A0, 100.999 no longer A1"


def test_box_thresholds_without_boxes_say_what_to_do():
    with pytest.raises(DataError, match=r"head boxes for the threshold 'large'.*Choose thresholds in pixels"):
        BoxRadius("large").radii(GroundTruth(Points([[1, 1]])))


def test_recall_by_size_band():
    truth = GroundTruth.from_boxes(Points([[0, 0], [50, 0], [90, 0]]), np.array([[3, 3], [8, 8], [8, 8.0]]))
    scoring = Scoring((BoxRadius("small"), BoxRadius("large")))
    row = score_image("a", truth, 2, Points([[1, 0], [50, 4]]), scoring)
    assert row.band_truth == (1, 2, 0, 0, 0, 0)
    assert row.band_matched == (1, 1, 0, 0, 0, 0)
    measures = Scores((row,), scoring).measures()
    assert measures["R A1"].value == 0.5
    assert measures["F large"].value == pytest.approx(2 * 2 / 5)


def test_averages_over_pixels_are_means_of_the_scores_at_each():
    scoring = Scoring((Fixed(4),), averaged=(1, 100))
    found = []
    for index in range(3):
        truth = Points(RANDOM.uniform(0, 200, (30, 2)))
        predicted = Points(RANDOM.uniform(0, 200, (20 + index, 2)))
        found.append((truth, predicted))
    table = Scores(
        tuple(score_image(str(i), GroundTruth(t), len(p), p, scoring) for i, (t, p) in enumerate(found)),
        scoring,
    )
    each = [Scores(tuple(score_image(str(i), GroundTruth(t), len(p), p, Scoring((Fixed(r),)))
                         for i, (t, p) in enumerate(found)), Scoring((Fixed(r),))).localization()[f"{r}px"]
            for r in range(1, 101)]  # fmt: skip
    measures = table.measures()
    assert measures["P 1–100px"].value == pytest.approx(np.mean([s.precision for s in each]))
    assert measures["R 1–100px"].value == pytest.approx(np.mean([s.recall for s in each]))
    assert measures["F 1–100px"].value == pytest.approx(np.mean([s.f for s in each]))
    area = np.trapezoid([s.f for s in each], np.arange(1, 101)) / 99
    assert measures["AUC 1–100px"].value == pytest.approx(area)


def test_mean_localization_error_is_of_the_matched_pairs():
    row = score_image(
        "a", GroundTruth(Points([[0, 0], [10, 0]])), 2, Points([[3, 0], [10, 1]]), Scoring((Fixed(4),))
    )
    assert Scores((row,), Scoring((Fixed(4),))).measures()["MLE 4px"].value == 2.0


def test_game_from_a_density_where_there_are_no_points():
    density = np.zeros((2, 2), np.float32)
    density[0, 0] = 2
    truth = GroundTruth(Points([[1, 1], [9, 9]]), size=(12, 12))
    assert score_image("a", truth, 2, None, Scoring(game=1), density).game == (0, 2)


def test_a_count_alone_has_no_localization():
    scores = Scores((score_image("a", GroundTruth(Points([[1, 1]])), 3, None, Scoring()),))
    assert scores.localization() == {}
    assert set(scores.measures()) == {"MAE", "RMSE", "NAE", "bias"}


def test_by_attribute():
    found = tuple(
        ImageRow(str(i), "x", 10, 10 + i, attributes={"weather": "rain" if i % 2 else "none"})
        for i in range(4)
    )
    parts = Scores(found).by("weather")
    assert {name: part.counting().mae for name, part in parts.items()} == {"none": 1.0, "rain": 2.0}
    assert list(Scores(found).by("luminance")) == ["unknown"]


def test_parts_of_several_processes_are_joined_and_doubles_count_once():
    whole = Scores(rows([1, 2, 3, 4]))
    parts = [Scores(whole.rows[::2]), Scores((*whole.rows[1::2], whole.rows[0]))]
    assert Scores.join(parts) == whole
    with pytest.raises(DataError, match="one result an image"):
        Scores.join([Scores(rows([1])), Scores(rows([2]))])


def test_rows_survive_json():
    scoring = Scoring((Fixed(4), NearestNeighbours(3), BoxRadius("large")), (1, 10), 2, ("level",))
    truth = GroundTruth.from_boxes(
        Points([[1, 1]]), np.array([[4.0, 4]]), size=(9, 9), attributes={"set": "s", "level": "S1"}
    )
    row = score_image("a", truth, 1, Points([[1, 2]]), scoring)
    assert ImageRow.from_dict(json.loads(json.dumps(row.to_dict()))) == row
    assert Scoring.from_dict(json.loads(json.dumps(scoring.to_dict()))) == scoring


def test_a_protocol_says_what_is_measured():
    scoring = Scoring.of(
        Protocol(("train",), thresholds=("4px", "large"), averaged=(1, 100), game=3, levels={"a": (0, 9)})
    )
    assert scoring == Scoring((Fixed(4), BoxRadius("large")), (1, 100), 3, ("level",))


@pytest.mark.parametrize("name", ["4 pixels", "knn", "knn0", "huge", ""])
def test_an_unknown_threshold_lists_the_known(name):
    with pytest.raises(OptionError, match="4px, knn8, small or large"):
        threshold(name)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """200 samples of 60 images: a 95 % interval of the MAE misses the true mean error in about 5 % of them."""
    random, hits = np.random.default_rng(1), 0
    for _ in range(200):
        known = interval(Scores(rows(random.normal(0, 10, 60))).measures()["MAE"], draws=400)
        hits += known.low <= 10 * np.sqrt(2 / np.pi) <= known.high
    assert 0.88 <= hits / 200 <= 0.99


def test_the_interval_is_seeded_and_of_one_image_is_a_point():
    measure = Scores(rows(RANDOM.normal(0, 9, 40))).measures()["MAE"]
    assert interval(measure) == interval(measure)
    assert interval(measure, seed=1) != interval(measure)
    one = interval(Scores(rows([7])).measures()["MAE"])
    assert (one.low, one.value, one.high) == (7, 7, 7)


def test_draws_without_anybody_are_left_out_of_the_interval():
    peopled = Scores((ImageRow("a", "x", 10, 15), ImageRow("b", "x", 0, 2))).measures()["NAE"]
    known = interval(peopled)
    assert (known.low, known.value, known.high) == (0.5, 0.5, 0.5)
    nobody = Scores(rows([1, 2], truth=0))
    assert np.isnan([*vars(interval(nobody.measures()["NAE"])).values()]).all()
    assert "NAE" not in [each.name for each in compare(nobody, nobody)]


def test_a_comparison_in_pairs_sees_what_single_intervals_hide():
    hard = RANDOM.normal(0, 50, 80)
    first, second = Scores(rows(np.abs(hard) + 3)), Scores(rows(np.abs(hard)))
    single = [interval(part.measures()["MAE"]) for part in (first, second)]
    assert single[0].low < single[1].high, "the intervals overlap"
    found = {c.name: c for c in compare(first, second)}
    assert found["MAE"].difference == pytest.approx(-3)
    assert found["MAE"].sure
    assert found["MAE"].second_better == 1.0
    assert found["bias"].second_better is None
    same = {c.name: c for c in compare(first, first)}["MAE"]
    assert (same.difference, same.sure, same.second_better) == (0, False, 0.5)


def test_only_the_same_images_are_compared():
    with pytest.raises(DataError, match="1 in one alone: p2"):
        compare(Scores(rows([1, 2])), Scores(rows([1, 2, 3])))
    with pytest.raises(DataError, match="the same truth"):
        compare(Scores(rows([1])), Scores(rows([1], truth=9)))


TABLE = ResultTable(("", "MAE"), (("A_1 & B", "5 %"), ("x|y", "n–n")))


@pytest.mark.parametrize(
    ("suffix", "part"),
    [
        (".md", "| x\\|y | n–n |"),
        (".csv", "A_1 & B,5 %"),
        (".tex", r"A\_1 \& B & 5 \% \\"),
        (".json", '"MAE": "5 %"'),
    ],
)
def test_a_table_in_each_format(tmp_path, suffix, part):
    TABLE.write(tmp_path / f"t{suffix}")
    assert part in (tmp_path / f"t{suffix}").read_text()


def test_a_table_of_an_unknown_format(tmp_path):
    check_table(None)
    check_table(tmp_path / "t.TEX")
    with pytest.raises(OptionError, match=r"\.md, \.csv, \.json, \.tex"):
        check_table(tmp_path / "t.xyz")
    with pytest.raises(OptionError, match=r"\.md, \.csv, \.json, \.tex"):
        TABLE.write(tmp_path / "t.doc")
