"""How the attacks of ``benchmarks.faults`` run commands, and what they give them."""

from __future__ import annotations

import contextlib
import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.layouts import write_photo

__all__ = ["Done", "count", "photos", "rows_of", "run", "small_disk"]

SECONDS = 60
"""Longest time of a command."""
POWERLESS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
"""Words before a command that take from root what opens closed folders."""


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    """What it printed, errors as well."""
    seconds: float

    def broken(self, *codes: int, says: str = "") -> str:
        """Return what is wrong: a traceback, another exit code, a sentence that is missing; empty for nothing."""
        if "Traceback" in self.out:
            return "a traceback: " + self.out.strip().splitlines()[-1][:150]
        if self.code not in codes:
            return f"exit code {self.code}: {self.out.strip()[-200:]}"
        return "" if says in self.out else f"no {says!r} in: {self.out.strip()[-300:]}"


def run(*words: object, seconds: float = SECONDS, powerless: bool = False, **settings: Any) -> Done:
    """Run ``crowdscale`` with these words; ``powerless`` as one whom closed folders stop, though it is root."""
    started = time.monotonic()
    command = [*POWERLESS * powerless, sys.executable, "-m", "crowdscale", *map(os.fspath, map(_word, words))]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, **settings)
    except subprocess.TimeoutExpired:
        return Done(-1, f"it did not end within {seconds:g} s", seconds)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    return Done(done.returncode, text, time.monotonic() - started)


def _word(word: object) -> str | bytes:
    return word if isinstance(word, (str, bytes)) else str(word)


def count(*words: object, **settings: Any) -> Done:
    """Count with the small model."""
    return run("count", "--model", "nano", "--threads", 1, *words, **settings)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return list(csv.DictReader(stream))


def photos(folder: Path, *names: str) -> Path:
    """Draw small photos of these names in a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("a.jpg", "b.jpg"):
        write_photo(folder / name, (64, 48))
    return folder


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a small file system in memory."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "attack", str(folder)], check=True, timeout=30
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)
