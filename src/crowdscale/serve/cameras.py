"""``/cameras``: the watched cameras, their curves and pictures, and an event for each change.

The command line names the cameras. No request opens a source, and no answer holds a password of one. Pictures are drawn
from the last frame in memory; none is written.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import cv2
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from crowdscale.counting.camera_table import BinRecord, CameraRow
from crowdscale.counting.columns import rounded
from crowdscale.counting.encoding import record_schema
from crowdscale.errors import CrowdscaleError
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.line import BusyError
from crowdscale.serve.state import State
from crowdscale.video.camera_state import Watching
from crowdscale.video.pictures import SHOWN_SIDE, counted_frame
from crowdscale.video.several import Cameras

__all__ = ["NothingThereError", "camera_routes"]

MOST_LISTENERS = 20
PATIENCE = 10
"""Seconds after which a listener who finds no place comes again."""
LOOK = 0.5
"""Seconds between two checks for changes: no camera sends events more often."""
QUIET = 10.0
"""Seconds without a change after which a listener gets a sign of life."""
QUALITY = 80
"""Of the JPEGs, in percent."""
ERROR = {"application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}}
MISSING: dict[int | str, dict[str, Any]] = {
    404: {"description": "No camera has this name, or none of its frames was counted yet.", "content": ERROR}
}

Name = Annotated[str, Path(max_length=200, description="Name of the camera, as in GET /cameras.")]


class NothingThereError(CrowdscaleError):
    """No camera of this name, or no frame of it yet."""


def camera_routes(state: State, cameras: Cameras | None) -> APIRouter:
    """Return the routes of the cameras; a service without cameras has an empty list of them."""
    routes = APIRouter(prefix="/cameras", tags=["cameras"])
    states = [] if cameras is None else cameras.states
    pictures = {each.camera.name: Pictures(each) for each in states}
    listeners: set[object] = set()

    def found(name: str) -> Pictures:
        if name not in pictures:
            names = ", ".join(pictures) or "none: start the service with --cameras"
            raise NothingThereError(f"expected a camera out of {names}", repr(name))
        return pictures[name]

    @routes.get("", responses=_answer({"type": "array", "items": record_schema(CameraRow)}))
    async def show() -> list[dict[str, Any]]:
        """Return the state of each camera, with its last count."""
        return [rounded(each.row()) for each in states]

    @routes.get("/events", responses={503: RESPONSES[503]}, response_class=StreamingResponse)
    async def events() -> StreamingResponse:
        """Stream the state of each camera, and again whenever it changes; each event is JSON as of GET /cameras."""
        if len(listeners) >= MOST_LISTENERS:
            raise BusyError(PATIENCE)
        return StreamingResponse(
            _events(state, states, listeners),
            media_type="text/event-stream",
            headers={"cache-control": "no-store"},
        )

    @routes.get("/{name:path}/curve", responses={**_answer(CURVE), **MISSING})
    async def curve(
        name: Name,
        span: Annotated[Literal["hour", "day"], Query(description="How far back.")] = "hour",
    ) -> dict[str, Any]:
        """Return the people of the last hour in bins of 10 seconds, or of the last day in bins of 5 minutes."""
        chosen = getattr(found(name).state, span)
        bins = [rounded(each) for each in chosen.bins()]
        return {"camera": name, "span": span, "seconds": chosen.seconds, "bins": bins}

    @routes.get(
        "/{name:path}/picture",
        responses={
            200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
            **MISSING,
        },
        response_class=Response,
    )
    async def picture(
        name: Name,
        side: Annotated[
            int, Query(ge=160, le=SHOWN_SIDE, description="Longest side in pixels, at most.")
        ] = 640,
    ) -> Response:
        """Return the last counted frame with heads and zones, as JPEG."""
        body = await run_in_threadpool(found(name).draw, side)
        return Response(body, media_type="image/jpeg", headers={"cache-control": "no-store"})

    return routes


def _answer(schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"schema": schema}}}}


CURVE = {
    "type": "object",
    "properties": {
        "camera": {"type": "string"},
        "span": {"type": "string", "enum": ["hour", "day"]},
        "seconds": {"type": "number", "description": "Length of a bin."},
        "bins": {
            "type": "array",
            "items": record_schema(BinRecord),
            "description": "Bins with a count, the oldest first.",
        },
    },
    "required": ["camera", "span", "seconds", "bins"],
}


class Pictures:
    """The last frame of a camera, drawn once for all who ask.

    Args:
        state: Of the camera.
    """

    def __init__(self, state: Watching) -> None:
        self.state = state
        self._lock = threading.Lock()
        self._drawn: tuple[int, int] | None = None
        self._jpeg = b""

    def draw(self, side: int) -> bytes:
        """Return the JPEG of the last counted frame. Raises NothingThereError before the first one."""
        with self._lock:
            counts, watched = self.state.counts, self.state.last
            if watched is None:
                raise NothingThereError(f"No frame of {self.state.camera.name} was counted yet")
            if self._drawn != (counts, side):
                pixels = counted_frame(watched, side)
                options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
                self._jpeg = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)[
                    1
                ].tobytes()
                self._drawn = (counts, side)
            return self._jpeg


async def _events(state: State, states: list[Watching], listeners: set[object]) -> AsyncIterator[str]:
    """Yield an event for each camera, and for each change, until the client or the service ends; at once without one."""
    listener, marks, spoke = object(), dict[str, object](), time.monotonic()
    listeners.add(listener)
    try:
        while states and not state.ending.is_set():
            for each in states:
                mark = each.mark
                if marks.get(each.camera.name) != mark:
                    marks[each.camera.name], spoke = mark, time.monotonic()
                    yield f"data: {json.dumps(rounded(each.row()))}\n\n"
            if time.monotonic() - spoke > QUIET:
                spoke = time.monotonic()
                yield ": nothing new\n\n"
            await asyncio.sleep(LOOK)
        yield "event: end\ndata: {}\n\n"
    finally:
        listeners.discard(listener)
