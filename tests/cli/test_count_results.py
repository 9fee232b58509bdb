"""What ``crowdscale count`` writes: tables, pictures, intervals and warnings; what it does where it cannot."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale.backends import open_backend
from crowdscale.cli.count_report import Files, Outcome, report
from crowdscale.cli.picture_names import picture_names
from crowdscale.counting.columns import columns
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.counting.table import PhotoRow
from crowdscale.drawing.captions import summary
from crowdscale.models.description import read_config
from crowdscale.trust.intervals import Calibration
from crowdscale.trust.profile import UNLIKE
from tests.support.commands import CROWD, FEW, crowdscale, crowdscale_process
from tests.support.fakes import label_photo


def test_csv_and_json_hold_everything(photos, label_model, tmp_path):
    table, everything = tmp_path / "new" / "a.csv", tmp_path / "a.json"
    done = crowdscale(
        "count", photos, photos / "none.png", "--model", label_model, "--csv", table, "--json", everything
    )
    assert done.returncode == 1
    rows = list(csv.DictReader(table.open()))
    assert list(rows[0]) == [
        "photo", "count", "count_low", "count_high", "first_pass_count", "model", "width", "height", "read_scale",
        "tiles", "seconds", "regions", "zones", "turn", "warnings", "notes", "usable",
        "calibrated", "calibrated_heads", "error",
    ]  # fmt: skip
    assert (
        rows[0]["count_low"] == rows[0]["count_high"] == rows[0]["warnings"] == ""
    )  # a model without calibration
    assert [row["count"] for row in rows] == ["96", "2", ""]
    (region,) = json.loads(rows[0]["regions"])
    assert (region["zoom"], len(region["box"])) == (1.5, 4)
    assert rows[1]["regions"] == rows[1]["error"] == ""
    assert "no such photo" in rows[2]["error"]
    values = json.loads(everything.read_text())
    assert [len(value["heads"] or []) for value in values] == [96, 2, 0]
    assert list(values[0]) == list(values[2]) == [each.name for each in columns(PhotoRow)]
    np.testing.assert_allclose(sorted(p[:2] for p in values[1]["heads"]), FEW.xy, atol=0.3)
    assert "no such photo" in values[2]["error"]


def test_intervals_and_warnings_are_told_everywhere(label_model, tmp_path, capsys):
    calibration = Calibration((0.9,), (0.25,), offset=0.0, growth=0.0, smallest=1, largest=100, images=40)
    known = PredictOptions()
    folder = Path(label_model)
    config = replace(read_config(folder), calibration=calibration)
    predictor = Predictor(open_backend("onnx", folder, config), config, known)
    seen = predictor.predict(label_photo(CROWD, 240, 200))
    strange = replace(seen, warnings=("Too dark.", "Too small."))
    outcomes = [Outcome(Path("a.png"), seen), Outcome(Path("b.png"), strange)]
    report(outcomes, Files(tmp_path / "a.csv", tmp_path / "a.json"), quiet=False, verbose=True)
    shown = capsys.readouterr()
    assert re.search(r"a\.png +96 +72–120 ", shown.out)
    assert re.search(r"b\.png +96 .*see warning", shown.out)
    assert shown.err == "Warning: b.png: Too dark.\nWarning: b.png: Too small.\n"
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert [(row["count_low"], row["count_high"], row["warnings"]) for row in rows] == [
        ("72", "120", ""), ("", "", '["Too dark.", "Too small."]')
    ]  # fmt: skip
    first, second = json.loads((tmp_path / "a.json").read_text())
    assert (first["intervals"], first["warnings"]) == ({"0.9": [72, 120]}, [])
    assert (second["intervals"], second["warnings"]) == (None, ["Too dark.", "Too small."])
    report(outcomes, Files(), quiet=True)
    assert capsys.readouterr() == ("96\n96\n", "")
    report(outcomes[:1], Files(), quiet=False)
    likely = "Likely: in 9 of 10 photos like those trained on. Your camera is not calibrated:"
    assert capsys.readouterr().out.splitlines() == [
        "96 people (likely 72–120)", likely, "  crowdscale models calibrate labels --data my_photos/ --write"
    ]  # fmt: skip
    assert len(likely) <= 80
    report(outcomes[1:], Files(), quiet=False)
    assert capsys.readouterr().out == "96 people (unlike the training photos: do not rely on it)\n"


@pytest.mark.parametrize("verbose", [False, True])
def test_a_number_that_must_not_be_used_is_marked_everywhere(label_model, tmp_path, capsys, verbose):
    seen = load(label_model).predict(label_photo(CROWD, 240, 200))
    gravel = replace(seen, warnings=(f"{UNLIKE}.", "Too dark."), usable=False)
    outcomes = [Outcome(Path("a.png"), seen), Outcome(Path("b.png"), gravel)]
    report(outcomes, Files(tmp_path / "a.csv", tmp_path / "a.json"), quiet=False, verbose=verbose)
    shown = capsys.readouterr()
    assert re.search(r"b\.png +96 .*do not use", shown.out)
    assert re.search(r"2 photos +96 .*without 1 photo", shown.out)
    assert shown.err.startswith(f"Warning: b.png: {UNLIKE}.\n")
    assert [row["usable"] for row in csv.DictReader((tmp_path / "a.csv").open())] == ["true", "false"]
    assert [row["usable"] for row in json.loads((tmp_path / "a.json").read_text())] == [True, False]
    report(outcomes[1:], Files(), quiet=False)
    assert capsys.readouterr().out.startswith(
        "This photo is unlike all training photos: do not use the number (96 people"
    )
    report(outcomes[1:], Files(), quiet=True)
    assert capsys.readouterr() == ("96\n", f"Warning: b.png: {UNLIKE}.\n")
    assert summary(gravel).startswith("do not use this number · 96 people")


def test_pictures_keep_their_folders(photos, label_model, tmp_path):
    done = crowdscale("count", photos, "--model", label_model, "--save", tmp_path, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "96\n2\n", "")
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert written == ["crowd_heat.jpg", "crowd_people.jpg", "deep/few_heat.jpg", "deep/few_people.jpg"]
    width, height = Image.open(tmp_path / "crowd_people.jpg").size
    assert (width, height > 200) == (240, True)  # a caption stands below


def test_picture_of_zooms_on_verbose(photos, label_model, tmp_path):
    crowd = photos / "crowd.png"
    done = crowdscale("count", crowd, "--model", label_model, "--save", tmp_path, "--verbose")
    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"crowd_{kind}.jpg" for kind in ("heat", "people", "zoom")
    ]


def test_equal_names_never_overwrite_one_another():
    photos = [Path(name) for name in ("/a/x.jpg", "/a/x.png", "/a/X.bmp", "/a/b/x.jpg", "/a/x_2.jpg")]
    names = [str(name) for name in picture_names(photos).values()]
    assert names[:3] == ["x.jpg", "x.png", "X.bmp"]
    assert names[3:] == ["b/x", "x_2"]
    assert len({name.casefold() for name in names}) == len(photos)


def test_pictures_that_cannot_be_saved_leave_the_count(photos, label_model, tmp_path):
    (tmp_path / "seen" / "crowd_people.jpg").mkdir(parents=True)
    options = "--save", tmp_path / "seen", "--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json"
    done = crowdscale("count", photos / "crowd.png", "--model", label_model, *options)
    assert done.returncode == 1
    assert done.stdout == "96 people\n"
    assert re.fullmatch(r"Error: .*crowd_people\.jpg cannot be written .*directory\)\n", done.stderr)
    (row,) = csv.DictReader((tmp_path / "a.csv").open())
    assert row["count"] == "96"
    assert "crowd_people.jpg" in row["error"]
    (value,) = json.loads((tmp_path / "a.json").read_text())
    assert (value["count"], len(value["heads"])) == (96, 96)
    assert "crowd_people.jpg" in value["error"]


def test_a_file_that_cannot_be_written_does_not_lose_the_others(label_model, tmp_path, capsys):
    folder = Path(label_model)
    config = read_config(folder)
    seen = Predictor(open_backend("onnx", folder, config), config).predict(label_photo(CROWD, 240, 200))
    (tmp_path / "a.csv").mkdir()  # after it was checked
    files = Files(tmp_path / "a.csv", tmp_path / "a.json", tmp_path / "a.txt")
    assert report([Outcome(Path("a.png"), seen)], files, quiet=True)
    assert re.fullmatch(r"Error: .*a\.csv cannot be written .*\n", capsys.readouterr().err)
    assert len(json.loads((tmp_path / "a.json").read_text())) == 1
    assert (tmp_path / "a.txt").read_text().startswith("a 96 ")


def test_results_go_to_a_device_and_through_a_link(photos, label_model, tmp_path):
    (tmp_path / "a.json").symlink_to("real.json")
    options = "--csv", "/dev/stdout", "--json", tmp_path / "a.json", "--points", "/dev/null", "--quiet"
    done = crowdscale_process("count", photos / "deep", "--model", label_model, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["count"] for row in csv.DictReader(done.stdout.splitlines())] == ["2"]
    assert (tmp_path / "a.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())[0]["count"] == 2


@pytest.mark.parametrize("bulk", [False, True])
def test_other_pictures_are_told_and_links_to_nothing_are_broken(photos, label_model, tmp_path, bulk):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes((photos / "crowd.png").read_bytes())
    for name in ("b.psd", "c.psd", "scan", "d.MP4", "notes.txt"):
        (tmp_path / "in" / name).touch()
    (tmp_path / "in" / "gone.jpg").symlink_to("nothing")
    out = ["--out", tmp_path / "out", "--format", "csv"] if bulk else []
    done = crowdscale("count", tmp_path / "in", "--model", label_model, *out)
    assert done.returncode == 1
    broken, others = done.stderr.splitlines()
    assert re.match(r"Error: no such photo: .*gone\.jpg", broken)
    assert (
        others
        == "Left out 4 other files by suffix: 1 without suffix, 1 .mp4, 2 .psd. Count films with crowdscale watch."
    )
