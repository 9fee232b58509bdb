"""Addresses of photos in Label Studio's exports → file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crowdscale.errors import DataError
from crowdscale.files.finding import IMAGE_SUFFIXES

__all__ = ["address_name", "photo_address", "without_hash"]

UPLOAD = re.compile(r"^(.*/)?[0-9a-f]{6,}-(?=[^/]+$)")
"""Label Studio puts a hash before the name of an uploaded photo; its length has changed over the years."""

PREFERRED = ("image", "img", "photo", "url")
"""Keys of a task's data that mostly hold the photo."""


def photo_address(data: Mapping[str, Any], shown: str = "") -> str | None:
    """Return the photo's address in a task's data: the value that ends in a photo's suffix.

    Of several, the one under the name of the picture that was marked counts, then one under a usual key.
    Without one, the key ``image`` may hold an address without suffix.

    Args:
        data: The task's data.
        shown: The picture's name in the labelling interface (``to_name``).

    Raises:
        DataError: There are several, and neither rule chooses one.
    """
    photos = {
        key: text
        for key, text in data.items()
        if isinstance(text, str) and address_name(text).lower().endswith(IMAGE_SUFFIXES)
    }
    if len({address_name(text) for text in photos.values()}) > 1:
        chosen = next((key for key in (shown, *PREFERRED) if key in photos), None)
        if chosen is None:
            raise DataError(
                "expected one photo in a task's data", f"several: {', '.join(photos)}",
                "Name the one that was marked image, or keep it alone",
            )  # fmt: skip
        return photos[chosen]
    plain = data.get("image")
    return next(iter(photos.values()), None) or (plain if isinstance(plain, str) and plain else None)


def address_name(address: str) -> str:
    """Return a photo's path from its address: of ``/data/local-files/?d=photos/a.jpg`` the part after ``d=``."""
    if "://" not in address and not address.startswith("/"):
        return address.replace("\\", "/")
    try:
        parts = urlsplit(address)
        inner = parse_qs(parts.query).get("d")
    except ValueError:  # a host in half brackets
        return address
    return (inner[0] if inner else unquote(parts.path)).replace("\\", "/").lstrip("/")


def without_hash(name: str) -> str:
    """Return the name without the hash that Label Studio puts before uploaded photos."""
    return UPLOAD.sub(lambda match: match[1] or "", name)
