"""Lists of photos to hold out of training, one ``set/name`` a line, and their seeded draw."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from crowdscale.data.sample import Sample
from crowdscale.data.sets.shanghaitech import NEAR_DUPLICATES
from crowdscale.errors import DataError, OptionError
from crowdscale.files.documents import read_text
from crowdscale.files.writing import write_atomic

__all__ = ["domain_of", "list_entry", "read_list", "split_samples", "stratified_names", "write_list"]


def list_entry(sample: Sample) -> str:
    """Return the sample's ``set/name`` as lists have it, for instance ``sha/IMG_161``."""
    return f"{sample.attributes.get('set', 'folder')}/{sample.name}"


def domain_of(sample: Sample) -> str:
    """Return the set that the sample belongs to; of your own photos it is the name of their folder."""
    return sample.attributes.get("folder") or sample.attributes.get("set", "folder")


def read_list(path: str | Path) -> list[str]:
    """Return the entries of a list file; empty lines and what follows a ``#`` are skipped.

    Raises:
        DataError: The file cannot be read, a line is no ``set/name``, or an entry stands there twice.
    """
    lines = read_text(Path(path)).splitlines()
    entries: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        entry = _uncommented(line)
        if not entry:
            continue
        if not _is_entry(entry):
            raise DataError(f"expected set/name (as sha/IMG_161) in {path}, line {number}", repr(entry))
        if entry in entries:
            raise DataError(f"expected each photo once in {path}", f"{entry} again in line {number}")
        entries[entry] = None
    return list(entries)


def _uncommented(line: str) -> str:
    """Return the line without its comment: a # at its start or after a space."""
    return "" if line.lstrip().startswith("#") else line.split(" #", 1)[0].strip()


def _is_entry(text: str) -> bool:
    name_of_set, _, name = text.partition("/")
    return bool(name_of_set and name)


def write_list(path: str | Path, entries: Iterable[str], comment: str = "") -> None:
    """Write the ``set/name`` entries to a list file, below the comment's lines.

    Raises:
        DataError: An entry is no ``set/name``.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    for entry in entries:
        if _uncommented(entry) != entry or not _is_entry(entry) or "\n" in entry:
            raise DataError("expected set/name (as sha/IMG_161)", repr(entry))
        lines.append(entry)
    text = "".join(f"{line}\n" for line in lines)
    write_atomic(Path(path), lambda stream: stream.write(text.encode()))


def split_samples(samples: Sequence[Sample], listed: Collection[str]) -> tuple[list[Sample], list[Sample]]:
    """Return (those not listed, those listed), both in the order of ``samples``.

    Entries of sets that are not among the samples are passed over, so that one list serves several sets.
    A photo of your own is listed as ``folder/name``, or by its folder's name where a list serves several folders.

    Args:
        samples: The training splits; a test split has other photos under the same names.
        listed: ``set/name`` entries.

    Raises:
        DataError: The list names a photo of one of these sets that is not there.
    """
    names = [{list_entry(sample), f"{domain_of(sample)}/{sample.name}"} for sample in samples]
    _check_all_there(names, listed)
    chosen = set(listed)
    rest = [sample for sample, own in zip(samples, names, strict=True) if not own & chosen]
    return rest, [sample for sample, own in zip(samples, names, strict=True) if own & chosen]


def _check_all_there(names: Sequence[set[str]], listed: Collection[str]) -> None:
    """Refuse a list that names a photo of the samples' sets that is none of the samples."""
    entries = set().union(*names)
    sets = {entry.partition("/")[0] for entry in entries}
    missing = [entry for entry in listed if entry not in entries and entry.partition("/")[0] in sets]
    if missing:
        first = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise DataError(
            f"expected all listed photos among the {len(names)} samples",
            f"{len(missing)} that are not there: {first}",
            "Check that the list was made for this data set and split",
        )


def stratified_names(
    samples: Sequence[Sample],
    share: float = 0.1,
    seed: int = 0,
    stay: Collection[str] = NEAR_DUPLICATES,
) -> list[str]:
    """Return the ``set/name`` of a random share of one set's samples whose counts spread like the whole.

    Samples are sorted by count and one of each 1/share neighbours is drawn: of 1 or 2 in turn for two thirds. Call it
    once a set.

    Args:
        samples: The samples of one set.
        share: This part is drawn, more than 0 and at most 1, rounded up to a whole sample.
        seed: Seed of the draw.
        stay: Entries that are never drawn: near-duplicates of each other, which stay on one side.
    """
    if not 0 < share <= 1:
        raise OptionError("expected share above 0 and at most 1", str(share))
    rng = np.random.default_rng(seed)
    order = sorted(samples, key=lambda sample: (_heads(sample), sample.name))
    drawn = math.ceil(len(order) * share - 1e-9)
    edges = [*(math.floor(index / share + 1e-9) for index in range(drawn)), len(order)]
    names = []
    for start, stop in itertools.pairwise(edges):
        entries = [entry for entry in map(list_entry, order[start:stop]) if entry not in stay]
        if entries:
            names.append(entries[rng.integers(len(entries))])
    return names


def _heads(sample: Sample) -> int:
    if sample.points is None:
        raise DataError("expected samples with points", f"{list_entry(sample)} without", "Leave it out")
    return len(sample.points)
