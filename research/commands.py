"""Commands of the laboratory: an app for one function, and its errors as one sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from crowdscale.errors import CrowdscaleError

__all__ = ["new_app", "run"]


def new_app(*commands: Callable[..., Any]) -> typer.Typer:
    """Return an app of these commands; one alone needs no name on the command line."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    for command in commands:
        app.command()(command)
    return app


def run(app: typer.Typer, module: str) -> None:
    """Run an app as ``python -m MODULE``; a CrowdscaleError is one sentence on stderr and exit code 2."""
    try:
        app(prog_name=f"python -m {module}")
    except CrowdscaleError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
