"""The application: the page, counting, models, health and metrics."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from crowdscale import __version__
from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.serve.annotating import annotation_routes
from crowdscale.serve.auditing import audit_routes
from crowdscale.serve.camera_meters import CameraCollector
from crowdscale.serve.cameras import NothingThereError, camera_routes
from crowdscale.serve.correcting import correction_routes
from crowdscale.serve.counter import Counter, TooLargeError
from crowdscale.serve.counting import RESPONSES, counting_routes
from crowdscale.serve.folder import OvertakenError, folder_routes
from crowdscale.serve.gate import Gate
from crowdscale.serve.line import BusyError, Line
from crowdscale.serve.meters import Measured, Meters
from crowdscale.serve.options import ServeOptions
from crowdscale.serve.page import PageFile, find_page, page_files, site_description
from crowdscale.serve.requests import Bounded, ClientGoneError, SlowError, read_body
from crowdscale.serve.state import State
from crowdscale.serve.storing import StorageError
from crowdscale.serve.teacher import ConflictError
from crowdscale.serve.teaching import Teaching, teaching_routes
from crowdscale.serve.watching import watch_routes
from crowdscale.serve.zone_editor import checked_zones
from crowdscale.serve.zone_server import LARGEST
from crowdscale.video.several import Cameras

__all__ = ["create_app"]

TOGETHER = 10
"""Largest photos whose bytes a form of several photos may have."""

CAMERAS_STOP = 30.0
"""Seconds that cameras have for the frame that they count, its row and the delivery of alarms."""

STATUSES: dict[type[Exception], int] = {
    CrowdscaleError: 400,
    TooLargeError: 413,
    SlowError: 504,
    BusyError: 503,
    OvertakenError: 409,
    StorageError: 507,
    ClientGoneError: 499,
    ConflictError: 409,
    NothingThereError: 404,
}
"""The status of each kind of error; nobody reads the last one, and the log has it."""


def create_app(
    counter: Counter, options: ServeOptions | None = None, cameras: Cameras | None = None
) -> FastAPI:
    """Return the application that counts with a loaded model.

    Args:
        counter: The model.
        options: Limits and access.
        cameras: Watched while the application runs, with ``counter.for_cameras`` and ``counter.turns``.
    """
    chosen = options or ServeOptions()
    line = Line(chosen.waiting)
    state, teaching = State(counter, chosen, line, Meters(line)), Teaching.of(chosen)
    app = FastAPI(
        title="crowdscale", version=__version__, lifespan=partial(_lifespan, state, teaching, cameras), docs_url=None, redoc_url=None, redirect_slashes=False,
        description="Counts and locates people in photos on this machine.", responses={422: RESPONSES[422]},
    )  # fmt: skip
    for kind, status in STATUSES.items():
        app.add_exception_handler(kind, partial(_error, status))
    app.include_router(counting_routes(state))
    app.include_router(correction_routes(state))
    app.include_router(audit_routes(state))
    app.include_router(annotation_routes(state))
    app.include_router(folder_routes(state))
    app.include_router(watch_routes(state))
    app.include_router(camera_routes(state, cameras))
    if cameras is not None:
        state.meters.registry.register(CameraCollector(cameras.states))
    app.include_router(teaching_routes(state, teaching))
    app.state.ending = state.ending
    app.include_router(_own_routes(state, cameras))
    files = {path: _sender(file) for path, file in page_files(find_page(), dashboard=True).items()}
    for path, send in files.items():
        app.add_api_route(path, send, methods=["GET"], include_in_schema=False)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _wrong_value)
    app.add_middleware(Bounded, most=chosen.max_bytes * TOGETHER, seconds=chosen.upload)
    app.add_middleware(Gate, options=chosen, open_paths=frozenset(files))
    app.add_middleware(Measured, meters=state.meters)
    return app


@asynccontextmanager
async def _lifespan(
    state: State, teaching: Teaching, cameras: Cameras | None, _: FastAPI
) -> AsyncIterator[None]:
    if cameras is not None:
        cameras.start()
    yield
    if cameras is not None:
        await run_in_threadpool(cameras.stop, CAMERAS_STOP)
    if teaching.teacher is not None:
        await run_in_threadpool(teaching.teacher.close)
    state.line.close()


def _own_routes(state: State, cameras: Cameras | None) -> APIRouter:
    """Return the routes that describe the service."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Whether the service counts, and how many photos it has accepted."""
        return {
            "ok": True,
            "model": state.counter.config.name,
            "version": __version__,
            "queue": state.line.accepted,
        }

    @routes.get("/models")
    async def models() -> list[dict[str, Any]]:
        """Describe the model that counts."""
        return [state.counter.describe()]

    @routes.post("/zones/check", responses={400: RESPONSES[400]})
    async def check_zones(request: Request) -> dict[str, int]:
        """Check zones that were drawn on a photo; what is wrong with them is a sentence."""
        body = await read_body(request, LARGEST)
        try:
            width, height = (int(side) for side in json.loads(body)["size"])
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise DataError('The zones need "size", the photo\'s width and height in pixels') from error
        return {"zones": len(checked_zones(body, (width, height)).zones)}

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return what the service measures of itself, for Prometheus."""
        return Response(state.meters.text(), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/site.json", include_in_schema=False)
    async def site() -> Response:
        limits = {"bytes": state.options.max_bytes, "pixels": state.options.max_pixels}
        folder = state.options.corrections
        text = site_description(
            "service",
            [state.counter.describe()],
            limits=limits,
            corrections=None if folder is None else str(folder),
            folder=None if state.options.folder is None else str(state.options.folder),
            cameras=0 if cameras is None else len(cameras.states),
        )
        return Response(text, media_type="application/json")

    return routes


def _sender(file: PageFile) -> Callable[[], Awaitable[Response]]:
    """Return the answer with a file of the page, read once."""
    body = file.path.read_bytes()

    async def send() -> Response:
        return Response(body, media_type=file.kind, headers={"cache-control": "no-cache"})

    return send


async def _http_error(_: Request, error: Exception) -> Response:
    """Answer with the sentence of an HTTP error under the same name as all others."""
    assert isinstance(error, HTTPException)  # it is registered for these
    return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)


async def _wrong_value(_: Request, error: Exception) -> Response:
    """Answer with a sentence on the first value of a request that cannot be used."""
    assert isinstance(error, RequestValidationError)  # it is registered for these
    first = error.errors()[0]
    name = " ".join(str(part) for part in first["loc"][1:]) or "the request"
    return JSONResponse({"error": f"{name}: {first['msg']}."}, 422)


async def _error(status: int, _: Request, error: Exception) -> Response:
    """Answer with the sentence of an error."""
    headers = {"retry-after": str(error.seconds)} if isinstance(error, BusyError) else None
    return JSONResponse({"error": str(error)}, status, headers)
