"""``POST /corrections``: a corrected photo and its heads go into the service's folder of corrections."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.concurrency import run_in_threadpool

from crowdscale.data.corrections import count_corrections, save_correction
from crowdscale.serve.counter import TooLargeError, check_pixels
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.state import State
from crowdscale.serve.storing import storing

__all__ = ["correction_routes"]


def correction_routes(state: State) -> APIRouter:
    """Return the route that saves corrections; none where the service has no folder for them."""
    routes = APIRouter()
    folder, limits = state.options.corrections, state.options
    if folder is None:
        return routes

    @routes.post("/corrections", responses=RESPONSES)
    async def save(
        photo: Annotated[UploadFile, File(description="The photo.")],
        correction: Annotated[
            str,
            Form(
                max_length=10_000_000,
                description="JSON: heads [[x, y], …], ignore [[left, top, right, bottom], …], only: the same of audited tiles.",
            ),
        ],
    ) -> dict[str, Any]:
        """Save a corrected photo for training."""
        if (photo.size or 0) > limits.max_bytes:
            raise TooLargeError(f"The photo is larger than {limits.max_bytes / 1e6:g} MB")
        content, name = await photo.read(), photo.filename or "photo"
        with storing("the correction"):
            await run_in_threadpool(check_pixels, content, limits.max_pixels)
            saved = await run_in_threadpool(save_correction, folder, name, content, correction)
        return {"saved": saved, "photos": await run_in_threadpool(count_corrections, folder)}

    return routes
