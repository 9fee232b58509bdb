"""Commands of the former release that moved to ``research/``: hidden, each names its new command."""

from __future__ import annotations

import typer

__all__ = ["MOVED", "add_moved"]

MOVED = {
    "narrow": "research.shrink.narrow",
    "distill": "research.shrink.distill",
    "average": "research.shrink.average",
    "compact": "research.shrink.compact",
    "reproduce": "research.reproduce",
    "synthesize": "research.synthetic",
}
"""Former command → the module that a clone of the repository runs instead."""


def add_moved(app: typer.Typer, *names: str) -> None:
    """Add hidden commands that end with exit code 2 and the new command in one sentence."""
    anything = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": list[str]()}
    for name in names:
        app.command(name, hidden=True, context_settings=anything)(_refuse)


def _refuse(context: typer.Context) -> None:
    """This command moved to research/."""
    module = MOVED[str(context.info_name)]
    former = context.command_path.removeprefix("crowdscale ")
    typer.echo(
        f"Error: crowdscale {former} moved. Run in a clone of the repository: python -m {module}", err=True
    )
    raise typer.Exit(2)
