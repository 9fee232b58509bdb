"""The zone editor's server on the loopback address: bounded in connections, bodies and time."""

from __future__ import annotations

import http.server
import json
import secrets
import threading
from typing import TYPE_CHECKING, Any, cast

from crowdscale.serve.gate import POLICY

if TYPE_CHECKING:
    from crowdscale.serve.zone_editor import ZoneEditor

__all__ = ["LARGEST", "MOST_CONNECTIONS", "PageServer"]

LARGEST = 1_000_000
"""Bytes of zones that are accepted."""
MOST_CONNECTIONS = 32
IDLE = 10.0
"""Seconds after which a connection that sends nothing is closed."""


class PageServer(http.server.ThreadingHTTPServer):
    """Serves at most ``MOST_CONNECTIONS`` at a time and stays silent about connections that break."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], editor: ZoneEditor) -> None:
        self.free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self.editor = editor
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection on a thread, or close it where too many are open."""
        if not self.free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a browser that closes a connection is no fault."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Addresses below the token: the page's files, its picture, its zones, and the end."""

    timeout = IDLE

    @property
    def editor(self) -> ZoneEditor:
        """The zones and the picture that are served."""
        return cast(PageServer, self.server).editor

    def do_GET(self) -> None:
        """Send the page, the picture or the zones."""
        first, code = (self.path.split("?")[0] + "//").split("/")[1:3]
        if first == "open" and self.editor.opened(code):
            self._send(303, b"", "text/plain", self.editor.address)
            return
        self._send(*self.editor.answer(self._name()))

    def do_POST(self) -> None:
        """Save zones, or end."""
        name, length = self._name(), self._length()
        if name == "done" and self._is_own():
            self._send(200, b"{}", "application/json")
            self.editor.done.set()
        elif name != "zones.json" or not self._is_own():
            self._send(404, b"{}", "application/json")
        elif not 0 <= length <= LARGEST:
            self._send(413 if length > LARGEST else 411, b"{}", "application/json")
        else:
            self._save(length)

    def _save(self, length: int) -> None:
        try:
            number = self.editor.save(self.rfile.read(length))
            self._send(200, json.dumps({"saved": number}).encode(), "application/json")
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception as error:  # whatever the page sends, it gets a sentence
            self._send(400, json.dumps({"error": str(error)}).encode(), "application/json")

    def _length(self) -> int:
        """Bytes of the body; -1 where they are not stated as a whole number."""
        stated = self.headers.get("Content-Length", "0")
        return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 12 else -1

    def _is_own(self) -> bool:
        """Whether a request comes from the page, not from another site in the same browser."""
        origin = self.headers.get("Origin")
        return origin in (None, f"http://{self.headers.get('Host', '')}") and self._is_here()

    def _is_here(self) -> bool:
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        return host in ("127.0.0.1", "localhost")

    def _name(self) -> str | None:
        _, token, *rest = (self.path.split("?")[0] + "/").split("/", 2)
        is_known = secrets.compare_digest(token.encode(), self.editor.token.encode()) and self._is_here()
        return "/".join(rest).removesuffix("/") if is_known else None

    def _send(self, status: int, body: bytes, kind: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent: the terminal is the user's."""
