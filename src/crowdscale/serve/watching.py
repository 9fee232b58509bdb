"""``GET /watch``: counts of a video or a camera as server-sent events; the command line names what may be watched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from crowdscale.counting.prediction import Prediction
from crowdscale.errors import CrowdscaleError, unknown_name
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.line import BusyError
from crowdscale.serve.state import State
from crowdscale.video.frame import Frame, sample
from crowdscale.video.sources import open_source

__all__ = ["watch_routes"]

MOST_WATCHERS = 4
PATIENCE = 10
"""Seconds after which a watcher who finds no place comes again."""


def watch_routes(state: State) -> APIRouter:
    """Return the route that streams counts."""
    routes = APIRouter()
    watchers: set[object] = set()

    @routes.get("/watch", responses=RESPONSES, response_class=StreamingResponse)
    async def watch(
        source: Annotated[str, Query(max_length=200, description="A name given to --watch.")],
        every: Annotated[float, Query(ge=0, le=86_400, description="Seconds between two counts.")] = 1.0,
        frames: Annotated[
            int | None, Query(ge=1, le=10**9, description="End after this many counts.")
        ] = None,
    ) -> StreamingResponse:
        """Stream the counts of a source; each event is JSON with time, frame and count."""
        if source not in state.options.sources:
            raise unknown_name(
                "source", source, state.options.sources or ("none: start the service with --watch",)
            )
        if len(watchers) >= MOST_WATCHERS:
            raise BusyError(PATIENCE)
        opened = await run_in_threadpool(open_source, state.options.sources[source])
        events = _events(state, iter(sample(opened, every)), frames, watchers)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    return routes


async def _events(
    state: State, frames: Iterator[Frame], most: int | None, watchers: set[object]
) -> AsyncIterator[str]:
    """Yield an event a counted frame, until the source, the client or the service ends."""
    watcher, number = object(), 0
    watchers.add(watcher)
    try:
        while not state.ending.is_set() and (most is None or number < most):
            frame = await run_in_threadpool(next, frames, None)
            if frame is None:
                break
            try:
                prediction = await _counted(state, frame)
            except BusyError:
                await asyncio.sleep(1)  # photos go first, and the frame is passed over
                continue
            number += 1
            yield _event(frame, prediction)
        yield "event: end\ndata: {}\n\n"
    except CrowdscaleError as error:
        yield f"event: error\ndata: {json.dumps({'error': str(error)})}\n\n"
    finally:
        watchers.discard(watcher)


async def _counted(state: State, frame: Frame) -> Prediction:
    def work(stop: Any) -> Prediction:
        with state.counter.until(stop) as predictor:
            return predictor.predict(frame.pixels)

    prediction = await state.line.run(work)
    state.meters.counted(prediction.count, prediction.seconds)
    return prediction


def _event(frame: Frame, prediction: Prediction) -> str:
    values: dict[str, Any] = {"time": round(frame.time, 3), "frame": frame.index, "count": prediction.count}
    values |= {"warnings": list(prediction.warnings), "usable": prediction.usable}
    return f"data: {json.dumps(values)}\n\n"
