"""Teaching in the service: one training at a time in a child process, which can be stopped and goes on; nothing is
replaced before the user says so."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crowdscale.data.lists import read_list
from crowdscale.errors import MissingExtraError
from crowdscale.metrics import FEWEST_IMAGES
from crowdscale.models.description import read_config
from crowdscale.serve import teaching
from crowdscale.serve.app import create_app
from crowdscale.serve.counter import Counter
from crowdscale.serve.lessons import Lesson, choose_lists, judge, next_name
from crowdscale.serve.options import ServeOptions
from crowdscale.serve.teacher import PROGRAM, Teacher
from tests.serve.conftest import HEADS
from tests.support.fakes import encoded
from tests.support.lessons import FAKE, correct, plan


@pytest.fixture
def model(label_model, tmp_path):
    """The tiny model with weights, as if it could be trained."""
    folder = tmp_path / "labels"
    shutil.copytree(label_model, folder)
    (folder / "weights.safetensors").write_bytes(b"")
    return folder


def runs(tmp_path: Path) -> list[list[str]]:
    path = tmp_path / "trainer.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def service(model: Path, corrections: Path | None, monkeypatch, program=FAKE, **options):
    monkeypatch.setattr(teaching, "Teacher", lambda folder: Teacher(folder, program))
    chosen = ServeOptions(corrections=corrections, **options)
    counter = Counter.open(str(model), chosen.max_pixels)
    with TestClient(create_app(counter, chosen), base_url="http://127.0.0.1") as client:
        yield client


def until(client: TestClient, *phases: str) -> dict:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        state = client.get("/teach").json()
        if state["phase"] in phases:
            return state
        time.sleep(0.1)
    raise AssertionError(f"still {state}")


def test_a_lesson_trains_measures_and_replaces_only_when_asked(model, tmp_path, monkeypatch, crowd):
    corrections = tmp_path / "corrections"
    correct(corrections, 60)
    plan(tmp_path, model)
    with service(model, corrections, monkeypatch) as client:
        before = client.get("/teach").json()
        assert (before["available"], before["phase"], before["corrected"]) == (True, "idle", 60)
        assert client.post("/teach/start").json()["phase"] in ("training", "measuring", "done")
        state = until(client, "done", "failed")
        assert state["problem"] == ""
        assert state["photos"] == [48, 12]
        assert state["comparison"]["verdict"] == "better"
        assert (state["comparison"]["old_error"], state["comparison"]["new_error"]) == (5.5, 2.5)
        assert state["comparison"]["high"] < 0
        ran = [" ".join(words) for words in runs(tmp_path)]
        shown = [command.removeprefix("crowdscale ") for command in state["commands"]]
        assert ran == shown[:3]  # what the page shows is what ran
        assert client.get("/models").json()[0]["name"] == "labels"
        again = client.post("/teach/start")
        assert again.status_code == 409
        assert "Take it over or discard it first" in again.json()["error"]
        accepted = client.post("/teach/accept").json()
        assert accepted["phase"] == "idle"
        folder = Path(accepted["accepted"])
        assert folder == tmp_path / "corrections-taught" / "models" / "labels-taught-1"
        assert client.get("/models").json()[0]["name"] == "labels-taught-1" == read_config(folder).name
        assert read_config(model).name == "labels"
        assert client.post("/count", content=crowd).json()["count"] == len(HEADS)
        assert client.post("/teach/accept").status_code == 409
        assert not (tmp_path / "corrections-taught" / "run").exists()


def test_a_stopped_training_ends_with_its_own_children_and_goes_on_where_it_was(model, tmp_path, monkeypatch):
    corrections = tmp_path / "corrections"
    correct(corrections, 5)
    plan(tmp_path, model, steps=1000, seconds=0.02)
    with service(model, corrections, monkeypatch) as client:
        client.post("/teach/start")
        busy = client.post("/teach/start")
        assert (busy.status_code, busy.json()["error"]) == (409, "A training runs already.")
        while not (client.get("/teach").json().get("progress") or {}).get("step", 0) > 3:
            time.sleep(0.02)
        assert client.get("/teach").json()["progress"]["crops_per_second"] == 2.5
        assert client.post("/teach/discard").status_code == 409
        run = tmp_path / "corrections-taught" / "run"
        assert client.post("/teach/cancel").json()["phase"] == "stopped"
        assert ended(int((run / "worker.pid").read_text()))
        reached = int((run / "step.txt").read_text())
        assert 3 < reached < 1000
        assert client.post("/teach/cancel").status_code == 409
        correct(corrections, 8)  # what came later waits for the next lesson
        plan(tmp_path, model, steps=reached + 2)
        client.post("/teach/start")
        state = until(client, "done", "failed")
        assert state["phase"] == "done"
        assert state["photos"] == [4, 1]
        assert runs(tmp_path)[0] == runs(tmp_path)[1]
        assert int((run / "step.txt").read_text()) == reached + 2
        assert state["comparison"]["verdict"] == "few"
        assert state["comparison"]["sentence"].startswith("1 photo held out are too few")
        assert state["comparison"]["low"] is None
        assert client.post("/teach/discard").json()["phase"] == "idle"
        assert client.get("/models").json()[0]["name"] == "labels"
        assert not run.exists()


def ended(pid: int) -> bool:
    """Wait for the end of a process."""
    deadline = time.monotonic() + 60
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be taken note of does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_end_of_the_service_stops_the_training_and_the_next_one_goes_on(model, tmp_path, monkeypatch):
    corrections = tmp_path / "corrections"
    correct(corrections, 3)
    plan(tmp_path, model, steps=1000, seconds=0.02)
    with service(model, corrections, monkeypatch) as client:
        client.post("/teach/start")
        while not (client.get("/teach").json().get("progress") or {}).get("step", 0) > 1:
            time.sleep(0.02)
    assert ended(int((tmp_path / "corrections-taught" / "run" / "worker.pid").read_text()))
    plan(tmp_path, model, steps=10)
    with service(model, corrections, monkeypatch) as client:
        assert client.get("/teach").json()["phase"] == "stopped"
        client.post("/teach/start")
        assert until(client, "done", "failed")["phase"] == "done"


def test_counting_goes_on_while_it_trains(model, tmp_path, monkeypatch, crowd):
    corrections = tmp_path / "corrections"
    correct(corrections, 3)
    plan(tmp_path, model, steps=1000, seconds=0.02)
    with service(model, corrections, monkeypatch) as client:
        client.post("/teach/start")
        assert client.post("/count", content=crowd).json()["count"] == len(HEADS)
        assert client.get("/teach").json()["phase"] == "training"


def test_a_failure_is_the_sentence_of_the_command_and_can_be_tried_again(model, tmp_path, monkeypatch):
    corrections = tmp_path / "corrections"
    correct(corrections, 3)
    plan(tmp_path, model, fail="no room on the disk.")
    with service(model, corrections, monkeypatch) as client:
        client.post("/teach/start")
        state = until(client, "failed", "done")
        assert (state["phase"], state["problem"]) == ("failed", "no room on the disk.")
        plan(tmp_path, model)
        client.post("/teach/start")
        assert until(client, "failed", "done")["phase"] == "done"


@pytest.mark.parametrize(("number", "sentence"), [(0, "no corrected photo"), (1, "two corrected photos")])
def test_too_few_corrections_are_one_sentence(model, tmp_path, monkeypatch, number, sentence):
    corrections = tmp_path / "corrections"
    correct(corrections, number)
    with service(model, corrections, monkeypatch) as client:
        answer = client.post("/teach/start")
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]
        assert client.get("/teach").json()["phase"] == "idle"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"corrections": None}, "--corrections DIR"),
        ({"host": "0.0.0.0", "token": "0123456789abcdef"}, "this machine alone"),
        ({"hosts": ("crowds.example.org",)}, "this machine alone"),
    ],
    ids=["no folder", "open to others", "behind a proxy"],
)
def test_only_this_machine_teaches(model, tmp_path, monkeypatch, options, reason):
    chosen = {"corrections": tmp_path / "corrections", **options}
    with service(model, chosen.pop("corrections"), monkeypatch, **chosen) as client:
        headers = {"authorization": f"Bearer {options.get('token', '')}"}
        state = client.get("/teach", headers=headers).json()
        assert not state["available"]
        assert reason in state["reason"]
        for name in ("start", "cancel", "discard", "accept"):
            assert client.post(f"/teach/{name}", headers=headers).status_code in (404, 405)


def test_other_pages_cannot_teach_and_no_request_names_a_path_or_command(model, tmp_path, monkeypatch):
    corrections = tmp_path / "corrections"
    correct(corrections, 3)
    plan(tmp_path, model)
    with service(model, corrections, monkeypatch) as client:
        for headers in ({"origin": "http://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
            assert client.post("/teach/start", headers=headers).status_code == 403
        assert client.post("/teach/start", headers={"host": "elsewhere.example"}).status_code == 421
        assert runs(tmp_path) == []
        wanted = {"out": "/tmp/elsewhere", "name": "../../x", "program": "sh", "--out": "/x"}
        client.post("/teach/start", params=wanted, json=wanted)
        until(client, "done")
        assert not [word for words in runs(tmp_path) for word in words if "elsewhere" in word or "/x" in word]
        schema = client.get("/openapi.json").json()["paths"]
        for name in ("start", "cancel", "discard", "accept"):
            described = schema[f"/teach/{name}"]["post"]
            assert "requestBody" not in described
            assert "parameters" not in described
            assert "409" in described["responses"]


def test_a_model_that_cannot_be_trained_and_a_missing_extra_are_said(
    label_model, model, tmp_path, monkeypatch
):
    corrections = tmp_path / "corrections"
    correct(corrections, 3)
    with service(label_model, corrections, monkeypatch) as client:  # without weights
        state = client.get("/teach").json()
        assert not state["available"]
        assert "no training weights" in state["reason"]
        assert client.post("/teach/start").status_code == 400

    def missing(what):
        raise MissingExtraError(what, "learn")

    monkeypatch.setattr("crowdscale.serve.teacher.need_learn", missing)
    with service(model, corrections, monkeypatch) as client:
        assert "pip install 'crowdscale[learn]'" in client.get("/teach").json()["reason"]
        assert "pip install 'crowdscale[learn]'" in client.post("/teach/start").json()["error"]


def test_a_photo_held_out_stays_held_out_and_one_trained_on_is_never_measured_on(tmp_path):
    lesson = Lesson(tmp_path / "corrections", tmp_path / "taught", "lite", "lite-taught-1")
    correct(lesson.corrections, 10)
    assert choose_lists(lesson) == (8, 2)
    held, trained = set(read_list(lesson.held_out_list)), set(read_list(lesson.train_list))
    correct(lesson.corrections, 30)
    assert choose_lists(lesson) == (24, 6)
    assert held < set(read_list(lesson.held_out_list))
    assert not trained & set(read_list(lesson.held_out_list))


@pytest.mark.parametrize(
    ("photos", "errors", "verdict"),
    [
        (FEWEST_IMAGES - 1, (5, 1), "few"),
        (FEWEST_IMAGES, (5, 1), "better"),
        (FEWEST_IMAGES, (1, 5), "worse"),
        (FEWEST_IMAGES, (3, 3), "unsure"),
    ],
)
def test_verdicts(tmp_path, photos, errors, verdict):
    from crowdscale.metrics import ImageRow, Scoring

    lesson = Lesson(tmp_path, tmp_path, "lite", "new")
    for which, error in zip(("old", "new"), errors, strict=True):
        rows = [ImageRow(str(n), "folder", 10, 10.0 + error).to_dict() for n in range(photos)]
        lesson.scores(which).write_text(json.dumps({"scoring": Scoring().to_dict(), "rows": rows}))
    comparison = judge(lesson)
    assert comparison["verdict"] == verdict
    assert (comparison["photos"], comparison["heads"]) == (photos, 10 * photos)
    assert (comparison["low"] is None) is (verdict == "few")


def test_names_are_counted_up():
    assert next_name("lite", []) == "lite-taught-1"
    assert next_name("lite-taught-1", ["lite-taught-1"]) == "lite-taught-2"
    assert next_name("lite", ["lite-taught-1", "lite-taught-3"]) == "lite-taught-2"


@pytest.mark.slow
def test_lite_learns_from_corrections_and_audited_tiles_that_the_page_saved(bundled, tmp_path, monkeypatch):
    """The real trainer for a few steps, from the requests of the page to a model that counts."""
    pytest.importorskip("lightning_fabric")
    from tests.support.learn_crowds import draw

    training = Lesson.training
    monkeypatch.setattr(Lesson, "training", lambda lesson: [*training(lesson), "--l2s-crops", "4"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    corrections = tmp_path / "corrections"
    with service(Path(bundled), corrections, monkeypatch, program=PROGRAM) as client:
        for number in range(6):
            pixels, xy = draw(400, 400, 60, number)
            heads = xy.tolist()
            correction = (
                {"heads": heads, "ignore": [[0, 0, 200, 400]]}
                if number % 2
                else {"heads": heads, "only": [[100, 100, 300, 300]]}
            )
            files = {"photo": (f"{number}.png", encoded(pixels), "image/png")}
            answer = client.post("/corrections", files=files, data={"correction": json.dumps(correction)})
            assert answer.status_code == 200, answer.text
        assert client.post("/teach/start").status_code == 200
        state = until(client, "done", "failed")
        assert state["problem"] == ""
        assert state["comparison"]["photos"] == 1
        assert 0 < state["comparison"]["heads"] < 60  # those of ignored areas do not count
        accepted = client.post("/teach/accept").json()["accepted"]
        config = read_config(Path(accepted))
        assert config.name == "lite-taught-1"
        assert config.training["init"] == "lite"
        assert (
            client.post("/count", content=encoded(draw(400, 400, 60, 0)[0])).json()["model"]
            == "lite-taught-1"
        )
