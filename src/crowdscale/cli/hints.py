"""What a user of the terminal can do about a warning: the option that answers it."""

from __future__ import annotations

import re

__all__ = ["with_hint"]

HINTS = (
    (re.compile(r"^The file (has \d+ pages|holds \d+ pictures|is an animation)\b"), "Count each with --pages all."),
    (re.compile(r"^The photo seems to (lie on its side|be upside down)\b"), "Run with --turn auto."),
)  # fmt: skip


def with_hint(warning: str) -> str:
    """Return a warning with the option that answers it, if there is one."""
    return " ".join([warning, *(hint for begin, hint in HINTS if begin.search(warning))])
