"""``POST /corrections``: a corrected photo and its heads go into one folder, from which ``crowdscale train`` learns.

Areas to ignore are painted in a flat colour in the saved copy: training neither sees nor counts the people there.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from fastapi import APIRouter, File, Form, UploadFile
from PIL import Image
from starlette.concurrency import run_in_threadpool

from crowdscale.errors import DataError, ImageError
from crowdscale.files.images import read_image
from crowdscale.files.writing import write_atomic
from crowdscale.points import Box, Points
from crowdscale.serve.counter import TooLargeError, check_pixels
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.state import State

__all__ = ["correction_routes", "save_correction"]

LONGEST = 60
"""Signs of a photo's name that its copy keeps."""
MOST_HEADS = 100_000
QUALITY = 95
"""Of the JPEG in which areas are painted."""
SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"BM": ".bmp",
    b"II": ".tif",
    b"MM": ".tif",
}
"""By a photo's first bytes; the name of the file that was sent is not trusted."""


class Correction(NamedTuple):
    """Heads and areas to ignore, in pixels of the upright photo."""

    heads: Points
    ignore: list[Box]


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
                description="JSON: heads [[x, y], …], ignore [[left, top, right, bottom], …].",
            ),
        ],
    ) -> dict[str, Any]:
        """Save a corrected photo for training."""
        if (photo.size or 0) > limits.max_bytes:
            raise TooLargeError(f"The photo is larger than {limits.max_bytes / 1e6:g} MB")
        content, name = await photo.read(), photo.filename or "photo"
        saved = await run_in_threadpool(save_correction, folder, name, content, correction, limits.max_pixels)
        return {"saved": saved, "photos": len(list(folder.glob("*.csv")))}

    return routes


def save_correction(folder: Path, name: str, photo: bytes, text: str, max_pixels: int) -> str:
    """Write a photo and its heads beside each other; return the photo's name in the folder.

    Saving the same photo again replaces its heads.

    Args:
        folder: Of corrections.
        name: Of the photo; only its letters and digits are kept.
        photo: Its bytes.
        text: JSON of heads and areas.
        max_pixels: Largest photo in pixels.

    Raises:
        ImageError: The bytes are no photo, or too large.
        DataError: The JSON is no correction of this photo.
    """
    check_pixels(photo, max_pixels)
    pixels = read_image(photo).pixels
    correction = _parse(text, pixels.shape[1], pixels.shape[0])
    stem = re.sub(r"[^\w-]+", "_", Path(name).stem)[:LONGEST].strip("_") or "photo"
    stem = f"{stem}-{hashlib.sha256(photo).hexdigest()[:8]}"
    suffix = next((suffix for start, suffix in SUFFIXES.items() if photo.startswith(start)), None)
    if suffix is None:
        raise ImageError(
            "Corrections are saved of JPEG, PNG, WebP, BMP and TIFF photos", "", "Convert this one"
        )
    if correction.ignore:
        suffix, photo = ".jpg", _painted(pixels, correction.ignore)
    rows = "".join(f"{x:.2f},{y:.2f}\n" for x, y in _outside(correction).xy)
    write_atomic(folder / f"{stem}{suffix}", lambda stream: stream.write(photo))
    write_atomic(folder / f"{stem}.csv", lambda stream: stream.write(rows.encode()))
    return f"{stem}{suffix}"


def _parse(text: str, width: int, height: int) -> Correction:
    try:
        values = json.loads(text)
        heads = np.array(values["heads"], np.float64).reshape(-1, 2)
        boxes = [Box(*map(int, area)).within(Box(0, 0, width, height)) for area in values.get("ignore", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            'The correction needs "heads" as [x, y] pairs and "ignore" as boxes', str(error)
        ) from error
    if len(heads) > MOST_HEADS:
        raise DataError(f"A correction has at most {MOST_HEADS:,} heads", f"{len(heads):,}")
    points = Points(heads)
    if len(points.inside(Box(0, 0, width, height))) < len(points):
        raise DataError(f"Heads lie outside the photo of {width}×{height} pixels")
    return Correction(points, boxes)


def _outside(correction: Correction) -> Points:
    points = correction.heads
    for box in correction.ignore:
        points = points.outside(box)
    return points


def _painted(pixels: np.ndarray[Any, np.dtype[np.uint8]], boxes: list[Box]) -> bytes:
    """Return the photo as a JPEG with boxes in its mean colour."""
    painted = pixels.copy()
    colour = np.rint(pixels.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
    for box in boxes:
        painted[box.slices] = colour
    stream = io.BytesIO()
    Image.fromarray(painted).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
