"""The page's server: what it serves, to whom, and what it refuses to save."""

from __future__ import annotations

import http.client
import json

import pytest

from crowdscale.errors import DataError
from crowdscale.zones.editor import LARGEST, ZoneEditor
from crowdscale.zones.files import read_zones

ZONE = {"name": "gate", "points": [[0, 0], [90, 0], [90, 60], [0, 60]], "kind": "area", "capacity": 40}


@pytest.fixture
def editor(tmp_path):
    editor = ZoneEditor(b"JPEG", (200, 120), tmp_path / "zones.json")
    editor.start()
    yield editor
    editor.close()


def ask(editor, method, path, body=None, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", editor.server.server_port, timeout=10)
    connection.request(method, f"/{token or editor.token}/{path}", body)
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.headers)


def test_the_page_its_picture_and_its_zones(editor):
    status, page, headers = ask(editor, "GET", "")
    assert status == 200
    assert b"<canvas" in page
    assert b"http://" not in page.replace(b"http://www.w3.org", b"")  # nothing from elsewhere
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert ask(editor, "GET", "picture.jpg")[1] == b"JPEG"
    zones = json.loads(ask(editor, "GET", "zones.json")[1])
    assert (zones["zones"], zones["size"]) == ([], [200, 120])
    assert editor.address.startswith("http://127.0.0.1:")


def test_what_is_saved_is_read_back_and_there_to_be_changed(editor):
    status, body, _ = ask(editor, "POST", "zones.json", json.dumps({"zones": [ZONE]}))
    assert (status, json.loads(body)) == (200, {"saved": 1})
    (zone,) = read_zones(editor.out).zones
    assert (zone.name, zone.capacity) == ("gate", 40)
    again = ZoneEditor(b"", (200, 120), editor.out)
    assert again.content()["zones"][0]["name"] == "gate"
    again.server.server_close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "expected zones as JSON"),
        ({"zones": [{**ZONE, "points": [[0, 0], [9, 9], [9, 0], [0, 9]]}]}, "not to cross"),
        ({"zones": [{**ZONE, "points": [[0, 0], [900, 0], [9, 9]]}]}, "inside the picture of 200×120"),
        ({"zones": [ZONE, ZONE]}, "name once"),
        ([1], 'with "zones", a list'),
    ],
    ids=str,
)
def test_what_cannot_be_saved_is_said_and_nothing_is_written(editor, content, sentence):
    status, body, _ = ask(
        editor, "POST", "zones.json", content if isinstance(content, str) else json.dumps(content)
    )
    assert status == 400
    assert sentence in json.loads(body)["error"]
    assert not editor.out.exists()


def test_strangers_large_bodies_and_other_addresses_are_refused(editor):
    assert ask(editor, "GET", "zones.json", token="guessed")[0] == 404
    assert ask(editor, "POST", "zones.json", "{}", token="guessed")[0] == 404
    assert ask(editor, "GET", "../../etc/passwd")[0] == 404
    assert ask(editor, "POST", "elsewhere", "{}")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", editor.server.server_port, timeout=10)
    connection.putrequest("POST", f"/{editor.token}/zones.json")
    connection.putheader("Content-Length", str(LARGEST + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_done_ends_it(editor):
    assert not editor.done.is_set()
    assert ask(editor, "POST", "done")[0] == 200
    assert editor.done.wait(2)


def test_a_file_that_does_not_fit_is_said_before_the_page_opens(tmp_path):
    (tmp_path / "zones.json").write_text(json.dumps({"zones": [ZONE]}))
    with pytest.raises(DataError, match="inside the picture of 50×50"):
        ZoneEditor(b"", (50, 50), tmp_path / "zones.json")
