"""Opens a data set by a short text: ``sha/test:PATH``."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from crowdscale.data.classes import split_source
from crowdscale.data.folder import Folder
from crowdscale.data.lists import read_list, split_samples
from crowdscale.data.protocol import Card, Protocol
from crowdscale.data.sample import Sample, SampleSequence
from crowdscale.errors import OptionError, unknown_name

__all__ = [
    "DATASETS",
    "Dataset",
    "describe_datasets",
    "open_dataset",
    "open_samples",
    "protocol_of",
    "reader_class",
]

_LOG = logging.getLogger(__name__)

MOST_NOTES = 5
"""Notes on a folder's annotations that are logged."""


@dataclass(frozen=True)
class Dataset(SampleSequence):
    """An opened data set: its name, its samples and the facts that a result must state."""

    name: str
    """Its short name: ``sha``, ``qnrf``, …, ``folder``."""
    split: str
    """``train``, ``test``, …; empty for a folder, which has none."""
    samples: list[Sample]
    """The photos with their points."""
    release: str = ""
    """The release of the annotation (``2015``, ``2016``, ``unknown``); empty where a set has only one."""
    protocol: Protocol = field(default_factory=lambda: protocol_of(FOLDER))
    """How papers use it."""


DATASETS: dict[str, tuple[str, str, dict[str, str]]] = {
    "sha": ("shanghaitech", "ShanghaiTech", {"part": "A"}),
    "shb": ("shanghaitech", "ShanghaiTech", {"part": "B"}),
    "qnrf": ("qnrf", "UCFQNRF", {}),
    "cc50": ("ucfcc50", "UCFCC50", {}),
    "jhu": ("jhu", "JHUCrowd", {}),
    "nwpu": ("nwpu", "NWPUCrowd", {}),
    "trancos": ("trancos", "Trancos", {}),
    "mall": ("mall", "Mall", {}),
    "ucsd": ("ucsd", "UCSD", {}),
    "scuthead": ("scuthead", "SCUTHead", {}),
    "crowdhuman": ("crowdhuman", "CrowdHuman", {}),
    "visdrone": ("visdrone", "VisDroneCC", {}),
    "fdst": ("fdst", "FDST", {}),
}
"""The public data sets by short name: module, class and options of the reader, imported when one is opened."""

FOLDER = "folder"
"""The short name of your own photos."""


def reader_class(name: str) -> type[Any]:
    """Return the reader of a public data set. Raises OptionError for an unknown name, listing the known."""
    if name not in DATASETS:
        raise unknown_name("data set", name, [*DATASETS, FOLDER])
    module, reader, _ = DATASETS[name]
    reader_type: type[Any] = getattr(import_module(f"crowdscale.data.sets.{module}"), reader)
    return reader_type


def protocol_of(name: str) -> Protocol:
    """Return how papers use a data set; your own folder is scored as ShanghaiTech A. Raises OptionError."""
    if name == FOLDER:
        name = "sha"
    if name not in DATASETS:
        raise unknown_name("protocol", name, [*DATASETS, FOLDER])
    reader = reader_class(name)
    part = DATASETS[name][2].get("part")
    protocol: Protocol = reader.protocols[part] if part else reader.protocol
    return protocol


def describe_datasets() -> dict[str, tuple[Card, Protocol]]:
    """Return what each public data set is and how papers use it, by short name."""
    return {name: (reader_class(name).card, protocol_of(name)) for name in DATASETS}


def _open_public(name: str, path: Path, split: str) -> Dataset:
    reader, protocol = reader_class(name), protocol_of(name)
    opened = reader(path, split=split or protocol.splits[0], **DATASETS[name][2])
    return Dataset(name, opened.split, opened.samples, getattr(opened, "release", ""), protocol)


def _open_folder(path: Path, split: str, classes: Sequence[str]) -> Dataset:
    if split:
        raise OptionError(
            "expected folder:PATH", f"folder/{split}:{path}", "A folder has no splits; name its path"
        )
    folder = Folder(path, classes=classes)
    for sentence in folder.notes[:MOST_NOTES]:
        _LOG.warning("%s", sentence)
    if len(folder.notes) > MOST_NOTES:
        _LOG.warning("… and %d notes more: crowdscale data check %s", len(folder.notes) - MOST_NOTES, path)
    return Dataset(FOLDER, "", folder.samples)


GRAMMAR = re.compile(r"(?P<name>[\w-]{2,})(?:/(?P<split>\w+))?:(?P<path>.*)", re.DOTALL)
"""``NAME[/SPLIT]:PATH``; a single letter before the colon is a drive."""


def open_dataset(text: str) -> Dataset:
    """Return the data set that ``NAME[/SPLIT]:PATH`` names; a bare path is a folder of your own photos.

    ``sha:PATH`` is part A of ShanghaiTech, and so on (``DATASETS``); the split is the first of the set's
    own (mostly ``train``) unless named, as in ``sha/test:PATH``. ``folder:PATH`` is the same as the bare path;
    ``folder:PATH?class=head`` reads one of several classes. What was changed in reading is logged.

    Raises:
        OptionError: The name or the split is not known.
        DataError: The set cannot be read.
    """
    text, classes = (text, ()) if Path(text).exists() else split_source(text)
    match = GRAMMAR.fullmatch(text)
    if match is None or Path(text).exists():
        return _open_folder(Path(text).expanduser(), "", classes)
    name, split, path = match["name"], match["split"] or "", match["path"]
    if name != FOLDER:
        reader_class(name)
    if not path:
        raise OptionError(
            "expected NAME[/SPLIT]:PATH", repr(text), "Put the data set's folder after the colon"
        )
    folder = Path(path).expanduser()
    if name == FOLDER:
        return _open_folder(folder, split, classes)
    if classes:
        raise OptionError("expected ?class= for a folder of your own photos alone", f"{name} with it")
    return _open_public(name, folder, split)


def open_samples(texts: Sequence[str], left_out: Path | None = None) -> list[Sample]:
    """Return the photos of all sets that are named, without those of a list, one SET/NAME a line.

    Raises:
        OptionError: A name or a split is not known.
        DataError: A set or the list cannot be read.
    """
    samples = [sample for text in texts for sample in open_dataset(text).samples]
    return samples if left_out is None else split_samples(samples, read_list(left_out))[0]
