"""Classes of marks. The user chooses the one that is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from crowdscale.data.areas import Area
from crowdscale.data.formats.label import Mark
from crowdscale.errors import DataError

__all__ = [
    "ALL", "attribute_note", "choose_marks", "class_counts", "classes_error", "other_names", "split_source",
]  # fmt: skip

Labelled = TypeVar("Labelled", Mark, Area)

ALL = "all"
"""Chooses every class."""

UNNAMED = "without a class"

MOST_LISTED = 30
"""Classes that an error lists."""

MOST_VALUES = 12
"""Values of an attribute beyond which it is no choice, but a number or a remark."""

LIKELY = ("head", "Head", "person", "Person", "people", "pedestrian", "face")
"""Classes that the sentence gives as an example; nothing is chosen by them."""


def class_counts(entries: Iterable[Sequence[Mark]]) -> dict[str, int]:
    """Return the marks of each class, the most frequent first."""
    return dict(Counter(mark.label for marks in entries for mark in marks).most_common())


def other_names(entries: Iterable[Sequence[Mark]]) -> set[str]:
    """Return what else chooses marks: each of several classes of one mark, and attributes NAME=VALUE."""
    marks = (mark for each in entries for mark in each if mark.also or mark.attributes)
    return {name for mark in marks for name in _names(mark)}


def _names(mark: Mark | Area) -> set[str]:
    """Return the texts that choose a mark or an area; of an attribute that is true its name as well."""
    if isinstance(mark, Area):
        return {mark.label}
    true = (text.removesuffix("=true") for text in mark.attributes)
    return {mark.label, *mark.also, *mark.attributes, *true}


def attribute_note(entries: Iterable[Sequence[Mark]]) -> str:
    """Return a sentence on attributes in which marks differ, and which were not read; empty without."""
    marks = [mark for each in entries for mark in each]
    values: dict[str, Counter[str]] = {}
    for mark in marks:
        for name, _, value in (text.partition("=") for text in mark.attributes):
            values.setdefault(name, Counter())[value] += 1
    sentences, choice = [], ""
    for name, numbers in values.items():
        missing = len(marks) - numbers.total()
        if 1 < len(numbers) + bool(missing) <= MOST_VALUES:
            listed = [f"{value}: {number:,}" for value, number in numbers.most_common()]
            choice = choice or f"{name}={numbers.most_common(1)[0][0]}"
            sentences.append(f"{name} ({', '.join([*listed, f'none: {missing:,}'] if missing else listed)})")
    if not sentences:
        return ""
    return (
        f"attributes in which heads differ, and which are not read: {', '.join(sentences)[:400]}. "
        f"--class {choice} chooses by one"
    )


def classes_error(
    counts: Mapping[str, int], chosen: Sequence[str], where: object, others: Collection[str] = ()
) -> DataError | None:
    """Return the error for a choice that the classes do not allow; None where it does.

    Args:
        counts: Marks of each class.
        chosen: The chosen classes; none where there was no choice.
        where: What holds them.
        others: What else chooses marks, by ``other_names``.

    Marks without a class are of the only class, where there is one alone.
    """
    listed = _listing(counts)
    named = [name for name in counts if name]
    if not chosen and len(named) > 1:
        return _several(named, listed, where)
    missing = [name for name in chosen if name not in counts and name != ALL and name not in others]
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
    option, source = (f'"{text}"' if " " in some else text for text in (some, f"folder:PATH?class={some}"))
    return DataError(
        f"{where} holds several classes: {listed}", "",
        f"Choose the one that is counted with --class {option} (in a source: {source}), "
        f"or all of them with --class {ALL}",
    )  # fmt: skip


def choose_marks(marks: Sequence[Labelled], chosen: Sequence[str]) -> list[Labelled]:
    """Return the marks or areas of the chosen classes; all where there was no choice."""
    if not chosen or ALL in chosen:
        return list(marks)
    return [mark for mark in marks if not _names(mark).isdisjoint(chosen)]


def split_source(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the source and the chosen classes of ``SOURCE?class=NAME[,NAME]``."""
    source, mark, names = text.partition("?class=")
    return (source, tuple(name.strip() for name in names.split(",") if name.strip())) if mark else (text, ())
