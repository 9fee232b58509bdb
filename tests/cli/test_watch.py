"""``crowdscale watch`` and ``crowdscale zones`` as a user types them."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale.cli.options import seconds_of
from crowdscale.errors import OptionError
from crowdscale.files.images import write_image
from crowdscale.points import Points
from crowdscale.video.outputs import Output
from crowdscale.zones.files import read_zones
from tests.support.commands import command_line, crowdscale, crowdscale_process
from tests.support.fakes import label_photo
from tests.support.films import grey_frame, write_film
from tests.support.signals import interruptible

av = pytest.importorskip("av")

VTEST = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
ZONES = {
    "zones": [
        {"name": "left", "points": [[0, 0], [120, 0], [120, 200], [0, 200]], "capacity": 1},
        {"name": "right", "points": [[120, 0], [240, 0], [240, 200], [120, 200]]},
    ]
}


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """Six frames, a second apart, with 1 to 6 people; the fourth is broken."""
    folder = tmp_path_factory.mktemp("frames")
    for number in range(1, 7):
        points = Points([[30 + 32 * i, 60] for i in range(number)])
        write_image(folder / f"{number}.png", label_photo(points, 240, 200))
    (folder / "4.png").write_bytes(b"broken")
    return folder


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("1s", 1), ("2", 2), ("1.5m", 90), ("1h", 3600), ("3 min", 180)]
)
def test_durations(text, seconds):
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1 day", "-1s", "1e3"])
def test_no_durations(text):
    with pytest.raises(OptionError, match="expected a duration such as 500ms"):
        seconds_of(text)


def test_everything_is_written(frames, label_model, tmp_path):
    (tmp_path / "zones.json").write_text(json.dumps(ZONES))
    done = crowdscale_process(
        "watch", frames, "--model", label_model, "--zones", tmp_path / "zones.json", "--rows", tmp_path / "rows.csv",
        "--video", tmp_path / "film.mp4", "--plot", tmp_path / "plot.png", "--smooth",
        "--heat", tmp_path / "heat.png",
    )  # fmt: skip
    assert done.returncode == 1  # a frame was broken
    assert re.search(r"^5 counts over 5\.0 s: 3\.4 people on average, 1 to 6; ", done.stdout)
    assert "4.png" in done.stderr
    rows = list(csv.DictReader((tmp_path / "rows.csv").open()))
    assert [float(row["count"]) for row in rows] == [1, 2, 3, 5, 6]
    assert [float(row["left"]) for row in rows] == [1, 2, 3, 3, 3]
    assert [float(row["right"]) for row in rows] == [0, 0, 0, 2, 3]
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert [frame.time for frame in film.decode(video=0)] == pytest.approx([0, 1, 2, 4, 5])
    assert Image.open(tmp_path / "plot.png").size == (1400, 640)
    assert Image.open(tmp_path / "heat.png").size[0] == 240


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted_everything_is_valid(label_model, tmp_path, how):
    film = write_film(tmp_path / "in.avi", [grey_frame(250, 160, 120)] * 20)
    process = subprocess.Popen(
        command_line(
            "watch", film, "--loop", "--every", "0s", "--model", label_model, "--rows", tmp_path / "rows.jsonl",
            "--video", tmp_path / "out.mp4", "--plot", tmp_path / "plot.png",
        ),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible,  # noqa: PLW1509
    )  # fmt: skip
    rows = tmp_path / "rows.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (rows.exists() and rows.read_text().count("\n") > 12):
        time.sleep(0.05)
    process.send_signal(how)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "")
    written = len([json.loads(line) for line in rows.read_text().splitlines()])
    with av.open(str(tmp_path / "out.mp4")) as film_out:
        shown = sum(1 for _ in film_out.decode(video=0))
    said = int(re.match(r"(\d+) counts", stdout)[1])
    assert written > 12
    assert 0 <= said - written <= 1  # the signal may come between a count, its row and its frame
    assert 0 <= written - shown <= 1
    assert Image.open(tmp_path / "plot.png").size == (1400, 640)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.mp4"], "no such film: none.mp4"),
        (["{frames}", "--every", "often"], "expected a duration"),
        (["{frames}", "--plot", "plot.gif"], "--plot as .png"),
        (["{frames}", "--heat", "heat.gif"], "--heat as .png"),
        (["{frames}", "--video", "film.gif"], "a video's name (.mp4, .mov, .mkv)"),
        (["{frames}", "--rows", "rows.xls"], "rows as .csv or .jsonl"),
        (["{frames}", "--zones", "none.json"], "no such file of zones: none.json"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_exit_2(frames, label_model, tmp_path, arguments, sentence):
    filled = [argument.format(frames=frames) for argument in arguments]
    done = crowdscale("watch", *filled, "--model", label_model, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr


def test_a_zone_outside_the_picture_is_said(frames, label_model, tmp_path):
    (tmp_path / "zones.json").write_text(
        json.dumps({"zones": [{"name": "z", "points": [[0, 0], [900, 0], [9, 9]]}]})
    )
    done = crowdscale("watch", frames, "--model", label_model, "--zones", tmp_path / "zones.json")
    assert done.returncode == 2
    assert "expected zone z inside the picture of 240×200" in done.stderr
    assert "Traceback" not in done.stderr


def test_zones_of_photos_are_in_every_result(frames, label_model, tmp_path):
    (tmp_path / "zones.json").write_text(json.dumps(ZONES))
    done = crowdscale(
        "count", frames / "5.png", frames / "1.png", "--model", label_model, "--zones", tmp_path / "zones.json",
        "--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json", "--save", tmp_path / "pictures",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"5\.png +left +3 +3 +1", done.stdout)
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert [(row["count"], row["left"], row["right"]) for row in rows] == [("5", "3", "2"), ("1", "1", "0")]
    said = json.loads((tmp_path / "a.json").read_text())
    assert [zone["count"] for zone in said[0]["zones"]] == [3, 2]
    assert (np.asarray(Image.open(tmp_path / "pictures" / "5_people.jpg"))[:, :, 0] > 230).any()


def test_zones_check_and_show(frames, tmp_path):
    (tmp_path / "zones.json").write_text(json.dumps(ZONES))
    done = crowdscale("zones", "check", tmp_path / "zones.json", frames / "1.png")
    assert done.returncode == 0
    assert re.search(r"left +area +4 +1", done.stdout)
    done = crowdscale(
        "zones", "show", tmp_path / "zones.json", frames / "1.png", "--out", tmp_path / "shown.png"
    )
    assert Image.open(tmp_path / "shown.png").size == (240, 200)


def test_zones_edit_serves_saves_and_ends(frames, tmp_path):
    out = tmp_path / "zones.json"
    process = subprocess.Popen(
        command_line("zones", "edit", frames / "1.png", "--out", out, "--no-browser"),
        stdout=subprocess.PIPE,
        text=True,
    )
    address = re.search(r"http://127\.0\.0\.1:\S+", process.stdout.readline())[0]
    urllib.request.urlopen(
        urllib.request.Request(address + "zones.json", json.dumps(ZONES).encode(), method="POST")
    )
    urllib.request.urlopen(urllib.request.Request(address + "done", b"", method="POST"))
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert stdout == f"2 zones in {out}\n"
    assert [zone.name for zone in read_zones(out).zones] == ["left", "right"]


@pytest.mark.realdata
@pytest.mark.skipif(not VTEST.is_file(), reason="needs vtest.avi of Debian's opencv-doc")
def test_real_pedestrians(bundled, tmp_path):
    done = crowdscale("watch", VTEST, "--every", "1s", "--duration", "4s", "--rows", tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr
    people = [float(row["count"]) for row in csv.DictReader((tmp_path / "rows.csv").open())]
    assert len(people) == 5
    assert all(1 < count < 20 for count in people)


def test_a_caption_that_grows_and_warnings_end_nothing(label_model, tmp_path):
    """The middle frame has 12 bits in 16: its warning makes its picture higher."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (1, 2, 3):
        pixels = label_photo(Points([[30 + 32 * i, 60] for i in range(number)]), 240, 200)
        if number == 2:
            Image.fromarray(pixels[..., 0].astype(np.uint16) * 16).save(folder / "2.png")
        else:
            write_image(folder / f"{number}.png", pixels)
    done = crowdscale(
        "watch", folder, "--model", label_model, "--rows", tmp_path / "r.csv", "--video", tmp_path / "o.mp4"
    )
    assert done.returncode == 0
    assert re.search(r"Warning: 1\.0 s: Its grey values reach \d+ of 65535", done.stderr)
    assert "Warnings on 1 of 3 counts." in done.stdout
    rows = list(csv.DictReader((tmp_path / "r.csv").open()))
    assert [float(row["count"]) for row in rows] == [1, 2, 3]
    assert ["65535" in row["warnings"] for row in rows] == [False, True, False]
    with av.open(str(tmp_path / "o.mp4")) as film:
        assert len(list(film.decode(video=0))) == 3


