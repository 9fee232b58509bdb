"""Evaluation over a predictor whose answers are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.prediction import Prediction, Region
from crowdscale.data.sample import Mask, Sample
from crowdscale.errors import DataError, ImageError
from crowdscale.evaluation.run import check_scoring, evaluate, open_journal
from crowdscale.files.images import write_image
from crowdscale.metrics import Scoring, threshold
from crowdscale.points import Box, Points

TRUTH = {
    "a": Points([[10, 10], [20, 10], [60, 60]]),
    "b": Points([[5, 5], [40, 40]]),
    "broken": Points([[1, 1]]),
}


class Known:
    """Misses one head of ``a`` at first and finds it on the second look."""

    def predict(self, source):
        if source.name == "broken":
            raise ImageError("expected a photo", "none")
        truth = TRUTH[source.name]
        refined = source.name == "a"
        first = truth.select(np.arange(len(truth)) != 0) if refined else truth
        regions = (Region(Box(0, 0, 30, 30), 1.5, 1, 2),) if refined else ()
        return Prediction(
            len(truth), truth, None, regions, len(first), first, (100, 100), "known", seconds=0.1
        )


def samples(*names, tmp_path):
    return [Sample(name, tmp_path / name, TRUTH[name], attributes={"set": "x"}) for name in names]


def test_both_passes_stand_side_by_side(tmp_path):
    result = evaluate(Known(), samples("a", "b", tmp_path=tmp_path))
    assert (result.counting("first").mae, result.counting("refined").mae) == (0.5, 0.0)
    assert result.localization("refined")["4px"].f == 1.0
    first = result.localization("first")["8px"]
    assert (first.matched, first.predicted, first.truth) == (4, 4, 5)
    refinement = result.refinement()
    assert (refinement["refined"], refinement["factor_50"]) == (0.5, 1.5)
    assert (refinement["spacing_before"], refinement["spacing_after"]) == (10.0, 15.0)
    assert result.markdown().splitlines()[2].startswith("| first pass | 0.5 | 0.7 | 0.167 | -0.5 |")


def test_a_broken_photo_is_reported_and_the_rest_kept(tmp_path):
    result = evaluate(Known(), samples("a", "broken", "b", tmp_path=tmp_path))
    assert len(result.rows) == 2
    assert result.failures == (("broken", "expected a photo, but got none."),)


def test_nothing_to_evaluate_is_an_error(tmp_path):
    with pytest.raises(DataError, match="expected annotated photos to evaluate on, but got none"):
        evaluate(Known(), [])
    with pytest.raises(DataError) as said:
        evaluate(Known(), samples("broken", tmp_path=tmp_path))
    assert str(said.value) == "expected a photo, but got none.", "the photo's own sentence, once"


def test_ctrl_c_before_the_first_row_is_ctrl_c(tmp_path):
    class Stopped:
        def predict(self, source):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(Stopped(), samples("a", tmp_path=tmp_path))


def test_what_cannot_be_measured_is_known_before(tmp_path):
    points = samples("a", "b", tmp_path=tmp_path)
    boxes = Scoring((threshold("large"),))
    with pytest.raises(DataError, match="expected head boxes"):
        check_scoring([Sample("none", tmp_path, Points()), *points], boxes)
    check_scoring(points, Scoring())
    check_scoring([points[0], replace(points[1], sizes=np.ones((2, 2)))], boxes)  # one photo will do


def test_nobody_anywhere_gives_no_nae_and_few_images_no_intervals(tmp_path):
    class Two:
        def predict(self, source):
            return Prediction(2, None, None, (), 2, None, (100, 100), "known")

    empty = [Sample(f"{i}", tmp_path, Points()) for i in range(12)]
    for number in (3, 12):
        result = evaluate(Two(), empty[:number])
        assert result.markdown().splitlines()[3] == "| second pass | 2.0 | 2.0 | – | +2.0 |"
        result.write_json(tmp_path / "a.json", {})
        saved = json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail)
        assert saved["refined"]["nae"] is saved["refined"]["measures"]["NAE"] is None
        assert saved["intervals_95"].get("MAE") == (None if number == 3 else [2, 2])


def test_files(tmp_path):
    result = evaluate(Known(), samples("a", "b", tmp_path=tmp_path))
    result.write_csv(tmp_path / "rows.csv")
    result.write_json(tmp_path / "scores.json", {"model": "known"})
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    assert lines[0].startswith("set,photo,truth,count,first_pass_count,region_count,zoom,spacing,seconds")
    assert lines[1].startswith("x,a,3,3,2,1,1.5,10,")
    assert json.loads((tmp_path / "scores.json").read_text())["refined"]["mae"] == 0.0


def test_an_interrupted_evaluation_goes_on_where_it_stopped(tmp_path):
    """Rows of the journal are not predicted again; a line cut short and another model's rows are not taken."""
    journal, asked = tmp_path / "rows.jsonl", []

    class Asked(Known):
        def predict(self, source):
            asked.append(source.name)
            return super().predict(source)

    with open_journal(journal, {"model": "known"}) as kept:
        whole = evaluate(Asked(), samples("a", "b", tmp_path=tmp_path), journal=kept)
    text = journal.read_text()
    journal.write_text(text[: len(text) - 40])
    with open_journal(journal, {"model": "known"}) as kept:
        again = evaluate(Asked(), samples("a", "b", tmp_path=tmp_path), journal=kept)
    assert asked == ["a", "b", "b"]
    assert repr(again) == repr(whole)
    with pytest.raises(DataError, match="this very evaluation"), open_journal(journal, {"model": "other"}):
        pass


def test_only_what_lies_in_the_mask_counts(tmp_path):
    """Heads and predictions outside the region of interest are left out, by both passes."""
    mask = np.zeros((100, 100), np.uint8)
    mask[:, :30] = 255
    write_image(tmp_path / "mask.png", mask)
    write_image(tmp_path / "a.png", np.zeros((100, 100, 3), np.uint8))

    class Everywhere:
        def predict(self, source):
            return Prediction(3, TRUTH["a"], None, (), 3, TRUTH["a"], (100, 100), "known")

    masked = Sample("a", tmp_path / "a.png", TRUTH["a"], mask=Mask(tmp_path / "mask.png"))
    row = evaluate(Everywhere(), [masked]).rows[0]
    assert (row.truth, row.count, row.refined.matched[0]) == (2, 2, 2)
    density = np.zeros((50, 50), np.float32)
    density[0, 0], density[0, 40] = 1.5, 4

    class Dense:
        def predict(self, source):
            return Prediction(5.5, None, None, (), 5.5, None, (100, 100), "known", density)

    assert evaluate(Dense(), [masked]).rows[0].count == pytest.approx(1.5)

    class Hybrid:
        def predict(self, source):
            return Prediction(5.5, TRUTH["a"], None, (), 5.5, TRUTH["a"], (100, 100), "known", density)

    row = evaluate(Hybrid(), [masked], scoring=Scoring(game=1)).rows[0].refined
    assert (row.count, row.predicted) == (pytest.approx(1.5), 2)
    assert row.game == (pytest.approx(0.5), pytest.approx(0.5)), "by the density, not by the dots"
