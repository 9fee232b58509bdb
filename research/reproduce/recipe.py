"""Recipe: a table of the papers as values: its lines, what each trains, how it is evaluated, what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = ["Line", "Recipe", "Variant", "frozen"]

Options = Mapping[str, Any]


def frozen(**options: Any) -> Options:
    """Return options that cannot be changed."""
    return MappingProxyType(options)


@dataclass(frozen=True)
class Variant:
    """A counting network: how its baseline is trained and how it learns to scale from there."""

    name: str
    """Part of the names of its folders."""
    options: Options = field(default_factory=frozen)
    """Options of ``crowdscale train`` by name, in both phases."""
    l2s: Options = field(default_factory=frozen)
    """Further options of the second phase; variants that differ here alone share one baseline."""


@dataclass(frozen=True)
class Line:
    """One line of a table: a model, on a data set."""

    label: str
    variant: Variant
    refined: bool
    """Whether the second phase is trained (AutoScale), or the first alone (baseline)."""
    train: str
    """Short name of the data set to train on, or several joined by ``+``."""
    test: str
    """And of the one to evaluate on."""
    predict: Options = field(default_factory=frozen)
    """Options of prediction by name."""
    published: Options = field(default_factory=frozen)
    """The papers' numbers by measure, as text."""

    @property
    def sets(self) -> str:
        """The data, as tables show it."""
        return self.train if self.train == self.test else f"{self.train} → {self.test}"


@dataclass(frozen=True)
class Recipe:
    """A table or figure of the papers."""

    name: str
    title: str
    """What it shows and where it stands in the papers."""
    lines: tuple[Line, ...]
    measures: tuple[str, ...] = ("MAE", "RMSE")
    """Columns, as ``crowdscale evaluate`` names them; the lines that lack one show a dash."""
    pictures: tuple[str, ...] = ()
    """``levels`` (density level before and after), ``factors`` (histogram), ``maps`` (side by side)."""
    remark: str = ""
    """What differs from the papers."""
    budget: str = "lite"
    """How long it is trained unless told otherwise."""
    seeds: tuple[int, ...] = (0,)
    """And with which seeds."""
    held_out: bool = False
    """Whether lines are evaluated on the held-out photos, as choices of ours must be, or on the test photos."""
