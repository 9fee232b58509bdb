"""A second run on a file of rows goes on where the first one stopped, or is refused in one sentence."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from crowdscale.counting.predictor import load
from crowdscale.errors import OptionError
from crowdscale.points import Points
from crowdscale.video.dates import Calendar
from crowdscale.video.resuming import Run, film_mark
from crowdscale.video.sources import Frame, Source
from crowdscale.video.watch import RowWriter, WatchOptions, watch
from crowdscale.zones.alarms import AlarmRule, Alarms
from crowdscale.zones.zone import Zone, Zones
from tests.support.commands import crowdscale
from tests.support.fakes import label_photo
from tests.support.films import grey_frame, write_packets

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()
ROPE = Zone("rope", ((120, 0), (120, 200)), "line", width=30)


def people(number):
    return label_photo(Points([[30 + 20 * i, 60] for i in range(number)]), 240, 200)


def film(counts, step=0.5):
    return Source("film", lambda _: (Frame(i, i * step, people(n)) for i, n in enumerate(counts)))


def count(model, path, source, run, **options):
    zones = options.pop("zones", None)
    with RowWriter(path, run) as writer:
        after = writer.past.after if writer.past is not None else None
        for each in watch(source, load(model), WatchOptions(after=after, **options), zones):
            writer.write(each.row)


def read(path):
    if path.suffix == ".csv":
        return list(csv.DictReader(path.open()))
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
@pytest.mark.parametrize("every", [0, 1.0, 1.3])
def test_two_runs_on_a_film_give_the_rows_of_one(label_model, tmp_path, suffix, every):
    counts, run = [1, 2, 3, 4, 5, 6, 7, 8, 9], Run("film", "m", False, {"every": every})
    whole, parts = tmp_path / f"whole{suffix}", tmp_path / f"parts{suffix}"
    count(label_model, whole, film(counts), run, every=every)
    for frames in (1, 2, None, None):  # the last one finds nothing left
        count(label_model, parts, film(counts), run, every=every, frames=frames)
    rows = [[(row["time"], row["frame"], row["count"]) for row in read(path)] for path in (whole, parts)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == {0: 9, 1.0: 5, 1.3: 4}[every]


def test_a_camera_s_time_and_frames_go_on_by_the_clock(label_model, tmp_path, monkeypatch):
    path, run = tmp_path / "r.csv", Run("cam", "", True, {})
    for begun in (NOON, NOON + 60):
        source = Source("cam", lambda _, at=begun: (Frame(i, i, people(2), arrived=at + i) for i in range(3)))
        source.dropped = 4
        monkeypatch.setattr("crowdscale.video.resuming.wall_clock", lambda at=begun: at)
        count(label_model, path, source, run, every=0, calendar=Calendar())
    rows = read(path)
    assert [float(row["time"]) for row in rows] == [0, 1, 2, 60, 61, 62]
    assert [int(row["frame"]) for row in rows] == [0, 1, 2, 3, 4, 5]
    assert [int(row["dropped"]) for row in rows] == [4] * 3 + [8] * 3
    assert datetime.fromisoformat(rows[3]["clock"]).timestamp() == NOON + 60


def test_a_clock_that_was_set_back_takes_no_time_back(label_model, tmp_path, monkeypatch):
    path, run = tmp_path / "r.jsonl", Run("cam", "", True, {})
    for begun in (NOON, NOON - 3600):
        monkeypatch.setattr("crowdscale.video.resuming.wall_clock", lambda at=begun: at)
        source = Source("cam", lambda _, at=begun: (Frame(i, i, people(1), arrived=at + i) for i in range(2)))
        count(label_model, path, source, run, every=0)
    assert [row["time"] for row in read(path)] == [0, 1, 1, 2]


def test_crossings_are_added_to_those_of_the_first_run(label_model, tmp_path):
    places = [60 + 11 * step for step in range(12)] + [60 + 11 * step for step in range(11, -1, -1)]
    frames = [label_photo(Points([[x, 60]]), 240, 200) for x in places]
    path, run = tmp_path / "r.csv", Run("film", "m", False, {})
    for most in (12, None):
        source = Source("film", lambda _: (Frame(i, i / 5, each) for i, each in enumerate(frames)))
        count(label_model, path, source, run, every=0, frames=most, zones=Zones((ROPE,)))
    rows = read(path)
    ways = [(int(row["rope forward"]), int(row["rope backward"])) for row in rows]
    assert len(rows) == 24
    assert sum(ways[11]) == 1
    assert ways[-1] == (1, 1)


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        (Run("other", "m", False, {"every": 1}), "expected rows of other in .*, but got those of film"),
        (
            Run("film", "n", False, {"every": 1}),
            "of this film in .*, but got those of another one named film",
        ),
        (Run("film", "m", False, {"every": 2}), r"\(every 1\), but got every 2\. Use the same options or"),
        (Run("film", "m", False, {"every": 1, "start": "x"}), r"\(start not given\), but got start x"),
    ],
    ids=["another source", "another film", "another option", "one more option"],
)
def test_rows_of_something_else_are_refused_and_kept(label_model, tmp_path, second, sentence):
    path = tmp_path / "r.csv"
    count(label_model, path, film([1, 2]), Run("film", "m", False, {"every": 1}), every=0)
    before = path.read_bytes()
    with pytest.raises(OptionError, match=sentence):
        RowWriter(path, second)
    assert path.read_bytes() == before
    RowWriter(path).close()  # nothing holds it


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("r.csv", "time,frame,people,smoothed,alarms,seconds,dropped\n0,0,3,,,1,0\n", "the column clock in .*earlier version"),
        ("r.jsonl", '{"time": 0, "frame": 0, "count": 3}\n', "the column clock in"),
        ("r.csv", "a,b\n1,2\n", "the column time in .*, but got a file of an earlier version or of something else"),
    ],
    ids=["csv of an earlier version", "jsonl of an earlier version", "another table"],
)  # fmt: skip
def test_rows_of_another_schema_are_refused_with_what_to_do(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(OptionError, match=rf"{sentence}.*Choose another file\."):
        RowWriter(path, Run("film", "m", False, {}))
    assert path.read_text() == content


def test_rows_that_lost_their_note_are_refused(label_model, tmp_path):
    path, run = tmp_path / "r.csv", Run("film", "m", False, {})
    count(label_model, path, film([1, 2]), run, every=0)
    (tmp_path / ".r.csv.run.json").unlink()
    with pytest.raises(OptionError, match=r"none of which \.r\.csv\.run\.json says whose they are"):
        RowWriter(path, run)


def test_a_film_is_known_by_its_beginning(tmp_path):
    for name, text in (("a.mp4", b"one"), ("b.mp4", b"two"), ("c.mp4", b"one")):
        (tmp_path / name).write_bytes(text)
    marks = [film_mark(str(tmp_path / name)) for name in ("a.mp4", "b.mp4", "c.mp4")]
    assert marks[0] == marks[2] != marks[1]
    assert film_mark("rtsp://camera/live") == film_mark("0") == ""


def test_the_command_goes_on(label_model, tmp_path):
    path = write_packets(tmp_path / "a.mkv", [np.ascontiguousarray(grey_frame(250, 160, 120))] * 20)
    words = ("watch", path, "--model", label_model, "--rows", tmp_path / "r.csv", "--every", "200ms")
    extra = ("--video", tmp_path / "o.mp4", "--start", "2026-05-01 14:00", "--time-zone", "Europe/Berlin")
    assert crowdscale(*words, *extra, "--frames", 4).returncode == 0
    done = crowdscale(*words, *extra)
    assert done.returncode == 2
    assert "a new file beside rows that go on, but got" in done.stderr
    assert crowdscale(*words, *extra[2:]).returncode == 0
    rows = read(tmp_path / "r.csv")
    assert [float(row["time"]) for row in rows] == pytest.approx([0.2 * i for i in range(10)])
    assert [row["clock"] for row in rows][::4] == [
        f"2026-05-01T14:00:0{s}+02:00" for s in ("0.000", "0.800", "1.600")
    ]
    done = crowdscale(*words, *extra[2:])
    assert (done.returncode, done.stdout) == (0, f"{path} is counted to its end: no new rows.\n")
    done = crowdscale(*words, "--no-second-pass", *extra[2:])
    assert done.returncode == 2
    assert "(second_pass True), but got second_pass not given" in done.stderr


HALL = Zone(
    "hall", ((0, 0), (240, 0), (240, 200), (0, 200)), alarm=AlarmRule(above=2, below=2, hold=1.0)
)  # raised above 2 for a second, cleared below 2 for a second


def alarmed(model, path, counts, frames, live=False):
    """The rows of one run, and what it sent."""
    sent, alarms = [], Alarms(Zones((HALL,)).alarms)
    source = film(counts)
    source.live = live
    alarms._receivers_of = lambda _: [SimpleNamespace(send=lambda event: sent.append(event.kind))]
    with RowWriter(path, Run("film", "m", live, {})) as writer:
        after = None
        if writer.past is not None:
            after = writer.past.after
            writer.past.restore(alarms)
        options = WatchOptions(every=0, frames=frames, after=after)
        for each in watch(source, load(model), options, Zones((HALL,)), alarms):
            writer.write(each.row)
    return sent


RISES = [0, 3, 3, 3, 3, 2, 2, 1, 1, 1, 0, 3, 3, 3]


@pytest.mark.parametrize(
    ("stop", "suffix"),
    [(stop, (".csv", ".jsonl")[stop % 2]) for stop in range(1, len(RISES))],
)
def test_alarms_of_a_film_go_on_wherever_it_was_stopped(label_model, tmp_path, suffix, stop):
    whole, parts = tmp_path / f"whole{suffix}", tmp_path / f"parts{suffix}"
    sent = alarmed(label_model, whole, RISES, None)
    assert sent == ["raised", "cleared", "raised"]
    again = [each for frames in (stop, None) for each in alarmed(label_model, parts, RISES, frames)]
    assert again == sent
    names = ("time", "alarms", "raised")
    rows = [[[row[name] for name in names] for row in read(path)] for path in (whole, parts)]
    assert rows[0] == rows[1]


def test_a_camera_s_alarm_stays_raised_and_its_hold_begins_anew(label_model, tmp_path):
    path = tmp_path / "r.jsonl"
    assert alarmed(label_model, path, [3, 3, 3, 1], None, live=True) == ["raised"]
    assert alarmed(label_model, path, [1, 1], None, live=True) == []  # 1 for half a second in this run
    assert [row["raised"] for row in read(path)[2:]] == [["hall"]] * 4
    assert alarmed(label_model, path, [1, 1, 1], None, live=True) == ["cleared"]


def test_only_the_end_of_a_long_file_is_read(label_model, tmp_path, monkeypatch):
    path = tmp_path / "r.csv"
    alarmed(label_model, path, [3] * 40, None)
    monkeypatch.setattr("crowdscale.video.row_writer.TAIL", 200)
    with RowWriter(path, Run("film", "m", False, {})) as writer:
        assert 1 <= len(writer.past.rows) < 5
        alarms = Alarms(Zones((HALL,)).alarms)
        writer.past.restore(alarms)
    assert alarms.raised == {"hall"}
