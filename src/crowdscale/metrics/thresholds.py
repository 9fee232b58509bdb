"""Thresholds: the largest distance of a predicted head from its true head."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.errors import OptionError
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import nearest_distances

__all__ = ["SHANGHAITECH", "BoxRadius", "Fixed", "NearestNeighbours", "Threshold", "threshold"]


class Threshold(Protocol):
    """The largest distance of a predicted head from its true head."""

    @property
    def name(self) -> str:
        """Short name for tables."""
        ...

    def radii(self, truth: GroundTruth) -> Floats:
        """Return the (m,) radius in pixels around each true head."""
        ...


@dataclass(frozen=True)
class Fixed:
    """The same number of pixels for all heads."""

    pixels: float

    def __post_init__(self) -> None:
        if not self.pixels > 0:
            raise OptionError("expected a threshold above 0 pixels", str(self.pixels))

    @property
    def name(self) -> str:
        """Short name."""
        return f"{self.pixels:g}px"

    def radii(self, truth: GroundTruth) -> Floats:
        """Return the (m,) radii."""
        return np.full(len(truth), float(self.pixels))


@dataclass(frozen=True)
class NearestNeighbours:
    """The mean distance of each true head to its k nearest true heads (AutoScale's adaptive threshold)."""

    k: int = 8
    lone: float = 16.0
    """Pixels for a head without neighbours."""

    @property
    def name(self) -> str:
        """Short name."""
        return f"knn{self.k}"

    def radii(self, truth: GroundTruth) -> Floats:
        """Return the (m,) radii; fewer than k neighbours are enough."""
        distances = nearest_distances(truth.points.xy, self.k)
        return np.where(np.isnan(distances), self.lone, distances)


@dataclass(frozen=True)
class BoxRadius:
    """NWPU's radius from each head's box: σ_s (``small``) or σ_l (``large``)."""

    which: Literal["small", "large"]

    @property
    def name(self) -> str:
        """Short name."""
        return self.which

    def radii(self, truth: GroundTruth) -> Floats:
        """Return the (m,) radii. Raises DataError where the annotation gives no boxes."""
        return truth.radius(self.which)


SHANGHAITECH: tuple[Threshold, ...] = (Fixed(4), Fixed(8), Fixed(16), NearestNeighbours())
"""The thresholds of ShanghaiTech A (AutoScale §4)."""


def threshold(name: str) -> Threshold:
    """Return the threshold of a name: ``4px`` (or ``4``), ``knn8``, ``small``, ``large``.

    Raises:
        OptionError: The name is none of these.
    """
    text = name.strip().lower()
    boxes: dict[str, Threshold] = {"small": BoxRadius("small"), "large": BoxRadius("large")}
    if text in boxes:
        return boxes[text]
    if match := re.fullmatch(r"knn([1-9]\d*)", text):
        return NearestNeighbours(int(match[1]))
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)(?:px)?", text):
        return Fixed(float(match[1]))
    raise OptionError("expected a threshold as 4px, knn8, small or large", repr(name))
