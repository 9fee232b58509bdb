"""What ``crowdscale count`` is given: files, folders, patterns, web addresses, stdin, the clipboard, and their pages."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.errors import CrowdscaleError, ImageError, OptionError
from crowdscale.files.clipboard import CLIPBOARD, clipboard_photo
from crowdscale.files.names import shown_name
from crowdscale.files.pages import pages_of, split_page
from crowdscale.files.storage import WEB, is_url, read_photo_bytes

if TYPE_CHECKING:
    from crowdscale.files.images import Photo

__all__ = ["PAGES", "Found", "PhotoSource", "check_pages", "find_sources", "refuse_address"]

STDIN = "-"
PAGES = ("main", "all")
"""Values of ``--pages``."""
MOST_STDIN = 1_300_000_000


@dataclass(frozen=True)
class PhotoSource:
    """One photo, or one page of it."""

    name: str
    """Path or address without password, as results name it; ``scan.tif#2`` for a page."""
    address: str
    """Path or address with the page."""
    data: bytes | None = None
    """Its bytes, where they were read already."""
    page: int | None = None
    """Of the bytes; that of a path is in its address."""

    def open(self, max_pixels: int) -> Photo:
        """Return the decoded photo. Raises ImageError, OSError."""
        from crowdscale.counting.attempts import read_file
        from crowdscale.files.images import read_image

        if self.data is None:
            return read_file(self.address, max_pixels)
        return read_image(self.data, max_pixels, self.page)


@dataclass
class Found:
    """The photos of all sources."""

    photos: list[PhotoSource]
    faults: list[tuple[str, str]]
    """(source, sentence) of each source without photos."""
    others: Counter[str]
    """Suffixes of the files that were left out."""


def check_pages(pages: str) -> None:
    """Refuse another value of ``--pages`` than those known. Raises OptionError."""
    if pages not in PAGES:
        raise OptionError("expected --pages main or all", repr(pages))


def refuse_address(source: str) -> None:
    """Refuse an address that is no photo's. Raises OptionError."""
    if source == CLIPBOARD or not is_url(source) or source.lower().startswith(WEB):
        return
    if source.lower().startswith(("rtsp://", "rtsps://", "rtmp://", "rtmps://", "udp://", "srt://")):
        raise OptionError.plain(f"{source} is a stream", f"Run: crowdscale watch {source}")
    raise OptionError.plain(f"{source} needs --out", "Name a folder for the results: --out DIR")


def find_sources(sources: Sequence[str], pages: str) -> Found:
    """Return each photo once, a fault for each source without photos, and the suffixes left out."""
    photos: dict[str, PhotoSource] = {}
    others: dict[str, str] = {}
    faults = []

    def leave_out(path: Path) -> None:
        others[os.path.realpath(path)] = path.suffix.lower()

    for source in sources:
        try:
            for photo in _photos_of(source, leave_out, pages == "all"):
                key = (
                    photo.address
                    if photo.data is not None or is_url(source)
                    else os.path.realpath(photo.address)
                )
                photos.setdefault(key, photo)
        except CrowdscaleError as error:
            faults.append((shown_name(source), str(error)))
    return Found(list(photos.values()), faults, Counter(others.values()))


def _photos_of(source: str, leave_out: object, every_page: bool) -> list[PhotoSource]:
    data, name = None, shown_name(source)
    if source in (STDIN, CLIPBOARD):
        data, name = (_stdin(), "stdin") if source == STDIN else (clipboard_photo(), "clipboard")
    elif is_url(source) and every_page:
        data = read_photo_bytes(split_page(source)[0])
    elif not is_url(source):
        from crowdscale.files.finding import find_images

        local = [str(path) for path in find_images([source], leave_out)]  # type: ignore[arg-type]
        named = [page for photo in local for page in (pages_of(photo) if every_page else [photo])]
        return [PhotoSource(photo, photo) for photo in named]
    if not every_page or data is None:
        return [PhotoSource(name, source, data)]
    pages = pages_of(source, data)
    if len(pages) == 1:
        return [PhotoSource(name, source, data, split_page(source)[1])]
    numbers = [int(page.rpartition("#")[2]) for page in pages]
    return [PhotoSource(f"{name}#{number}", f"{source}#{number}", data, number) for number in numbers]


def _stdin() -> bytes:
    """Return the photo on stdin. Raises ImageError."""
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError("expected a photo on stdin", "a keyboard", "Run: crowdscale count - < photo.jpg")
    data = sys.stdin.buffer.read(MOST_STDIN + 1)
    if len(data) > MOST_STDIN:
        raise ImageError("expected a photo of at most 1.3 GB on stdin", "more")
    if not data:
        raise ImageError("expected a photo on stdin", "nothing")
    return data
