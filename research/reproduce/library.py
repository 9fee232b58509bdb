"""Library: the data sets of a study, their photos to train on, to validate on and to evaluate on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from crowdscale.data.lists import domain_of, read_list
from crowdscale.data.opening import Dataset, open_dataset
from crowdscale.data.sizing import limit_sizes
from crowdscale.errors import DataError, OptionError
from crowdscale.learn.training.preparation import Gathered, gather
from research.domains.photos import held_out
from research.reproduce.cells import limited
from research.reproduce.recipe import Line
from research.reproduce.request import Request

__all__ = ["ELSEWHERE", "HELD_OUT", "Library"]

ELSEWHERE: Mapping[str, float] = {"scut_a": 0.03, "scut_b": 0.03, "brt": 0.0, "ucf_cc_50": 0.0}
"""Folders of photos that no network of a table trains on, and the share of a side along their edges that nobody marked."""

HELD_OUT = "held out"
"""The split of photos that a list holds out of trainings."""


@dataclass
class Library:
    """Data sets of a study, each opened once."""

    request: Request
    held_out: bool = False
    """Evaluate on the held-out photos: no test split is needed."""
    problems: dict[str, str] = field(default_factory=dict)
    """Short name → the reason why its data cannot be used."""
    tests: dict[str, Dataset] = field(default_factory=dict)
    """Photos to evaluate on, at their own size: the split ``test``, the last one with public heads, or the held-out ones."""
    gathered: dict[str, Gathered] = field(default_factory=dict)

    @cached_property
    def readable(self) -> dict[str, Dataset]:
        """Readable sets by short name, at the split to train on."""
        readable = {}
        for name, path in self.request.data.items():
            try:
                dataset = open_dataset(_source(name, path))
                if not self.held_out:
                    self.tests[name] = self._test_photos(name, dataset)
                readable[name] = dataset
            except (DataError, OptionError) as error:
                self.problems[name] = f"{name}: {error}"
        return readable

    def _test_photos(self, name: str, dataset: Dataset) -> Dataset:
        """Return the photos to evaluate on; without a test split those that the list holds out."""
        if name in ELSEWHERE:
            return self._held_out(name, dataset)
        splits = dataset.protocol.splits
        split = "test" if "test" in splits and name != "nwpu" else splits[min(1, len(splits) - 1)]
        try:
            return open_dataset(f"{name}/{split}:{self.request.data[name]}")
        except DataError as error:
            if self._listed(name) is None:
                raise
            self.problems[name] = (
                f"{name}: {error} Networks of other sets are evaluated on its held-out photos"
            )
            return self._held_out(name, dataset)

    def _held_out(self, name: str, dataset: Dataset) -> Dataset:
        """Return the photos of a set that the list holds out; all of them where it names none."""
        source = _source(name, self.request.data[name])
        border = {domain_of(dataset.samples[0]): ELSEWHERE.get(name, 0.0)}
        photos = held_out([source], self.request.validation, border) or held_out([source], None, border)
        samples = [sample for each in photos.values() for sample in each]
        return replace(dataset, name=name, split=HELD_OUT, samples=samples)

    def has(self, line: Line) -> bool:
        """Return whether a line's data can be read, and its network does not choose by the photos that evaluate it."""
        trained = line.train.split("+")
        if not {*trained, line.test} <= {*self.readable}:
            return False
        return self.held_out or line.test not in trained or self.tests[line.test].split != HELD_OUT

    def gather(self, name: str) -> Gathered:
        """Return the photos to train and to validate on, of one set or of several (``sha+shb``)."""
        if name not in self.gathered:
            request = self.request
            data = [f"{each}:{request.data[each]}" for each in name.split("+")]
            cache = request.out / "resized"
            photos = gather(data, None, self._listed(name), 0.1, 0, True, cache)
            self.gathered[name] = replace(photos, held_out=photos.held_out[: request.budget.photos or None])
        return self.gathered[name]

    def _listed(self, name: str) -> Path | None:
        """Return the validation list if it has photos of all these sets."""
        listed = self.request.validation
        if listed is None:
            return None
        entries = read_list(listed)
        if all(any(entry.startswith(f"{each}/") for entry in entries) for each in name.split("+")):
            return listed
        return None

    def test(self, name: str) -> Dataset:
        """Return the photos to evaluate on, within the set's limits of size: of its test split, or held out."""
        if self.held_out:
            return replace(self.readable[name], samples=self.gather(name).held_out, split=HELD_OUT)
        dataset = self.tests[name]
        sized = limit_sizes(dataset.samples, dataset.protocol.limits, self.request.out / "resized")
        return limited(replace(dataset, samples=list(sized)), self.request.budget.photos)


def _source(name: str, path: str) -> str:
    """Return what opens the photos of a set; those from elsewhere are folders."""
    return f"{'folder' if name in ELSEWHERE else name}:{path}"
