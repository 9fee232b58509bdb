"""Reading requests within limits, and waiting for work only as long as the client does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from crowdscale.errors import CrowdscaleError, ImageError
from crowdscale.serve.counter import TooLargeError

__all__ = ["ClientGoneError", "SlowError", "read_body", "while_connected"]

Result = TypeVar("Result")


class ClientGoneError(Exception):
    """The client closed the connection."""


class SlowError(CrowdscaleError):
    """Something took longer than its limit."""


async def read_body(request: Request, most: int, seconds: float) -> bytes:
    """Return the body of a request.

    Raises:
        TooLargeError: It has more than ``most`` bytes; the rest is not read.
        SlowError: It did not arrive in time.
        ImageError: It is empty.
    """
    sentence = f"The photo is larger than {most / 1e6:g} MB"
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise TooLargeError(sentence, "", "Reduce it first")
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise TooLargeError(sentence, "", "Reduce it first")
                parts.append(part)
    except TimeoutError:
        raise SlowError(f"The photo did not arrive within {seconds:g} s", "", "Try again") from None
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
