"""Corrections: photos with corrected heads or audited tiles in one folder, from which ``crowdscale train`` learns.

The photo is saved as it is, and beside it ``NAME.json``: heads, areas to ignore, and of an audit the tiles that were
counted, outside which nothing is known.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from crowdscale.errors import DataError, ImageError
from crowdscale.files.documents import parse_json
from crowdscale.files.images import read_image
from crowdscale.files.writing import write_atomic
from crowdscale.points import Box, Points

__all__ = ["MOST_HEADS", "Correction", "count_corrections", "save_correction"]

LONGEST = 60
"""Signs of a photo's name that its copy keeps."""
MOST_HEADS = 100_000
MOST_AREAS = 10_000
SUFFIXES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"BM": ".bmp",
    b"II": ".tif",
    b"MM": ".tif",
}
"""By a photo's first bytes; the name of the file that was sent is not trusted."""
LABELS = (".json", ".csv")
"""Suffixes of a photo's heads; earlier versions wrote the second."""


class Correction(NamedTuple):
    """Heads and areas, in pixels of the upright photo."""

    heads: Points
    ignore: list[Box]
    """Areas whose people are not marked."""
    only: list[Box]
    """Audited tiles; where there are any, nothing outside them is known."""


def count_corrections(folder: Path) -> int:
    """Return the number of corrected photos in a folder."""
    return len({path.stem for path in folder.glob("*") if path.suffix in LABELS})


def save_correction(folder: Path, name: str, photo: bytes, text: str) -> str:
    """Write a photo and its heads beside each other; return the photo's name in the folder.

    Saving the same photo again replaces its heads. Audited tiles are added to those of earlier audits, and never
    replace heads of the whole photo.

    Args:
        folder: Of corrections.
        name: Of the photo; only its letters and digits are kept.
        photo: Its bytes.
        text: JSON of ``heads`` [[x, y], …], ``ignore`` and ``only`` [[left, top, right, bottom], …], all in pixels
            of the upright photo.

    Raises:
        ImageError: The bytes are no photo, or one of a format that training does not read.
        DataError: The JSON is no correction of this photo, or of tiles where the whole photo is corrected.
    """
    height, width = read_image(photo).pixels.shape[:2]
    correction = _parse(text, width, height)
    suffix = next((suffix for start, suffix in SUFFIXES.items() if photo.startswith(start)), None)
    if suffix is None:
        raise ImageError(
            "Corrections are saved of JPEG, PNG, WebP, BMP and TIFF photos", "", "Convert this one"
        )
    digest = hashlib.sha256(photo).hexdigest()[:8]
    stem = re.sub(r"[^\w-]+", "_", Path(name).stem)[:LONGEST].strip("_") or "photo"
    stem = next((path.stem for path in folder.glob(f"*-{digest}.json")), f"{stem}-{digest}")
    if correction.only:
        correction = _joined(folder / f"{stem}.json", correction, width, height)
    content = {
        "points": _counted(correction).xy.round(2).tolist(),
        "photo_size": [width, height],
        **{key: [box.as_tuple() for box in boxes] for key, boxes in correction._asdict().items() if key != "heads" and boxes},
    }  # fmt: skip
    _write(folder, stem, suffix, photo, json.dumps(content).encode() + b"\n")
    return f"{stem}{suffix}"


def _write(folder: Path, stem: str, suffix: str, photo: bytes, heads: bytes) -> None:
    """Write both files, then remove what an earlier version called otherwise."""
    write_atomic(folder / f"{stem}{suffix}", lambda stream: stream.write(photo))
    write_atomic(folder / f"{stem}.json", lambda stream: stream.write(heads))
    for former in (".csv", *SUFFIXES.values()):
        if former != suffix:
            (folder / f"{stem}{former}").unlink(missing_ok=True)


def _parse(text: str, width: int, height: int) -> Correction:
    try:
        values = json.loads(text)
        heads = np.array(values["heads"], np.float64).reshape(-1, 2)
        ignore, only = (_boxes(values.get(key, []), width, height) for key in ("ignore", "only"))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataError(
            'The correction needs "heads" as [x, y] pairs, and "ignore" and "only" as boxes', str(error)
        ) from error
    if len(heads) > MOST_HEADS or len(ignore) + len(only) > MOST_AREAS:
        raise DataError(
            f"A correction has at most {MOST_HEADS:,} heads and {MOST_AREAS:,} areas",
            f"{len(heads):,} and {len(ignore) + len(only):,}",
        )
    points = Points(heads)
    if len(points.inside(Box(0, 0, width, height))) < len(points):
        raise DataError(f"Heads lie outside the photo of {width}×{height} pixels")
    return Correction(points, ignore, only)


def _boxes(areas: list[list[int]], width: int, height: int) -> list[Box]:
    """Return boxes within the photo, without those that hold no pixel of it."""
    boxes = [Box(*map(int, area)).within(Box(0, 0, width, height)) for area in areas]
    return [box for box in boxes if box.area]


def _joined(file: Path, tiles: Correction, width: int, height: int) -> Correction:
    """Return audited tiles with those that the folder holds already; a tile that was counted again replaces the old."""
    former = file.with_suffix(".csv").exists()
    if not file.exists() and not former:
        return tiles
    saved = {} if former else parse_json(file.read_bytes(), file.name)
    if not saved.get("only"):
        raise DataError(
            "This photo is saved with the heads of all of it, which the tiles of an audit do not replace"
        )
    before = _parse(json.dumps({**saved, "heads": saved["points"]}), width, height)
    heads = before.heads
    for box in tiles.only:
        heads = heads.outside(box)
    only = list(dict.fromkeys([*before.only, *tiles.only]))
    return Correction(Points.concatenate([heads, tiles.heads]), before.ignore + tiles.ignore, only)


def _counted(correction: Correction) -> Points:
    """Return the heads that no ignored area holds and, of an audit, a tile does."""
    points = correction.heads
    for box in correction.ignore:
        points = points.outside(box)
    if correction.only:
        held = np.any([box.contains(points.xy) for box in correction.only], axis=0)
        points = points.select(held)
    return points
