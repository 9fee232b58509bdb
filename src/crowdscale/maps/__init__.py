"""Target maps as codecs: points to map and back."""

from crowdscale.maps.density import Density
from crowdscale.maps.distance import LABEL_EDGES, DistanceLabels, expected_label, regional_minima
from crowdscale.maps.hybrid import HybridLabels, HybridReading

__all__ = [
    "LABEL_EDGES",
    "Density",
    "DistanceLabels",
    "HybridLabels",
    "HybridReading",
    "expected_label",
    "regional_minima",
]
