"""What a user of the terminal can do about a password in a command."""

from __future__ import annotations

import typer

from crowdscale.errors import without_password

__all__ = ["print_password_hint"]


def print_password_hint(quiet: bool, *addresses: str | None) -> None:
    """Print how to keep a password out of the command line, if one stands there."""
    plain = [each for each in addresses if each and "${" not in each and without_password(each) != each]
    if plain and not quiet:
        typer.echo(
            "Note: Everybody on this machine can read the password in this command: "
            "take it from the environment, as ${NAME}, or the address from a file, as @FILE.",
            err=True,
        )
