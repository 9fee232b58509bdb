"""Several cameras in one process: fair turns, and one camera's failure touches no other."""

from __future__ import annotations

import csv
import re
import threading
import time

import numpy as np
import pytest

from crowdscale.counting.predictor import load
from crowdscale.points import Points
from crowdscale.video import several
from crowdscale.video.frame import Frame, Source, SourceOptions
from crowdscale.video.several import Camera, Cameras
from crowdscale.video.sources import VideoError
from crowdscale.video.turns import Turns
from crowdscale.video.watch import WatchOptions
from tests.support.commands import crowdscale
from tests.support.fakes import label_photo
from tests.support.films import grey_frame, write_packets

PHOTO = label_photo(Points([[30, 40], [60, 40], [90, 40]]), 240, 200)


def test_turns_are_given_in_the_order_in_which_they_were_asked_for():
    turns, order, ready = Turns(), [], [threading.Event() for _ in range(5)]

    def work(number):
        ready[number].set()
        with turns.turn():
            order.append(number)

    with turns.turn():
        threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
        for number, thread in enumerate(threads):
            thread.start()
            ready[number].wait()
            while len(turns._waiting) < number + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_cameras_that_are_always_ready_get_equal_shares(label_model, monkeypatch):
    shares = {"a": 0, "b": 0, "c": 0}
    monkeypatch.setattr(
        several,
        "open_source",
        lambda name, _: Source(name, lambda _: (Frame(i, i, PHOTO) for i in range(10**6))),
    )

    def count(state):
        shares[state.camera.name] += 1
        if sum(shares.values()) >= 90:
            watching._stop.set()

    cameras = [Camera(name, name, options=WatchOptions(every=0)) for name in shares]
    watching = Cameras(cameras, load(label_model), lambda *_: None, count)
    watching.start()
    assert not watching.wait(60)
    assert max(shares.values()) - min(shares.values()) <= 6


def test_one_camera_s_failure_touches_no_other(label_model, tmp_path, monkeypatch):
    def broken(_):
        yield Frame(0, 0, PHOTO)
        raise RuntimeError("a codec that nobody foresaw")

    def lost(_):
        yield Frame(0, 0, PHOTO)
        raise VideoError("expected a camera", "smoke")

    films = {
        "good": lambda _: (Frame(i, i, PHOTO) for i in range(6)),
        "broken": broken,
        "lost": lost,
        "odd": lambda _: iter([Frame(0, 0, np.zeros((0, 5, 3), np.uint8))]),
        "full": lambda _: (Frame(i, i, PHOTO) for i in range(3)),
    }
    monkeypatch.setattr(several, "open_source", lambda name, _: Source(name, films[name]))
    (tmp_path / "taken.csv").write_text("a,b\n1,2\n")
    rows = {"good": tmp_path / "good.csv", "full": tmp_path / "taken.csv"}
    cameras = [Camera(name, name, options=WatchOptions(every=0), rows=rows.get(name)) for name in films]
    said = []
    watching = Cameras(cameras, load(label_model), lambda *each: said.append(each))
    watching.start()
    assert not watching.wait(60)
    states = {state.camera.name: state for state in watching.states}
    assert [states[name].status for name in films] == ["ended", "failed", "failed", "failed", "failed"]
    assert states["good"].counts == 6
    assert states["good"].problems == []
    assert len(list(csv.DictReader(rows["good"].open()))) == 6
    assert states["broken"].problems == ["RuntimeError: a codec that nobody foresaw"]
    assert "Choose another file" in states["full"].problems[0]
    assert rows["full"].read_text() == "a,b\n1,2\n"
    assert {name for name, _ in said} == {"broken", "lost", "odd", "full"}


def test_a_camera_that_is_off_at_the_start_is_tried_again(label_model, monkeypatch):
    tries = []

    def open_source(address, _):
        tries.append(address)
        if len(tries) < 3:
            raise VideoError("expected a camera", "rtsp://me:S3cret@cam/x without an answer")
        return Source(address, lambda _: iter([Frame(0, 0, PHOTO)]))

    monkeypatch.setattr(several, "open_source", open_source)
    monkeypatch.setattr("crowdscale.video.cameras.LONGEST_WAIT", 0.01)
    said = []
    watching = Cameras(
        [Camera("gate", "rtsp://me:S3cret@cam/x")], load(label_model), lambda *each: said.append(each)
    )
    watching.start()
    assert not watching.wait(30)
    assert (watching.states[0].status, watching.states[0].counts, len(tries)) == ("ended", 1, 3)
    assert len(said) == 1
    assert "It is tried again" in said[0][1]
    assert "S3cret" not in f"{said}{watching.states}"


