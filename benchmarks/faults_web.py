"""Servers that lie, for ``benchmarks.faults``."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator

__all__ = ["Endless", "Lying", "serving"]


class Endless(http.server.BaseHTTPRequestHandler):
    """Serves an index, and for any other address a body that does not end."""

    index = b""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        if self.path.endswith("index.json"):
            self.end_headers()
            self.wfile.write(self.index)
            return
        self.body()

    def body(self) -> None:
        """Send bytes until the client has enough."""
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(bytes(1 << 20))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Lying(Endless):
    """Serves bodies with lengths that are none."""

    def body(self) -> None:
        """Send a few bytes after a length of billions."""
        self.send_header("Content-Length", "99999999999999")
        self.end_headers()
        self.wfile.write(b"x" * 100)


@contextlib.contextmanager
def serving(handler: type[Endless]) -> Iterator[str]:
    """Serve at an address of this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
