"""Reading requests within limits, and waiting for work only as long as the client does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import HTTPException, Request

from crowdscale.errors import CrowdscaleError, ImageError
from crowdscale.serve.counter import TooLargeError
from crowdscale.serve.gate import App, Message, Receive, Send

__all__ = ["Bounded", "ClientGoneError", "SlowError", "read_body", "while_connected"]

Result = TypeVar("Result")

PATIENCE = 5
"""Seconds after which a request comes again that finds no room for its body."""


class ClientGoneError(Exception):
    """The client closed the connection."""


class SlowError(CrowdscaleError):
    """A count took longer than its limit."""


class Bounded:
    """Limits the bytes of each request's body and the time in which it arrives, for every route.

    All bodies that arrive at a time have no more bytes together than one may have: many large ones would fill the memory.

    Args:
        app: The application.
        most: Bytes.
        seconds: From the request's start to the body's end.
    """

    def __init__(self, app: App, most: int, seconds: float) -> None:
        self.app, self.most, self.seconds = app, most, seconds
        self.arriving = 0
        """Bytes of the bodies that are not whole yet."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        end, size, whole = loop.time() + self.seconds, 0, False
        held = 0

        def release() -> None:
            nonlocal held
            self.arriving -= held
            held = 0

        async def bounded() -> Message:
            nonlocal size, whole, held
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, end - loop.time()))
            except TimeoutError:
                raise HTTPException(408, f"The request did not arrive within {self.seconds:g} s.") from None
            more = len(message.get("body", b""))
            size, held, self.arriving = size + more, held + more, self.arriving + more
            whole = not message.get("more_body", False)
            self._check(size)
            if whole:
                release()
            return message

        try:
            await self.app(scope, bounded, send)
        finally:
            release()

    def _check(self, size: int) -> None:
        """Refuse a body that is too large, or one too many."""
        if size > self.most:
            raise HTTPException(413, f"The request is larger than {self.most / 1e6:g} MB.")
        if self.arriving > self.most:
            sentence = f"The service is busy: more than {self.most / 1e6:g} MB arrive at once."
            raise HTTPException(503, sentence, {"retry-after": str(PATIENCE)})


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises:
        TooLargeError: It has more than ``most`` bytes; the rest is not read.
        ImageError: It is empty.
    """
    sentence = f"The photo is larger than {most / 1e6:g} MB"
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise TooLargeError(sentence, "", "Reduce it first")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLargeError(sentence, "", "Reduce it first")
        parts.append(part)
    if not size:
        raise ImageError("The request holds no photo", "", "Send its bytes as the body")
    return b"".join(parts)


async def while_connected(request: Request, work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """Return what the work returns; it is cancelled where the client leaves or time runs out.

    Raises:
        ClientGoneError: The client closed the connection.
        SlowError: The work took longer than ``seconds``.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        done, _ = await asyncio.wait({task, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            return task.result()
        if gone in done:
            raise ClientGoneError
        raise SlowError(f"The photo was not counted within {seconds:g} s", "", "Try again or reduce it")
    finally:
        for each in (task, gone):
            each.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
