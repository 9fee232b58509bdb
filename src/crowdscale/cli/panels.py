"""The shape of all commands: loaded when they run, help in panels, no help line ever cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from crowdscale.cli.renamed import current_command, current_options

__all__ = ["CONTEXT", "Entry", "LazyGroup", "PanelCommand", "command_group", "option_panels"]

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""Settings of all commands."""


@dataclass(frozen=True)
class Entry:
    """A command in the list of its group."""

    name: str
    help: str
    """One line of at most 60 characters."""
    home: str
    """``module:function``, or ``module:app`` of a group, below ``crowdscale.cli``."""
    panel: str = "Commands"
    hidden: bool = False

    def load(self) -> Any:
        """Import the command's module and return the command."""
        module, _, name = self.home.partition(":")
        target = getattr(import_module(f"crowdscale.cli.{module}"), name)
        if not isinstance(target, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(self.name, cls=PanelCommand, context_settings=dict(CONTEXT))(target)
            target = app
        command = get_command(target)
        command.name, command.hidden = self.name, self.hidden
        return command


class PanelCommand(TyperCommand):
    """A command whose options stand in panels and whose old option names still work."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Replace old option names by the new ones, then parse."""
        return super().parse_args(ctx, current_options(ctx.command_path, args))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each panel of options."""
        _write_options(self, ctx, formatter)


class LazyGroup(TyperGroup):
    """A group that imports a command only when it runs, so that ``--help`` and ``count`` start fast."""

    entries: ClassVar[tuple[Entry, ...]] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for entry in self.entries:  # empty ones, by which the group lists names and suggests corrections
            self.add_command(TyperCommand(entry.name, help=entry.help, hidden=entry.hidden))

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Return a command, imported."""
        return next((entry.load() for entry in self.entries if entry.name == cmd_name), None)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command for the arguments, by its old or new name."""
        return super().resolve_command(ctx, current_command(ctx.command_path, args))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the group's commands by panel, then its options."""
        shown = [entry for entry in self.entries if not entry.hidden]
        width = max((len(entry.name) for entry in shown), default=0)
        for panel in dict.fromkeys(entry.panel for entry in shown):
            rows = [(e.name.ljust(width), e.help) for e in shown if e.panel == panel]
            with formatter.section(panel):
                formatter.write_dl(rows)
        _write_options(self, ctx, formatter)


def command_group(
    help: str,
    *entries: Entry,
    cls: type[LazyGroup] = LazyGroup,
    callback: Callable[..., None] | None = None,
    without_command: bool = False,
    completion: bool = False,
) -> typer.Typer:
    """Return a group of commands.

    Args:
        help: Its text in ``--help``.
        entries: Its commands.
        cls: Its class.
        callback: Declares the group's own options and runs before the command.
        without_command: Run the callback without a command, too, instead of printing the help.
        completion: Add the options that install completion in the shell.
    """
    app = typer.Typer(
        cls=type(cls.__name__, (cls,), {"entries": entries}), help=help, no_args_is_help=not without_command,
        invoke_without_command=without_command, add_completion=completion, pretty_exceptions_enable=False,
        rich_markup_mode=None, context_settings=dict(CONTEXT),
    )  # fmt: skip
    app.callback()(callback or _no_options)
    return app


def _no_options() -> None:
    """Declare no options."""


def option_panels(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Return (name, help) of each argument and option by panel: arguments first, options without a panel last."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        if parameter.param_type_name == "argument":
            panels.setdefault("Arguments", []).append(
                (" ".join(parameter.get_usage_pieces(ctx)), parameter.help or "")
            )
        elif record := parameter.get_help_record(ctx):
            panels.setdefault(getattr(parameter, "rich_help_panel", None) or "Options", []).append(record)
    order = sorted(panels, key=lambda panel: (panel == "Options", panel != "Arguments"))
    return {panel: panels[panel] for panel in order}


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    for panel, records in option_panels(command, ctx).items():
        with formatter.section(panel):
            formatter.write_dl(records)
