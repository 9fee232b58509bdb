"""Rows of a watch in a file: always whole, on the disk every few seconds, from one process at a time."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from crowdscale.counting.columns import columns, current_names
from crowdscale.counting.encoding import csv_text
from crowdscale.counting.frame_table import FrameRow
from crowdscale.errors import OptionError
from crowdscale.files.writing import make_folder
from crowdscale.video.resuming import Past, Run

if TYPE_CHECKING:
    from crowdscale.video.watch import WatchRow

__all__ = ["RowWriter"]

SYNC_SECONDS = 5.0
"""Seconds of rows that a power cut may cost."""
TAIL = 2**20
"""Bytes at the end of a file in which its last row is looked for: files of years are never read whole."""


class RowWriter:
    """Appends rows to a .csv or .jsonl file, each whole; one process a file.

    Args:
        path: The file; a row that a full disk or a power cut has halved is removed.
        run: Whose rows they are; rows that are there already are continued. None appends rows as they are.

    Raises:
        OptionError: Another suffix, a file that cannot be written, one with other columns or of another run, or one
            in use.
    """

    def __init__(self, path: Path, run: Run | None = None) -> None:
        import filelock

        if path.suffix.lower() not in (".csv", ".jsonl"):
            raise OptionError("expected rows as .csv or .jsonl", str(path))
        self.path = path
        self.mended = False
        """Whether half a row was removed."""
        self.past: Past | None = None
        """The last row of an earlier run."""
        self._columns: list[str] | None = None
        self._synced = time.monotonic()
        self._lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
        try:
            make_folder(path.parent)
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise OptionError(
                "expected a file of rows that no other process writes", f"{path} in use", "Choose another one"
            ) from None
        except OSError as error:
            raise self._refused(error) from error
        try:
            self._file: IO[bytes] = path.open("ab+", buffering=0)
            self._mend()
            if run is not None:
                self._go_on(run)
        except OSError as error:
            self._lock.release()
            raise self._refused(error) from error
        except OptionError:
            self._file.close()
            self._lock.release()
            raise

    def _go_on(self, run: Run) -> None:
        """Find the last row of an earlier run, or note whose rows will be here. Raises OptionError."""
        head, last = self._ends()
        if not last or (self._is_csv and last == [head]):
            run.note(self.path)
            return
        names = next(csv.reader([head]), []) if self._is_csv else list(json.loads(last[-1]))
        self._check_age(names)
        run.check(self.path)
        rows = [row for row in (_row_of(line, names if self._is_csv else None) for line in last) if row]
        self.past = run.past([current_names(FrameRow, row) for row in rows])

    def _check_age(self, names: list[str]) -> None:
        """Refuse the columns of an earlier version. Raises OptionError."""
        known = [each.name for each in columns(FrameRow)]
        missing = [name for name in known if name not in current_names(FrameRow, dict.fromkeys(names))]
        if missing:
            raise OptionError(
                f"expected the column {missing[0]} in {self.path}",
                "a file of an earlier version or of something else",
                "Choose another file",
            )

    def _ends(self) -> tuple[str, list[str]]:
        """Return the first line, empty where there is none, and the last ones."""
        self._file.seek(0)
        head = self._file.readline().decode("utf-8", "replace").rstrip("\r\n")
        length = self._file.seek(0, os.SEEK_END)
        begun = max(0, length - TAIL)
        self._file.seek(begun)
        text = self._file.read().decode("utf-8", "replace").rstrip("\r\n")
        lines = [line.rstrip("\r") for line in text.split("\n")]
        return head, (lines if not begun else lines[1:]) if text else []

    def _refused(self, error: OSError) -> OptionError:
        return OptionError(
            "expected a file of rows that can be written", f"{self.path} ({error.strerror or error})"
        )

    @property
    def _is_csv(self) -> bool:
        return self.path.suffix.lower() == ".csv"

    def _mend(self) -> None:
        """End the last line: a whole row gets its line end, half a row is removed."""
        self._file.seek(0)
        head = self._file.readline()
        length = self._file.seek(0, os.SEEK_END)
        begun = max(0, length - TAIL)
        self._file.seek(begun)
        tail = self._file.read()
        if not tail or tail.endswith(b"\n"):
            return
        kept = tail.rfind(b"\n") + 1
        if self._is_whole(head if begun + kept else b"", tail[kept:]):
            self._file.write(b"\n")
        else:
            self._file.truncate(begun + kept)
            self.mended = True

    def _is_whole(self, before: bytes, last: bytes) -> bool:
        text = last.decode("utf-8", "replace")
        if self._is_csv:
            head = before.decode("utf-8", "replace").splitlines()[:1]
            return not head or len(next(csv.reader([text]), [])) == len(next(csv.reader(head), []))
        try:
            return isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            return False

    def write(self, row: WatchRow) -> None:
        """Append a row. Raises OptionError where it cannot be written; the rows before stay, half a row never does."""
        values = row.to_dict()
        if self.past is not None:
            values = self.past.onto(values, row.totals)
        text = self._csv(values) if self._is_csv else json.dumps(values) + "\n"
        begun = None
        try:
            begun = self._file.seek(0, os.SEEK_END)
            self._append(text.encode("utf-8", "surrogateescape"))
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            self._take_back(begun)
            raise OptionError(
                "expected to write rows",
                f"{self.path} ({error.strerror or error})",
                "What was written before is whole",
            ) from error
        self._columns = list(values)

    def _append(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) :]

    def _take_back(self, begun: int | None) -> None:
        """Remove the half of a row that a full disk took."""
        try:
            if begun is not None and self._file.seekable():
                self._file.truncate(begun)
        except OSError:
            return  # a device: nothing stays in it

    def _csv(self, values: dict[str, Any]) -> str:
        """Return a row as CSV, under its header where the file has none. Raises OptionError for other columns."""
        header = False
        if self._columns is None:
            self._file.seek(0)
            first = self._file.readline().decode("utf-8", "replace")
            header = not first
            header_names = next(csv.reader([first]), [])
            if first and list(current_names(FrameRow, dict.fromkeys(header_names))) != list(values):
                raise OptionError(
                    f"expected the columns {', '.join(values)} in {self.path}",
                    ", ".join(header_names),
                    "Choose another file",
                )
        return csv_text([values], list(values), header)

    def close(self) -> None:
        """Bring the rows to the disk, close the file and let others write it."""
        try:
            os.fsync(self._file.fileno())
        except (OSError, ValueError, RecursionError):
            pass  # a device, or closed already: each row was written before
        finally:
            self._file.close()
            self._lock.release()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row_of(line: str, names: list[str] | None) -> dict[str, Any]:
    """Return the values of a line of JSON, or of CSV under these names; empty for the names and for anything else."""
    if names is None:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}
    cells = next(csv.reader([line]), [])
    return dict(zip(names, cells, strict=True)) if len(cells) == len(names) and cells != names else {}
