"""Watching through the service: events of a folder of frames; no path of a request is opened."""

from __future__ import annotations

import json

import pytest

from tests.serve.conftest import HEADS


@pytest.fixture
def watching(label_model, tmp_path, crowd):
    from fastapi.testclient import TestClient

    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions

    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(crowd)
    options = ServeOptions(sources={"gate": str(tmp_path)})
    app = create_app(Counter.open(str(label_model), options.max_pixels), options)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client, app


def events(text: str) -> list[dict]:
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def test_each_frame_is_an_event(watching):
    client, app = watching
    answer = client.get("/watch", params={"source": "gate", "every": 0})
    assert answer.headers["content-type"].startswith("text/event-stream")
    counted = events(answer.text)[:-1]
    assert [(each["frame"], each["count"]) for each in counted] == [(n, len(HEADS)) for n in range(3)]
    assert len(events(client.get("/watch", params={"source": "gate", "every": 0, "frames": 1}).text)) == 2
    app.state.ending.set()  # the service is asked to end
    assert events(client.get("/watch?source=gate").text) == [{}]


@pytest.mark.parametrize("source", ["/etc", "../gate", "file:///etc/passwd", "0"])
def test_only_named_sources_are_opened(watching, source):
    answer = watching[0].get("/watch", params={"source": source})
    assert answer.status_code == 400
    assert "gate" in answer.json()["error"]
