"""Pages of a file as photos with names of their own: ``scan.tif#2`` is its second page, or its second frame."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from crowdscale.errors import CrowdscaleError
from crowdscale.files.kinds import ONE_PAGE
from crowdscale.files.storage import is_url, read_photo_bytes

__all__ = ["each_page", "pages_of", "split_page"]


def split_page(source: str) -> tuple[str, int | None]:
    """Return the file or address of a photo, and the page of its name; None where it names none.

    A file whose own name ends so is itself.
    """
    base, _, number = source.rpartition("#")
    if not base or not (number.isascii() and number.isdecimal()) or int(number) < 1:
        return source, None
    if not is_url(source) and (Path(source).exists() or not Path(base).exists()):
        return source, None
    return base, int(number)


def each_page(photos: Iterable[str]) -> Iterator[str]:
    """Yield a name for each page of each photo; a photo of one page keeps its own, and so does one with a fault."""
    for photo in photos:
        yield from pages_of(photo)


def pages_of(photo: str, data: bytes | None = None) -> list[str]:
    """Return a name for each page of a photo.

    Args:
        photo: Its path or address.
        data: Its bytes, where they are here already.
    """
    from crowdscale.files.decoder import photo_pages

    base, page = split_page(photo)
    if page is not None or (data is None and Path(base).suffix.lower() in ONE_PAGE):
        return [photo]
    try:
        if data is None and is_url(base):
            data = read_photo_bytes(base)
        numbers = photo_pages(base if data is None else io.BytesIO(data), base)
    except CrowdscaleError:  # which reading it will raise again
        return [photo]
    return [f"{base}#{number}" for number in numbers] if len(numbers) > 1 else [photo]
