"""The worksheet of an audit: a folder with a picture of each drawn tile and a table for the people in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crowdscale.errors import DataError
from crowdscale.files.images import write_image
from crowdscale.files.writing import write_atomic
from crowdscale.trust.audit.record import Answer, AuditRecord, Heads
from crowdscale.trust.audit.tiles import Pixels, TileView

__all__ = ["Worksheet"]

COLUMNS = ("tile", "picture", "photo", "people", "by", "at")


@dataclass(frozen=True)
class Worksheet:
    """An audit in a folder: ``audit.json``, ``counts.csv`` and a picture of each drawn tile in ``tiles``."""

    folder: Path

    @property
    def record_file(self) -> Path:
        """The record as JSON."""
        return self.folder / "audit.json"

    @property
    def table_file(self) -> Path:
        """The table that people fill in."""
        return self.folder / "counts.csv"

    @property
    def tiles(self) -> Path:
        """The folder of pictures; annotations of heads may lie there too."""
        return self.folder / "tiles"

    def picture(self, tile: int) -> Path:
        """Return the file of the picture of a tile, numbered from 1 in the order of the draw."""
        return self.tiles / f"tile_{tile:03d}.png"

    def exists(self) -> bool:
        """Return whether the folder holds an audit."""
        return self.record_file.is_file()

    def load(self) -> AuditRecord:
        """Return the record. Raises DataError where it cannot be read."""
        try:
            return AuditRecord.from_json(self.record_file.read_bytes())
        except (OSError, DataError) as error:
            sentence = str(error).rstrip(".")
            raise DataError(
                f"expected an audit that can be read in {self.record_file}",
                f"a file that is damaged ({sentence})",
                "Restore it, or name another folder with --out to begin anew",
            ) from error

    def save(self, record: AuditRecord) -> None:
        """Write the record, whole or not at all."""
        write_atomic(self.record_file, lambda stream: stream.write(record.to_json().encode()))

    def prepare(self, record: AuditRecord, tiles: int, photo: Callable[[int], Pixels]) -> None:
        """Write the pictures of the first tiles and a line of the table for each; what people wrote stays.

        Args:
            record: The audit.
            tiles: Number of tiles.
            photo: Returns the pixels of a photo by its index.
        """
        rows = self._rows()
        for tile, index in enumerate(record.plan.order(tiles), start=1):
            cell = record.plan.cells[index]
            if not self.picture(tile).is_file():
                pixels = photo(cell.photo)
                view = TileView.of(cell.box, (pixels.shape[1], pixels.shape[0]))
                write_image(self.picture(tile), view.picture(pixels), drawn=True)
            rows.setdefault(tile, self._new_row(record, tile, record.plan.photos[cell.photo].name))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows[tile] for tile in sorted(rows))
        data = text.getvalue().encode("utf-8-sig")  # spreadsheets take other files for their own code page
        write_atomic(self.table_file, lambda stream: stream.write(data))

    def _new_row(self, record: AuditRecord, tile: int, photo: str) -> dict[str, str]:
        """Return a line for a tile, with its answer where the record has one already."""
        row = {"tile": str(tile), "picture": self.picture(tile).name, "photo": photo}
        if tile <= len(record.answers):
            answer = record.answers[tile - 1]
            row |= {"people": str(answer.count), "by": answer.by, "at": answer.at}
        return row

    def answered(self, record: AuditRecord, marked: dict[int, Heads], by: str = "") -> AuditRecord:
        """Return the record with the answers of the table, and with heads that were marked.

        Tiles count up to the first one without an answer. Heads that the record has already stay where the table
        has no number.

        Args:
            record: The audit.
            marked: Heads of tiles in pixels of the photo, by the tile's number.
            by: Who counted, where the table does not say.

        Raises:
            DataError: A number of people is none, or differs from the marked heads.
        """
        answers: list[Answer] = []
        rows = self._rows()
        earlier = {answer.cell: answer for answer in record.answers}
        for tile, cell in enumerate(record.plan.order(), start=1):
            row, before = rows.get(tile, {}), earlier.get(cell)
            count, heads = self._people(tile, row), marked.get(tile)
            if count is None and heads is None:
                if before is None or before.heads is None:
                    break
                answers.append(before)
                continue
            count = self._agreed(tile, count, heads)
            who, when = (row.get("by") or by).strip(), (row.get("at") or "").strip()
            answers.append(_kept(Answer(cell, count, heads, who, when), before))
        return replace(record, answers=tuple(answers))

    def _agreed(self, tile: int, people: int | None, heads: Heads | None) -> int:
        """Return the people of a tile by the table and by marked heads."""
        if people is not None and heads is not None and people != len(heads):
            raise DataError(
                f"expected one number for tile {tile}",
                f"{people} in {self.table_file} and {len(heads)} marked heads",
                "Correct one of them",
            )
        return len(heads) if heads is not None else people or 0

    def unused(self, record: AuditRecord) -> list[int]:
        """Return the tiles with an answer in the table that follow one without."""
        return [tile for tile, row in self._rows().items() if self._people(tile, row) is not None][
            len(record.answers) :
        ]

    def _people(self, tile: int, row: dict[str, str]) -> int | None:
        text = (row.get("people") or "").strip()
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if number < 0 or number != int(number):
            raise DataError(
                f"expected a whole number of people for tile {tile} in {self.table_file}", repr(text)
            )
        return int(number)

    def _rows(self) -> dict[int, dict[str, str]]:
        """Return the lines of the table by tile; commas, semicolons and tabs all separate."""
        if not self.table_file.is_file():
            return {}
        try:
            text = self.table_file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError("expected a table that can be read", f"{self.table_file} ({error})") from error
        first = text.partition("\n")[0]
        sign = max(",;\t", key=first.count)
        rows: dict[int, dict[str, str]] = {}
        for line, row in enumerate(csv.DictReader(io.StringIO(text, newline=""), delimiter=sign), start=2):
            rows[self._tile(row, line)] = row
        return rows

    def _tile(self, row: dict[str, Any], line: int) -> int:
        text = str(row.get("tile") or "").strip()
        if not text.isdecimal() or "people" not in row:
            raise DataError(
                f"expected the columns tile and people in line {line} of {self.table_file}",
                repr(text) if "people" in row else "another table",
                "Delete it to have an empty one written",
            )
        return int(text)


def _kept(answer: Answer, before: Answer | None) -> Answer:
    """Return the answer with what an earlier, equal one adds: heads, who and when."""
    if before is None or before.count != answer.count:
        return answer
    heads = before.heads if answer.heads is None else answer.heads
    return replace(answer, heads=heads, by=answer.by or before.by, at=answer.at or before.at)
