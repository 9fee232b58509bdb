"""``crowdscale``: the commands, and what becomes of an error: one sentence on stderr and an exit code."""

from __future__ import annotations

import gc
import io
import sys
import warnings
from typing import Annotated

import typer

from crowdscale import __version__
from crowdscale.cli.acquaint import acquaint
from crowdscale.cli.audit import audit
from crowdscale.cli.calibrate import calibrate
from crowdscale.cli.count import count
from crowdscale.cli.data import data_app
from crowdscale.cli.evaluate import evaluate
from crowdscale.cli.export import export
from crowdscale.cli.models import models_app
from crowdscale.cli.moved import add_moved
from crowdscale.cli.quantize import quantize
from crowdscale.cli.score import compare, score
from crowdscale.cli.serve import serve
from crowdscale.cli.train import train
from crowdscale.cli.tune import tune
from crowdscale.cli.watch import watch
from crowdscale.cli.zones import zones_app
from crowdscale.errors import CrowdscaleError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Count and locate people in dense crowds.",
)  # fmt: skip
for command in (
    count,
    watch,
    audit,
    evaluate,
    score,
    compare,
    train,
    tune,
    calibrate,
    acquaint,
    export,
    quantize,
    serve,
):
    app.command()(command)
add_moved(app, "narrow", "distill", "average", "compact", "reproduce")
app.add_typer(models_app, name="models")
app.add_typer(zones_app, name="zones")
app.add_typer(data_app, name="data")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crowdscale {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Count and locate people in dense crowds."""


def main() -> None:
    """Run the command line; a CrowdscaleError is one sentence on stderr and exit code 2, Ctrl-C is 130."""
    gc.set_threshold(50_000)  # modules make objects by the ten thousand, and leave nothing to collect
    warnings.filterwarnings("ignore", module=r"PIL\.")  # remarks on damaged metadata, which changes no pixel
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file name or a sign that the terminal cannot show
    try:
        app(prog_name="crowdscale")
    except CrowdscaleError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
