"""Starting the service on its address and ending it with all accepted work done."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI

from crowdscale.errors import OptionError
from crowdscale.serve.connections import Connection
from crowdscale.serve.options import ServeOptions

__all__ = ["run_service"]

CONNECTIONS = 200
"""Connections at a time; more are answered with 503 by the server itself."""
IDLE = 5
"""Seconds after which an idle connection is closed."""


class _Server(uvicorn.Server):
    """Ends endless streams as soon as it is asked to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal."""
        self._app.state.ending.set()
        super().handle_exit(sig, frame)


def run_service(app: FastAPI, options: ServeOptions, on_ready: Callable[[str], object] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; requests that were accepted are finished first.

    Args:
        app: The application.
        options: Its address and limits.
        on_ready: Called with the page's address once connections are accepted.

    Raises:
        OptionError: The address cannot be bound to.
    """
    listener = _bind(options)
    host = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{host}:{listener.getsockname()[1]}/"
    config = uvicorn.Config(
        app,
        http=Connection,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=int(options.timeout) + 1,
    )
    server = _Server(config, app)
    if on_ready is not None:
        on_ready(address)
    with _signals_end_it():
        server.run(sockets=[listener])


@contextmanager
def _signals_end_it() -> Iterator[None]:
    """Let the server's own handlers end it; it raises their signals again afterwards, which must not kill the process."""
    previous = {each: signal.signal(each, lambda *_: None) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def _bind(options: ServeOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(CONNECTIONS)
    except OSError as error:
        listener.close()
        raise OptionError(
            f"The service cannot use {options.host}:{options.port} ({error.strerror})",
            "",
            "Choose another --port",
        ) from error
    return listener
