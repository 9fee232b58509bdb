"""Names of files and addresses as text that any table holds and anybody may read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from crowdscale.errors import OptionError, without_password

__all__ = ["address_of", "shown_name"]

VARIABLE = re.compile(r"\$\{(\w+)\}")
"""A place in an address that an environment variable fills."""


def shown_name(name: str) -> str:
    """Return a path or an address without password, bytes that are no UTF-8 with a backslash."""
    try:
        encoded = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair of UTF-16, which file names of Windows may hold
        encoded = name.encode("utf-8", "backslashreplace")
    return without_password(encoded.decode("utf-8", "backslashreplace"))


def address_of(source: str) -> str:
    """Return a source with its secrets: everybody on a machine can read the words of a command.

    ``@FILE`` is the first line of a file. ``${NAME}`` is the environment variable NAME, as in
    ``rtsp://admin:${CAMERA_PASSWORD}@camera/live``.

    Raises:
        OptionError: There is no such file or variable.
    """
    if Path(source).exists():
        return source
    if source.startswith("@"):
        try:
            lines = Path(source[1:]).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(
                "expected a text file with an address after @", f"{source[1:]} ({error})"
            ) from error
        source = lines[0].strip()

    def value(found: re.Match[str]) -> str:
        text = os.environ.get(found[1])
        if text is None:
            raise OptionError(f"expected the environment variable {found[1]}", "none of that name")
        return text

    return VARIABLE.sub(value, source)
