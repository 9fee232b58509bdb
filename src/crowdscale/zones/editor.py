"""A page on this machine on which zones are drawn over a picture with the mouse, and saved to their file."""

from __future__ import annotations

import http.server
import json
import secrets
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.zones.files import read_zones, zones_from_json
from crowdscale.zones.zone import Zones, write_zones, zones_json

__all__ = ["ZoneEditor"]

LARGEST = 1_000_000
"""Bytes of zones that are accepted."""


class ZoneEditor:
    """Serves the page on the loopback address alone; whoever does not know its token is refused.

    Args:
        picture: Bytes of a JPEG.
        size: (width, height) of the picture in pixels, in which zones are saved.
        out: The file of zones; what it holds is there to be changed.
        port: 0 takes a free one.

    Raises:
        DataError: The file holds no zones that fit the picture.
    """

    def __init__(self, picture: bytes, size: tuple[int, int], out: Path, port: int = 0) -> None:
        self.picture, self.size, self.out = picture, size, out
        self.token = secrets.token_urlsafe(16)
        self.saved = 0
        self.zones = read_zones(out).fit(size) if out.is_file() else Zones((), None, size)
        self.done = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """The page's address, with the token that opens it."""
        return f"http://127.0.0.1:{self.server.server_port}/{self.token}/"

    def start(self) -> None:
        """Serve in the background."""
        self.thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()

    def content(self) -> dict[str, Any]:
        """Return what the page draws: zones in pixels."""
        return {**zones_json(self.zones), "size": list(self.size), "out": str(self.out)}

    def save(self, body: bytes) -> int:
        """Check and write zones as the page sends them; return their number. Raises DataError."""
        try:
            content = json.loads(body)
        except ValueError as error:
            raise DataError("expected zones as JSON", str(error)) from error
        if not isinstance(content, dict):
            raise DataError('expected JSON with "zones", a list', "something else from the page")
        zones = zones_from_json({**content, "size": list(self.size)}, "the page").fit(self.size)
        if zones.ground is not None:
            for zone in zones.counted:
                zones.ground.square_metres(zone.shape(self.size))
        write_zones(self.out, zones)
        self.zones, self.saved = zones, self.saved + 1
        return len(zones.zones)


def _handler(editor: ZoneEditor) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Four addresses below the token: the page, its picture, its zones, and the end."""

        def do_GET(self) -> None:
            """Send the page, the picture or the zones."""
            answers: dict[str, Callable[[], tuple[bytes, str]]] = {
                "": lambda: (
                    files("crowdscale").joinpath("zones").joinpath("editor.html").read_bytes(),
                    "text/html; charset=utf-8",
                ),
                "picture.jpg": lambda: (editor.picture, "image/jpeg"),
                "zones.json": lambda: (json.dumps(editor.content()).encode(), "application/json"),
            }
            name = self._name()
            if name not in answers:
                self._send(404, b"Not found", "text/plain")
                return
            self._send(200, *answers[name]())

        def do_POST(self) -> None:
            """Save zones, or end."""
            name, length = self._name(), int(self.headers.get("Content-Length") or 0)
            if name == "done":
                self._send(200, b"{}", "application/json")
                editor.done.set()
                return
            if name != "zones.json" or length > LARGEST:
                self._send(413 if length > LARGEST else 404, b"{}", "application/json")
                return
            try:
                number = editor.save(self.rfile.read(length))
                self._send(200, json.dumps({"saved": number}).encode(), "application/json")
            except (CrowdscaleError, OSError, AttributeError) as error:
                self._send(400, json.dumps({"error": str(error)}).encode(), "application/json")

        def _name(self) -> str | None:
            _, token, *rest = self.path.split("?")[0].split("/")
            return "/".join(rest) if rest and secrets.compare_digest(token, editor.token) else None

        def _send(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header(
                "Content-Security-Policy",
                "default-src 'self'; img-src 'self' data:; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the terminal is the user's."""

    return Handler
