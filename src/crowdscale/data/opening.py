"""Opening a data set by a short text, as the command line takes it: ``sha/test:PATH``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crowdscale.data.folder import Folder
from crowdscale.data.sample import Sample
from crowdscale.data.shanghaitech import ShanghaiTech
from crowdscale.errors import OptionError, unknown_name

__all__ = ["DATASETS", "Dataset", "open_dataset"]


@dataclass(frozen=True)
class Dataset:
    """A data set that was opened: its name, its samples and what else a result must state."""

    name: str
    """``sha``, ``shb`` or ``folder``."""
    split: str
    """``train`` or ``test``; empty for a folder, which has none."""
    samples: list[Sample]
    """The photos with their points."""
    release: str = ""
    """The release of the annotation (``2015``, ``2016``, ``unknown``); empty where a set has only one."""

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)


def _shanghaitech(part: str, path: Path, split: str) -> Dataset:
    opened = ShanghaiTech(path, part, split or "train")
    return Dataset(f"sh{part.lower()}", opened.split, opened.samples, opened.release)


def _folder(path: Path, split: str) -> Dataset:
    if split:
        raise OptionError(
            "expected folder:PATH", f"folder/{split}:{path}", "A folder has no splits; name its path"
        )
    return Dataset("folder", "", Folder(path).samples)


DATASETS: dict[str, Callable[[Path, str], Dataset]] = {
    "folder": _folder,
    "sha": partial(_shanghaitech, "A"),
    "shb": partial(_shanghaitech, "B"),
}
"""The data sets by name; each builder takes the path and the split (empty where none was named)."""

GRAMMAR = re.compile(r"(?P<name>[\w-]{2,})(?:/(?P<split>\w+))?:(?P<path>.*)", re.DOTALL)
"""``NAME[/SPLIT]:PATH``; a single letter before the colon is a drive."""


def open_dataset(text: str) -> Dataset:
    """Return the data set that ``NAME[/SPLIT]:PATH`` names; a bare path is a folder of your own photos.

    ``sha:PATH`` and ``shb:PATH`` are ShanghaiTech's parts; their split is ``train`` unless named, as in
    ``sha/test:PATH``. ``folder:PATH`` is the same as the bare path.

    Raises:
        OptionError: The name or the split is not known.
        DataError: The set cannot be read.
    """
    match = GRAMMAR.fullmatch(text)
    if match is None or Path(text).exists():
        return _folder(Path(text).expanduser(), "")
    if match["name"] not in DATASETS:
        raise unknown_name("data set", match["name"], DATASETS)
    if not match["path"]:
        raise OptionError(
            "expected NAME[/SPLIT]:PATH", repr(text), "Put the data set's folder after the colon"
        )
    return DATASETS[match["name"]](Path(match["path"]).expanduser(), match["split"] or "")
