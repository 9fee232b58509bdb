"""What can be done about a note or a warning: the option that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["PAGES", "TURN", "hint", "notes_with_hints", "with_hint"]

Hint = tuple[re.Pattern[str], str]

TURN: Hint = (
    re.compile(r"^The photo seems to (lie on its side|be upside down)\b"),
    "Run with --turn auto.",
)
PAGES: Hint = (
    re.compile(r"^The file (has \d+ pages|holds \d+ pictures|is an animation)\b"),
    "Count each with --pages all.",
)


def hint(sentence: str, hints: Sequence[Hint] = (PAGES, TURN)) -> str:
    """Return the option that answers a note or a warning; empty where none of the hints fits."""
    return " ".join(text for begin, text in hints if begin.search(sentence))


def with_hint(sentence: str, hints: Sequence[Hint] = (PAGES, TURN)) -> str:
    """Return a note or a warning with the option that answers it, if there is one among the hints of a command."""
    return f"{sentence} {hint(sentence, hints)}".rstrip()


def notes_with_hints(notes: Iterable[str], warnings: Iterable[str]) -> list[str]:
    """Return the notes of a result: those on its file, and the option for each warning that has one."""
    return [*map(with_hint, notes), *filter(None, map(hint, warnings))]
