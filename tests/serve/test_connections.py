"""Connections that send nothing, or drip, end; they shut out nobody; bodies that arrive together fill no memory."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from starlette.exceptions import HTTPException

uvicorn = pytest.importorskip("uvicorn", reason="the extra [serve] is not installed")

from crowdscale.serve import connections  # noqa: E402
from crowdscale.serve.requests import Bounded  # noqa: E402

HEAD = 0.4
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def app(scope, receive, send):
    """Answer after a while, longer than a head may take; do not read the body."""
    if scope["path"] == "/slow":
        await asyncio.sleep(2 * HEAD)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "HEAD", HEAD)
    monkeypatch.setattr(connections, "MOST_SILENT", 3)
    chosen = uvicorn.Config(
        app, port=0, log_level="critical", http=connections.Connection, lifespan="off", limit_concurrency=6
    )
    server = uvicorn.Server(chosen)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(30)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def ended(connection: socket.socket) -> bool:
    """Return whether the other side closes it, without an answer."""
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def received(connection: socket.socket, last: bytes) -> bytes:
    """Return what comes up to these bytes: head and body of an answer may come apart."""
    answer = b""
    while not answer.endswith(last):
        more = connection.recv(1000)
        assert more, answer
        answer += more
    return answer


def test_a_silent_connection_ends(port):
    begun = time.monotonic()
    assert ended(connect(port))
    assert time.monotonic() - begun >= 0.9 * HEAD


def test_a_head_that_drips_ends(port):
    connection = connect(port)
    with pytest.raises(OSError):  # noqa: PT011, PT012 -- which of them is the system's affair
        for _ in range(1000):
            connection.sendall(b"GET / HTTP/1.1\r\n"[:1])
            time.sleep(HEAD / 10)
        pytest.fail("it goes on")


def test_a_slow_answer_is_waited_for_and_the_next_request_has_its_own_time(port):
    connection = connect(port)
    for _ in range(2):
        connection.sendall(GET.replace(b"/ ", b"/slow ", 1))
        assert received(connection, b"ok").startswith(b"HTTP/1.1 200")
    assert ended(connection)


def test_a_body_that_nobody_reads_ends(port):
    connection = connect(port)
    connection.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(OSError):  # noqa: PT011, PT012
        for _ in range(1000):
            connection.sendall(b"1\r\nx\r\n")
            time.sleep(HEAD / 10)
        pytest.fail("it goes on")


def test_silent_connections_shut_out_nobody(port):
    silent = [connect(port) for _ in range(20)]
    asking = connect(port)
    asking.sendall(GET)
    assert asking.recv(1000).startswith(b"HTTP/1.1 200")
    assert ended(silent[0])


def test_bodies_that_arrive_together_have_a_limit():
    held: list[str] = []

    async def reading(scope, receive, send):
        while (await receive()).get("more_body"):
            held.append(scope["path"])

    bounded = Bounded(reading, most=10, seconds=30)

    async def ask(path: str, parts: list[int], after: asyncio.Event | None = None) -> None:
        async def receive():
            if not parts:
                await asyncio.Event().wait()
            if len(parts) == 1 and after is not None:
                await after.wait()
            return {"type": "http.request", "body": bytes(parts.pop(0)), "more_body": bool(parts)}

        await bounded({"type": "http", "path": path}, receive, None)

    async def both() -> None:
        go_on = asyncio.Event()
        first = asyncio.ensure_future(ask("first", [7, 1], go_on))
        while not held:
            await asyncio.sleep(0)
        with pytest.raises(HTTPException) as refused:
            await ask("second", [4, 1])
        assert refused.value.status_code == 503
        assert int(refused.value.headers["retry-after"]) > 0
        go_on.set()
        await first
        await ask("third", [4, 1])
        with pytest.raises(HTTPException, match="413"):
            await ask("fourth", [11])
        assert bounded.arriving == 0

    asyncio.run(both())
