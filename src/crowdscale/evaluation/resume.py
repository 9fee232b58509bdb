"""Journal: the rows of an evaluation in a file, so that an interrupted evaluation resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from crowdscale.data.sample import Sample
from crowdscale.errors import DataError
from crowdscale.evaluation.rows import Row
from crowdscale.files.writing import write_atomic

__all__ = ["Journal", "open_journal"]


class Journal:
    """Rows in a file as they come.

    The first line describes the evaluation, and each further line is the JSON of a photo. An incomplete last line is
    evaluated again.

    Args:
        stream: The open file; None keeps nothing.
        rows: The rows that the file has.
    """

    def __init__(self, stream: IO[str] | None, rows: Sequence[Row] = ()) -> None:
        self._stream = stream
        self._rows = {(row.refined.set, row.refined.name): row for row in rows}

    def find(self, sample: Sample) -> Row | None:
        """Return the row of a photo; None for a photo without one."""
        return self._rows.get((sample.attributes.get("set", ""), sample.name))

    def add(self, row: Row) -> None:
        """Keep a row."""
        if self._stream is not None:
            self._stream.write(json.dumps(row.to_dict()) + "\n")
            self._stream.flush()


@contextmanager
def open_journal(path: Path | None, about: dict[str, Any]) -> Iterator[Journal]:
    """Open the journal of an evaluation.

    Raises:
        DataError: The file has the rows of another model, data set or protocol.
    """
    if path is None:
        yield Journal(None)
        return
    head = json.dumps(about, sort_keys=True)
    rows = _kept_rows(path, head) if path.exists() else []
    whole = "".join(f"{line}\n" for line in [head, *(json.dumps(row.to_dict()) for row in rows)])
    write_atomic(path, lambda stream: stream.write(whole.encode()))
    with path.open("a", encoding="utf-8") as stream:
        yield Journal(stream, rows)


def _kept_rows(path: Path, head: str) -> list[Row]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != head:
        raise DataError(
            "expected the rows of this very evaluation",
            f"those of another in {path}",
            "Name another file with --resume, or remove it",
        )
    rows = []
    for line in lines[1:]:
        try:
            rows.append(Row.from_dict(json.loads(line)))
        except (ValueError, KeyError, TypeError, RecursionError):
            break  # the run was killed while it wrote this line
    return rows
