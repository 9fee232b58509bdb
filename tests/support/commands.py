"""The command line in this process or as a real one, and two crowds to count."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from crowdscale.cli.main import app
from crowdscale.points import Points

CROWD = Points([[x, y] for y in range(60, 140, 10) for x in range(60, 180, 10)])
FEW = Points([[30, 30], [200, 40]])


@dataclass(frozen=True)
class Done:
    """The end of a command."""

    returncode: int
    stdout: str
    stderr: str


def crowdscale(*arguments: object, cwd: Path | None = None) -> Done:
    """Run a command in this process, as a user types it; an error that is no sentence is raised."""
    with _inside(cwd):
        result = CliRunner().invoke(app, [str(each) for each in arguments], prog_name="crowdscale")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def command_line(*arguments: object) -> list[str]:
    """Return the words that start a command in a process of its own."""
    return [sys.executable, "-m", "crowdscale", *map(str, arguments)]


def crowdscale_process(*arguments: object, **options: object) -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        command_line(*arguments), capture_output=True, text=True, check=False, timeout=600, **options
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def _inside(folder: Path | None) -> Iterator[None]:
    before = Path.cwd()
    try:
        if folder is not None:
            os.chdir(folder)
        yield
    finally:
        os.chdir(before)
