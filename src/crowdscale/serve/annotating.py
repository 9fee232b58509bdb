"""``POST /annotations``: heads of photos as a file of another tool; nothing is written on this machine."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import numpy as np
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from crowdscale.data.conversion import WRITTEN, annotation_files
from crowdscale.data.formats import Format, Label
from crowdscale.errors import DataError, unknown_name
from crowdscale.files.documents import Number, Whole, shaped
from crowdscale.points import Points
from crowdscale.serve.counter import TooLargeError
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.requests import read_body
from crowdscale.serve.state import State

__all__ = ["annotation_routes", "heads_file"]

MOST_BYTES = 50_000_000
"""Of a request."""
MOST_BOX = 10_000
TOGETHER = 10
"""Largest photos whose density maps one answer holds."""
IN_MEMORY = 50_000_000
"""Bytes of an archive beyond which it lies on the disk while it is made."""

HEADS = {
    "requestBody": {
        "required": True,
        "description": 'JSON: {"photos": [{"name": "a.jpg", "size": [width, height], "heads": [[x, y], …]}]}.',
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class _Photo(msgspec.Struct):
    name: str
    size: tuple[Whole, Whole]
    heads: list[tuple[Number, Number]]


class _Request(msgspec.Struct):
    photos: list[_Photo]


def annotation_routes(state: State) -> APIRouter:
    """Return the route that writes heads in other formats."""
    routes = APIRouter()
    written: dict[int | str, dict[str, Any]] = {status: RESPONSES[status] for status in (400, 408, 413)}

    @routes.post("/annotations", responses=written, openapi_extra=HEADS, response_class=Response)
    async def write(
        request: Request,
        format: Annotated[str, Query(description=f"One of {', '.join(WRITTEN)}.")] = "table",
        box: Annotated[
            float, Query(ge=0, le=MOST_BOX, description="Side of a square around each head; 0: none.")
        ] = 0.0,
    ) -> Response:
        """Return heads in a format of annotations: a file, or a ZIP of a file a photo."""
        if format not in WRITTEN:
            raise unknown_name("format", format, WRITTEN)
        body = await read_body(request, MOST_BYTES)
        most = state.options.max_pixels
        name, content = await run_in_threadpool(heads_file, body, WRITTEN[format], box, most)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
        return Response(content, media_type="application/octet-stream", headers=headers)

    return routes


def heads_file(body: bytes, to: Format, box: float, max_pixels: int) -> tuple[str, bytes]:
    """Return the name and the content of a file of annotations, or of a ZIP of several.

    Args:
        body: JSON of photos with their heads.
        to: The format.
        box: Side in pixels of the square drawn around each head; 0 draws none.
        max_pixels: Largest photo in pixels.

    Raises:
        DataError: The JSON is not as described, two photos have one name, or the format cannot hold the heads.
        TooLargeError: A photo, or density maps together, are too large.
    """
    labels = _labels(body, box, max_pixels, to)
    if to.one_file or len(labels) == 1:
        path, content = next(annotation_files(labels, to))
        return PurePosixPath(path).name, content
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in annotation_files(labels, to):
                archive.writestr(zipfile.ZipInfo(path), content, zipfile.ZIP_DEFLATED)
        stream.seek(0)
        return f"heads_{to.name}.zip", stream.read()


def _labels(body: bytes, box: float, max_pixels: int, to: Format) -> Mapping[str, Label]:
    try:
        values: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise DataError("expected photos and heads as JSON", str(error)) from error
    photos = shaped(values, _Request, "list of photos with heads", "The request").photos
    if not photos:
        raise DataError("expected photos with heads", "none")
    labels: dict[str, Label] = {}
    for photo in photos:
        _check(photo, max_pixels)
        if photo.name in labels:
            raise DataError(f"Two photos have the name {photo.name}", "", "Rename one of them")
        heads = np.array(photo.heads, np.float64).reshape(-1, 2)
        sizes = np.full(heads.shape, box) if box > 0 else None
        labels[photo.name] = Label(Points(heads), sizes, photo.size)
    pixels = sum(photo.size[0] * photo.size[1] for photo in photos)
    if to.name.startswith("density") and pixels > TOGETHER * max_pixels:
        raise TooLargeError("These density maps are too large together", "", "Use crowdscale data convert")
    return labels


def _check(photo: _Photo, max_pixels: int) -> None:
    parts = PurePosixPath(photo.name).parts
    if not photo.name.isprintable() or not parts or parts[0] == "/" or ".." in parts:
        raise DataError("expected a photo's name, or its path below a folder", repr(photo.name[:80]))
    width, height = photo.size
    if min(width, height) < 1 or width * height > max_pixels:
        raise TooLargeError(f"The size of {photo.name[:80]} is none of a photo that this service takes")
