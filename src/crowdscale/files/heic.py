"""What a HEIC file must hold before it is decoded: an item whose type is no text would end the process in the decoder."""

from __future__ import annotations

import struct
from typing import IO

from crowdscale.errors import ImageError

__all__ = ["check_items"]

MOST_BOXES = 100
"""Boxes at the top of a file among which the description of its items is searched."""
MOST_BYTES = 50_000_000
"""Of that description, which is a few kilobytes."""


def check_items(stream: IO[bytes]) -> None:
    """Refuse a file with an item whose type or name is no text. Raises ImageError."""
    meta = _meta(stream)
    at = meta.find(b"infe")
    while at >= 4:
        (size,) = struct.unpack_from(">I", meta, at - 4)
        version = meta[at + 4] if at + 4 < len(meta) else 0
        texts = at + 8 + (4 if version > 2 else 2) + 2  # behind the item's number and its protection
        try:
            meta[texts : at - 4 + size].decode()
        except UnicodeDecodeError as error:
            raise ImageError(
                "expected a whole HEIC", "an item whose type is no text", "Save it again"
            ) from error
        at = meta.find(b"infe", at + 4)


def _meta(stream: IO[bytes]) -> bytes:
    """Return the box that describes the items of a file; nothing where it has none."""
    at = 0
    for _ in range(MOST_BOXES):
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            break
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
        if kind == b"meta":
            stream.seek(at)
            return stream.read(min(size, MOST_BYTES) if size else MOST_BYTES)
        if size < 8:
            break
        at += size
    return b""