def test_a_silent_camera_ends_when_asked(label_model, monkeypatch):
    silent = threading.Event()

    def frames(_):
        yield Frame(0, 0, PHOTO)
        silent.wait(60)

    monkeypatch.setattr(several, "open_source", lambda name, _: Source(name, frames, live=True))
    watching = Cameras([Camera("a", "a"), Camera("b", "b")], load(label_model), lambda *_: None)
    watching.start()
    while not all(state.counts for state in watching.states):
        time.sleep(0.01)
    watching.stop(20)
    assert not watching.wait(0)
    assert [state.status for state in watching.states] == ["ended", "ended"]
    silent.set()


@pytest.fixture
def films(tmp_path):
    for name in ("gate", "hall"):
        write_packets(tmp_path / f"{name}.mkv", [grey_frame(250, 160, 120)] * 10)
    return tmp_path


def test_the_command_watches_the_cameras_of_a_file(films, label_model):
    (films / "cameras.toml").write_text(
        'time_zone = "Europe/Berlin"\n'
        '[[camera]]\nname = "gate"\nsource = "gate.mkv"\nrows = "gate.csv"\nevery = "500ms"\n'
        '[[camera]]\nname = "hall"\nsource = "hall.mkv"\nrows = "hall.jsonl"\nsmooth = true\n'
        '[[camera]]\nname = "gone"\nsource = "none.mkv"\n'
    )
    done = crowdscale(
        "watch", "--cameras", films / "cameras.toml", "--every", "200ms", "--model", label_model
    )
    assert done.returncode == 1
    assert re.findall(r"^(\w+): (\d) counts over 0\.\d s: ", done.stdout, re.M) == [
        ("gate", "2"),
        ("hall", "5"),
    ]
    assert "Error: gone: no such film: none.mkv" in done.stderr
    assert len((films / "hall.jsonl").read_text().splitlines()) == 5
    again = crowdscale(
        "watch", "--cameras", films / "cameras.toml", "--every", "200ms", "--model", label_model
    )
    assert len((films / "hall.jsonl").read_text().splitlines()) == 5  # they are counted to their ends
    assert again.returncode == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "missing required field camera"),
        ("camera = []", r"at least one \[\[camera\]\]"),
        ('[[camera]]\nname = "a"\n', "missing required field source"),
        ('[[camera]]\nname = "a"\nsource = "x"\nspeed = 3\n', "unknown field speed"),
        ('[[camera]]\nname = "a"\nsource = "x"\nevery = "soon"\n', "a duration such as 500ms"),
        ('[[camera]]\nname = "a"\nsource = "x"\nevery = [1]\n', r"every"),
        ('[[camera]]\nname = "a"\nsource = "x"\n' * 2, "another name for each camera in .*, but got a twice"),
        ('[[camera]]\nname = "a"\nsource = "x"\nrows = "r.csv"\n[[camera]]\nname = "b"\nsource = "x"\nrows = "./r.csv"\n', "another file of rows"),
        ('[[camera]]\nname = "a"\nsource = "x"\nrows = "r.xls"\n', "rows as .csv or .jsonl"),
        ('[[camera]]\nname = "a\\nb"\nsource = "x"\n', "a camera's name"),
        ('[[camera]]\nname = "a"\nsource = "rtsp://u:${NOT_SET}@h/x"\n', "the environment variable NOT_SET"),
        ('[[camera]]\nname = "a"\nsource = "x"\nzones = "none.json"\n', "no such file of zones"),
        ('time_zone = "Mars"\n[[camera]]\nname = "a"\nsource = "x"\n', "a time zone such as"),
        ("[[camera", "a .toml file of cameras"),
        ("a = 1979-05-27\n", "missing|unknown"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_are_one_sentence(tmp_path, text, sentence):
    (tmp_path / "c.toml").write_text(text)
    done = crowdscale("watch", "--cameras", tmp_path / "c.toml")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.search(sentence, done.stderr)


def test_options_of_one_source_are_refused_beside_several(tmp_path):
    (tmp_path / "c.toml").write_text('[[camera]]\nname = "a"\nsource = "x"\n')
    done = crowdscale("watch", "--cameras", tmp_path / "c.toml", "--rows", "r.csv")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--rows. Write it into the file of the cameras" in done.stderr
    assert crowdscale("watch").returncode == 2


def test_each_camera_has_its_own_patience():
    assert Camera("a", "x").opening.retries is None
    assert SourceOptions().retries == 10
