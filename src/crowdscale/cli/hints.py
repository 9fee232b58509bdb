"""What a user of the terminal can do about a warning: the option that answers it."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["PAGES", "TURN", "with_hint"]

Hint = tuple[re.Pattern[str], str]

TURN: Hint = (
    re.compile(r"^The photo seems to (lie on its side|be upside down)\b"),
    "Run with --turn auto.",
)
PAGES: Hint = (
    re.compile(r"^The file (has \d+ pages|holds \d+ pictures|is an animation)\b"),
    "Count each with --pages all.",
)


def with_hint(warning: str, hints: Sequence[Hint] = (PAGES, TURN)) -> str:
    """Return a warning with the option that answers it, if there is one among the hints of a command."""
    return " ".join([warning, *(hint for begin, hint in hints if begin.search(warning))])
