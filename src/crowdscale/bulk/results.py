"""A folder of results: parts that are whole or absent, a manifest, and what is already done.

``counts/part-000000.parquet`` and so on hold a row a photo; ``broken/`` the photos without a count, each with
its sentence; ``job.json`` what was asked; ``manifest.json`` the parts and their sums. A part is renamed into
place when it is whole, so a stop at any moment loses only photos of the part under way, which are counted again.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crowdscale.bulk.former import current_job, current_part
from crowdscale.bulk.tables import FAILED, FORMATS, Format, need_parquet, usual_format
from crowdscale.counting.table import PhotoRow
from crowdscale.errors import OptionError
from crowdscale.files.storage import Folder

__all__ = ["ResultFolder"]

COUNTS, BROKEN = "counts", "broken"
PART_ROWS = 1000
PART_SECONDS = 30.0
"""A part is written after this many rows or seconds, whichever comes first."""
STALE_SECONDS = 900.0
"""A remote folder's lock that was not refreshed for this long is left over from a process that died."""


def _leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of nested dictionaries with its path, as in ``options.refine``."""
    if not isinstance(values, dict):
        yield name, values
        return
    for key, value in values.items():
        yield from _leaves(value, f"{name}.{key}" if name else key)


class ResultFolder:
    """Results of one job, written by one process at a time.

    Args:
        address: A local path or an address such as ``s3://bucket/results``.
        kind: One of ``FORMATS``. None continues the folder's own, and begins with ``usual_format``.
        part_rows: Rows after which a part is written.
        part_seconds: Seconds after which a part is written.
    """

    def __init__(
        self,
        address: str,
        kind: str | None = None,
        part_rows: int = PART_ROWS,
        part_seconds: float = PART_SECONDS,
    ) -> None:
        if kind is not None and kind not in FORMATS:
            raise OptionError(f"expected --format out of {', '.join(FORMATS)}", repr(kind))
        self.folder = Folder(address)
        self.kind = kind or self._begun_kind() or usual_format()
        if self.kind == "parquet":
            need_parquet()
        self.part_rows, self.part_seconds = part_rows, part_seconds
        self.parts: dict[str, dict[str, Any]] = {}
        self.done: set[str] = set()
        self._pending: dict[str, list[PhotoRow]] = {COUNTS: [], BROKEN: []}
        self._next = {COUNTS: 0, BROKEN: 0}
        self._since = time.monotonic()
        self._owner = uuid.uuid4().hex

    @property
    def _format(self) -> Format:
        return FORMATS[self.kind]

    def _begun_kind(self) -> str | None:
        kind = json.loads(self.folder.read("job.json") or b"{}").get("format")
        return str(kind) if kind else None

    @contextmanager
    def opened(self, job: dict[str, Any]) -> Iterator[ResultFolder]:
        """Lock the folder, read what is done, and write what is pending on the way out, whatever ends it.

        Raises:
            OptionError: Another process writes here, or the folder holds another job.
        """
        with self._locked():
            self._check_job(job)
            self._read_parts()
            try:
                yield self
            finally:
                self.flush()

    def _busy(self) -> OptionError:
        return OptionError(
            "expected results that no other process writes",
            f"{self.folder.address} in use",
            "Wait for it, or choose another --out",
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        busy = self._busy()
        if self.folder.local is None:
            yield from self._leased(busy)
            return
        import filelock

        self.folder.local.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.folder.local / ".lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise busy from None
        try:
            yield
        finally:
            lock.release()

    def _leased(self, busy: OptionError) -> Iterator[None]:
        """A lock for stores without locks: a note that is refreshed with each part and goes stale."""
        note = self._note_of_lease()
        if note.get("owner") and time.time() - note["time"] < STALE_SECONDS:
            raise busy
        self._lease(self._owner)
        self._refresh(
            busy
        )  # of two that begin at once, the one overwritten sees it here, or with its next part
        try:
            yield
        finally:
            if self._note_of_lease().get("owner") == self._owner:
                self._lease("")

    def _note_of_lease(self) -> dict[str, Any]:
        return dict(json.loads(self.folder.read("lock.json") or b"{}"))

    def _lease(self, owner: str) -> None:
        note = {"time": time.time(), "owner": owner}
        self.folder.write("lock.json", json.dumps(note).encode())

    def _refresh(self, busy: OptionError) -> None:
        """Keep a remote folder's lease. Raises ``busy`` where another process took it."""
        if self.folder.local is None:
            if self._note_of_lease().get("owner") != self._owner:
                raise busy
            self._lease(self._owner)

    def _check_job(self, job: dict[str, Any]) -> None:
        """Begin the job, or see that it is the one begun."""
        wanted = {**job, "format": self.kind}
        text = self.folder.read("job.json")
        if text is None:
            self.folder.write("job.json", (json.dumps(wanted, indent=1) + "\n").encode())
            return
        begun, asked = (
            dict(_leaves(job)) for job in (current_job(json.loads(text)), json.loads(json.dumps(wanted)))
        )
        other = [key for key in {**begun, **asked} if begun.get(key) != asked.get(key)]
        if other:
            raise OptionError(
                f"expected the job that {self.folder.address} was begun with",
                ", ".join(f"{key} {asked.get(key)} instead of {begun.get(key)}" for key in other),
                "Choose another --out, or the same options",
            )

    def _read_parts(self) -> None:
        """Read from the parts themselves which photos are done: the manifest may be older."""
        for table in (COUNTS, BROKEN):
            for name in self.folder.names(table):
                data = self.folder.read(f"{table}/{name}") or b""
                current = current_part(data, self.kind) if table == COUNTS else None
                if current is not None:
                    self.folder.write(f"{table}/{name}", current)
                rows = self._format.read(
                    current or data, ["photo", "count"] if table == COUNTS else ["photo"]
                )
                self.done.update(row["photo"] for row in rows)
                self._note(f"{table}/{name}", rows)
                self._next[table] = int(name.split("-")[1].split(".")[0]) + 1

    def _note(self, name: str, rows: list[dict[str, Any]]) -> None:
        count = sum(row.get("count") or 0.0 for row in rows)
        self.parts[name] = {"rows": len(rows), "count": round(count, 3)}

    def add(self, row: PhotoRow) -> None:
        """Keep a row; a part is written when it is full or its time has come."""
        if row.photo in self.done:
            return
        self.done.add(row.photo)
        self._pending[BROKEN if row.error else COUNTS].append(row)
        waiting = sum(map(len, self._pending.values()))
        if waiting >= self.part_rows or time.monotonic() - self._since >= self.part_seconds:
            self.flush()

    def flush(self) -> None:
        """Write the pending rows as parts, and the manifest."""
        self._refresh(self._busy())
        for table, rows in self._pending.items():
            if not rows:
                continue
            name = f"{table}/part-{self._next[table]:06d}.{self.kind}"
            self.folder.write(name, self._format.write(rows, table == BROKEN))
            self._next[table] += 1
            self._note(name, [{"count": row.count} for row in rows])
            rows.clear()
        self._since = time.monotonic()
        self.folder.write("manifest.json", (json.dumps(self.manifest(), indent=1) + "\n").encode())

    def manifest(self) -> dict[str, Any]:
        """Return the parts written and their sums."""

        def total(table: str, key: str) -> Any:
            return sum(part[key] for name, part in self.parts.items() if name.startswith(f"{table}/"))

        return {
            "photos": total(COUNTS, "rows"),
            "count": round(total(COUNTS, "count"), 3),
            "broken": total(BROKEN, "rows"),
            "parts": self.parts,
        }

    def broken(self) -> Iterator[tuple[str, str]]:
        """Yield the photos without a count and why."""
        for name in self.folder.names(BROKEN):
            data = self.folder.read(f"{BROKEN}/{name}") or b""
            for row in self._format.read(data, FAILED):
                yield row["photo"], row["error"]
