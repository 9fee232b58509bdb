"""Cameras on loopback for minutes or hours: does each go on, and does the memory stay flat?

    python -m benchmarks.cameras --duration 10m --every 2s              # two cameras: one stalls, one closes
    python -m benchmarks.cameras --soak --duration 1h --every 4s        # one steady camera
    python -m benchmarks.cameras --film vtest.avi --duration 1h --every 400ms   # a steady camera that shows a film

Each camera sends MJPEG of ``examples/auditorium.jpg``, shifted from frame to frame, twice a second. *stalls* sends ten
seconds, then nothing for 25. *closes* closes the connection after each frame. ``crowdscale watch`` counts them with the
model nano, one thread and rows, as a user would. With a film people are followed, too: a zone, a line and tracks. Its
resident memory is read from /proc every five seconds; a line a minute is printed, and a table at the end. Rows are due where
the camera sends and counting takes no time: *stalls* is noticed after ``--timeout``, and both are reached again a second later.
"""

from __future__ import annotations

import argparse
import csv
import http.server
import io
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from PIL import Image

from benchmarks.video import PAUSE, ZONES, resident
from crowdscale.cli.options import seconds_of
from crowdscale.video.sources import open_source

PHOTO = Path(__file__).parents[1] / "examples" / "auditorium.jpg"
SIDE = 480
"""Longest side in pixels of the frames."""
RATE, FILM_RATE = 2.0, 5.0
"""Frames a second of the shifted photo, and of a film."""
GOES, SILENT = 10.0, 25.0
"""Seconds that the stalling camera sends, and is silent."""
TIMEOUT, AGAIN = 10.0, 1.0
"""Seconds after which a silent camera is lost, and those before the first attempt to reach it again."""


def frames() -> list[bytes]:
    """Return a photo as ten JPEGs, each shifted by eight pixels."""
    photo = Image.open(PHOTO).convert("RGB")
    photo.thumbnail((SIDE, SIDE))
    shifted = []
    for shift in range(0, 80, 8):
        stream = io.BytesIO()
        photo.transform(photo.size, Image.Transform.AFFINE, (1, 0, shift, 0, 1, 0)).save(stream, "JPEG")
        shifted.append(stream.getvalue())
    return shifted


def film_frames(film: Path) -> list[bytes]:
    """Return a film as JPEGs, five a second."""
    shown, due = [], 0.0
    for frame in open_source(str(film)):
        if frame.time >= due:
            photo, stream = Image.fromarray(frame.pixels), io.BytesIO()
            photo.thumbnail((SIDE, SIDE))
            photo.save(stream, "JPEG")
            shown.append(stream.getvalue())
            due += 1 / FILM_RATE
    return shown


