"""Addresses of photos in Label Studio's exports → file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from crowdscale.files.finding import IMAGE_SUFFIXES

__all__ = ["address_name", "photo_address", "without_hash"]

UPLOAD = re.compile(r"^(.*/)?[0-9a-f]{6,}-(?=[^/]+$)")
"""Label Studio puts a hash before the name of an uploaded photo; its length has changed over the years."""

PREFERRED = ("image", "img", "photo", "url")
"""Keys of a task's data that mostly hold the photo."""


def photo_address(data: Mapping[str, Any]) -> str | None:
    """Return the photo's address in a task's data: the value that ends in a photo's suffix.

    Without one, the key ``image`` may hold an address without suffix.
    """
    address = next(
        (text for text in _texts(data) if address_name(text).lower().endswith(IMAGE_SUFFIXES)), None
    )
    plain = data.get("image")
    return address or (plain if isinstance(plain, str) and plain else None)


def _texts(data: Mapping[str, Any]) -> list[str]:
    """Return the texts in a task's data, those under the preferred keys first."""
    values = [data[key] for key in (*(key for key in PREFERRED if key in data), *data)]
    return [value for value in values if isinstance(value, str)]


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
