"""A page on this machine on which zones are drawn over a picture with the mouse, and saved to their file."""

from __future__ import annotations

import json
import secrets
import threading
from pathlib import Path
from typing import Any

from crowdscale.errors import DataError
from crowdscale.serve.page import find_page, page_files, site_description
from crowdscale.serve.zone_server import PageServer
from crowdscale.zones.files import read_zones, write_zones, zones_from_json, zones_json
from crowdscale.zones.zone import Zones

__all__ = ["ZoneEditor", "checked_zones"]


class ZoneEditor:
    """Serves the page on the loopback address alone; requests without its token are refused.

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
        self.once = ""
        self.saved = 0
        self.zones = read_zones(out).fit(size) if out.is_file() else Zones((), None, size)
        self.page = {
            path[1:]: (file.path.read_bytes(), file.kind) for path, file in page_files(find_page()).items()
        }
        self.done = threading.Event()
        self.server = PageServer(("127.0.0.1", port), self)
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
        zones = checked_zones(body, self.size)
        _keep_receivers(zones, self.zones)
        write_zones(self.out, zones)
        self.zones, self.saved = zones, self.saved + 1
        return len(zones.zones)

    def answer(self, name: str | None) -> tuple[int, bytes, str]:
        """Return status, body and media type of what the page asks for by name."""
        if name == "site.json":
            text = site_description("zones", [], picture="picture.jpg", out=str(self.out))
            return 200, text.encode(), "application/json"
        if name == "zones.json":
            return 200, json.dumps(self.content()).encode(), "application/json"
        if name == "picture.jpg":
            return 200, self.picture, "image/jpeg"
        if name in self.page:
            return 200, *self.page[name]
        return 404, b"Not found", "text/plain"

    def opening(self) -> str:
        """Return an address for a browser's command line, which others may read: it opens the page once."""
        self.once = secrets.token_urlsafe(16)
        return f"http://127.0.0.1:{self.server.server_port}/open/{self.once}"

    def opened(self, code: str) -> bool:
        """Whether a code opens the page; no code does so twice."""
        once, self.once = self.once, ""
        return bool(once) and secrets.compare_digest(code.encode(), once.encode())


def checked_zones(body: bytes, size: tuple[int, int]) -> Zones:
    """Return zones of the page's JSON that fit a (width, height) picture. Raises DataError."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DataError("expected zones as JSON", str(error)) from error
    if not isinstance(content, dict):
        raise DataError('expected JSON with "zones", a list', "something else from the page")
    zones = zones_from_json({**content, "size": list(size)}, "the page").fit(size)
    if zones.ground is not None:
        for zone in zones.counted:
            zones.ground.square_metres(zone.shape(size))
    return zones


def _keep_receivers(zones: Zones, known: Zones) -> None:
    """Refuse receivers of alarms that the file does not hold: the page changes limits alone. Raises DataError."""
    receivers = {(r.webhook, r.secret_env, r.command) for r in known.alarms.values()} | {(None, None, ())}
    for name, rule in zones.alarms.items():
        if (rule.webhook, rule.secret_env, rule.command) not in receivers:
            raise DataError(
                f"expected the alarm of {name} with a webhook or command that the file holds",
                "another one from the page",
                "Write it into the file with a text editor",
            )
