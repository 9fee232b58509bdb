"""Request: the data, budget, seeds and options of a study, and their texts on the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowdscale.errors import OptionError
from research.reproduce.budget import Budget

__all__ = ["Request", "parse_data", "parse_options"]


@dataclass(frozen=True)
class Request:
    """Data, budget, seeds and options of a run."""

    data: Mapping[str, str]
    """Folder of each data set by its short name; lines of the others are not run."""
    budget: Budget
    seeds: tuple[int, ...]
    out: Path
    """Folder of networks, cells and tables; studies with one folder share networks and cells."""
    validation: Path | None = None
    """List of held-out photos; None holds a tenth out, by count strata."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Training options that override the recipe's."""
    device: str = "cpu"
    threads: int = 0

    def __post_init__(self) -> None:
        if not self.seeds or min(self.seeds) < 0:
            raise OptionError("expected --seeds of at least 0, one or more", f"{list(self.seeds)}")
        if self.threads < 0:
            raise OptionError("expected --threads of at least 0", str(self.threads))


def parse_data(texts: Sequence[str]) -> dict[str, str]:
    """Return the folder of each ``NAME:PATH``.

    Raises:
        OptionError: A text has another form.
    """
    folders = {}
    for text in texts:
        name, colon, path = text.partition(":")
        if not colon or not path or "/" in name:
            raise OptionError("expected --data NAME:PATH, such as sha:ShanghaiTech", repr(text))
        folders[name] = path
    return folders


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Return the training options of ``name=value`` texts; values are read as JSON if possible.

    Raises:
        OptionError: A text has another form.
    """
    options = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise OptionError("expected --set NAME=VALUE, such as backbone=vgg16", repr(text))
        key = name.strip().replace("-", "_")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options
