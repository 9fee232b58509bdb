"""Cameras of the service: their states, curves, pictures, events and gauges; access, passwords, faults and the end."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from fastapi.testclient import TestClient
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from crowdscale.counting.camera_table import BinRecord, CameraRow
from crowdscale.counting.encoding import record_schema
from crowdscale.points import Points
from crowdscale.serve import cameras as routes
from crowdscale.serve.app import create_app
from crowdscale.serve.counter import Counter
from crowdscale.serve.line import CancelledWorkError
from crowdscale.serve.options import ServeOptions
from crowdscale.video import several
from crowdscale.video.dates import Calendar
from crowdscale.video.frame import Frame, Source, SourceOptions
from crowdscale.video.several import Camera, Cameras
from crowdscale.video.sources import VideoError
from crowdscale.video.watch import WatchOptions
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.zone import Zone, Zones
from tests.support.cameras import mjpeg
from tests.support.fakes import label_photo
from tests.support.films import grey_frame, write_packets
from tests.support.web import web_server

SECRET = "rtsp://me:S3cret@cam/x?token=K3y"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()
ZONES = Zones(
    (
        Zone("left", ((0, 0), (120, 0), (120, 200), (0, 200)), capacity=4, alarm=AlarmRule(above=2)),
        Zone("rope", ((120, 0), (120, 200)), "line"),
    )
)
COUNTS = [1, 3, 3, 1, 4]  # of 20 pixels each, from the left: all of them in the zone "left"


def people(number):
    return label_photo(Points([[20 + 20 * i, 60] for i in range(number)]), 240, 200)


def film(counts=COUNTS):
    return lambda _: (Frame(i, i, people(n), arrived=NOON + i) for i, n in enumerate(counts))


def cameras_of(counter, monkeypatch, films, **cameras):
    """Cameras with the frames of these generators by source; one without a generator does not answer."""

    def open_source(name, _):
        if name not in films:
            raise VideoError("expected a camera", f"{name} without an answer")
        return Source(name, films[name], live=name == "live")

    monkeypatch.setattr(several, "open_source", open_source)
    described = [
        Camera(name, source, SourceOptions(retries=0), WatchOptions(every=0, calendar=Calendar(UTC)), zones)
        for name, (source, zones) in cameras.items()
    ]
    return Cameras(described, counter.for_cameras(), lambda *_: None, turns=counter.turns)


@pytest.fixture(scope="module")
def counter(label_model):
    return Counter.open(str(label_model), 10**6)


@pytest.fixture(scope="module")
def watched(counter):
    """A client, and the cameras: a film that has ended, and one that failed."""
    with ExitStack() as stack:
        with (
            pytest.MonkeyPatch.context() as patch
        ):  # it ends before the tests begin: others open real cameras
            watching = cameras_of(
                counter, patch, {"film": film()}, **{"east/gate": ("film", ZONES), "off": (SECRET, None)}
            )
            app = create_app(counter, ServeOptions(), watching)
            client = stack.enter_context(TestClient(app, base_url="http://127.0.0.1"))
            assert not watching.wait(30)
        yield client, watching, app


def test_the_state_of_each_camera_is_of_the_one_schema(watched):
    client, _, _ = watched
    rows = client.get("/cameras").json()
    jsonschema.validate(rows, {"type": "array", "items": record_schema(CameraRow)})
    gate, off = rows
    assert (gate["camera"], gate["status"], gate["live"], gate["counts"]) == ("east/gate", "ended", False, 5)
    assert (gate["count"], gate["clock"], gate["time"]) == (4, "2026-05-01T12:00:04.000+00:00", 4)
    assert gate["zones"][0] | {"name": "left", "count": 4, "capacity": 4} == gate["zones"][0]
    assert gate["lines"] == [
        {"name": "rope", "forward": 0, "backward": 0, "forward_per_minute": None, "backward_per_minute": None}
    ]
    assert [(e["zone"], e["kind"], e["count"], e["clock"][11:19]) for e in gate["events"]] == [
        ("left", "raised", 3, "12:00:01"), ("left", "cleared", 1, "12:00:03"), ("left", "raised", 4, "12:00:04"),
    ]  # fmt: skip
    assert (gate["raised"], gate["alarms"]) == (["left"], 2)
    assert (off["status"], off["count"], off["live"], off["counts"]) == ("failed", None, None, 0)
    assert "without an answer" in off["problems"][0]
    assert client.get("/site.json").json()["cameras"] == 2


def test_curve_and_picture_of_a_camera(watched):
    client, _, _ = watched
    for span, seconds in (("hour", 10), ("day", 300)):
        curve = client.get("/cameras/east%2Fgate/curve", params={"span": span}).json()
        jsonschema.validate(curve["bins"], {"type": "array", "items": record_schema(BinRecord)})
        assert (curve["camera"], curve["span"], curve["seconds"]) == ("east/gate", span, seconds)
        assert curve["bins"] == [{"begin": NOON, "mean": 2.4, "low": 1, "high": 4, "counts": 5}]
    answer = client.get("/cameras/east%2Fgate/picture?side=200")
    assert answer.headers["content-type"] == "image/jpeg"
    picture = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert max(picture.shape) >= 200
    assert picture.std() > 5
    assert answer.content == client.get("/cameras/east%2Fgate/picture?side=200").content
    assert client.get("/cameras/off/curve").json()["bins"] == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/cameras/none/curve", "expected a camera out of east/gate, off, but got 'none'."),
        ("/cameras/none/picture", "expected a camera out of"),
        ("/cameras/..%2f..%2fetc%2fpasswd/picture", "expected a camera out of"),
        ("/cameras/off/picture", "No frame of off was counted yet."),
    ],
)
def test_what_is_not_there_is_a_sentence(watched, path, sentence):
    answer = watched[0].get(path)
    assert answer.status_code == 404
    assert answer.json()["error"].startswith(sentence)


def metrics_of(client):
    """Return the value of each sample of the cameras, read by Prometheus' own parser."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name.removeprefix("crowdscale_camera_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("crowdscale_camera_")
    }


