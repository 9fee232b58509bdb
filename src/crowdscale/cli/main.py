"""``crowdscale``: the list of commands."""

from __future__ import annotations

import gc
import io
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdscale import __version__
from crowdscale.cli.errors import exit_with_sentence
from crowdscale.cli.panels import Entry, LazyGroup, command_group
from crowdscale.errors import OptionError
from crowdscale.files.kinds import FILM_SUFFIXES, IMAGE_SUFFIXES

__all__ = ["app", "main"]


class Commands(LazyGroup):
    """All commands; an error of any of them ends the program with one sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        with exit_with_sentence():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that was typed; a photo or a film in its place names the command it needs."""
        if args and all(args[0] != entry.name for entry in self.entries) and _names_a_file(args[0]):
            command = "watch" if args[0].lower().endswith(FILM_SUFFIXES) else "count"
            raise OptionError.plain(f"no command was named. Run: crowdscale {command} {' '.join(args)}")
        return super().resolve_command(ctx, args)


def _names_a_file(word: str) -> bool:
    return (
        Path(word).suffix.lower() in (*IMAGE_SUFFIXES, *FILM_SUFFIXES) or Path(word).exists() or "://" in word
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crowdscale {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Declare the options of the program itself."""


COUNT, ANNOTATE, MODELS = "Count", "Annotate and train", "Models"

app = command_group(
    "Count and locate people in dense crowds.",
    Entry("count", "Count the people in photos.", "count:count", COUNT),
    Entry("watch", "Count the people in a video or a camera's stream.", "watch:watch", COUNT),
    Entry("audit", "Count with a guarantee, from a few tiles counted by hand.", "audit:audit", COUNT),
    Entry("serve", "Open the page and the HTTP service on this machine.", "serve:serve", COUNT),
    Entry("zones", "Draw, check and show zones that are counted apart.", "zones:zones_app", COUNT),
    Entry("data", "Check, convert, split and list data sets.", "data:data_app", ANNOTATE),
    Entry("train", "Train a model on annotated photos.", "train:train", ANNOTATE),
    Entry("evaluate", "Measure a model's errors on annotated photos.", "evaluate:evaluate", ANNOTATE),
    Entry("score", "Score the predictions of any program.", "score:score", ANNOTATE),
    Entry("models", "List, fetch, pack, export and tune models.", "models:models_app", MODELS),
    Entry("compare", "", "score:compare", hidden=True),
    cls=Commands,
    callback=_options,
    completion=True,
)


def main() -> None:
    """Run the command line; a CrowdscaleError is one sentence on stderr and exit code 2, Ctrl-C is 130."""
    gc.set_threshold(50_000)  # modules make objects by the ten thousand, and leave nothing to collect
    warnings.filterwarnings("ignore", module=r"PIL\.")  # remarks on damaged metadata, which changes no pixel
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file name or a sign that the terminal cannot show
    try:
        app(prog_name="crowdscale")
    except KeyboardInterrupt:
        sys.exit(130)
