"""The service: results, limits, refusals, and that no path of a request is opened."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from starlette.exceptions import HTTPException

from crowdscale.counting.predictor import PredictOptions, load
from crowdscale.errors import OptionError
from crowdscale.serve.app import create_app
from crowdscale.serve.counter import Counter
from crowdscale.serve.gate import host_name
from crowdscale.serve.options import ServeOptions
from tests.serve.conftest import HEADS
from tests.support.fakes import encoded


def test_result_is_the_prediction_of_the_one_schema(client, crowd, label_model):
    answer = client.post("/count?name=a/b.png", content=crowd)
    assert answer.status_code == 200
    values = answer.json()
    known = Counter.open(str(label_model), 10**6).count(crowd).to_dict()
    assert {**known, "photo": "a/b.png", "seconds": values["seconds"]} == values
    assert values["count"] == len(HEADS)


@pytest.mark.parametrize(
    ("asked", "turn"),
    [("off", "off"), ("auto", "auto"), ("90", 90), ("180", 180), ("270", 270)],
)
def test_a_photo_is_turned_as_the_command_turns_it(client, crowd, label_model, monkeypatch, asked, turn):
    monkeypatch.setattr(
        "crowdscale.counting.predictor.turn_of", lambda warnings: 1
    )  # as if it lay on its side
    known = load(label_model, options=PredictOptions(turn=turn)).predict(crowd).to_dict()
    assert known["turn"] == {"off": 0, "auto": 270}.get(asked, turn)
    assert (known["width"], known["height"]) == ((160, 240) if known["turn"] in (90, 270) else (240, 160))
    values = client.post(f"/count?turn={asked}", content=crowd).json()
    assert {**known, "photo": "", "seconds": values["seconds"]} == values
    batch = client.post(f"/count/batch?turn={asked}", files=[("photos", ("a.png", crowd))]).json()
    assert {**known, "photo": "a.png", "seconds": batch["seconds"]} == batch


def test_another_turn_is_refused(client, crowd):
    answer = client.post("/count?turn=45", content=crowd)
    assert answer.status_code == 422
    assert answer.json() == {"error": "turn: Input should be 'auto', '90', '180', '270' or 'off'."}
    assert client.post("/count", content=crowd).json()["turn"] == 0


def test_cameras_keep_the_model_that_they_began_with(label_model, tmp_path):
    counter = Counter.open(str(label_model), 10**6)
    other = shutil.copytree(label_model, tmp_path / "other")
    counter.switch(other)
    assert counter.cameras_keep == ""  # there are none
    counter.switch(label_model)
    predictor = counter.for_cameras()
    assert counter.cameras_keep == ""
    counter.switch(other)
    assert counter.cameras_keep == predictor.config.name == "labels"


def test_page_its_modules_and_headers(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "<title>crowdscale</title>" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert client.get("/engine/predictor.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/site.json").json()["mode"] == "service"


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc%2fpasswd",
        "/engine/",
        "/engine",
        "/package.json",
        "/%2e%2e/app.js",
        "/style.css/",
        "//etc/passwd",
    ],
)
def test_nothing_but_the_pages_own_files_is_served(client, path):
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        pytest.param(b"", 400, "no photo", id="empty"),
        pytest.param(b"GIF89a, or not", 400, "damaged GIF", id="no-photo"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(2000), 400, "", id="cut-jpeg"),
        pytest.param(bytes(200_001), 413, "larger", id="too-many-bytes"),
    ],
)
def test_bad_photos_are_a_sentence(client, content, status, word):
    answer = client.post("/count", content=content)
    assert answer.status_code == status
    assert word in answer.json()["error"]


def huge_png(width: int, height: int) -> bytes:
    """The header of a PNG that claims a size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = struct.pack(">I", 4) + b"IDAT" + bytes(8)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + data


def test_pixels_are_limited_before_decoding(client):
    answer = client.post("/count", content=huge_png(20_000, 10_000))
    assert answer.status_code == 413
    assert "200 megapixels" in answer.json()["error"]


