"""Load on the local service: latency, memory, refusals. Run: python benchmarks/serve.py --model nano --requests 200.

Starts `crowdscale serve` on a free port of this machine, sends a photo again and again over a few connections, and
waits as long as Retry-After asks where the queue is full.
"""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np


class Client(threading.Thread):
    """One connection that asks until the shared number of requests is used up."""

    def __init__(self, port: int, photo: bytes, left: list[int], polite: bool) -> None:
        super().__init__()
        self.port, self.photo, self.left, self.polite = port, photo, left, polite
        self.seconds: list[float] = []
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        while self.left:
            self.left.pop()
            started = time.perf_counter()
            while True:
                connection.request("POST", "/count", self.photo)
                answer = connection.getresponse()
                answer.read()
                self.statuses[answer.status] += 1
                if answer.status != 503 or not self.polite:
                    break
                time.sleep(float(answer.headers["retry-after"]))
            if answer.status == 200:
                self.seconds.append(time.perf_counter() - started)


def resident(process: subprocess.Popen[str]) -> float:
    """Megabytes of memory that a process holds."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def phase(
    process: subprocess.Popen[str], port: int, photo: bytes, requests: int, clients: int, polite: bool
) -> None:
    left = [0] * requests
    threads = [Client(port, photo, left, polite) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = np.concatenate([thread.seconds for thread in threads])
    statuses = sum((thread.statuses for thread in threads), Counter())
    p50, p95 = np.quantile(seconds, (0.5, 0.95)) if len(seconds) else (float("nan"),) * 2
    wall = time.perf_counter() - started
    print(
        f"{requests} requests, {clients} connections: p50 {p50:.3f} s, p95 {p95:.3f} s, {len(seconds) / wall:.1f} a second, "
        f"{dict(statuses)}, {resident(process):.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--photo", type=Path, default=Path("examples/auditorium.jpg"))
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=4)
    chosen = parser.parse_args()
    command = [
        sys.executable,
        "-m",
        "crowdscale",
        "serve",
        "--model",
        chosen.model,
        "--port",
        "0",
        "--no-browser",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = next(word for word in process.stdout.readline().split() if word.startswith("http"))
    port, photo = int(address.rstrip("/").rsplit(":", 1)[1]), chosen.photo.read_bytes()
    try:
        phase(process, port, photo, max(1, chosen.requests // 10), chosen.clients, True)
        for _ in range(2):
            phase(process, port, photo, chosen.requests // 2, chosen.clients, True)
        phase(process, port, photo, 60, 30, False)  # more than the queue holds
    finally:
        process.terminate()
        print(f"ended with {process.wait(60)}")


if __name__ == "__main__":
    main()
