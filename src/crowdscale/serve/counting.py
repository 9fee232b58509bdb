"""``POST /count`` and ``POST /count/batch``: photos in, results of the one schema out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from crowdscale.counting import options
from crowdscale.counting.prediction import Prediction
from crowdscale.errors import CrowdscaleError
from crowdscale.serve.counter import TooLargeError
from crowdscale.serve.line import BusyError
from crowdscale.serve.requests import read_body, while_connected
from crowdscale.serve.state import State

__all__ = ["RESPONSES", "counting_routes", "result_of"]

PHOTO = {
    "requestBody": {
        "required": True,
        "description": "The bytes of a JPEG, PNG, WebP, BMP or TIFF.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

SENTENCES = {
    400: "The body is no photo.",
    401: "The token is missing or wrong.",
    403: "The request comes from another page.",
    408: "The photo did not arrive in time.",
    409: "It was saved elsewhere meanwhile; nothing was overwritten.",
    413: "The photo is too large.",
    421: "The host is not known.",
    422: "A value of the request cannot be used.",
    503: "The queue is full; Retry-After gives the seconds to wait.",
    504: "The photo was not counted in time.",
    507: "The disk is full; what was saved before is intact.",
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": sentence,
        "content": {
            "application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}
        },
    }
    for status, sentence in SENTENCES.items()
}
"""Of every route that counts, for OpenAPI."""

Name = Annotated[str, Query(max_length=500, description="The photo's name, returned with its result.")]


TURNS: dict[str, options.Turn] = {str(value): value for value in get_args(options.Turn)}

Turned = Annotated[
    Literal["auto", "90", "180", "270", "off"],
    Query(
        description="Degrees by which the photo is turned clockwise first; auto turns one that lies on its side or is "
        "upside down. Sizes and positions are those of the turned photo."
    ),
]


def counting_routes(state: State) -> APIRouter:
    """Return the routes that count photos."""
    routes = APIRouter()

    @routes.post("/count", responses=RESPONSES, openapi_extra=PHOTO, response_class=JSONResponse)
    async def count(
        request: Request,
        name: Name = "",
        density: Annotated[bool, Query(description="Add the people in each cell of a grid.")] = False,
        turn: Turned = "off",
    ) -> dict[str, Any]:
        """Count the people in one photo."""
        limits = state.options
        photo = await read_body(request, limits.max_bytes)
        prediction = await while_connected(request, _counted(state, photo, TURNS[turn]), limits.timeout)
        return result_of(prediction, name, density)

    @routes.post("/count/batch", responses=RESPONSES, response_class=StreamingResponse)
    async def count_batch(
        photos: Annotated[list[UploadFile], File(description="Photos; each is limited as a single one.")],
        turn: Turned = "off",
    ) -> StreamingResponse:
        """Count several photos; each result is a line of JSON, sent as soon as it is there."""
        if len(photos) > state.options.batch:
            raise TooLargeError(
                f"A batch has at most {state.options.batch} photos", f"{len(photos)}", "Send several"
            )
        return StreamingResponse(_lines(state, photos, TURNS[turn]), media_type="application/x-ndjson")

    return routes


def result_of(prediction: Prediction, name: str, density: bool = False) -> dict[str, Any]:
    """Return a prediction in the one schema, under the photo's name."""
    values = {"photo": name, **prediction.to_dict(), **({"photo": name} if name else {})}
    if density and prediction.density is not None:
        blocks = prediction.blocks()
        assert blocks is not None  # a density has cells
        values["density"] = {
            "cell": list(prediction.cell),
            "rows": blocks.people.shape[0],
            "columns": blocks.people.shape[1],
            "people": blocks.people.ravel().round(5).tolist(),
        }
    return values


async def _counted(state: State, photo: bytes, turn: options.Turn) -> Prediction:
    prediction = await state.line.run(lambda stop: state.counter.count(photo, stop, turn))
    state.meters.counted(prediction.count, prediction.seconds)
    return prediction


async def _lines(state: State, photos: list[UploadFile], turn: options.Turn) -> AsyncIterator[str]:
    """Count photo by photo; a bad one is a line with an error, and the others go on."""
    for photo in photos:
        name = photo.filename or ""
        try:
            if (photo.size or 0) > state.options.max_bytes:
                raise TooLargeError(f"The photo is larger than {state.options.max_bytes / 1e6:g} MB")
            values = result_of(await _counted(state, await photo.read(), turn), name)
        except CrowdscaleError as error:
            values = {"photo": name, "error": str(error)}
            if isinstance(error, BusyError):
                values["retry_after"] = error.seconds
        yield json.dumps(values) + "\n"