def test_a_batch_goes_on_after_a_bad_photo(client, crowd):
    files = [
        ("photos", (name, content))
        for name, content in [("a.png", crowd), ("b.png", b"no"), ("c.png", crowd)]
    ]
    answer = client.post("/count/batch", files=files)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["photo"] for line in lines] == ["a.png", "b.png", "c.png"]
    assert ["error" in line for line in lines] == [False, True, False]
    assert client.post("/count/batch", files=[files[0]] * 4).status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"host": "evil.example"}, 421, id="rebound-name"),
        pytest.param({"host": "localhost:8000"}, 200, id="localhost"),
        pytest.param({"host": "[::1]:8000"}, 200, id="six"),
        pytest.param({"origin": "http://evil.example"}, 403, id="other-origin"),
        pytest.param({"origin": "null"}, 403, id="no-origin"),
        pytest.param({"origin": "http://127.0.0.1"}, 200, id="own-origin"),
        pytest.param({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403, id="embedded"),
        pytest.param({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200, id="followed-link"),
    ],
)
def test_only_our_names_and_our_page(client, headers, status):
    assert client.get("/health", headers=headers).status_code == status


def test_host_names_lose_their_port():
    assert [host_name(h) for h in ("A.b:80", "a.b", "[::1]:8", "[::1]")] == ["a.b", "a.b", "[::1]", "[::1]"]


def test_a_token_opens_what_counts(label_model, crowd):
    from fastapi.testclient import TestClient

    options = ServeOptions(token="a token of many signs")
    app = create_app(Counter.open(str(label_model), options.max_pixels), options)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/").status_code == 200
        assert client.get("/health").status_code == 200
        assert client.get("/models").status_code == client.get("/site.json").status_code == 401
        assert (
            client.post("/count", content=crowd, headers={"authorization": "Bearer a token"}).status_code
            == 401
        )
        right = {"authorization": f"Bearer {options.token}"}
        assert client.post("/count", content=crowd, headers=right).status_code == 200


@pytest.mark.parametrize(
    "values", [{"host": "0.0.0.0"}, {"token": "short"}, {"port": 70_000}, {"max_bytes": 0}]
)
def test_options_that_cannot_be(values):
    with pytest.raises(OptionError):
        ServeOptions(**values)


def test_models_and_metrics(client, crowd):
    assert client.get("/models").json()[0]["name"] == "labels"
    client.post("/count", content=crowd)
    text = client.get("/metrics").text
    assert "crowdscale_photos_total 1.0" in text
    assert 'crowdscale_answers_total{path="/count",status="200"} 1.0' in text
    assert "crowdscale_queue 0.0" in text


def test_density_is_added_on_request(label_model):
    from crowdscale.counting.prediction import Prediction
    from crowdscale.serve.counting import result_of

    grid = np.arange(6, dtype=np.float32).reshape(2, 3)
    prediction = Prediction(15.0, None, None, (), 15.0, None, (48, 32), "m", density=grid, cell=(16.0, 16.0))
    assert result_of(prediction, "a", density=True)["density"] == {
        "cell": [16.0, 16.0], "rows": 2, "columns": 3, "people": [0, 1, 2, 3, 4, 5],
    }  # fmt: skip
    assert "density" not in result_of(prediction, "a")


def test_openapi_names_every_route(client):
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/count", "/count/batch", "/health", "/models", "/metrics"} <= set(paths)
    assert {"400", "413", "503", "504"} <= set(paths["/count"]["post"]["responses"])


def test_every_file_of_the_page_is_read_once_at_the_start(client, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a file was opened for a request")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert client.get("/app.js").status_code == 200


def test_a_grey_and_a_transparent_photo_count(client):
    assert client.post("/count", content=encoded(np.full((64, 64), 250, np.uint8))).status_code == 200
    assert client.post("/count", content=encoded(np.full((64, 64, 4), 250, np.uint8))).status_code == 200


def test_forms_are_bounded_in_bytes_too(client, crowd):
    files = [("photos", ("a.png", bytes(2_100_000)))]
    answer = client.post("/count/batch", files=files)
    assert (answer.status_code, "larger" in answer.json()["error"]) == (413, True)


def test_a_body_that_does_not_come_is_given_up():
    from crowdscale.serve.requests import Bounded

    async def app(scope, receive, send):
        await receive()

    async def never():
        await asyncio.sleep(30)

    with pytest.raises(HTTPException, match="did not arrive"):
        asyncio.run(Bounded(app, 10, 0.01)({"type": "http"}, never, never))


@pytest.mark.parametrize("address", ["/zones/check", "/annotations?format=coco"])
@pytest.mark.parametrize(
    "body", [b"[" * 3000, b'{"size": [1e400, 1]}', b'{"size": [Infinity, 1]}', b'{"size": 7}', b"\xff"]
)
def test_bodies_that_no_reader_takes_are_sentences(client, address, body):
    answer = client.post(address, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
