"""``crowdscale score`` as a user types it."""

import json

import pytest

from crowdscale.files.images import write_image
from crowdscale.points import Points
from tests.support.commands import CROWD, crowdscale
from tests.support.fakes import label_photo

TRUTH = "1 2 10 10 4 8 1 50 50 4 8 1\n2 1 30 30 4 8 0\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "gt.txt").write_text(TRUTH)
    (tmp_path / "good.txt").write_text("1 2 11 10 50 53\n2 1 30 30\n")
    (tmp_path / "bad.txt").write_text("1 1 11 10\n2 2 60 60 90 90\n")
    return tmp_path


def test_scores_with_intervals_tables_and_rows(files):
    done = crowdscale(
        "score",
        "good.txt",
        "gt.txt",
        "--protocol",
        "nwpu",
        "--json",
        "rows.json",
        "--table",
        "t.tex",
        cwd=files,
    )
    assert done.returncode == 0, done.stderr
    assert "| F large (%) | 100.0 | – | – |" in done.stdout
    assert "| R A1 (%) | 100.0 |" in done.stdout
    assert "No 95 % intervals from fewer than 10 photos." in done.stdout
    saved = json.loads((files / "rows.json").read_text())
    assert saved["measures"]["MAE"] == 0
    assert len(saved["rows"]) == 2
    assert r"\toprule" in (files / "t.tex").read_text()


def test_one_photo_is_singular(files):
    (files / "gt.txt").write_text("1 1 10 10 4 8 1\n")
    (files / "good.txt").write_text("1 1 11 10\n")
    assert "gt.txt: 1 photo\n" in crowdscale("score", "good.txt", "gt.txt", cwd=files).stdout


def test_two_files_are_compared(files):
    done = crowdscale("score", "good.txt", "gt.txt", "--against", "bad.txt", "--thresholds", "4px", cwd=files)
    assert "| MAE | 1.0 | 0.0 | -1.0 |" in done.stdout
    for name in ("good", "bad"):
        assert (
            crowdscale("score", f"{name}.txt", "gt.txt", "--json", f"{name}.json", cwd=files).returncode == 0
        )
    rows = crowdscale("score", "good.json", "--against", "bad.json", "--table", "t.csv", cwd=files)
    assert "| MAE | 1.0 | 0.0 | -1.0 |" in rows.stdout
    assert "MAE,1.0,0.0,-1.0" in (files / "t.csv").read_text()
    former = crowdscale("compare", "bad.json", "good.json", cwd=files)
    assert former.stdout == rows.stdout
    assert former.stderr == (
        "Note: crowdscale compare bad.json good.json is now crowdscale score good.json --against bad.json; "
        "the old name works until the next release.\n"
    )


def test_no_truth_and_nothing_to_compare_with_is_an_error(files):
    done = crowdscale("score", "good.txt", cwd=files)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: no truth was named. Give TRUTH, or --against FILE to compare two models.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("good.txt", "gt.txt", "--protocol", "citys"), "unknown protocol 'citys'"),
        (("good.txt", "gt.txt", "--thresholds", "4mm"), "expected a threshold as 4px"),
        (("good.txt", "gt.txt", "--average", "9-1"), "two whole pixels such as 1-100"),
        (("missing.txt", "gt.txt"), "no such file: missing.txt"),
        (("gt.txt", "good.txt", "--thresholds", "large"), "expected head boxes for the threshold 'large'"),
        (("good.txt", "gt.txt", "--ids", "colour"), "expected --ids as one of"),
        (("good.txt", "gt.txt", "--table", "t.xyz"), "expected a table's suffix"),
        (("good.txt", "gt.txt", "--json", "/proc/x.json"), "cannot be written"),
    ],
)
def test_what_cannot_be_scored(files, arguments, sentence):
    done = crowdscale("score", *arguments, cwd=files)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_rows_of_another_program_are_refused(files):
    (files / "x.json").write_text("[]")
    done = crowdscale("compare", "x.json", "x.json", cwd=files)
    assert done.returncode == 2
    assert "expected the JSON of `crowdscale score --json`" in done.stderr


@pytest.mark.realdata
def test_published_points_in_one_command(shared_root):
    folder = shared_root / "eval"
    done = crowdscale(
        "score", folder / "sha_test_fidtm_predictions.txt", folder / "sha_test_gt.txt", "--protocol", "sha"
    )
    assert "fewer than" not in done.stdout
    for line in ("| MAE | 57.0 |", "| RMSE | 103.4 |", "| P 4px (%) | 59.1 |"):
        assert line in done.stdout


def test_what_count_writes_is_what_score_reads(label_model, tmp_path):
    """Points of two photos, one empty, written as each format and scored against themselves."""
    write_image(tmp_path / "IMG_1.png", label_photo(CROWD, 240, 200))
    write_image(tmp_path / "IMG_2.png", label_photo(Points(), 240, 200))
    for suffix in ("txt", "csv", "json"):
        file = tmp_path / f"out.{suffix}"
        done = crowdscale(
            "count", tmp_path, "--model", label_model, "--points", file, "--decimals", 0, "--quiet"
        )
        assert done.returncode == 0, done.stderr
        scored = crowdscale("score", file, file, "--thresholds", "4px")
        assert "| F 4px (%) | 100.0 |" in scored.stdout, scored.stderr
        assert "2 photos" in scored.stdout
    assert "." not in (tmp_path / "out.txt").read_text().replace("IMG_1", "")
