"""Names of files and addresses as text that any table holds and anybody may read."""

from __future__ import annotations

from crowdscale.errors import without_password

__all__ = ["shown_name"]


def shown_name(name: str) -> str:
    """Return a path or an address without password, bytes that are no UTF-8 with a backslash."""
    try:
        known = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair of UTF-16, which file names of Windows may hold
        known = name.encode("utf-8", "backslashreplace")
    return without_password(known.decode("utf-8", "backslashreplace"))
