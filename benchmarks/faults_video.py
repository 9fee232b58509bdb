"""Attacks on ``crowdscale watch``, for ``benchmarks.faults``: each returns what broke, empty for nothing."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.faults_running import rows_of, run, small_disk
from tests.support.films import grey_frame, write_packets

__all__ = [
    "a_camera_that_stays_silent",
    "a_film_that_changes",
    "a_full_disk_under_the_film",
    "damaged_films",
    "damaged_streams_that_never_end",
]


def damaged_films(root: Path) -> str:
    """Twenty damaged films of H.264 are watched to their end."""
    for seed in range(20):
        (root / f"{seed}.ts").write_bytes(damaged_stream(root, seed))
        broken = run(
            "watch", root / f"{seed}.ts", "--model", "nano", "--every", "500ms", "--threads", 1
        ).broken(0, 1, 2)
        if broken:
            return f"film {seed}: {broken}"
    return ""


def damaged_stream(root: Path, seed: int) -> bytes:
    """Return a short film of H.264 with 3, 30 or 300 bytes changed."""
    sound = write_packets(root / "film.ts", [grey_frame(20 * number) for number in range(12)]).read_bytes()
    rng, data = random.Random(seed), bytearray(sound)
    for _ in range(rng.choice((3, 30, 300))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


def damaged_streams_that_never_end(root: Path) -> str:
    """While damaged H.264 goes on coming, SIGTERM ends the watch."""
    for seed in range(8):
        data = damaged_stream(root, seed)
        command = [sys.executable, "-m", "crowdscale", "watch", "-", "--model", "nano", "--every", "500ms"]
        with subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            feeder = threading.Thread(target=_feed, args=(process, data), daemon=True)
            feeder.start()
            time.sleep(4)
            running = process.poll() is None
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                return f"film {seed}: SIGTERM does nothing for 15 s"
            feeder.join(15)
        if not running:
            return f"film {seed}: the watch ended by itself"
    return ""


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Write data again and again until the process has ended."""
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        while process.poll() is None:
            process.stdin.write(data)
            time.sleep(0.02)


def a_camera_that_stays_silent(root: Path) -> str:
    """SIGTERM ends a watch of a camera that accepts and says nothing."""
    del root
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/film.mjpg"
        command = [sys.executable, "-m", "crowdscale", "watch", address, "--model", "nano"]
        watch = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        server.settimeout(30)
        connection, _ = server.accept()
        time.sleep(1)
        watch.send_signal(signal.SIGTERM)
        try:
            _, text = watch.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            watch.kill()
            return "SIGTERM did not end it within 15 s"
        finally:
            connection.close()
    return "a traceback" if b"Traceback" in text else ""


def a_film_that_changes(root: Path) -> str:
    """Rows go on where the size of the frames, and with it the caption, changes under ``--video``."""
    parts = [
        write_packets(root / "1.ts", [grey_frame(200)] * 10),
        write_packets(root / "2.ts", [grey_frame(5, 96, 64)] * 10, start=1.0),
        write_packets(root / "3.ts", [grey_frame(250, 48, 32)] * 10, start=2.0),
    ]
    (root / "film.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    watched = run("watch", root / "film.ts", "--model", "nano", "--every", "500ms", "--threads", 1,
                  "--video", root / "o.mp4", "--rows", root / "r.csv")  # fmt: skip
    rows = len(rows_of(root / "r.csv")) if (root / "r.csv").exists() else 0
    return watched.broken(0) or ("" if rows >= 6 else f"{rows} rows instead of 6")


def a_full_disk_under_the_film(root: Path) -> str:
    """Rows go on where the disk under ``--video`` is full."""
    film = write_packets(root / "film.ts", [np.random.default_rng(n).integers(0, 256, (240, 320, 3), np.uint8) for n in range(30)])  # fmt: skip
    with small_disk(root / "disk", 64 << 10) as disk:
        watched = run("watch", film, "--model", "nano", "--every", "100ms", "--threads", 1,
                      "--video", disk / "o.mp4", "--rows", root / "r.csv")  # fmt: skip
    rows = len(rows_of(root / "r.csv"))
    return watched.broken(0, 1) or ("" if rows >= 28 else f"{rows} rows of 30")