def test_a_fault_of_one_output_ends_no_other():
    said, kept = [], []

    def write(value):
        if value in (2, 3):
            raise OptionError("expected to write rows", "a full disk")
        kept.append(value)

    rows, film = Output("rows", write, said.append), Output("frames", write, said.append, ends=True)
    for value in (1, 2, 3, 4):
        rows.take(value)
        film.take(value)
    assert kept == [1, 1, 4]
    assert said == ["expected to write rows, but got a full disk. Counting continues."] * 2
    assert (rows.summary, film.summary) == (
        "expected to write rows, but got a full disk. 2 rows are missing.",
        "expected to write rows, but got a full disk. 3 frames are missing.",
    )
    with pytest.raises(OptionError):  # at the first count it is the user's to mend
        Output("rows", write, said.append).take(2)


def test_a_camera_s_password_is_in_no_output_and_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMERA_PASSWORD", "S3cret")
    done = crowdscale(
        "watch", "rtsp://admin:${CAMERA_PASSWORD}@127.0.0.1:9/x", "--retries", "0", "--timeout", "2",
        "--rows", tmp_path / "r.csv",
    )  # fmt: skip
    assert done.returncode == 2
    assert "S3cret" not in done.stdout + done.stderr
    assert "rtsp://admin:***@127.0.0.1:9/x" in done.stderr


def test_tracks_hold_a_row_for_each_followed_head(label_model, tmp_path):
    for step in range(4):
        points = Points([[30 + 8 * step, 60], [200, 120 - 6 * step]])
        write_image(tmp_path / "film" / f"{step}.png", label_photo(points, 240, 200))
    ground = {
        "points": [[0, 0], [240, 0], [240, 200], [0, 200]],
        "metres": [[0, 0], [24, 0], [24, 20], [0, 20]],
    }
    (tmp_path / "zones.json").write_text(json.dumps({**ZONES, "ground": ground}))
    done = crowdscale(
        "watch", tmp_path / "film", "--fps", 5, "--every", "0s", "--model", label_model, "--rows", tmp_path / "r.csv",
        "--zones", tmp_path / "zones.json", "--tracks", tmp_path / "t.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heads = list(csv.DictReader((tmp_path / "t.csv").open()))
    assert sorted(row["track"] for row in heads) == ["0"] * 4 + ["1"] * 4
    assert all(float(row["x_m"]) == pytest.approx(float(row["x"]) / 10, abs=0.01) for row in heads)
    *_, last = csv.DictReader((tmp_path / "r.csv").open())
    assert (last["left different"], last["right different"], last["left entered"]) == ("1", "1", "0")
