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
from pathlib import Path

import pytest

from crowdscale.files.images import write_image
from tests.support.commands import FEW, command_line, crowdscale, crowdscale_process
from tests.support.fakes import label_photo
from tests.support.signals import interruptible

CROSSING = Path(__file__).parents[2] / "examples" / "crossing.jpg"


def test_verbose_adds_both_passes_and_the_time_of_a_photo(photos, label_model):
    done = crowdscale_process("count", photos / "crowd.png", "--model", label_model, "--verbose")
    assert (done.returncode, done.stderr) == (0, "")
    answer, first, second, time = done.stdout.splitlines()
    assert (answer, first) == ("96 people", "  first pass   96 people, at its own size")
    assert re.fullmatch(r"  second pass  from \d+,\d+ to \d+,\d+ at ×1\.50", second)
    assert re.fullmatch(r"  time         \d+\.\d\d s", time)
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
    done = crowdscale("count", ".", "--model", label_model, "--verbose", cwd=photos)
    assert done.returncode == 0
    table, crowd, few = done.stdout.rstrip().split("\n\n")
    assert re.search(r"2 photos +98", table)
    assert re.fullmatch(
        r".*crowd\.png\n  first pass   96 people, .*\n(  second pass  from .* at ×.*\n)+  time +\d.* s", crowd
    )
    assert re.fullmatch(r".*few\.png\n  first pass   2 people, .*\n  second pass  none\n  time +\d.* s", few)
    assert max(map(len, done.stdout.splitlines())) <= 80
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


def test_options_reach_the_predictor(photos, label_model):
    plain = crowdscale(
        "count", photos / "crowd.png", "--model", label_model, "--no-second-pass", "--verbose"
    ).stdout
    fixed = crowdscale("count", photos / "crowd.png", "--model", label_model, "--zoom", 2, "--verbose").stdout
    small = crowdscale(
        "count", photos / "crowd.png", "--model", label_model, "--max-megapixels", 0.02, "--verbose"
    ).stdout
    assert re.match(r"96 people\n  first pass   96 people, .*\n  second pass  none\n", plain)
    assert "×2.00" in fixed
    assert "reduced to 0.0 MP" in small


def test_one_broken_photo_does_not_stop_the_rest(photos, label_model, tmp_path):
    (tmp_path / "broken.jpg").write_text("no photo")
    done = crowdscale("count", tmp_path / "broken.jpg", photos / "crowd.png", "--model", label_model)
    assert done.returncode == 1
    assert re.search(r"crowd\.png +96", done.stdout)
    assert "broken" not in done.stdout
    (line,) = done.stderr.splitlines()
    assert "is no photo. Photos are JPEG, PNG" in line
    assert "broken.jpg" in line


def test_file_names_with_brackets_and_long_paths_are_whole(label_model, tmp_path):
    photo = tmp_path / ("a" * 150) / "[bold]x[/bold].png"
    write_image(photo, label_photo(FEW, 240, 200))
    other = tmp_path / "b.png"
    write_image(other, label_photo(FEW, 240, 200))
    done = crowdscale("count", photo, other, "--model", label_model, "--verbose")
    assert done.stdout.count(str(photo)) == 2
    assert "…" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no photo was named"),
        (["none.jpg"], "no such photo: none.jpg"),
        (["text.jpg"], "text.jpg is no photo"),
        (["empty"], "no photos in empty"),
        (["*.webp"], r"no photo matches \*.webp"),
        (["few.png", "--model", "heavy"], "unknown model 'heavy'. Choose one of lite, lite-int8, nano"),
        (["few.png", "--model", "./none"], "no such model: none"),
        (["few.png", "--merge", "published"], "no option --merge any more"),
        (["few.png", "--zoom", "99"], "zoom from 0.1 to 10"),
        (["few.png", "--zoom", "2", "--no-second-pass"], "--zoom and --no-second-pass exclude each other"),
        (["few.png", "--max-megapixels", "nan"], "--max-megapixels from"),
        (["few.png", "--backend", "abacus"], "unknown backend 'abacus'. Choose one of onnx, openvino"),
        (["few.png", "--device", "tpu"], "unknown device 'tpu'"),
        (["few.png", "--csv", "empty"], "cannot be written"),
        (["few.png", "--json", "text.jpg/a.json"], "cannot be written"),
        (["few.png", "--save", "text.jpg"], "text.jpg is a file, and pictures need a folder"),
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
