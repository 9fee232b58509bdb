"""The picture of the dashboard in the guide, and others for a check: a service, cameras on loopback, a headless browser.

    python -m research.dashboard_picture --out docs/pictures/dashboard.jpg
    python -m research.dashboard_picture --out narrow.png --width 360 --dark --copies 12

*street* is OpenCV's ``vtest.avi`` (Debian package opencv-doc) with a zone, its alarm and a line, as a live camera of five
frames a second, of which one in two seconds is counted. *hall* is ``examples/auditorium.jpg``, shifted from frame to frame. *gate* is
``examples/crossing.jpg`` likewise, and falls silent ``--goes`` seconds after the start. All send MJPEG from this machine, and
``crowdscale serve --cameras`` counts them.
"""

from __future__ import annotations

import argparse
import http.server
import io
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from crowdscale.video.sources import open_source
from research.page_pictures import service

ROOT = Path(__file__).parents[1]
FILM = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
RATE = 5.0
SIDE = 640
"""Longest side of a photo in pixels."""
ZONES = {
    "zones": [
        {
            "name": "path", "relative": True, "points": [[0.3, 0.3], [0.72, 0.3], [0.95, 0.98], [0.05, 0.98]],
            "capacity": 8, "alarm": {"above": 4},
        },
        {"name": "crossing", "kind": "line", "relative": True, "points": [[0.1, 0.62], [0.9, 0.62]]},
    ]
}  # fmt: skip


def photos_of(name: str, film: Path) -> list[bytes]:
    """Return the frames of a camera as JPEGs."""
    if name == "street":
        frames = [
            Image.fromarray(each.pixels)
            for number, each in enumerate(open_source(str(film)))
            if number % 2 == 0
        ]
    else:
        photo = Image.open(ROOT / "examples" / ("auditorium.jpg" if name == "hall" else "crossing.jpg"))
        photo.thumbnail((SIDE, SIDE))
        shift = Image.Transform.AFFINE
        frames = [
            photo.convert("RGB").transform(photo.size, shift, (1, 0, x, 0, 1, 0)) for x in range(0, 80, 8)
        ]
    return [encoded(frame) for frame in frames]


def encoded(photo: Image.Image) -> bytes:
    """Return a photo as JPEG."""
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=90)
    return stream.getvalue()


class Sender(http.server.BaseHTTPRequestHandler):
    """MJPEG of the camera that the path names."""

    photos: dict[str, list[bytes]]
    ends: float
    """When *gate* falls silent, by ``time.monotonic``."""

    def do_GET(self) -> None:
        """Send frames; *gate* falls silent."""
        name = self.path.strip("/")
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        begun, shown = time.monotonic(), self.photos[name]
        try:
            while True:
                passed = time.monotonic() - begun
                if name == "gate" and time.monotonic() > self.ends:
                    time.sleep(3600)
                data = shown[int(passed * RATE) % len(shown)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(1 / RATE)
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def cameras_file(folder: Path, address: str, copies: int, every: str) -> Path:
    """Write the file of the cameras: three, one, or as many as asked of two of them."""
    (folder / "zones.json").write_text(json.dumps(ZONES))
    names = ["street", "hall", "gate"] if copies == 3 else [["street", "hall"][n % 2] for n in range(copies)]
    parts = []
    for number, name in enumerate(names, 1):
        zones = 'zones = "zones.json"\n' if name == "street" else ""
        shown = name if copies <= 3 else f"{name} {number}"
        often = "2s" if name == "street" and copies <= 3 else every
        parts.append(
            f'[[camera]]\nname = "{shown}"\nsource = "{address}/{name}"\ntimeout = 4\nevery = "{often}"\n{zones}'
        )
    path = folder / "cameras.toml"
    path.write_text("\n".join(parts))
    return path


def take(address: str, options: argparse.Namespace) -> None:
    """Save a picture of the page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        scheme: Literal["dark", "light"] = "dark" if options.dark else "light"
        page = browser.new_page(
            viewport={"width": options.width, "height": options.height}, color_scheme=scheme
        )
        page.goto(f"{address}dashboard")
        page.wait_for_timeout(1000 * options.seconds)
        page.wait_for_function(
            "[...document.querySelectorAll('.camera img')].some((each) => each.naturalWidth)"
        )
        shot = page.screenshot(full_page=options.whole)
        browser.close()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.save(options.out, quality=82)
    print(f"{options.out}: {picture.size[0]}×{picture.size[1]}")


def main() -> None:
    """Run the service for a while and take the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--film", type=Path, default=FILM)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--copies", type=int, default=3, help="cameras")
    parser.add_argument(
        "--every", default="5s", help="time between two counts of hall and gate, or of each of many"
    )
    parser.add_argument("--goes", type=float, default=60.0, help="seconds from the start that gate sends")
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--whole", action="store_true", help="the whole page")
    options = parser.parse_args()
    names = ("street", "hall", "gate")
    shown = {
        "photos": {name: photos_of(name, options.film) for name in names},
        "ends": time.monotonic() + options.goes,
    }
    handler = type("Cameras", (Sender,), shown)
    with (
        tempfile.TemporaryDirectory() as name,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
    ):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = cameras_file(
            Path(name), f"http://127.0.0.1:{server.server_port}", options.copies, options.every
        )
        try:
            with service("--model", options.model, "--cameras", str(path)) as address:
                take(address, options)
        finally:
            server.shutdown()


if __name__ == "__main__":
    main()
