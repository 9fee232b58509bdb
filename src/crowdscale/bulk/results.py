"""A folder of results: parts that are whole or absent, and a manifest.

``counts/part-000000.parquet`` and so on hold a row a photo; ``broken/`` the photos without a count, each with
its sentence; ``job.json`` the options; ``manifest.json`` the parts, their sums and their SHA-256. A part reaches the
disk, then gets its name, then enters the manifest. A stop or a power cut at any moment loses only photos of the part
under way, which are counted again. A restart reads every part: one that is damaged is set aside, and its photos are
counted again.
"""

from __future__ import annotations

import hashlib
import json
import re
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
from crowdscale.files.writing import make_folder

__all__ = ["ResultFolder"]

COUNTS, BROKEN = "counts", "broken"
PART = re.compile(r"part-(\d{6,})\.\w+")
"""Names of parts; other files in the folder are not ours."""
SET_ASIDE = "damaged"
"""Folder of parts that cannot be read."""
PART_ROWS = 1000
PART_SECONDS = 30.0
"""A part is written after this many rows or seconds, whichever comes first."""
STALE_SECONDS = 900.0
"""A remote folder's lock without a refresh for this long belongs to a dead process."""


def _leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of nested dictionaries with its path, as in ``options.refine``."""
    if not isinstance(values, dict):
        yield name, values
        return
    for key, value in values.items():
        yield from _leaves(value, f"{name}.{key}" if name else key)


def _is_as_listed(data: bytes, listed: Any) -> bool:
    """Whether a part has content, and the SHA-256 that the manifest lists for it, if any."""
    wanted = listed.get("sha256") if isinstance(listed, dict) else None
    return bool(data) and (not wanted or wanted == hashlib.sha256(data).hexdigest())


def _row_counts(rows: list[dict[str, Any]]) -> list[float]:
    """Return the count of each row. Raises TypeError where a photo's name is no text."""
    if not all(isinstance(row["photo"], str) for row in rows):
        raise TypeError("a photo's name that is no text")
    return [float(row.get("count") or 0.0) for row in rows]


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
        self.notes: list[str] = []
        """A sentence for each part that was set aside."""
        self._pending: dict[str, list[PhotoRow]] = {COUNTS: [], BROKEN: []}
        self._next = {COUNTS: 0, BROKEN: 0}
        self._since = time.monotonic()
        self._owner = uuid.uuid4().hex

    @property
    def _format(self) -> Format:
        return FORMATS[self.kind]

    def _begun_kind(self) -> str | None:
        kind = (self._json("job.json") or {}).get("format")
        return kind if kind in FORMATS else None

    def _json(self, name: str) -> dict[str, Any] | None:
        """Return the content of a file of the folder; None where it is missing, empty or damaged."""
        try:
            content = json.loads(self.folder.read(name) or b"")
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    @contextmanager
    def opened(self, job: dict[str, Any]) -> Iterator[ResultFolder]:
        """Lock the folder and read the photos that are done; on the way out, write the pending rows.

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
        return OptionError.plain(
            f"another process writes into {self.folder.address}",
            "Wait for it, or choose another --out",
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        busy = self._busy()
        if self.folder.local is None:
            yield from self._leased(busy)
            return
        import filelock

        lock = filelock.FileLock(self.folder.local / ".lock")
        try:
            make_folder(self.folder.local)
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise busy from None
        except OSError as error:
            raise OptionError.plain(
                f"the folder {self.folder.address} cannot be written ({error.strerror or error})",
                "Choose another --out",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _leased(self, busy: OptionError) -> Iterator[None]:
        """A lock for stores without locks: a note with a time, refreshed with each part."""
        note = self._note_of_lease()
        at = note.get("time")
        if note.get("owner") and isinstance(at, (int, float)) and time.time() - at < STALE_SECONDS:
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
        return self._json("lock.json") or {}

    def _lease(self, owner: str) -> None:
        note = {"time": time.time(), "owner": owner}
        self.folder.write("lock.json", json.dumps(note).encode())

    def _refresh(self, busy: OptionError) -> None:
        """Renew a remote folder's lease. Raises ``busy`` if another process has it."""
        if self.folder.local is None:
            if self._note_of_lease().get("owner") != self._owner:
                raise busy
            self._lease(self._owner)

    def _check_job(self, job: dict[str, Any]) -> None:
        """Begin the job, or check that it is the folder's job."""
        wanted = {**job, "format": self.kind}
        begun_job = self._json("job.json")
        if begun_job is None:
            if self.folder.read("job.json") is not None and self._part_names(tuple(FORMATS)):
                raise OptionError(
                    f"expected {self.folder.address}/job.json to hold the options of its job",
                    "a damaged file",
                    "Remove it and run the command with the options of before, or choose another --out",
                )
            self.folder.write("job.json", (json.dumps(wanted, indent=1) + "\n").encode())
            return
        begun, asked = (
            dict(_leaves(each)) for each in (current_job(begun_job), json.loads(json.dumps(wanted)))
        )
        other = [key for key in {**begun, **asked} if begun.get(key) != asked.get(key)]
        if other:
            raise OptionError(
                f"expected the job that {self.folder.address} was begun with",
                ", ".join(f"{key} {asked.get(key)} instead of {begun.get(key)}" for key in other),
                "Choose another --out, or the same options",
            )

    def _part_names(self, kinds: tuple[str, ...] = ()) -> list[str]:
        """Return the names of the parts of some kinds, the folder's own by default, sorted within their table."""
        ends = tuple(f".{kind}" for kind in kinds or (self.kind,))
        return [
            f"{table}/{name}"
            for table in (COUNTS, BROKEN)
            for name in self.folder.names(table)
            if PART.fullmatch(name) and name.endswith(ends)
        ]

    def _read_parts(self) -> None:
        """Read from the parts themselves which photos are done: the manifest may be older."""
        manifest = self._json("manifest.json") or {}
        listed = manifest.get("parts")
        listed = listed if isinstance(listed, dict) else {}
        for name in self._part_names():
            table, file = name.split("/")
            self._next[table] = max(self._next[table], int(file.split("-")[1].split(".")[0]) + 1)
            data = self.folder.read(name) or b""
            rows = self._sound_rows(table, name, data, listed.get(name))
            if rows is None:
                self._set_aside(name, data)
            else:
                self.done.update(row["photo"] for row in rows)

    def _sound_rows(self, table: str, name: str, data: bytes, listed: Any) -> list[dict[str, Any]] | None:
        """Return the rows of a part, and note it; None where it is damaged."""
        if not _is_as_listed(data, listed):
            return None
        try:
            current = current_part(data, self.kind) if table == COUNTS else None
            rows = self._format.read(current or data, ["photo", "count"] if table == COUNTS else ["photo"])
            counts = _row_counts(rows)
        except Exception:  # each library has its own classes for damaged bytes
            return None
        if current is not None:
            self.folder.write(name, current)
        self._note(name, counts, current or data)
        return rows

    def _set_aside(self, name: str, data: bytes) -> None:
        """Move a damaged part out of the way; its photos are counted again."""
        if data:
            self.folder.write(f"{SET_ASIDE}/{name.replace('/', '-')}", data)
        self.folder.remove(name)
        self.notes.append(f"{name} was damaged and is set aside: its photos are counted again.")

    def _note(self, name: str, counts: list[float], data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        self.parts[name] = {"rows": len(counts), "count": round(sum(counts), 3), "sha256": digest}

    def add(self, row: PhotoRow) -> None:
        """Keep a row; a full or old part is written."""
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
            data = self._format.write(rows, table == BROKEN)
            self.folder.write(name, data)
            self._next[table] += 1
            self._note(name, [row.count or 0.0 for row in rows], data)
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
        """Yield (photo, sentence) of each photo without a count."""
        for name in self._part_names():
            if not name.startswith(f"{BROKEN}/"):
                continue
            data = self.folder.read(name) or b""
            for row in self._format.read(data, FAILED):
                yield row["photo"], row["error"]
