"""A folder of results: parts that are whole or absent, a manifest, and what is already done.

``counts/part-000000.parquet`` and so on hold a row a photo; ``broken/`` the photos without a count, each with
its sentence; ``job.json`` what was asked; ``manifest.json`` the parts and their sums. A part is renamed into
place when it is whole, so a stop at any moment loses only photos of the part under way, which are counted again.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from crowdscale.bulk.rows import PhotoRow
from crowdscale.errors import MissingExtraError, OptionError
from crowdscale.storage import Folder

__all__ = ["FORMATS", "ResultFolder"]

Rows = list[dict[str, Any]]

COUNTS, BROKEN = "counts", "broken"
PART_ROWS = 1000
PART_SECONDS = 30.0
"""A part is written after this many rows or seconds, whichever comes first."""
STALE_SECONDS = 900.0
"""A remote folder's lock that was not refreshed for this long is left over from a process that died."""


def _parquet() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Writing Parquet (--format csv and jsonl do without)", "bulk") from error
    return pyarrow


def _schema(pa: Any, broken: bool) -> Any:
    """Return the columns' types; a broken photo has its name and its sentence."""
    if broken:
        return pa.schema([("photo", pa.string()), ("error", pa.string())])
    box = [("box", pa.list_(pa.int32())), ("factor", pa.float32())]
    region = pa.struct([*box, ("count_before", pa.float32()), ("count_after", pa.float32())])
    numbers = {"people": pa.float64(), "first_pass": pa.float64(), "width": pa.int32(), "height": pa.int32()}
    work = {"reduction": pa.float64(), "tiles": pa.int32(), "seconds": pa.float32()}
    zone = [("name", pa.string()), ("people", pa.float64()), ("dots", pa.int32())]
    zones = pa.list_(pa.struct([*zone, ("per_square_metre", pa.float64())]))
    lists = {
        "zones": zones,
        "regions": pa.list_(region),
        **dict.fromkeys(("x", "y", "confidence"), pa.list_(pa.float32())),
    }
    return pa.schema([("photo", pa.string()), *numbers.items(), *work.items(), *lists.items()])


def _to_parquet(rows: Rows, broken: bool) -> bytes:
    pa = _parquet()
    schema = _schema(pa, broken)
    table = pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def _from_parquet(data: bytes, columns: list[str]) -> Rows:
    pa = _parquet()
    return list(pa.parquet.read_table(pa.BufferReader(data), columns=columns).to_pylist())


CSV_COLUMNS = (
    "photo",
    "people",
    "first_pass",
    "width",
    "height",
    "reduction",
    "tiles",
    "seconds",
    "regions",
    "zones",
)


def _to_csv(rows: Rows, broken: bool) -> bytes:
    """A line a photo without its heads; regions as JSON."""
    stream = io.StringIO()
    columns = ["photo", "error"] if broken else list(CSV_COLUMNS)
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {**row, **{name: json.dumps(row[name]) for name in ("regions", "zones")}} for row in rows
    )
    return stream.getvalue().encode("utf-8", "surrogateescape")


def _from_csv(data: bytes, columns: list[str]) -> Rows:
    text = data.decode("utf-8", "surrogateescape")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: _number(name, row[name]) for name in columns} for row in rows]


def _number(name: str, value: str) -> Any:
    return float(value) if name == "people" else value


def _to_lines(rows: Rows, broken: bool) -> bytes:
    kept = [{k: row[k] for k in ("photo", "error")} if broken else row for row in rows]
    if not broken:
        kept = [{k: v for k, v in row.items() if k != "error"} for row in kept]
    return "".join(json.dumps(row) + "\n" for row in kept).encode()


def _from_lines(data: bytes, columns: list[str]) -> Rows:
    return [{name: row[name] for name in columns} for row in map(json.loads, data.splitlines())]


FORMATS: dict[str, tuple[Callable[[Rows, bool], bytes], Callable[[bytes, list[str]], Rows]]] = {
    "parquet": (_to_parquet, _from_parquet),
    "csv": (_to_csv, _from_csv),
    "jsonl": (_to_lines, _from_lines),
}
"""How the rows of a part are written and read; CSV has no heads."""


