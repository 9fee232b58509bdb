"""Names of the pictures of photos: below their common folder, apart where two photos share a name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from crowdscale.files.kinds import IMAGE_SUFFIXES
from crowdscale.files.pages import split_page
from crowdscale.files.storage import is_url

__all__ = ["picture_names"]


def picture_names(photos: Sequence[str | Path], twins: bool = False) -> dict[str | Path, Path]:
    """Return a name for each photo, below their common folder: ``photo``, or for page 2 of a scan ``scan_2``.

    The suffix stays in the name where another photo differs by it alone: ``photo.png`` and ``photo.jpg``. What is
    equal then, as in other letters, is numbered.

    Args:
        photos: Paths and addresses, with the page.
        twins: Look for such photos in the folders, too, so that a name does not depend on what is counted with it.
    """
    places = [_place(str(photo)) for photo in photos]
    whole = [place.absolute() for place, _ in places]
    try:
        base = os.path.commonpath([place.parent for place in whole])
        names = [place.relative_to(base) for place in whole]
    except ValueError:  # drives of Windows share no folder
        names = [Path(place.name) for place in whole]
    files = dict(zip(names, whole, strict=True))
    stems = Counter(_key(name) for name in files)
    chosen: dict[str | Path, Path] = {}
    taken: set[str] = set()
    for photo, name, (_, page) in zip(photos, names, places, strict=True):
        shared = stems[_key(name)] > 1 or (twins and _has_twin(files[name]))
        free = name if shared else name.with_suffix("")
        free = free.with_name(f"{free.name}_{page}") if page else free
        chosen[photo] = _numbered(free, taken)
    return chosen


def _place(photo: str) -> tuple[Path, int | None]:
    """Return a path for a photo, and its page."""
    base, page = split_page(photo)
    if base == photo and page is None and "#" in photo and not Path(photo).exists():
        before, _, number = photo.rpartition("#")  # of stdin or the clipboard, which are no files
        base, page = (before, int(number)) if number.isdecimal() else (base, None)
    if is_url(base):
        return Path(Path(unquote(urlsplit(base).path)).name or "photo"), page
    return Path(base), page


def _key(name: Path) -> str:
    return str(name.with_suffix("")).casefold()


def _has_twin(photo: Path) -> bool:
    return _stems(photo.parent)[photo.stem.casefold()] > 1


@lru_cache(64)
def _stems(folder: Path) -> Counter[str]:
    """Return how many photos of a folder have each name without suffix."""
    try:
        names = [Path(name) for name in os.listdir(folder)]  # noqa: PTH208
    except OSError:
        return Counter()
    return Counter(name.stem.casefold() for name in names if name.suffix.lower() in IMAGE_SUFFIXES)


def _numbered(name: Path, taken: set[str]) -> Path:
    number, free = 2, name
    while str(free).casefold() in taken:
        free, number = name.with_name(f"{name.name}_{number}"), number + 1
    taken.add(str(free).casefold())
    return free
