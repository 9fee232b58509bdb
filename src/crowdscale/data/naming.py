"""Finds photos by the names in annotation files: paths, other suffixes, hashes, either Unicode form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from crowdscale.data.formats.labelstudio_names import address_name, without_hash
from crowdscale.files.finding import IMAGE_SUFFIXES

__all__ = ["PhotoNames"]

RENAMED = re.compile(r"_(jpe?g|png|bmp|webp|tiff?)\.rf\.[0-9A-Za-z]{16,}(?=\.[A-Za-z]+$|$)", re.IGNORECASE)
"""Roboflow calls IMG_1.jpg IMG_1_jpg.rf.HASH.jpg."""


class PhotoNames:
    """The photos of a folder, found by a name in an annotation file.

    Args:
        photos: Paths of the photos from the folder, with suffix.
    """

    def __init__(self, photos: Iterable[str]) -> None:
        self._by_tail: dict[str, list[str]] = {}
        for photo in photos:
            for key in {*_tails(_plain(photo)), *_tails(_plain(without_hash(photo)))}:
                self._by_tail.setdefault(key, []).append(photo)

    def find(self, name: str, also: Iterable[str] = (), inside: str = "") -> str | None:
        """Return the path of the photo that a name means; None without one, or with several that fit as well.

        Tried in turn: the path from the annotation's folder, from the root, its last parts, without suffix,
        without the additions of tools, without regard to case. A photo in the annotation's folder comes first.

        Args:
            name: The name in the file.
            also: Other names for the same photo.
            inside: The annotation's folder, from the root.
        """
        for variant in _variants((name, *also)):
            for key in _keys(variant):
                photo = self._one(key, inside)
                if photo is not None:
                    return photo
        return None

    def _one(self, key: str, inside: str) -> str | None:
        photos = self._by_tail.get(key, [])
        if len(photos) > 1 and inside:
            photos = [photo for photo in photos if photo.startswith(f"{inside}/")]
        if len(photos) > 1:  # the whole path is better than a part of another
            photos = [photo for photo in photos if key in (_plain(photo), _stem(_plain(photo)))]
        return photos[0] if len(photos) == 1 else None


def _plain(name: str) -> str:
    """Return a path with slashes, without drive and ``.``, in one Unicode form."""
    path = re.sub(r"^[A-Za-z]:/", "", unicodedata.normalize("NFC", name).replace("\\", "/"))
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else name


def _tails(photo: str) -> Iterator[str]:
    """Return the last parts of a photo's path, with and without suffix, and all of these in lower case."""
    parts = photo.split("/")
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        yield from {tail, _stem(tail), f"\0{tail.casefold()}", f"\0{_stem(tail).casefold()}"}


def _variants(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        plain = _plain(name)
        bare = _plain(address_name(name)) if "://" in name else ""
        for variant in (plain, without_hash(plain), RENAMED.sub("", plain), bare):
            if variant:
                yield variant


def _keys(name: str) -> Iterator[str]:
    """Return the keys of a name, the most certain first: all of its path, then fewer parts of it."""
    parts = name.split("/")
    tails = ["/".join(parts[start:]) for start in range(len(parts))]
    yield from tails
    yield from map(_stem, tails)
    yield from (f"\0{tail.casefold()}" for tail in tails)
    yield from (f"\0{_stem(tail).casefold()}" for tail in tails)
