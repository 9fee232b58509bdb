"""Protocol of a data set in the literature: kernel, size limits, splits, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crowdscale.errors import OptionError

__all__ = ["Card", "Protocol", "SizeLimits"]


@dataclass(frozen=True)
class SizeLimits:
    """Limits of a photo's sides in pixels, kept by a resize with the aspect ratio unchanged."""

    longest: int | None = None
    """The longest side is reduced to at most this."""
    shortest: int | None = None
    """The shortest side is enlarged to at least this; where both cannot be, this one holds."""

    def __post_init__(self) -> None:
        for name in ("longest", "shortest"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"expected a {name} side of at least 1 pixel", str(value))

    def fit(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (width, height) to which a photo of ``size`` (width, height) is resized."""
        factor = 1.0
        if self.longest is not None and max(size) > self.longest:
            factor = self.longest / max(size)
        if self.shortest is not None and min(size) * factor < self.shortest:
            factor = self.shortest / min(size)
        return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


@dataclass(frozen=True)
class Protocol:
    """The practice of papers on a data set. The docstring of the set's reader gives the source of each field."""

    splits: tuple[str, ...]
    """The official splits, the one to train on first."""
    sigma: float = 4.0
    """Gaussian kernel of the density map in pixels."""
    limits: SizeLimits = field(default_factory=SizeLimits)
    """Sides to which photos are resized at load."""
    thresholds: tuple[str, ...] = ("4px", "8px", "16px", "knn8")
    """Localization thresholds by name: ``Npx``, ``knnK``, ``small`` and ``large`` (σ_s and σ_l of NWPU's boxes)."""
    averaged: tuple[float, float] | None = None
    """P, R and F are averaged over whole pixels from … to, both inclusive (UCF-QNRF: 1…100)."""
    game: int = 0
    """The highest level of GAME that papers report; 0 for none."""
    attributes: tuple[str, ...] = ()
    """Attributes of samples by which papers split the scores."""
    levels: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Density levels: name → fewest and most heads of an image, both inclusive."""
    folds: int = 0
    """Number of folds of a cross-validation; 0 where there are fixed splits."""

    def level(self, heads: int) -> str:
        """Return the name of the density level of an image with this many heads; empty where none fits."""
        for name, (low, high) in self.levels.items():
            if low <= heads <= high:
                return name
        return ""


@dataclass(frozen=True)
class Card:
    """Facts on a data set for listings, a line each."""

    title: str
    """The set's own name."""
    what: str
    """Subject and number of its photos."""
    annotation: str
    """``points`` or ``boxes``, and the marked object."""
    licence: str
    source: str
    """Address of the authors' page."""
    citation: str
    confirmed: str
    """Real files on which the layout was confirmed; empty where it follows the public description alone."""

    @property
    def verified(self) -> bool:
        """Whether the layout was confirmed on real files, all or some."""
        return bool(self.confirmed)
