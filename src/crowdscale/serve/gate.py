"""The door of the service: who may ask, by which name, from which page; and the headers that every answer carries."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from crowdscale.serve.options import ServeOptions

__all__ = ["POLICY", "App", "Gate", "Message", "Receive", "Send"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded from elsewhere, nothing runs that the page does not bring."""

HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

PUBLIC = frozenset({"/health"})
"""Answered without a token, for monitoring."""


class Gate:
    """Checks the host, the origin and the token of each request before the application sees it.

    A page elsewhere could reach a service on this machine by a name that resolves to it (DNS rebinding), or by a
    form: the name in ``Host`` has to be one of ours, and an ``Origin`` the service's own.

    Args:
        app: The application.
        options: Of the service.
        open_paths: Files of the page, which need no token.
    """

    def __init__(self, app: App, options: ServeOptions, open_paths: frozenset[str]) -> None:
        self.app, self.options = app, options
        self.public = PUBLIC | open_paths

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.decode() not in HEADERS]
                message["headers"] = kept + [(n.encode(), v.encode()) for n, v in HEADERS.items()]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send_with_headers)
        else:
            await _refuse(*refusal, send_with_headers)

    def _refusal(self, scope: Message) -> tuple[int, str] | None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if host_name(host) not in self.options.known_hosts:
            return 421, "This service is not known by that name. Start it with --allow-host NAME."
        if not _same_origin(headers, host, scope["scheme"]):
            return 403, "Other pages may not use this service."
        if scope["path"] in self.public or not self.options.token:
            return None
        given = headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not secrets.compare_digest(given, self.options.token.encode()):
            return 401, "This service needs its token."
        return None


def host_name(host: str) -> str:
    """Return the name of a ``Host`` header, without its port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()


def _same_origin(headers: dict[str, str], host: str, scheme: str) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return origin in (f"{scheme}://{host}", f"https://{host}")
    # A link that leads here may be followed; what another page embeds or fetches may not.
    fetched = headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    return not fetched or headers.get("sec-fetch-mode") == "navigate"


async def _refuse(status: int, sentence: str, send: Send) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