class ResultFolder:
    """Results of one job, written by one process at a time.

    Args:
        address: A local path or an address such as ``s3://bucket/results``.
        kind: One of ``FORMATS``.
        part_rows: Rows after which a part is written.
        part_seconds: Seconds after which a part is written.
    """

    def __init__(
        self,
        address: str,
        kind: str = "parquet",
        part_rows: int = PART_ROWS,
        part_seconds: float = PART_SECONDS,
    ) -> None:
        if kind not in FORMATS:
            raise OptionError(f"expected --format out of {', '.join(FORMATS)}", repr(kind))
        if kind == "parquet":
            _parquet()
        self.folder, self.kind = Folder(address), kind
        self.part_rows, self.part_seconds = part_rows, part_seconds
        self.parts: dict[str, dict[str, Any]] = {}
        self.done: set[str] = set()
        self._pending: dict[str, list[PhotoRow]] = {COUNTS: [], BROKEN: []}
        self._next = {COUNTS: 0, BROKEN: 0}
        self._since = time.monotonic()

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

    @contextmanager
    def _locked(self) -> Iterator[None]:
        busy = OptionError(
            "expected results that no other process writes",
            f"{self.folder.address} in use",
            "Wait for it, or choose another --out",
        )
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
        note = self.folder.read("lock.json")
        if note is not None and time.time() - json.loads(note)["time"] < STALE_SECONDS:
            raise busy
        self._refresh()
        try:
            yield
        finally:
            self.folder.write("lock.json", json.dumps({"time": 0}).encode())

    def _refresh(self) -> None:
        if self.folder.local is None:
            self.folder.write("lock.json", json.dumps({"time": time.time()}).encode())

    def _check_job(self, job: dict[str, Any]) -> None:
        """Begin the job, or see that it is the one begun."""
        wanted = {**job, "format": self.kind}
        text = self.folder.read("job.json")
        if text is None:
            self.folder.write("job.json", (json.dumps(wanted, indent=1) + "\n").encode())
            return
        begun = json.loads(text)
        other = sorted(key for key in {*begun, *wanted} if begun.get(key) != wanted.get(key))
        if other:
            differs = ", ".join(f"{key} {wanted.get(key)} instead of {begun.get(key)}" for key in other)
            raise OptionError(
                f"expected the job that {self.folder.address} was begun with",
                differs,
                "Choose another --out, or the same options",
            )

    def _read_parts(self) -> None:
        """Learn from the parts themselves what is done: the manifest may be older."""
        for table in (COUNTS, BROKEN):
            for name in self.folder.names(table):
                data = self.folder.read(f"{table}/{name}") or b""
                columns = ["photo", "people"] if table == COUNTS else ["photo"]
                rows = FORMATS[self.kind][1](data, columns)
                self.done.update(row["photo"] for row in rows)
                self._note(f"{table}/{name}", rows)
                self._next[table] = int(name.split("-")[1].split(".")[0]) + 1

    def _note(self, name: str, rows: Rows) -> None:
        people = sum(row.get("people") or 0.0 for row in rows)
        self.parts[name] = {"rows": len(rows), "people": round(people, 3)}

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
        for table, rows in self._pending.items():
            if not rows:
                continue
            plain = [row.to_dict() for row in rows]
            name = f"{table}/part-{self._next[table]:06d}.{self.kind}"
            self.folder.write(name, FORMATS[self.kind][0](plain, table == BROKEN))
            self._next[table] += 1
            rows.clear()
            self._note(name, plain)
        self._since = time.monotonic()
        self._refresh()
        self.folder.write("manifest.json", (json.dumps(self.manifest(), indent=1) + "\n").encode())

    def manifest(self) -> dict[str, Any]:
        """Return the parts written and their sums."""

        def total(table: str, key: str) -> Any:
            return sum(part[key] for name, part in self.parts.items() if name.startswith(f"{table}/"))

        return {
            "photos": total(COUNTS, "rows"),
            "people": round(total(COUNTS, "people"), 3),
            "broken": total(BROKEN, "rows"),
            "parts": self.parts,
        }

    def broken(self) -> Iterator[tuple[str, str]]:
        """Yield the photos without a count and why."""
        for name in self.folder.names(BROKEN):
            data = self.folder.read(f"{BROKEN}/{name}") or b""
            for row in FORMATS[self.kind][1](data, ["photo", "error"]):
                yield row["photo"], row["error"]