def test_metrics_of_each_camera_leave_out_old_numbers(watched, monkeypatch):
    client, watching, _ = watched
    gate = watching.states[0]
    found = metrics_of(client)
    known = {
        ("up", "east/gate"): 0, ("up", "off"): 0, ("usable", "east/gate"): 1, ("frames_total", "east/gate"): 5,
        ("frames_total", "off"): 0, ("frames_dropped_total", "east/gate"): 0, ("reconnects_total", "east/gate"): 0,
        ("crossings_total", "east/gate", "forward", "rope"): 0, ("crossings_total", "east/gate", "backward", "rope"): 0,
        ("alarm", "east/gate", "left"): 1, ("alarms_total", "east/gate", "left"): 2,
    }  # fmt: skip
    assert known.items() <= found.items()
    assert found["seconds_since_frame", "east/gate"] < 60
    assert not any(name.startswith(("people", "zone")) for name, *_ in found)  # the film has ended
    monkeypatch.setattr(gate, "status", "counting")
    found = metrics_of(client)
    assert (found["people", "east/gate"], found["zone_people", "east/gate", "left"], found["up", "east/gate"]) == (4, 4, 1)  # fmt: skip
    monkeypatch.setattr(gate.source, "lost", True)
    assert metrics_of(client)["up", "east/gate"] == 0


