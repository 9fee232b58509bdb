"""The service as a process: the command starts it, overload gets 503, a client that leaves frees its place, SIGTERM loses nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crowdscale.points import Points
from tests.support.fakes import encoded, label_photo


@pytest.fixture
def service(label_model: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "crowdscale", "serve", "--model", str(label_model), "--port", "0"]
    command += ["--waiting", "2", "--threads", "1", "--no-browser"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert process.stdout is not None
    address = next(word for word in process.stdout.readline().split() if word.startswith("http"))
    yield process, address
    if process.poll() is None:
        process.kill()
    process.wait(60)


@pytest.fixture(scope="module")
def large() -> bytes:
    """A photo that takes the tiny model long enough for others to queue."""
    return encoded(label_photo(Points(np.array([(100.0, 100.0)])), 1500, 1500))


def post(address: str, photo: bytes) -> tuple[int, dict[str, object], str | None]:
    request = urllib.request.Request(f"{address}count", photo, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, json.load(answer), None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers["retry-after"]


def queue(address: str) -> int:
    with urllib.request.urlopen(f"{address}health", timeout=60) as answer:
        return int(json.load(answer)["queue"])


def wait_for(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_overload_is_refused_and_accepted_work_survives_sigterm(service, large):
    process, address = service
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(post, address, large) for _ in range(10)]
        wait_for(lambda: any(each.done() for each in waiting))
        process.send_signal(signal.SIGTERM)
        answers = [each.result() for each in waiting if not each.exception()]
    refused = [answer for answer in answers if answer[0] == 503]
    counted = [answer for answer in answers if answer[0] == 200]
    assert len(counted) >= 3  # one counted, two waiting
    assert refused
    assert all(int(retry) >= 1 for _, _, retry in refused)
    assert process.wait(60) == 0


def test_a_client_that_leaves_frees_its_place(service, large):
    _, address = service
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    head = f"POST /count HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(large)}\r\n\r\n".encode()
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    senders = [threading.Thread(target=client.sendall, args=(head + large,)) for client in clients]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    wait_for(lambda: queue(address) >= 2)
    for client in clients:
        client.close()
    wait_for(lambda: queue(address) == 0)
    assert post(address, large)[0] == 200
