"""Scores by domain: errors by hand, rows there and back, a run that goes on, borders and lists by a folder's name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from crowdscale.errors import OptionError
from crowdscale.models.description import read_config
from research.domains.leaving_out import domain_names, leave_out, parse_options
from research.domains.photos import held_out, parse_borders
from research.domains.rows import PhotoRow, predict_rows, read_rows
from research.domains.table import markdown, score_domains
from tests.support.learn_crowds import write_folder


def row(domain, truth, first, count, low=None, high=None):
    return PhotoRow(domain, "x", truth, first, count, low, high, (), ())


def test_scores_of_domains_by_hand():
    rows = [row("a", 10, 12, 11, 9, 12), row("a", 20, 16, 18, 21, 32), row("b", 0, 1, 2)]
    a, b = score_domains(rows)
    assert (a.photos, a.people, a.first_mae, a.mae) == (2, 30, 3.0, 1.5)
    assert (a.first_nae, a.nae) == pytest.approx((0.2, 0.1))
    assert (a.first_bias, a.bias) == pytest.approx((-2 / 30, -1 / 30))
    assert (a.held, a.width) == (0.5, pytest.approx((3 / 11 + 11 / 18) / 2))
    assert (b.mae, b.held) == (2.0, None)
    lines = markdown([a, b]).splitlines()
    assert len(lines) == 4
    assert "50 %, 0.44" in lines[2]
    assert "+50 %" in lines[2]  # the second pass halves the error


class Counting:
    """A predictor that counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def predict(self, pixels):
        self.asked += 1
        return SimpleNamespace(
            first_pass_count=3.0, count=4.0, calibration=None, regions=(), warnings=("odd",)
        )


def test_rows_come_back_and_a_stopped_run_goes_on(tmp_path):
    photos = {"web": write_folder(tmp_path / "web", [3, 5])}
    path, predictor = tmp_path / "out" / "rows.jsonl", Counting()
    rows = predict_rows(predictor, photos, path, lambda line: None)
    assert [r.truth for r in rows] == [3, 5]
    assert read_rows(path) == rows
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert predict_rows(predictor, photos, path, lambda line: None) == rows
    assert predictor.asked == 3


def test_photos_are_taken_by_list_and_trimmed_by_domain(tmp_path):
    write_folder(tmp_path / "web", [30, 30], (96, 64))
    names = sorted(path.stem for path in (tmp_path / "web").glob("*.png"))
    (tmp_path / "list.txt").write_text(f"web/{names[0]}\nother/1\n")
    found = held_out([f"folder:{tmp_path / 'web'}"], tmp_path / "list.txt", parse_borders(["web=0.25"]))
    assert [s.name for s in found["web"]] == [names[0]]
    assert found["web"][0].read().shape == (32, 48, 3)


def test_options_of_training_come_from_texts():
    found = parse_options(["journeys=0.6", "crops=16", "backbone=nano", "freeze_norm=true", "area_low=0.4"])
    assert found == {"journeys": 0.6, "crops": 16, "backbone": "nano", "freeze_norm": True, "area_low": 0.4}
    for wrong in ("journeys", "speed=3"):
        with pytest.raises(OptionError, match="NAME=VALUE"):
            parse_options([wrong])


@pytest.mark.slow
def test_a_domain_is_left_out_of_training_and_scored(tmp_path):
    for name, number in (("one", 6), ("two", 4)):
        (tmp_path / name).mkdir()
        write_folder(tmp_path / name, [20] * number, (96, 96))
    data = [f"folder:{tmp_path / name}" for name in ("one", "two")]
    assert domain_names(data) == ["one", "two"]
    names = {name: sorted(p.stem for p in (tmp_path / name).glob("*.png")) for name in ("one", "two")}
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{name}/{stems[0]}\n{name}/{stems[1]}\n" for name, stems in names.items()))
    options = parse_options(
        ["backbone=nano", "backbone_weights=none", "crops=4", "l2s_crops=4", "crop=64", "l2s_crop=64", "batch=2",
         "l2s_batch=2", "centre=9.0", "canvas=64", "workers=0", "pictures=0"]
    )  # fmt: skip
    rows = leave_out(
        "two", data, [1.0, 1.0], {"two": 0.1}, listed, options, tmp_path / "out", lambda line: None
    )
    assert [(row.domain, row.name) for row in rows] == [("two", name) for name in names["two"][:2]]
    described = read_config(tmp_path / "out" / "run" / "best")
    assert described.training["data"] == ["folder one: 4 + 2 held out"]
    with pytest.raises(OptionError, match="one, two"):
        leave_out("three", data, [1.0, 1.0], {}, listed, options, tmp_path / "out", lambda line: None)
