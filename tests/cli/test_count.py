"""``crowdscale count`` as a user types it."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale.backends import open_backend
from crowdscale.cli.count_report import Files, Outcome, report
from crowdscale.cli.picture_names import picture_names
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.counting.table import PhotoRow, columns
from crowdscale.drawing.captions import summary
from crowdscale.files.images import write_image
from crowdscale.models.description import read_config
from crowdscale.trust.intervals import Calibration
from crowdscale.trust.profile import UNLIKE
from tests.support.commands import CROWD, FEW, command_line, crowdscale, crowdscale_process
from tests.support.fakes import label_photo
from tests.support.signals import interruptible

CROSSING = Path(__file__).parents[2] / "examples" / "crossing.jpg"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    write_image(folder / "crowd.png", label_photo(CROWD, 240, 200))
    write_image(folder / "deep" / "few.png", label_photo(FEW, 240, 200))
    return folder


def test_one_photo_gives_one_row(photos, label_model):
    done = crowdscale_process("count", photos / "crowd.png", "--model", label_model, "--verbose")
    assert (done.returncode, done.stderr) == (0, "")
    row = done.stdout.strip().splitlines()[-1]
    assert re.search(r"crowd\.png +96 +96 +\d+,\d+ – \d+,\d+ +×1\.50 +\d+\.\d\d", row)
    assert "1 photos" not in done.stdout


def test_one_photo_gives_a_sentence_and_the_place_of_its_pictures(photos, label_model, tmp_path):
    done = crowdscale("count", photos / "crowd.png", "--model", label_model, "--save", tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0] == "96 people"
    assert lines[1].startswith(f"Pictures: {tmp_path / 'crowd_people.jpg'}, ")
    assert all(Path(name).is_file() for name in lines[1].removeprefix("Pictures: ").split(", "))


def test_quiet_prints_the_bare_numbers_and_a_dash_is_stdout(photos, label_model):
    assert crowdscale("count", photos, "--model", label_model, "--quiet").stdout == "96\n2\n"
    rows = list(
        csv.DictReader(crowdscale("count", photos, "--model", label_model, "--csv", "-").stdout.splitlines())
    )
    assert [row["count"] for row in rows] == ["96", "2"]
    assert len(json.loads(crowdscale("count", photos, "--model", label_model, "--json", "-").stdout)) == 2


def test_the_table_of_several_fits_a_terminal(photos, label_model):
    done = crowdscale("count", photos / "crowd.png", photos / "deep" / "few.png", "--model", label_model)
    *_, first, second, _line, total = done.stdout.rstrip().splitlines()
    assert re.search(r"crowd\.png +96", first)
    assert re.search(r"few\.png +2", second)
    assert re.match(r" *2 photos +98", total)


def test_a_folder_gives_a_row_each_and_the_total(photos, label_model):
    done = crowdscale("count", photos, "--model", label_model, "--verbose")
    assert done.returncode == 0
    *_, first, second, _line, total = done.stdout.rstrip().splitlines()
    assert re.search(r"crowd\.png +96", first)
    assert re.search(r"few\.png +2 +2 +none", second)
    assert re.match(r" *2 photos +98 +98 ", total)
    assert done.stderr == ""  # progress is for terminals


def test_several_at_a_time_say_the_same_in_the_same_order(photos, label_model, tmp_path):
    for number in range(7):
        source = photos / ("crowd.png", "deep/few.png")[number % 2]
        (tmp_path / f"{number}.png").write_bytes(source.read_bytes())
    (tmp_path / "5.png").write_bytes(b"no photo")
    told = []
    for workers in (1, 3):
        table = tmp_path / f"{workers}.csv"
        done = crowdscale(
            "count",
            tmp_path,
            "--model",
            label_model,
            "--workers",
            workers,
            "--csv",
            table,
            "--save",
            tmp_path / "seen",
        )
        assert done.returncode == 1
        rows = list(csv.DictReader(table.open()))
        told.append([(row["photo"], row["count"], row["regions"], row["error"]) for row in rows])
        assert len(list((tmp_path / "seen").glob("*_people.jpg"))) == 6
        shutil.rmtree(tmp_path / "seen")
    assert told[0] == told[1]
    assert [people for _, people, _, _ in told[0]] == ["96", "2", "96", "2", "96", "", "96"]


def test_a_pattern_is_expanded(photos, label_model):
    done = crowdscale("count", "**/*.png", "--model", label_model, cwd=photos)
    assert re.search(r"2 photos +98", done.stdout)


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
    assert re.search(r"a\.png +96 +72–120 +96", shown.out)
    assert re.search(r"b\.png +96 +96 .*see warning", shown.out)
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


def test_options_reach_the_predictor(photos, label_model):
    plain = crowdscale(
        "count", photos / "crowd.png", "--model", label_model, "--no-second-pass", "--verbose"
    ).stdout
    fixed = crowdscale("count", photos / "crowd.png", "--model", label_model, "--zoom", 2, "--verbose").stdout
    small = crowdscale(
        "count", photos / "crowd.png", "--model", label_model, "--max-megapixels", 0.02, "--verbose"
    ).stdout
    assert re.search(r"96 +96 +none", plain)
    assert "×2.00" in fixed
    assert "reduced to 0.0 MP" in small


def test_one_broken_photo_does_not_stop_the_rest(photos, label_model, tmp_path):
    (tmp_path / "broken.jpg").write_text("no photo")
    done = crowdscale("count", tmp_path / "broken.jpg", photos / "crowd.png", "--model", label_model)
    assert done.returncode == 1
    assert re.search(r"crowd\.png +96", done.stdout)
    assert "broken" not in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: expected a JPEG")
    assert "broken.jpg" in line


def test_file_names_with_brackets_and_long_paths_are_whole(label_model, tmp_path):
    photo = tmp_path / ("a" * 150) / "[bold]x[/bold].png"
    write_image(photo, label_photo(FEW, 240, 200))
    done = crowdscale("count", photo, photo, "--model", label_model, "--verbose")
    assert str(photo) in done.stdout
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no photo was named"),
        (["none.jpg"], "no such photo: none.jpg"),
        (["text.jpg"], "something else in text.jpg"),
        (["empty"], "no photos in empty"),
        (["*.webp"], r"no photo matches \*.webp"),
        (["few.png", "--model", "heavy"], "expected a model out of lite, lite-int8, nano, but got 'heavy'"),
        (["few.png", "--model", "./none"], "no such model: none"),
        (["few.png", "--merge", "published"], "no option --merge any more"),
        (["few.png", "--zoom", "99"], "zoom from 0.1 to 10"),
        (["few.png", "--zoom", "2", "--no-second-pass"], "--zoom and --no-second-pass exclude each other"),
        (["few.png", "--max-megapixels", "nan"], "--max-megapixels from"),
        (["few.png", "--backend", "abacus"], "a backend out of onnx, openvino"),
        (["few.png", "--device", "tpu"], "a device out of"),
        (["few.png", "--csv", "empty"], "file that can be written"),
        (["few.png", "--json", "text.jpg/a.json"], "file that can be written"),
        (["few.png", "--save", "text.jpg"], "file that can be written"),
        (["few.png", "--points", "p.xyz"], r"--points as a file with \.txt, \.csv, \.json"),
        (["few.png", "--region-minimum", "7"], "region minimum from 0 to 1"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_2(label_model, tmp_path, arguments, sentence):
    write_image(tmp_path / "few.png", label_photo(FEW, 240, 200))
    (tmp_path / "text.jpg").write_text("text")
    (tmp_path / "empty").mkdir()
    model = [] if "--model" in arguments else ["--model", label_model]
    done = crowdscale("count", *arguments, *model, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert re.search(sentence, line)


def test_pictures_that_cannot_be_saved_leave_the_count(photos, label_model, tmp_path):
    (tmp_path / "seen" / "crowd_people.jpg").mkdir(parents=True)
    options = "--save", tmp_path / "seen", "--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json"
    done = crowdscale("count", photos / "crowd.png", "--model", label_model, *options)
    assert done.returncode == 1
    assert done.stdout == "96 people\n"
    assert re.fullmatch(r"Error: .*crowd_people\.jpg.*directory\)\.\n", done.stderr)
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
    assert re.fullmatch(r"Error: expected a file that can be written, .*a\.csv .*\n", capsys.readouterr().err)
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


@pytest.mark.parametrize("bulk", [False, True])
def test_a_photo_named_in_several_ways_counts_once(photos, label_model, tmp_path, bulk):
    names = "crowd.png", "./crowd.png", "deep/../crowd.png", photos / "crowd.png"
    out = ["--out", tmp_path / "out", "--format", "csv"] if bulk else []
    done = crowdscale("count", *names, "--model", label_model, *out, cwd=photos)
    assert done.returncode == 0
    if bulk:
        assert "1 photo, 96 people" in done.stdout
    else:
        assert done.stdout == "96 people\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_done(photos, label_model, tmp_path, sent):
    copies = [tmp_path / f"{number:04}.png" for number in range(600)]
    data = (photos / "crowd.png").read_bytes()
    for copy in copies:
        copy.write_bytes(data)
    running = subprocess.Popen(
        command_line(
            "count",
            tmp_path,
            "--model",
            label_model,
            "--save",
            tmp_path / "seen",
            "--json",
            tmp_path / "a.json",
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,  # noqa: PLW1509
    )
    until = time.monotonic() + 60
    while not (tmp_path / "seen" / "0003_people.jpg").exists() and time.monotonic() < until:
        time.sleep(0.05)
    running.send_signal(sent)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in errors
    values = json.loads((tmp_path / "a.json").read_text())
    assert 3 <= len(values) < 600
    assert all(value["count"] == 96 for value in values)


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_progress_is_shown_on_a_terminal(photos, label_model):
    reader, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    command = command_line("count", photos, "--model", label_model)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=terminal, check=True, timeout=120, env=environment
    )
    os.close(terminal)
    shown = os.read(reader, 100_000).decode(errors="replace")
    os.close(reader)
    assert "2/2" in shown
    assert b"2 photos" in done.stdout


def test_bundled_model_counts_the_bundled_photo(bundled, tmp_path):
    done = crowdscale(
        "count", CROSSING, "--model", bundled, "--save", tmp_path, "--json", tmp_path / "a.json"
    )
    assert done.returncode == 0, done.stderr
    (value,) = json.loads((tmp_path / "a.json").read_text())
    if not value["warnings"] and value["intervals"]:
        low, high = value["intervals"]["0.9"]
        assert low < value["count"] < high
        assert f"{low}–{high}" in done.stdout
    assert 80 < value["count"] < 400  # more than a hundred people by its description
    assert (tmp_path / "crossing_people.jpg").stat().st_size > 10_000


@pytest.mark.parametrize(
    "arguments",
    [["s3://example/a.jpg"], [".", "--runner", "ray"], [".", "--address", "auto"]],
    ids=str,
)
def test_what_many_photos_alone_can_have_wants_a_folder(label_model, tmp_path, arguments):
    done = crowdscale("count", *arguments, "--model", label_model, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert " needs --out" in done.stderr
    assert done.stderr.count("\n") == 1
