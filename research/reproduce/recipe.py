"""Recipe: a table of the papers as values: its lines with their networks, options and published numbers."""

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
    """A counting network: the options of its baseline and of learning to scale from there."""

    name: str
    """Part of the names of its folders."""
    options: Options = field(default_factory=frozen)
    """Options of ``crowdscale train`` by name, in both phases."""
    l2s: Options = field(default_factory=frozen)
    """Further options of the second phase; variants that differ only here share one baseline."""


@dataclass(frozen=True)
class Line:
    """One line of a table: a model, on a data set."""

    label: str
    variant: Variant
    refined: bool
    """Train the second phase, too (AutoScale), or the first alone (baseline)."""
    train: str
    """Short name of the data set to train on, or several joined by ``+``."""
    test: str
    """Short name of the data set to evaluate on."""
    predict: Options = field(default_factory=frozen)
    """Options of prediction by name."""
    published: Options = field(default_factory=frozen)
    """The papers' numbers by measure, as text."""

    @property
    def sets(self) -> str:
        """Name of the data in tables."""
        return self.train if self.train == self.test else f"{self.train} → {self.test}"


@dataclass(frozen=True)
class Recipe:
    """A table or figure of the papers."""

    name: str
    title: str
    """Subject, and its place in the papers."""
    lines: tuple[Line, ...]
    measures: tuple[str, ...] = ("MAE", "RMSE")
    """Columns, named as by ``crowdscale evaluate``; a line without a value shows a dash."""
    pictures: tuple[str, ...] = ()
    """``levels`` (density level before and after), ``factors`` (histogram), ``maps`` (side by side)."""
    remark: str = ""
    """Differences from the papers."""
    budget: str = "lite"
    """Default budget."""
    seeds: tuple[int, ...] = (0,)
    """Default seeds."""
    held_out: bool = False
    """Evaluate on the held-out photos, which choices need, instead of the test photos."""
