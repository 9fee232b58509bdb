"""The processes that a process has started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def below(parent: int) -> Iterator[int]:
    """Yield the numbers of a process's children and of theirs, as Linux knows them."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == parent:
            yield int(stat.parent.name)
            yield from below(int(stat.parent.name))
