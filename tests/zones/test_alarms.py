"""Alarms: hysteresis and hold by a table; deliveries to a real server that fails, and to a real command."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import socket
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat

import pytest

from crowdscale.errors import DataError
from crowdscale.zones import delivery
from crowdscale.zones.alarms import Alarm, AlarmEvent, AlarmRule, Alarms
from crowdscale.zones.delivery import ATTEMPTS, WAITING, Receiver


@dataclass(frozen=True)
class Count:
    name: str
    people: float


@pytest.mark.parametrize(
    ("rule", "counts", "events"),
    [
        (AlarmRule(10), [9, 10, 11, 12], {2: "raised"}),
        (AlarmRule(10), [11, 9.5, 9.1, 8.9, 12], {0: "raised", 3: "cleared", 4: "raised"}),
        (AlarmRule(10, below=5), [11, 6, 5, 4.9, 11], {0: "raised", 3: "cleared", 4: "raised"}),
        (AlarmRule(10, hold=2), [11, 12, 9, 11, 11, 11, 11], {5: "raised"}),
        (AlarmRule(10, below=5, hold=2), [11, 11, 11, 4, 4, 6, 4, 4, 4], {2: "raised", 8: "cleared"}),
        (AlarmRule(0), [0, 1, 0], {1: "raised"}),
    ],
    ids=["above", "hysteresis", "own lower limit", "hold", "hold both ways", "nobody allowed"],
)
def test_states(rule, counts, events):
    alarm = Alarm(rule)
    seen = {second: alarm.update(float(second), people) for second, people in enumerate(counts)}
    assert {second: kind for second, kind in seen.items() if kind} == events


@pytest.fixture
def receiver(monkeypatch):
    """A server that answers with the codes it is given, in turn, then 200; keeps what it was sent."""
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.01)

    class Handler(http.server.BaseHTTPRequestHandler):
        codes: list[int] = []  # noqa: RUF012
        got: list = []  # noqa: RUF012

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.got.append((dict(self.headers), body))
            self.send_response(self.codes.pop(0) if self.codes else 200)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", Handler
        server.shutdown()


def test_a_webhook_is_tried_again_signed_and_the_same(receiver, monkeypatch):
    address, server = receiver
    server.codes[:] = [500, 503]
    monkeypatch.setenv("HOOK_KEY", "secret")
    alarms = Alarms({"gate": AlarmRule(5, webhook=address, secret_env="HOOK_KEY")})
    (event,) = alarms.update(3.0, [Count("gate", 7.25), Count("other", 99)])
    assert alarms.raised == {"gate"}
    alarms.close()
    assert alarms.problems == []
    assert len(server.got) == 3
    assert len({body for _, body in server.got}) == 1
    headers, body = server.got[-1]
    wanted = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Crowdscale-Signature"] == f"sha256={wanted}"
    said = json.loads(body)
    assert (said["zone"], said["kind"], said["people"], said["time"], said["id"]) == (
        "gate",
        "raised",
        7.25,
        3.0,
        event.id,
    )
    assert abs(said["sent"] - time.time()) < 60


@pytest.mark.parametrize(
    ("codes", "attempts", "problem"),
    [
        ([500] * 9, 5, "HTTP Error 500.* in 5 attempts"),
        ([403], 1, "HTTP Error 403"),
        ([302] * 9, 5, "HTTP Error 302"),
    ],
    ids=["always broken", "refused", "redirected"],
)
def test_a_webhook_that_does_not_take_it(receiver, codes, attempts, problem):
    address, server = receiver
    server.codes[:] = codes
    server.got.clear()
    alarms = Alarms({"gate": AlarmRule(5, webhook=address)})
    alarms.update(0, [Count("gate", 6)])
    alarms.close()
    assert len(server.got) == attempts
    (sentence,) = alarms.problems
    import re

    assert re.search(f"expected the alarm of gate to be delivered, but got {problem}", sentence)


def test_a_key_that_is_not_set_is_named_before_the_first_count(receiver, monkeypatch):
    monkeypatch.delenv("NO_KEY", raising=False)
    with pytest.raises(DataError, match="key of gate's webhook in the environment variable NO_KEY"):
        Alarms({"gate": AlarmRule(5, webhook=receiver[0], secret_env="NO_KEY")})


def test_a_command_gets_the_event(tmp_path):
    out = tmp_path / "event.json"
    code = f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())"
    alarms = Alarms({"gate": AlarmRule(5, command=(sys.executable, "-c", code))})
    alarms.update(0, [Count("gate", 6)])
    alarms.close()
    assert alarms.problems == []
    assert json.loads(out.read_text())["kind"] == "raised"


@pytest.mark.parametrize(
    ("command", "problem"),
    [((sys.executable, "-c", "raise SystemExit(3)"), "exit code 3"), (("/no/such/program",), "No such file")],
)
def test_a_command_that_fails_is_said(command, problem):
    alarms = Alarms({"gate": AlarmRule(5, command=command)})
    alarms.update(0, [Count("gate", 6)])
    alarms.close()
    assert problem in alarms.problems[0]


def test_counting_does_not_wait_for_a_slow_receiver(monkeypatch):
    release, arrived = threading.Event(), []

    def post(receiver, body):
        release.wait(60)
        arrived.append(body)
        return ""

    monkeypatch.setattr(Receiver, "_post", post)
    alarms = Alarms({"gate": AlarmRule(5, webhook="http://127.0.0.1:9/x")})
    for second in range(2 * WAITING + 20):
        alarms.update(second, [Count("gate", 9 if second % 2 else 0)])
    assert not arrived
    assert any(f"{WAITING} events waiting" in problem for problem in alarms.problems)
    release.set()
    alarms.close()


def test_an_answer_that_is_no_http_ends_nothing(monkeypatch):
    """The next event, of this receiver and of others, is delivered."""
    monkeypatch.setattr("crowdscale.zones.delivery.FIRST_WAIT", 0.001)
    answers = [b"\xff\xfe garbage\r\n", b"HTTP/1.1 999999999999 x\r\n\r\n", b""]
    with socket.create_server(("127.0.0.1", 0)) as odd:
        odd.settimeout(10)

        def serve():
            for number in range(2 * ATTEMPTS):
                try:
                    connection, _ = odd.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answers[number % 3])

        threading.Thread(target=serve, daemon=True).start()
        address = f"http://127.0.0.1:{odd.getsockname()[1]}/token-S3cret"
        told = []
        alarms = Alarms({"gate": AlarmRule(5, webhook=address)}, told.append)
        alarms.update(0, [Count("gate", 6)])
        alarms.update(1, [Count("gate", 0)])
        alarms.close()
    assert len(alarms.problems) == 2
    assert told == alarms.problems
    assert not any("S3cret" in problem for problem in told)


def test_whatever_a_delivery_raises_the_next_event_is_delivered(monkeypatch):
    delivered = []

    def post(receiver, body):
        delivered.append(json.loads(body)["kind"])
        if len(delivered) == 1:
            raise RuntimeError("of a library")
        return ""

    monkeypatch.setattr(Receiver, "_post", post)
    alarms = Alarms({"gate": AlarmRule(5, webhook="http://127.0.0.1:9/x")})
    alarms.update(0, [Count("gate", 6)])
    alarms.update(1, [Count("gate", 0)])
    alarms.close()
    assert delivered == ["raised", "cleared"]
    assert "RuntimeError (of a library)" in alarms.problems[0]


def test_a_dead_receiver_delays_no_other(receiver, monkeypatch):
    address, server = receiver
    server.codes.clear()
    server.got.clear()
    release, arrived = threading.Event(), threading.Event()
    post = Receiver._post

    def slow(self, body):
        if self.webhook.endswith("dead"):
            release.wait(20)
            return ""
        problem = post(self, body)
        arrived.set()
        return problem

    monkeypatch.setattr(Receiver, "_post", slow)
    alarms = Alarms(
        {"a": AlarmRule(5, webhook="http://127.0.0.1:9/dead"), "b": AlarmRule(5, webhook=address)}
    )
    alarms.update(0, [Count("a", 6), Count("b", 6)])
    assert arrived.wait(60)
    assert json.loads(server.got[0][1])["zone"] == "b"
    release.set()
    alarms.close()
    assert alarms.problems == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": (1, 2)},
        {"command": ("",)},
        {"webhook": "http://host/a b"},
        {"webhook": "http://host/a\nb"},
        {"webhook": "http://[::1"},
        {"webhook": "http://host:port/"},
        {"webhook": "http://host:99999/"},
        {"webhook": "file:///etc/passwd"},
        {"webhook": 7},
        {"secret_env": 7},
        {"above": float("nan")},
        {"above": float("inf")},
        {"hold": float("inf")},
        {"above": 10**400},
    ],
    ids=str,
)
def test_rules_that_cannot_be_are_refused_when_read(wrong):
    with pytest.raises(DataError, match="expected"):
        AlarmRule(**{"above": 5, **wrong})


def drip(pieces: Iterable[bytes]) -> str:
    """The address of a server that sends pieces to its first client for as long as it listens."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), server.accept()[0] as connection:
            connection.recv(65536)
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}/key"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"y", id="header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="1xx"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", id="headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"y", id="body"),
        pytest.param(b"", b"H", id="status"),
    ],
)
def test_an_answer_without_end_is_given_up(monkeypatch, first, again):
    monkeypatch.setattr(delivery, "ATTEMPTS", 1)
    monkeypatch.setattr(delivery, "WHOLE_WITHIN", 0.2)
    told: list[str] = []
    receiver = delivery.Receiver(drip(chain([first], repeat(again))), None, (), told.append)
    receiver.send(AlarmEvent("gate", "raised", 12.0, 1.0, 10.0))
    receiver.finish()
    receiver.join(10)
    assert len(told) == 1
    assert "no whole answer within 0.2 seconds" in told[0] or "more than" in told[0]
