"""Connections that send nothing, or drip: each has some seconds for the head of a request, and few of them may wait."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD", "MOST_SILENT", "Connection"]

HEAD = 10.0
"""Seconds for the head of a request: from the start of a connection, and from the end of each answer. What a client sends
after the answer to a body that was refused ends then, too."""
MOST_SILENT = 100
"""Connections without a whole head; the one that waits longest makes room for the next. It is less than uvicorn's limit of all
connections, so that silent ones never shut out others."""


class Connection(H11Protocol):
    """uvicorn's connection with a limit of time for the head of each request. Its arguments are those of uvicorn."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        silent = [each for each in self.connections if isinstance(each, Connection) and each._clock]
        if len(silent) >= MOST_SILENT:
            min(silent, key=lambda each: each._clock.when() if each._clock else 0.0)._close()
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a whole head ends the wait."""
        super().data_received(data)
        if self._is_busy:
            self._heard()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it lies there already."""
        super().on_response_complete()
        if not self._is_busy and not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._heard()
        super().connection_lost(exc)

    @property
    def _is_busy(self) -> bool:
        """Whether a request has begun that has no whole answer yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(HEAD, self._close)

    def _heard(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _close(self) -> None:
        self._heard()
        if not self.transport.is_closing():
            self.transport.close()
