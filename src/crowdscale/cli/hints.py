"""What a user of the terminal can do about a warning: the option that answers it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import typer

from crowdscale.errors import without_password

__all__ = ["PAGES", "TURN", "print_password_hint", "with_hint"]

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


def print_password_hint(quiet: bool, *addresses: str | None) -> None:
    """Print how to keep a password out of the command line, if one stands there."""
    plain = [each for each in addresses if each and "${" not in each and without_password(each) != each]
    if plain and not quiet:
        typer.echo(
            "Note: Everybody on this machine can read the password in this command: "
            "take it from the environment, as ${NAME}, or the address from a file, as @FILE.",
            err=True,
        )
