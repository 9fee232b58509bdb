"""The page of a report against its record: words, tables and marks to the letter, pictures against the photos at hand."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np

from crowdscale import __version__
from crowdscale.errors import CrowdscaleError
from crowdscale.files.images import Pixels, read_image
from crowdscale.trust.audit.record import AuditRecord
from crowdscale.trust.audit.report import report_html
from crowdscale.trust.audit.report_page import CLOSING, MOST_PHOTOS, OPENING

__all__ = ["check_page"]

PICTURE = re.compile(r'href="data:image/jpeg;base64,([^"]*)"')
BLOCK = 8
"""Side in pixels of the blocks whose mean brightness is compared."""
APART = 24.0
"""Difference of a block's brightness that no other decoder or compression makes; a head that was painted out makes more."""
EXCERPT = 60
"""Letters of a difference that are shown."""


def check_page(
    record: AuditRecord, text: str, photos: Mapping[int, Callable[[], Pixels]]
) -> Iterator[tuple[bool | None, str]]:
    """Yield whether each part of a report shows what its record gives, with a sentence.

    Args:
        record: The audit.
        text: The report as HTML.
        photos: (h, w, 3) RGB pixels of the photos at hand, by the photo's index.
    """
    if record.model.version != __version__:
        yield None, f"The page was made by crowdscale {record.model.version}: its words were not compared."
        return
    expected = report_html(record, lambda index: _pixels(record, index, photos))
    difference = _first_difference(_words(text), _words(expected))
    if difference is None:
        yield True, "Words, tables and marks of the page are those of the record."
    else:
        yield False, f"The page shows “{difference[0]}” where its record gives “{difference[1]}”."
    yield from _check_pictures(record, text, expected, set(photos))


def _pixels(record: AuditRecord, index: int, photos: Mapping[int, Callable[[], Pixels]]) -> Pixels:
    """Return a photo; one that is not at hand is black."""
    photo = record.plan.photos[index]
    pixels = photos[index]() if index in photos else None
    if pixels is None or pixels.shape[:2] != (photo.height, photo.width):
        return np.zeros((photo.height, photo.width, 3), np.uint8)
    return pixels


def _words(text: str) -> list[str]:
    """Return the lines of a page without pictures and without the record."""
    before, _, rest = text.partition(OPENING)
    return PICTURE.sub("", before + rest.partition(CLOSING)[2]).splitlines()


def _first_difference(shown: list[str], known: list[str]) -> tuple[str, str] | None:
    """Return excerpts of both pages from where they begin to differ; None where they are equal."""
    if shown == known:
        return None
    length = max(len(shown), len(known))
    pairs = zip(shown + [""] * (length - len(shown)), known + [""] * (length - len(known)), strict=True)
    one, other = next(pair for pair in pairs if pair[0] != pair[1])
    start = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    start = max(0, start - EXCERPT // 3)
    return one[start : start + EXCERPT], other[start : start + EXCERPT]


def _check_pictures(
    record: AuditRecord, text: str, page: str, at_hand: set[int]
) -> Iterator[tuple[bool | None, str]]:
    """Compare each picture with the one that the photo gives."""
    drawn = [record.plan.cells[cell].photo for cell in record.plan.order(len(record.answers))]
    overviews = sorted(set(drawn))[:MOST_PHOTOS]
    names = [f"the overview of {record.plan.photos[index].name}" for index in overviews]
    names += [f"tile {tile}" for tile in range(1, len(drawn) + 1)]
    shown, expected = PICTURE.findall(text), PICTURE.findall(page)
    if len(shown) != len(expected):
        yield False, f"The page has {len(shown)} pictures, and its record gives {len(expected)}."
        return
    compared = [
        (name, _alike(one, other))
        for name, photo, one, other in zip(names, overviews + drawn, shown, expected, strict=True)
        if photo in at_hand
    ]
    others = [name for name, alike in compared if not alike]
    if others:
        yield False, f"The photo does not show what the page shows as {', '.join(others)}."
    elif compared:
        yield True, f"{len(compared)} of {len(shown)} pictures show what the photos show there."
    else:
        yield None, "Pictures were not compared: that needs the photos."


def _alike(one: str, other: str) -> bool:
    """Return whether two JPEGs as base64 are of one size and as bright in each block."""
    try:
        pictures = [read_image(base64.b64decode(text)).pixels for text in (one, other)]
    except (CrowdscaleError, ValueError):
        return False
    if pictures[0].shape != pictures[1].shape:
        return False
    grey = [cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) for pixels in pictures]
    height, width = grey[0].shape
    size = (max(1, width // BLOCK), max(1, height // BLOCK))
    return bool(np.abs(cv2.resize(grey[0] - grey[1], size, interpolation=cv2.INTER_AREA)).max() < APART)
