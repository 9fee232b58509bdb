"""Library: the data sets of a study, their photos to train on, to validate on and to evaluate on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from crowdscale.data.lists import read_list
from crowdscale.data.opening import Dataset, open_dataset
from crowdscale.data.sizing import limit_sizes
from crowdscale.errors import DataError, OptionError
from crowdscale.learn.training.preparation import Gathered, gather
from research.reproduce.cells import limited
from research.reproduce.recipe import Line
from research.reproduce.request import Request

__all__ = ["Library"]


@dataclass
class Library:
    """Data sets of a study, each opened once."""

    request: Request
    held_out: bool = False
    """Evaluate on the held-out photos: no test split is needed."""
    problems: dict[str, str] = field(default_factory=dict)
    """Short name → the reason why its data cannot be used."""
    tests: dict[str, Dataset] = field(default_factory=dict)
    """Photos to evaluate on, at their own size: the split ``test``, or the last one with public heads."""
    gathered: dict[str, Gathered] = field(default_factory=dict)

    @cached_property
    def readable(self) -> dict[str, Dataset]:
        """Readable sets by short name, at the split to train on."""
        readable = {}
        for name, path in self.request.data.items():
            try:
                dataset = open_dataset(f"{name}:{path}")
                splits = dataset.protocol.splits
                split = "test" if "test" in splits and name != "nwpu" else splits[min(1, len(splits) - 1)]
                if not self.held_out:
                    self.tests[name] = open_dataset(f"{name}/{split}:{path}")
                readable[name] = dataset
            except (DataError, OptionError) as error:
                self.problems[name] = f"{name}: {error}"
        return readable

    def has(self, line: Line) -> bool:
        """Return whether a line's data can be read."""
        return {*line.train.split("+"), line.test} <= {*self.readable}

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
            return replace(self.readable[name], samples=self.gather(name).held_out, split="held out")
        dataset = self.tests[name]
        sized = limit_sizes(dataset.samples, dataset.protocol.limits, self.request.out / "resized")
        return limited(replace(dataset, samples=list(sized)), self.request.budget.photos)