def heard(client, app, seconds=0.3):
    threading.Timer(seconds, app.state.ending.set).start()
    text = client.get("/cameras/events").text
    app.state.ending.clear()
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def test_events_bring_each_camera_and_then_what_changes(watched, monkeypatch):
    client, watching, app = watched
    monkeypatch.setattr(routes, "LOOK", 0.02)
    assert [each.get("camera") for each in heard(client, app)] == ["east/gate", "off", None]
    threading.Timer(0.15, lambda: watching.states[1].note("it is back")).start()
    *_, changed, end = heard(client, app, 0.6)
    assert (changed["camera"], changed["notes"][-1], end) == ("off", "it is back", {})
    monkeypatch.setattr(routes, "MOST_LISTENERS", 0)
    answer = client.get("/cameras/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


def test_passwords_appear_nowhere(watched, capsys):
    client, watching, app = watched
    paths = ("/cameras", "/metrics", "/site.json", "/openapi.json", "/dashboard", "/cameras/none/curve")
    told = [client.get(path).text for path in paths] + [json.dumps(heard(client, app)), repr(watching.states)]
    said = capsys.readouterr()
    for text in (*told, said.out, said.err):
        assert "S3cret" not in text
        assert "K3y" not in text
    assert "me:***@cam" in told[0]


ROUTES = ("/cameras", "/cameras/events", "/cameras/a/curve", "/cameras/a/picture", "/metrics")


@pytest.mark.parametrize("path", ROUTES)
def test_token_host_and_origin_are_checked(counter, path):
    options = ServeOptions(token="a-token-of-16-signs")
    with TestClient(create_app(counter, options), base_url="http://127.0.0.1") as client:
        assert client.get(path).status_code == 401
        client.headers["authorization"] = "Bearer a-token-of-16-signs"
        assert client.get(path, headers={"host": "evil.example"}).status_code == 421
        assert client.get(path, headers={"origin": "http://evil.example"}).status_code == 403


def test_a_service_without_cameras_has_an_empty_list(client):
    assert client.get("/cameras").json() == []
    assert client.get("/site.json").json()["cameras"] == 0
    assert client.get("/cameras/events").text == "event: end\ndata: {}\n\n"
    assert client.get("/cameras/a/picture").status_code == 404


def test_photos_and_cameras_take_turns_and_a_cancelled_photo_stops_no_camera(counter, monkeypatch, crowd):
    endless = {"film": lambda _: (Frame(i, i, people(2)) for i in range(10**6))}
    watching = cameras_of(counter, monkeypatch, endless, a=("film", None), b=("film", None))
    with TestClient(create_app(counter, ServeOptions(), watching), base_url="http://127.0.0.1") as client:
        while min(state.counts for state in watching.states) < 1:
            time.sleep(0.005)
        before = [state.counts for state in watching.states]
        for _ in range(5):
            assert client.post("/count", content=crowd).json()["count"] == 5
        stopped = threading.Event()
        stopped.set()
        with pytest.raises(CancelledWorkError):
            counter.count(crowd, stopped)
        after = [state.counts for state in watching.states]
        while max(state.counts for state in watching.states) < max(after) + 2:
            time.sleep(0.005)
    assert all(later > earlier for later, earlier in zip(after, before, strict=True))
    assert [state.status for state in watching.states] == ["ended", "ended"]
    assert not any(state.problems for state in watching.states)


def test_cameras_that_go_away_or_close_touch_nothing_else(counter, monkeypatch):
    """Real MJPEG on loopback: one is switched off, one closes after each frame and comes back."""
    monkeypatch.setattr("crowdscale.video.cameras.LONGEST_WAIT", 0.2)
    silent, photo = threading.Event(), people(2)

    def until_switched_off():
        while not silent.is_set():
            yield photo

    answers = {"/stalls": mjpeg(until_switched_off()), "/closes": mjpeg([photo])}
    with web_server(answers) as address:
        options = SourceOptions(timeout=30.0, retries=None)
        described = [
            Camera(name, f"{address}/{name}", options, WatchOptions(every=0)) for name in ("stalls", "closes")
        ]
        watching = Cameras(described, counter.for_cameras(), lambda *_: None, turns=counter.turns)
        with TestClient(create_app(counter, ServeOptions(), watching), base_url="http://127.0.0.1") as client:
            states, until = set(), time.monotonic() + 60
            while time.monotonic() < until:
                stalls, closes = client.get("/cameras").json()
                states.add(stalls["status"])
                if stalls["status"] == "counting":
                    answers.pop("/stalls", None)  # it is switched off
                    silent.set()
                if {"counting", "lost"} <= states and min(closes["reconnects"], closes["counts"]) >= 2:
                    break
                time.sleep(0.01)
            assert {"counting", "lost"} <= states
            assert stalls["counts"] >= 1
            assert (closes["live"], closes["reconnects"] >= 2, closes["counts"] >= 2) == (True, True, True)
            assert metrics_of(client)["reconnects_total", "closes"] >= 2
    assert not watching.wait(0)


def test_the_command_watches_and_ends_with_every_row_written(label_model, tmp_path):
    write_packets(tmp_path / "hall.mkv", [grey_frame(250, 160, 120)] * 10)
    silent = threading.Event()
    with web_server({"/stalls": mjpeg([people(2)] * 12, silent)}) as address:
        login = address.replace("://", "://me:S3cret@")
        (tmp_path / "cameras.toml").write_text(
            f'[[camera]]\nname = "gate"\nsource = "{login}/stalls"\nrows = "gate.csv"\nevery = "1h"\n'
            '[[camera]]\nname = "hall"\nsource = "hall.mkv"\nrows = "hall.jsonl"\nevery = "200ms"\n'
        )
        code, said = serve_once(label_model, tmp_path)
        silent.set()
    assert code == 0, said  # although the silent camera never ends
    assert "S3cret" not in said
    assert "/dashboard" in said
    assert len((tmp_path / "hall.jsonl").read_text().splitlines()) == 5
    assert len(list(csv.DictReader((tmp_path / "gate.csv").open()))) == 1


def serve_once(model: Path, folder: Path) -> tuple[int, str]:
    """Serve until both cameras were counted; return the exit code and all that was printed."""
    command = [
        sys.executable,
        "-m",
        "crowdscale",
        "serve",
        "--model",
        str(model),
        "--port",
        "0",
        "--no-browser",
    ]
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            [*command, "--cameras", str(folder / "cameras.toml")], stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert process.stdout is not None
        first, page = process.stdout.readline(), process.stdout.readline()
        service = next(word for word in first.split() if word.startswith("http"))
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with urllib.request.urlopen(f"{service}cameras", timeout=30) as answer:
                rows = {row["camera"]: row for row in json.load(answer)}
            if rows["gate"]["counts"] == 1 and rows["hall"]["status"] == "ended":
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
        log.seek(0)
        return process.returncode, f"{first}{page}{rest}{log.read()}{rows}"


def test_a_file_of_cameras_that_cannot_be_read_is_one_sentence(label_model, tmp_path):
    from tests.support.commands import crowdscale

    done = crowdscale("serve", "--model", label_model, "--cameras", tmp_path / "none.toml")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no such file of cameras" in done.stderr


DOCS = Path(__file__).parents[2] / "docs"


def test_the_scrape_snippet_of_the_guide_reaches_the_metrics(counter, monkeypatch):
    """The YAML of the guide is read as Prometheus does: its path, its token and its names exist."""
    text = (DOCS / "guides" / "dashboard.md").read_text(encoding="utf-8")
    snippets = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    scrape, rules = (yaml.safe_load(snippet) for snippet in snippets)
    (job,) = scrape["scrape_configs"]
    assert set(job) <= {"job_name", "scrape_interval", "metrics_path", "authorization", "static_configs"}
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:8000"]
    token = "a-token-of-16-signs"
    watching = cameras_of(counter, monkeypatch, {"film": film()}, gate=("film", ZONES))
    app = create_app(counter, ServeOptions(token=token), watching)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert not watching.wait(30)
        watching.states[0].status = "counting"
        assert client.get(job["metrics_path"]).status_code == 401
        client.headers["authorization"] = f"{job['authorization']['type']} {token}"
        families = list(text_string_to_metric_families(client.get("/metrics").text))
        names = {
            f"{family.name}{end}".removeprefix("crowdscale_camera_")
            for family in families
            for end in ("", "_total")
        }
    asked = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    asked += [line for part in text.split("```promql\n")[1:] for line in part.split("```")[0].splitlines()]
    assert len(asked) >= 5
    for query in asked:
        used = {word for word in query.replace("(", " ").replace("{", " ").replace("[", " ").split() if word.startswith("crowdscale_camera_")}  # fmt: skip
        assert used
        assert {word.removeprefix("crowdscale_camera_") for word in used} <= names, query
