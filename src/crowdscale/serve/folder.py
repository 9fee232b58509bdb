"""``/folder``: the user's own photos, with the heads of NAME.jpg in NAME.json beside it, as ``crowdscale train`` reads.

No path of a request is opened: photos are listed from the disk, and a request names one of the list. Each save states
which version it continues from, so that two tabs or programs never overwrite each other.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from crowdscale.data.corrections import MOST_HEADS
from crowdscale.data.scanning import scan_folder
from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.files.documents import parse_json
from crowdscale.files.writing import write_atomic
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.page import media_type
from crowdscale.serve.requests import read_body
from crowdscale.serve.state import State
from crowdscale.serve.storing import storing

__all__ = ["OvertakenError", "PhotoFolder", "folder_routes"]

MOST_BYTES = 10_000_000
"""Of the heads of one photo."""
KEPT = ("points", "ignore")
"""What the page edits; other values of a file stay."""


class OvertakenError(CrowdscaleError):
    """The heads were saved elsewhere since they were read."""


@dataclass(frozen=True)
class Heads:
    """Heads and areas to ignore, and the version of their file."""

    values: dict[str, Any]
    revision: str
    """Beginning of the file's sha256; empty where there is none."""


class PhotoFolder:
    """Photos of a folder and their heads.

    Args:
        root: The folder, searched in full.

    Raises:
        DataError: There is no such folder.
        ImageError: It holds no photo.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._photos: dict[str, Path] = {}
        self._refused: dict[str, str] = {}
        self.listed()

    def listed(self) -> list[dict[str, Any]]:
        """Return the photos as they lie on the disk now: name, bytes, time, whether heads are saved, what forbids it."""
        scan = scan_folder(self.root)
        photos = {path.relative_to(self.root).as_posix(): path for path in scan.photos.values()}
        refused = {
            name: _elsewhere(place)
            for name, (place, _) in scan.labels.items()
            if place != str(_file(scan.photos[name]))
        }
        refused |= {name: str(error) for name, error in scan.problems}
        self._refused = {
            path.relative_to(self.root).as_posix(): refused[name]
            for name, path in scan.photos.items()
            if name in refused
        }
        self._photos = photos
        return [self._describe(name, path) for name, path in photos.items()]

    def _describe(self, name: str, path: Path) -> dict[str, Any]:
        facts = path.stat()
        saved, refused = _file(path).is_file(), self._refused.get(name, "")
        return {
            "name": name,
            "bytes": facts.st_size,
            "time": int(facts.st_mtime * 1000),
            "saved": saved,
            "refused": refused,
        }

    def photo(self, name: str) -> Path:
        """Return the path of a photo of the list. Raises DataError for any other name."""
        if name not in self._photos:
            raise DataError(f"There is no photo {name[:80]!r} in this folder", "", "Open the page again")
        return self._photos[name]

    def read(self, name: str) -> Heads:
        """Return the heads that are saved for a photo; none yet is no error.

        Raises:
            DataError: The file is not one that the page writes, and would lose something.
        """
        file = _file(self.photo(name))
        if name in self._refused:
            raise DataError(self._refused[name])
        content = file.read_bytes() if file.is_file() else b""
        return Heads(_values(content, file.name) if content else {}, _revision(content))

    def save(self, name: str, heads: list[Any], ignore: list[Any], revision: str) -> Heads:
        """Write the heads of a photo; return them with their new version.

        Args:
            name: Of the photo.
            heads: [x, y] in pixels of the photo.
            ignore: [left, top, right, bottom] of areas that do not count.
            revision: The version that the heads continue from.

        Raises:
            OvertakenError: The file is of another version by now. Nothing is written.
            StorageError: It cannot be written. The file from before stays.
        """
        file = _file(self.photo(name))
        with self._lock:
            before = self.read(name)
            if before.revision != revision:
                raise OvertakenError(
                    f"{name} was saved in another tab or program meanwhile, so nothing was overwritten", "",
                    "Open it again to continue from there, or save a copy of your heads first",
                )  # fmt: skip
            kept = {key: value for key, value in before.values.items() if key not in KEPT}
            values = {**kept, "points": heads, **({"ignore": ignore} if ignore else {})}
            content = json.dumps(values).encode() + b"\n"
            with storing(file.name):
                write_atomic(file, lambda stream: stream.write(content))
        return Heads(values, _revision(content))


def _file(photo: Path) -> Path:
    return photo.with_suffix(".json")


def _elsewhere(place: str) -> str:
    name = Path(place.partition(",")[0]).name
    return (
        f"The heads of this photo lie in {name}, which the page does not write. "
        "Convert the folder first: crowdscale data convert DIR NEW --to json --photos copy"
    )


def _revision(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16] if content else ""


def _values(content: bytes, name: str) -> dict[str, Any]:
    """Return the content of NAME.json. Raises DataError where the page would lose what it holds."""
    values = parse_json(content, name)
    values = {"points": values} if isinstance(values, list) else values
    boxes = values.get("ignore", [])
    if (
        values.get("sizes")
        or values.get("only")
        or any(isinstance(each, list) for area in boxes for each in area)
    ):
        raise DataError(f"{name} holds boxes, tiles of an audit or polygons, which the page would lose")
    return dict(values)


def _checked(body: bytes) -> tuple[list[Any], list[Any]]:
    """Return heads and areas of a request as numbers. Raises DataError."""
    try:
        values = json.loads(body)
        heads = [[round(float(x), 2), round(float(y), 2)] for x, y in values["heads"]]
        ignore = [[int(edge) for edge in area] for area in values.get("ignore", [])]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError('expected "heads" as [x, y] pairs and "ignore" as boxes', str(error)) from error
    sound = all(abs(value) < 1e9 for head in heads for value in head)  # not so for NaN
    if not sound or len(heads) > MOST_HEADS or any(len(area) != 4 for area in ignore):
        raise DataError(f"expected at most {MOST_HEADS:,} finite heads, and areas of 4 numbers")
    return heads, ignore


Name = Annotated[str, Query(max_length=1000, description="Of a photo of the list.")]


BODY = {
    "requestBody": {
        "required": True,
        "description": "JSON: heads [[x, y], …], ignore [[left, top, right, bottom], …].",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


def folder_routes(state: State) -> APIRouter:
    """Return the routes of the user's own folder; none where the service was started without one."""
    routes = APIRouter(prefix="/folder")
    if state.options.folder is None:
        return routes
    folder = PhotoFolder(state.options.folder)
    answers: dict[int | str, dict[str, Any]] = {
        status: RESPONSES[status] for status in (400, 408, 409, 413, 507)
    }

    @routes.get("")
    async def photos() -> dict[str, Any]:
        """List the photos of the folder."""
        return {"folder": str(folder.root), "photos": await run_in_threadpool(folder.listed)}

    @routes.get("/photo", responses=answers, response_class=Response)
    async def photo(name: Name) -> Response:
        """Return a photo's bytes."""
        path = folder.photo(name)
        content = await run_in_threadpool(path.read_bytes)
        return Response(content, media_type=media_type(path), headers={"cache-control": "no-store"})

    @routes.get("/heads", responses=answers)
    async def heads(name: Name) -> dict[str, Any]:
        """Return the heads that are saved for a photo, and their version."""
        return _answer(await run_in_threadpool(folder.read, name))

    @routes.post("/heads", responses=answers, openapi_extra=BODY)
    async def save(
        request: Request,
        name: Name,
        revision: Annotated[
            str, Query(max_length=64, description="The version that the heads continue from.")
        ] = "",
    ) -> dict[str, Any]:
        """Save the heads of a photo beside it."""
        new = _checked(await read_body(request, MOST_BYTES))
        return _answer(await run_in_threadpool(folder.save, name, *new, revision))

    return routes


def _answer(heads: Heads) -> dict[str, Any]:
    values = heads.values
    return {"heads": values.get("points"), "ignore": values.get("ignore", []), "revision": heads.revision}
