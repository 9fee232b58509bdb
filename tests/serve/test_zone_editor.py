"""The page's server: what it serves, to whom, and what it refuses to save."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import pytest

from crowdscale.errors import DataError
from crowdscale.serve.zone_editor import ZoneEditor
from crowdscale.serve.zone_server import LARGEST, MOST_CONNECTIONS
from crowdscale.zones.files import read_zones

ZONE = {"name": "gate", "points": [[0, 0], [90, 0], [90, 60], [0, 60]], "kind": "area", "capacity": 40}


@pytest.fixture
def editor(tmp_path):
    editor = ZoneEditor(b"JPEG", (200, 120), tmp_path / "zones.json")
    editor.start()
    yield editor
    editor.close()


def ask(editor, method, path, body=None, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", editor.server.server_port, timeout=60)
    connection.request(method, f"/{token or editor.token}/{path}", body)
    answer = connection.getresponse()
    return answer.status, answer.read(), dict(answer.headers)


def test_the_page_its_picture_and_its_zones(editor):
    status, page, headers = ask(editor, "GET", "")
    assert status == 200
    assert b"<canvas" in page
    assert b"http://" not in page.replace(b"http://www.w3.org", b"")  # nothing from elsewhere
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert ask(editor, "GET", "zones_tab.js")[0] == 200
    assert json.loads(ask(editor, "GET", "site.json")[1])["mode"] == "zones"
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
    connection = http.client.HTTPConnection("127.0.0.1", editor.server.server_port, timeout=60)
    connection.putrequest("POST", f"/{editor.token}/zones.json")
    connection.putheader("Content-Length", str(LARGEST + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_done_ends_it(editor):
    assert not editor.done.is_set()
    assert ask(editor, "POST", "done")[0] == 200
    assert editor.done.wait(60)


def test_a_file_that_does_not_fit_is_said_before_the_page_opens(tmp_path):
    (tmp_path / "zones.json").write_text(json.dumps({"zones": [ZONE]}))
    with pytest.raises(DataError, match="inside the picture of 50×50"):
        ZoneEditor(b"", (50, 50), tmp_path / "zones.json")


def raw(editor, request):
    with socket.create_connection(("127.0.0.1", editor.server.server_port), timeout=60) as connection:
        connection.sendall(request.replace(b"TOKEN", editor.token.encode()))
        return connection.recv(65536)


HOST = b"Host: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /TOKEN/zones.json HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", b" 411 "),
        (b"POST /TOKEN/zones.json HTTP/1.1\r\n" + HOST + b"Content-Length: x\r\n\r\n", b" 411 "),
        (b"POST /TOKEN/zones.json HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b" 411 "),
        (b"GET x HTTP/1.1\r\n" + HOST + b"\r\n", b" 404 "),
        (b"GET /caf\xe9/ HTTP/1.1\r\n" + HOST + b"\r\n", b" 404 "),
        (b"GET /TOKEN/ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", b" 404 "),
        (b"POST /TOKEN/done HTTP/1.1\r\n" + HOST + b"Origin: http://elsewhere.example\r\n\r\n", b" 404 "),
        (b"POST /TOKEN/zones.json HTTP/1.1\r\n" + HOST + b"Content-Length: 4000\r\n\r\n" + b"[" * 4000, b" 400 "),
        (b"GET /open/guessed HTTP/1.1\r\n" + HOST + b"\r\n", b" 404 "),
    ],
    ids=["length -1", "length x", "long length", "no slash", "latin", "other host", "other origin", "deep", "guessed"],
)  # fmt: skip
def test_odd_requests_get_an_answer_and_no_traceback(editor, request_, status, capfd):
    assert status in raw(editor, request_).splitlines()[0]
    assert not editor.done.is_set()
    assert "".join(capfd.readouterr()) == ""
    assert ask(editor, "GET", "")[0] == 200


def test_a_browser_is_opened_by_an_address_that_works_once(editor):
    """Others on the machine may read a browser's command line."""
    address = editor.opening()
    assert editor.token not in address
    path = address.split("/", 3)[3]
    answer = raw(editor, f"GET /{path} HTTP/1.1\r\n".encode() + HOST + b"\r\n").decode()
    assert " 303 " in answer.splitlines()[0]
    assert f"Location: {editor.address}" in answer
    assert b" 404 " in raw(editor, f"GET /{path} HTTP/1.1\r\n".encode() + HOST + b"\r\n").splitlines()[0]


def test_idle_connections_hold_a_bounded_number_of_threads(editor):
    before = threading.active_count()
    idle = [socket.create_connection(("127.0.0.1", editor.server.server_port)) for _ in range(100)]
    try:
        time.sleep(0.3)
        assert threading.active_count() - before <= MOST_CONNECTIONS
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("receiver", [{"command": ["rm", "x"]}, {"webhook": "http://127.0.0.1:9/x"}], ids=str)
def test_the_page_cannot_set_what_an_alarm_runs_or_calls(editor, receiver):
    zone = {**ZONE, "alarm": {"above": 5, **receiver}}
    status, body, _ = ask(editor, "POST", "zones.json", json.dumps({"zones": [zone]}))
    assert (status, editor.out.exists()) == (400, False)
    assert "another one from the page" in json.loads(body)["error"]


def test_the_page_keeps_what_the_file_says(tmp_path):
    alarm = {"above": 5, "command": ["true"]}
    (tmp_path / "zones.json").write_text(json.dumps({"zones": [{**ZONE, "alarm": alarm}]}))
    editor = ZoneEditor(b"", (200, 120), tmp_path / "zones.json")
    try:
        assert editor.save(json.dumps({"zones": [{**ZONE, "alarm": {**alarm, "above": 9}}]}).encode()) == 1
    finally:
        editor.server.server_close()
    rule = read_zones(tmp_path / "zones.json").zones[0].alarm
    assert (rule.above, rule.command) == (9, ("true",))
