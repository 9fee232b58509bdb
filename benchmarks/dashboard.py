"""Two faulty cameras on loopback through the service, while a page and Prometheus ask: memory, rows, time of answers.

    python -m benchmarks.dashboard --duration 10m --every 2s

The cameras are those of ``benchmarks.cameras``: *stalls* sends ten seconds, then nothing for 25; *closes* closes the
connection after each frame. ``crowdscale serve --cameras`` counts them with the model nano and one thread. One client
reads the events, and once a second another asks for the cameras, a curve, a picture and the metrics, as an open page and
Prometheus do. Every five seconds a photo is counted. A line a minute is printed, and a table at the end.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cameras import RATE, counts, frames, on_loopback, report, sampled
from crowdscale.cli.options import seconds_of

NAMES = ["stalls", "closes"]
ASKED = ("cameras", "cameras/stalls/curve", "cameras/closes/picture", "metrics")
PHOTO_EVERY = 5


class Client(threading.Thread):
    """Asks as a page and Prometheus do.

    Args:
        address: Of the service.
        photo: Counted now and then.
    """

    def __init__(self, address: str, photo: bytes) -> None:
        super().__init__(daemon=True)
        self.address, self.photo, self.ended = address, photo, threading.Event()
        self.seconds: dict[str, list[float]] = {name: [] for name in (*ASKED, "count")}
        self.failed: list[str] = []
        self.events = 0

    def run(self) -> None:
        """Ask until the end."""
        threading.Thread(target=self.listen, daemon=True).start()
        turn = 0
        while not self.ended.wait(1.0):
            turn += 1
            for name in ASKED:
                self.ask(name)
            if turn % PHOTO_EVERY == 0:
                self.ask("count", self.photo)

    def ask(self, name: str, body: bytes | None = None) -> None:
        """Ask once and keep the time."""
        started = time.monotonic()
        try:
            with urllib.request.urlopen(self.address + name, body, timeout=60) as answer:
                answer.read()
            self.seconds[name].append(time.monotonic() - started)
        except OSError as error:  # 404 before the first frame
            self.failed.append(f"{name}: {error}")

    def listen(self) -> None:
        """Count the events."""
        try:
            with urllib.request.urlopen(f"{self.address}cameras/events", timeout=60) as answer:
                for line in answer:
                    self.events += line.startswith(b"data: {")
        except OSError:
            return

    def table(self) -> str:
        """Return the times of the answers."""
        lines = ["\n| request | answers | p50 in ms | p95 in ms | longest in ms |", "|---|---|---|---|---|"]
        for name, values in self.seconds.items():
            times = 1000 * np.array(values or [np.nan])
            middle, late = np.percentile(times, [50, 95])
            lines.append(f"| {name} | {len(values)} | {middle:.0f} | {late:.0f} | {times.max():.0f} |")
        first = f"; the first: {self.failed[0]}" if self.failed else ""
        return "\n".join([*lines, f"\nevents: {self.events}; refused: {len(self.failed)}{first}"])


def started(folder: Path, address: str, every: str, log: Any) -> tuple[Any, str]:
    """Start the service; return its process and its address."""
    cameras = [
        f'[[camera]]\nname = "{n}"\nsource = "{address}/{n}"\nrows = "{n}.csv"\nevery = "{every}"\ntimeout = 10\n'
        for n in NAMES
    ]
    (folder / "cameras.toml").write_text("\n".join(cameras))
    command = [sys.executable, "-m", "crowdscale", "serve", "--port", "0", "--no-browser", "--model", "nano"]
    command += ["--threads", "1", "--cameras", str(folder / "cameras.toml")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    return process, next(word for word in process.stdout.readline().split() if word.startswith("http"))


def run(seconds: float, every: str, out: Path | None) -> int:
    """Watch for so long and print the tables; return the exit code."""
    samples: list[tuple[float, float]] = []
    with on_loopback({"photos": frames(), "rate": RATE}) as (server, folder, log):
        process, address = started(folder, f"http://127.0.0.1:{server.server_port}", every, log)
        client = Client(address, frames()[0])
        client.start()
        try:
            sampled(process, seconds, samples, lambda: counts(NAMES, folder))
        finally:
            client.ended.set()
            process.send_signal(signal.SIGTERM)
            code = process.wait(90)
            server.shutdown()
        log.seek(0)
        report(NAMES, folder, samples, log.read(), code, seconds_of(every))
        print(client.table())
    if out is not None:
        out.write_text(json.dumps({"every": every, "seconds_and_resident_mib": samples}) + "\n")
    return code


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--duration", default="10m", help="such as 30s, 10m")
    parser.add_argument("--every", default="2s")
    parser.add_argument("--out", type=Path, help="the samples of the memory as JSON")
    options = parser.parse_args()
    sys.exit(run(seconds_of(options.duration), options.every, options.out))


if __name__ == "__main__":
    main()
