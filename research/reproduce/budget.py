"""Budget: how long each network of a table is trained, from minutes to the papers' schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from crowdscale.errors import OptionError

__all__ = ["BUDGETS", "Budget", "parse_budget"]


@dataclass(frozen=True)
class Budget:
    """Crops and validations of each phase."""

    name: str
    """The text of the option."""
    crops: int
    """Crops of the first phase, the counting network alone: the baseline."""
    l2s_crops: int
    """Crops of the second phase, with learning to scale, from the baseline's weights."""
    regime: str = "ours"
    """``ours``: crops, AdamW, cosine; ``paper``: whole photos, Adam at a constant rate, as published."""
    validations: int = 8
    """Validations of the first phase; the best by validation is kept."""
    l2s_validations: int = 5
    """Validations of the second phase, which are its epochs: the centre moves at each."""
    photos: int = 0
    """At most this many photos are held out, and at most this many evaluated; 0 for all."""

    def __post_init__(self) -> None:
        if self.crops < 1 or self.l2s_crops < 1:
            raise OptionError("expected --budget of at least 1 crop", f"{self.crops}, {self.l2s_crops}")

    def options(self, phase: str) -> dict[str, Any]:
        """Return the training options of a phase, ``count`` or ``l2s``, by name."""
        if phase == "count":
            every = max(1, self.crops // self.validations)
            return {"crops": self.crops, "l2s_crops": 0, "validate_every": every}
        every = max(1, self.l2s_crops // self.l2s_validations)
        return {"crops": 0, "l2s_crops": self.l2s_crops, "l2s_validate_every": every}


PAPER_PHOTOS = 30_000
"""100 epochs of the 300 photos of ShanghaiTech A; the papers give no number."""

BUDGETS: dict[str, Budget] = {
    "smoke": Budget("smoke", 64, 32, validations=1, l2s_validations=1, photos=6),
    "lite": Budget("lite", 24_000, 4_000),
    "paper": Budget("paper", PAPER_PHOTOS, PAPER_PHOTOS, "paper", validations=100, l2s_validations=100),
}
"""Named budgets: minutes for a trial run; a day of two CPU cores for the main table; as published."""

L2S_SHARE = 6
"""Crops of the first phase per crop of the second, whose crops are larger, if one number is given."""


def parse_budget(text: str) -> Budget:
    """Return the budget of ``smoke``, ``lite``, ``paper``, a number of crops N, or N+M for both phases.

    Raises:
        OptionError: The text is none of these.
    """
    if text in BUDGETS:
        return BUDGETS[text]
    match = re.fullmatch(r"(\d+)(?:\+(\d+))?", text)
    if match is None:
        raise OptionError(f"expected --budget as {', '.join(BUDGETS)}, a number of crops, or N+M", repr(text))
    crops = int(match[1])
    return Budget(text, crops, int(match[2]) if match[2] else max(1, crops // L2S_SHARE))
