"""Write docs/commands.md, all commands and options, from the code: ``python docs/commands.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from crowdscale.cli.main import app
from crowdscale.cli.panels import option_panels
from crowdscale.cli.renamed import COMMANDS, GONE_OPTIONS, MOVED, OPTIONS

PAGE = Path(__file__).with_name("commands.md")

HEAD = """# Commands

`python docs/commands.py` writes this page from the code. `crowdscale COMMAND -h` prints the same in the terminal.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page as Markdown."""
    program = get_command(app)
    context = program.make_context("crowdscale", ["count"], resilient_parsing=True)
    return "\n".join([HEAD, *_overview(program), *_commands(program, context), *_old_names()])


def _overview(program: Any) -> Iterator[str]:
    yield "| group | command | |\n|---|---|---|"
    for entry in program.entries:
        if not entry.hidden:
            yield f"| {entry.panel} | [{entry.name}](#crowdscale-{entry.name}) | {entry.help} |"
    yield ""


def _commands(group: Any, context: Any) -> Iterator[str]:
    for entry in group.entries:
        if entry.hidden:
            continue
        command = entry.load()
        own = type(context)(command, info_name=entry.name, parent=context, **command.context_settings)
        yield f"## {own.command_path}\n\n{_text(command.help)}\n"
        if hasattr(command, "entries"):
            yield "| command | |\n|---|---|"
            yield from (f"| {each.name} | {each.help} |" for each in command.entries if not each.hidden)
            yield ""
            yield from _commands(command, own)
        else:
            usage = " ".join([own.command_path, *command.collect_usage_pieces(own)])
            yield f"```sh\n{usage}\n```\n"
            yield from _options(command, own)


def _options(command: Any, context: Any) -> Iterator[str]:
    for panel, records in option_panels(command, context).items():
        shown = [(name, text) for name, text in records if "--help" not in name]
        if shown:
            yield f"| {panel} | |\n|---|---|"
            yield from (f"| `{_cell(name)}` | {_cell(text)} |" for name, text in shown)
            yield ""


def _old_names() -> Iterator[str]:
    yield "## Old names\n\nThey work until the next release, and print the new name.\n"
    yield "| old | new |\n|---|---|"
    yield from (f"| `crowdscale {old}` | `crowdscale {new}` |" for old, new in COMMANDS.items())
    yield "| `crowdscale compare A B` | `crowdscale score B --against A` |"
    for command, names in OPTIONS.items():
        yield from (f"| `crowdscale {command} {old}` | `{new}` |" for old, new in names.items())
    yield "\nThese names end with an error that says what to do instead.\n"
    yield "| gone | instead |\n|---|---|"
    yield from (f"| `crowdscale {old}` | `python -m {new}` in a clone |" for old, new in MOVED.items())
    for command, names in GONE_OPTIONS.items():
        yield from (f"| `crowdscale {command} {old}` | {_cell(way)} |" for old, way in names.items())
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _text(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


if __name__ == "__main__":
    main()
