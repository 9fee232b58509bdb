"""The three methods of a model: the codec that reads its map, and the rule that finds dense regions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from crowdscale.errors import OptionError
from crowdscale.maps.density import Density
from crowdscale.maps.distance import DistanceLabels
from crowdscale.maps.hybrid import HybridLabels
from crowdscale.maps.regions import DensityRule, LabelRule

__all__ = ["METHODS", "MethodParts", "new_codec", "read_as"]


class MethodParts(NamedTuple):
    """The classes behind a method."""

    codec: type[Any]
    rule: type[Any]


METHODS = {
    "points": MethodParts(DistanceLabels, LabelRule),
    "density": MethodParts(Density, DensityRule),
    "hybrid": MethodParts(HybridLabels, LabelRule),
}
"""The methods by name."""

LABELS: Collection[str] = ("points", "hybrid")
"""Methods that read distance labels."""


def new_codec(method: str, sigma: float, adaptive: bool) -> DistanceLabels | Density:
    """Return the codec of a new model.

    Args:
        method: A key of ``METHODS``.
        sigma: Of a density's kernels.
        adaptive: Whether a density takes sigma from the distance to the nearest heads.
    """
    made: DistanceLabels | Density = (
        Density(sigma, adaptive) if method == "density" else METHODS[method].codec()
    )
    return made


def read_as(codec: DistanceLabels | Density, method: str) -> DistanceLabels | Density:
    """Return the codec that reads the same map by another method; the codec itself for its own method.

    Raises:
        OptionError: The map cannot be read so.
    """
    if method in METHODS and type(codec) is METHODS[method].codec:
        return codec
    if method not in LABELS or not isinstance(codec, DistanceLabels):
        raise OptionError("expected --method points or hybrid for a model of distance labels", repr(method))
    labels: DistanceLabels = METHODS[method].codec(codec.edges)
    return labels
