"""Classes of marks. The user chooses the one that is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from crowdscale.data.areas import Area
from crowdscale.data.formats.label import Mark
from crowdscale.errors import DataError

__all__ = ["ALL", "choose_marks", "class_counts", "classes_error", "split_source"]

Labelled = TypeVar("Labelled", Mark, Area)

ALL = "all"
"""Chooses every class."""

UNNAMED = "without a class"

MOST_LISTED = 30
"""Classes that an error lists."""

LIKELY = ("head", "Head", "person", "Person", "people", "pedestrian", "face")
"""Classes that the sentence gives as an example; nothing is chosen by them."""


def class_counts(entries: Iterable[Sequence[Mark]]) -> dict[str, int]:
    """Return the marks of each class, the most frequent first."""
    return dict(Counter(mark.label for marks in entries for mark in marks).most_common())


def classes_error(counts: Mapping[str, int], chosen: Sequence[str], where: object) -> DataError | None:
    """Return the error for a choice that the classes do not allow; None where it does.

    Args:
        counts: Marks of each class.
        chosen: The chosen classes; none where there was no choice.
        where: What holds them.

    Marks without a class are of the only class, where there is one alone.
    """
    listed = _listing(counts)
    named = [name for name in counts if name]
    if not chosen and len(named) > 1:
        return _several(named, listed, where)
    missing = [name for name in chosen if name not in counts and name != ALL]
    if missing and counts:
        return DataError(f"expected the class {', '.join(missing)} in {where}", listed)
    return None


def _listing(counts: Mapping[str, int]) -> str:
    """Return the classes in words, each with its number of marks."""
    named = [f"{name or UNNAMED} {number:,}" for name, number in counts.items()]
    more = [f"and {len(named) - MOST_LISTED} more"] if len(named) > MOST_LISTED else []
    return ", ".join(named[:MOST_LISTED] + more)


def _several(named: Sequence[str], listed: str, where: object) -> DataError:
    some = next((name for name in LIKELY if name in named), named[0])
    return DataError(
        f"{where} holds several classes: {listed}", "",
        f"Choose the one that is counted with --class {some} (in a source: folder:PATH?class={some}), "
        f"or all of them with --class {ALL}",
    )  # fmt: skip


def choose_marks(marks: Sequence[Labelled], chosen: Sequence[str]) -> list[Labelled]:
    """Return the marks or areas of the chosen classes; all where there was no choice."""
    if not chosen or ALL in chosen:
        return list(marks)
    return [mark for mark in marks if mark.label in chosen]


def split_source(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the source and the chosen classes of ``SOURCE?class=NAME[,NAME]``."""
    source, mark, names = text.partition("?class=")
    return (source, tuple(name.strip() for name in names.split(",") if name.strip())) if mark else (text, ())