class Camera(http.server.BaseHTTPRequestHandler):
    """MJPEG without end at /steady, with silences at /stalls, of one frame at /closes."""

    photos: list[bytes]
    rate: float

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        begun, number = time.monotonic(), 0
        try:
            while not (self.path == "/closes" and number == 1):
                if self.path == "/stalls" and time.monotonic() - begun > GOES:
                    time.sleep(SILENT)
                    return
                data = self.photos[int(time.monotonic() * self.rate) % len(self.photos)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                number += 1
                time.sleep(1 / self.rate)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        pass


def arguments(names: list[str], address: str, every: str, folder: Path, follow: bool) -> list[str]:
    """Return the words of ``crowdscale watch`` for one camera, or for several by a file."""
    counting = ["--model", "nano", "--threads", "1", "--every", every, "--timeout", f"{TIMEOUT:g}"]
    if follow:
        zones = folder / "zones.json"
        zones.write_text(json.dumps(ZONES))
        counting += ["--zones", str(zones), "--tracks", str(folder / "tracks.csv")]
    if len(names) == 1:
        return [f"{address}/{names[0]}", *counting, "--rows", str(folder / f"{names[0]}.csv")]
    cameras = [
        f'[[camera]]\nname = "{name}"\nsource = "{address}/{name}"\nrows = "{name}.csv"\n' for name in names
    ]
    (folder / "cameras.toml").write_text("\n".join(cameras))
    return ["--cameras", str(folder / "cameras.toml"), *counting]


@contextmanager
def on_loopback(shown: dict[str, Any]) -> Iterator[tuple[http.server.HTTPServer, Path, TextIO]]:
    """Yield a server of cameras that show these photos, an empty folder and an open file for a log in it."""
    handler = type("Cameras", (Camera,), shown)
    with (
        tempfile.TemporaryDirectory() as name,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        (Path(name) / "log").open("w+") as log,
    ):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server, Path(name), log


def run(names: list[str], seconds: float, every: str, out: Path | None, film: Path | None = None) -> int:
    """Watch the cameras for so long and print the table; return the exit code."""
    shown = (
        {"photos": frames(), "rate": RATE}
        if film is None
        else {"photos": film_frames(film), "rate": FILM_RATE}
    )
    samples: list[tuple[float, float]] = []
    with on_loopback(shown) as (server, folder, log):
        words = arguments(names, f"http://127.0.0.1:{server.server_port}", every, folder, film is not None)
        process = subprocess.Popen(
            [sys.executable, "-m", "crowdscale", "watch", *words], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            sampled(process, seconds, samples, lambda: counts(names, folder))
        finally:
            process.send_signal(signal.SIGTERM)  # as Ctrl-C, and never ignored
            code = process.wait(60)
            server.shutdown()
        log.seek(0)
        said = log.read()
        counted = sum(len(rows_of(each, folder)) for each in names)
        report(names, folder, samples, said, code, seconds_of(every))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        content = {"cameras": names, "every": every, "counts": counted, "seconds_and_resident_mib": samples}
        out.write_text(json.dumps(content) + "\n")
    return 0 if code == 130 else 1


def sampled(process: Any, seconds: float, samples: list[tuple[float, float]], rows: Any) -> None:
    """Read the memory until the time is over or the process ends; print a line a minute."""
    started, told = time.monotonic(), 0
    while process.poll() is None and time.monotonic() - started < seconds:
        time.sleep(PAUSE)
        memory = resident(process.pid)
        if memory is not None:
            samples.append((round(time.monotonic() - started, 1), round(memory, 1)))
        minutes = int((time.monotonic() - started) / 60)
        if minutes > told:
            told = minutes
            print(f"{minutes} of {seconds / 60:.0f} min: {samples[-1][1]:.0f} MiB, rows {rows()}", flush=True)


def rows_of(name: str, folder: Path) -> list[dict[str, str]]:
    """Return a camera's rows so far."""
    path = folder / f"{name}.csv"
    return list(csv.DictReader(path.open())) if path.exists() else []


def counts(names: list[str], folder: Path) -> str:
    """Return the number of rows of each camera."""
    return ", ".join(f"{name} {len(rows_of(name, folder))}" for name in names)


def due(name: str, seconds: float, every: float) -> float:
    """Return about how many rows a camera has if counting takes no time."""
    if name == "stalls":  # the first frame after a silence is counted, then one at each multiple of ``every``
        return seconds / (GOES + TIMEOUT + AGAIN) * (GOES / every + 0.5)
    return seconds / (max(every, 1 / RATE + AGAIN) if name == "closes" else every)


def report(names: list[str], folder: Path, samples: Any, said: str, code: int, every: float) -> None:
    """Print a line for each camera and the memory."""
    print(
        "\n| camera | rows, due | longest gap in s | last row at s | seconds a count: median, 90th percentile | times never go back |\n"
        "|---|---|---|---|---|---|"
    )
    for name in names:
        rows = rows_of(name, folder)
        times = np.array([float(row["time"]) for row in rows])
        gaps = np.diff(times)
        longest = f"{gaps.max():.1f}" if len(gaps) else "—"
        last = f"{times[-1]:.0f}" if len(times) else "—"
        took = np.percentile([float(row["seconds"]) for row in rows] or [np.nan], [50, 90])
        print(
            f"| {name} | {len(times)}, {due(name, samples[-1][0], every):.0f} | {longest} | {last} | "
            f"{took[0]:.2f}, {took[1]:.2f} | {bool((gaps >= 0).all())} |"
        )
    at, memory = np.array(samples).T
    late = at > 0.25 * at[-1]  # the first quarter loads the model and fills caches
    slope = np.polyfit(at[late] / 3600, memory[late], 1)[0] if late.sum() > 2 else float("nan")
    tenths = ", ".join(f"{part.mean():.1f}" for part in np.array_split(memory, 10) if len(part))
    print(f"\nexit code {code} (130: ended by a signal) after {at[-1]:.0f} s")
    print(f"resident MiB, mean of each tenth: {tenths}; peak {memory.max():.1f}")
    print(f"slope after the first quarter: {slope:+.2f} MiB an hour")
    print(f"lines said: {len(said.splitlines())}; the last ones:\n" + "\n".join(said.splitlines()[-6:]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--soak", action="store_true", help="one steady camera")
    parser.add_argument(
        "--film", type=Path, help="one steady camera that shows this film; people are followed"
    )
    parser.add_argument("--duration", default="10m", help="at most; such as 30s, 10m, 1h")
    parser.add_argument("--every", default="2s")
    parser.add_argument("--out", type=Path, help="the samples of the memory as JSON")
    options = parser.parse_args()
    seconds = seconds_of(options.duration)
    names = ["steady"] if options.soak or options.film else ["stalls", "closes"]
    sys.exit(run(names, seconds, options.every, options.out, options.film))


if __name__ == "__main__":
    main()
