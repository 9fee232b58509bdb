"""``POST /audit/…``: audits on the page. The service keeps nothing: the record travels with each request."""

from __future__ import annotations

import threading
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from starlette.concurrency import run_in_threadpool

from crowdscale.counting.audit import AuditInput, start_audit
from crowdscale.errors import DataError
from crowdscale.files.images import Pixels, read_image
from crowdscale.serve.counter import TooLargeError, check_pixels
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.requests import read_body, while_connected
from crowdscale.serve.state import State
from crowdscale.trust.audit import AuditRecord
from crowdscale.trust.audit.report import report_html
from crowdscale.trust.audit.wording import headline, next_step

__all__ = ["audit_routes", "audit_state"]

MOST_RECORD = 50_000_000
"""Bytes of a record: it holds the model's heads of all photos."""

RECORD = {
    "requestBody": {
        "required": True,
        "description": "The record of an audit; an answer is added to its list of answers.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

Photos = Annotated[list[UploadFile], File(description="The photos, under the names of the record.")]


def audit_routes(state: State) -> APIRouter:
    """Return the routes that start, continue and report an audit."""
    routes = APIRouter(prefix="/audit")

    @routes.post("/start", responses=RESPONSES)
    async def start(
        request: Request,
        photos: Photos,
        seed: Annotated[
            str, Form(max_length=200, description="Fixes the draw; empty: follows from model and photos.")
        ] = "",
    ) -> dict[str, Any]:
        """Count photos, cut them into tiles and draw the first."""
        contents = await _contents(state, photos)
        work = state.line.run(lambda stop: _started(state, contents, seed, stop))
        record = await while_connected(request, work, state.options.timeout * len(contents))
        return await run_in_threadpool(audit_state, record)

    @routes.post("/state", responses={400: RESPONSES[400]}, openapi_extra=RECORD)
    async def show(request: Request) -> dict[str, Any]:
        """Check a record with its answers; return the number, its interval and the next tile."""
        body = await read_body(request, MOST_RECORD)
        return await run_in_threadpool(lambda: audit_state(AuditRecord.from_json(body)))

    @routes.post("/report", responses=RESPONSES)
    async def report(photos: Photos, record: Annotated[str, Form(max_length=MOST_RECORD)]) -> Response:
        """Return the report of an audit as one HTML file."""
        contents = await _contents(state, photos)
        page = await run_in_threadpool(_report, AuditRecord.from_json(record), contents)
        headers = {"content-disposition": 'attachment; filename="report.html"'}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    return routes


def audit_state(record: AuditRecord) -> dict[str, Any]:
    """Return a record, its number, the sentences about it, and the tile to count next."""
    estimate, cell = record.estimate(), record.next_cell
    following = None
    if cell is not None:
        tile = record.plan.cells[cell]
        photo = record.plan.photos[tile.photo].name
        following = {"cell": cell, "photo": photo, "box": list(tile.box.as_tuple())}
    return {
        "record": record.to_dict(),
        "estimate": estimate.to_dict(),
        "headline": headline(estimate),
        "advice": next_step(estimate),
        "next": following,
    }


async def _contents(state: State, photos: list[UploadFile]) -> dict[str, bytes]:
    limits = state.options
    if len(photos) > limits.batch:
        raise TooLargeError(
            f"An audit has at most {limits.batch} photos here", f"{len(photos)}", "Use crowdscale audit"
        )
    contents = dict[str, bytes]()
    for photo in photos:
        if (photo.size or 0) > limits.max_bytes:
            raise TooLargeError(f"{photo.filename} is larger than {limits.max_bytes / 1e6:g} MB")
        contents[photo.filename or f"photo {len(contents) + 1}"] = await photo.read()
    if len(contents) < len(photos):
        raise DataError("Two photos have the same name", "", "Rename one of them")
    return contents


def _started(state: State, contents: dict[str, bytes], seed: str, stop: threading.Event) -> AuditRecord:
    for content in contents.values():
        check_pixels(content, state.options.max_pixels)
    inputs = [AuditInput.of_bytes(name, content) for name, content in contents.items()]
    with state.counter.until(stop) as predictor:
        return start_audit(predictor, inputs, seed or None)


def _report(record: AuditRecord, contents: dict[str, bytes]) -> str:
    if not record.answers:
        raise DataError("A report needs a counted tile", "", "Count one first")

    def photo(index: int) -> Pixels:
        name = record.plan.photos[index].name
        if name not in contents:
            raise DataError(f"The photo {name} of the audit is missing")
        return read_image(contents[name]).pixels

    return report_html(record, photo)
