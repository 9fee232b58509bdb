"""``crowdscale evaluate`` as a user types it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from crowdscale.cli.evaluate import trained_on
from crowdscale.cli.evaluate_report import refinement_text
from crowdscale.files.images import write_image
from crowdscale.points import Points
from tests.support.commands import CROWD, FEW, crowdscale
from tests.support.fakes import label_photo


def annotate(folder, **photos):
    for name, points in photos.items():
        write_image(folder / f"{name}.png", label_photo(points, 240, 200))
        np.savetxt(folder / f"{name}.csv", points.xy, delimiter=",", header="x,y", comments="")
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    root = tmp_path_factory.mktemp("own")
    annotate(root / "square", a=CROWD, b=FEW)
    annotate(root / "far" / "square", a=FEW)
    annotate(root / "empty", a=Points(), b=Points())
    return root


def test_an_own_folder_is_called_by_its_name(own, label_model, tmp_path):
    done = crowdscale(
        "evaluate", label_model, "--data", "folder:square/", "--json", tmp_path / "a.json", cwd=own
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("labels on square: 2 photos\n")
    assert (
        "No 95 % intervals from fewer than 10 photos.\nSecond pass on 50 % of the photos; zoom" in done.stdout
    )
    assert json.loads((tmp_path / "a.json").read_text())["data"] == ["square"]


def test_two_folders_of_one_name_are_told_apart_and_so_are_their_photos(own, label_model, tmp_path):
    data = "--data", "square", "--data", "far/square"
    rows = tmp_path / "rows.csv"
    for _ in range(2):  # the second time from the kept rows
        done = crowdscale(
            "evaluate", label_model, *data, "--csv", rows, "--resume", tmp_path / "kept", cwd=own
        )
        assert done.stdout.startswith("labels on square, far/square: 3 photos\n"), done.stderr
        known = [(row["set"], row["photo"], row["truth"]) for row in csv.DictReader(rows.open())]
        assert known == [("square", "a", "96"), ("square", "b", "2"), ("far/square", "a", "2")]
    done = crowdscale("evaluate", label_model, *data, "--cross", cwd=own)
    assert "| model | square | far/square |" in done.stdout
    assert done.stdout.endswith("No 95 % intervals from fewer than 10 photos.\n")


def test_nobody_anywhere_is_a_dash(own, label_model):
    done = crowdscale("evaluate", label_model, "--data", "empty", cwd=own)
    assert "| second pass | 0.0 | 0.0 | – | +0.0 |" in done.stdout
    assert done.stdout.endswith("No photo has a dense region, so there was no second pass.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--csv", "/proc/x.csv", "--json", "ok.json"), "/proc/x.csv cannot be written"),
        (("--table", "e.xyz"), "expected a table's suffix"),
        (("--protocol", "foo"), "unknown protocol 'foo'"),
        (
            ("--protocol", "nwpu", "--resume", "kept"),
            "Error: expected head boxes for the threshold 'small', but",
        ),
        (("--region-minimum", "7"), "region minimum from 0 to 1"),
        (("--threads", "-3"), "--threads"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said_before_the_work(own, label_model, tmp_path, arguments, sentence):
    done = crowdscale("evaluate", label_model, "--data", own / "square", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("but got") < 2
    assert not list(tmp_path.iterdir())


def test_the_second_pass_is_summarized_without_missing_numbers():
    known = {
        "refined": 0.5, "factor_10": 0.9, "factor_50": 1.2, "factor_90": 1.6, "spacing_before": 10.0,
        "spacing_after": 15.0, "log_spread_before": 0.2, "log_spread_after": 0.1,
    }  # fmt: skip
    assert refinement_text(known) == (
        "Second pass on 50 % of the photos; zoom 1.20 (0.90–1.60, 10th to 90th percentile); distance between "
        "annotated heads 10.0 px in the first pass, 15.0 px in the second (medians); log10 of that distance varies "
        "by 0.20 in the first pass, 0.10 in the second (standard deviations)."
    )
    unknown = {
        name: value if "factor" in name or name == "refined" else float("nan")
        for name, value in known.items()
    }
    assert refinement_text(unknown).endswith("10th to 90th percentile).")


def test_training_sets_have_short_names_beside_a_model():
    """A table of models was wider than any terminal by the numbers of photos in its first column."""
    data = ["sha/train 2016: 264 + 30 held out", "sha/val: 3", "folder scut_a: 107 + 13 held out"]
    assert trained_on(data) == "sha+scut_a"
