"""Documents from strangers: text, JSON, XML and CSV enter the package here, checked for size, form and type.

Types are checked by msgspec (one wheel of 0.2 MB): schemas beside the formats, sentences with the path of the
fault, several times as fast as the json module. Pydantic does the same in 10 MB, jsonschema ten times slower.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar
from xml.etree import ElementTree

import msgspec

from crowdscale.errors import DataError

__all__ = [
    "FARTHEST",
    "Number",
    "Whole",
    "matches",
    "parse_json",
    "parse_number",
    "read_document",
    "read_json",
    "read_table",
    "read_text",
    "read_xml",
    "shaped",
]

T = TypeVar("T")

FARTHEST = 1e9
"""Largest magnitude of a number in a document. Its square is still exact enough for pixels."""

Number = Annotated[float, msgspec.Meta(ge=-FARTHEST, le=FARTHEST)]
"""A finite number of moderate size in a schema."""

Whole = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
"""A whole number of moderate size in a schema."""

MOST_BYTES = 512_000_000
"""Documents beyond this are refused before they are read: the annotations of COCO's 118,000 photos fit."""

SMALL = 5_000_000
"""Bytes of JSON up to which a key that stands twice in an object is refused: readers keep the last in silence."""

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""Encodings by the mark at the beginning of a file, as spreadsheets write them."""


def read_document(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        DataError: It is missing, no regular file, larger than 512 MB or cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError("no regular file")
        if path.stat().st_size > MOST_BYTES:
            raise OSError(f"{path.stat().st_size / 1e6:,.0f} MB, more than {MOST_BYTES / 1e6:,.0f}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError.plain(f"no such file: {path}") from error
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise DataError(f"{path} cannot be read: {_reason(error)}", "", "Check the file") from error


def read_text(path: Path) -> str:
    """Return the content of a text file in UTF-8, or in UTF-16 with its mark. Raises DataError."""
    data = read_document(path)
    try:
        text = _decode(data)
    except UnicodeDecodeError as error:
        raise DataError("expected a text file", f"{path} ({error})", "Save it as UTF-8") from error
    if "\0" in text:
        raise DataError(
            "expected a text file", f"{path} with zeros in it, perhaps UTF-16", "Save it as UTF-8"
        )
    return text


def read_json(path: Path) -> Any:
    """Return the content of a JSON file as plain values. Raises DataError."""
    return parse_json(read_document(path), str(path))


def parse_json(data: bytes | str, where: str) -> Any:
    """Return JSON as plain values.

    Args:
        data: The JSON.
        where: Its name in errors.

    Raises:
        DataError: It is no JSON, nested too deeply, or has a key twice in one object.
    """
    try:
        text = _decode(data) if isinstance(data, bytes) else data
        content = msgspec.json.decode(text)
        if len(text) <= SMALL:
            json.loads(text, object_pairs_hook=lambda pairs: _check_keys(pairs, where))
        return content
    except DataError:
        raise
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None
    except (ValueError, OverflowError) as error:  # msgspec's errors are ValueErrors
        raise DataError.plain(f"{where} is no valid JSON ({error})", "Correct the file") from None


def _check_keys(pairs: list[tuple[str, Any]], where: str) -> None:
    """Refuse an object with a key that stands there twice. Raises DataError."""
    keys = [key for key, _ in pairs]
    if len({*keys}) < len(keys):
        double = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"expected each key once in an object of {where}", f"{double!r} again", "Join both")


def shaped(content: Any, kind: type[T], what: str, where: object) -> T:
    """Return plain values as a schema's objects.

    Args:
        content: Plain values.
        kind: The schema, of msgspec.
        what: The format's name in errors.
        where: The file's name in errors.

    Raises:
        DataError: A value is missing or of another type; the sentence gives its path.
    """
    try:
        return msgspec.convert(content, kind)
    except (ValueError, RecursionError, OverflowError) as error:
        fault = " ".join(str(error).replace("`", "").split())
        raise DataError(f"{where} is no sound {what}: {fault}", "", "Correct or export it again") from None


def matches(content: Any, kind: type[Any]) -> bool:
    """Return whether plain values fit a schema."""
    try:
        msgspec.convert(content, kind)
    except (ValueError, RecursionError, OverflowError):
        return False
    return True


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds the tree of a file that declares nothing."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        """Refuse a declaration before its entities are read, in whatever encoding it stands."""
        raise ValueError(f"the DOCTYPE {name}")


def read_xml(path: Path) -> ElementTree.Element:
    """Return the root of an XML file; one with a DOCTYPE is refused, as its entities can grow without bound.

    Raises:
        DataError: The file cannot be read, is no XML or has a DOCTYPE.
    """
    data = read_document(path)
    try:
        return ElementTree.fromstring(data, ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError, OverflowError) as error:
        raise DataError(
            "expected an XML file without a DOCTYPE", f"{path}, which cannot be read ({error})"
        ) from error


def read_table(path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, stripped cells) of each row with content; commas, semicolons or tabs.

    Raises:
        DataError: The file is no text or no table.
    """
    text = read_text(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    sign = next((sign for sign in ";\t" if sign in re.sub(r'"[^"]*"', "", first)), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise DataError(f"{path} is no table ({error})", "", "Save it as CSV") from error
    return [(line, row) for line, row in rows if any(row)]


def parse_number(text: str) -> float | None:
    """Return the number in a cell, NaN and infinity included; None for other text."""
    if "_" in text:  # float reads 1_0 as 10
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _decode(data: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    return data.decode(encoding)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
