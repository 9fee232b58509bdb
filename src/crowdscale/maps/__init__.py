"""Target maps as codecs: points to map and back."""

from crowdscale.maps.blocks import BlockReading
from crowdscale.maps.density import Density
from crowdscale.maps.distance import LABEL_EDGES, DistanceLabels, expected_label, regional_minima
from crowdscale.maps.hybrid import HybridLabels, HybridReading

__all__ = [
    "LABEL_EDGES",
    "BlockReading",
    "Density",
    "DistanceLabels",
    "HybridLabels",
    "HybridReading",
    "expected_label",
    "regional_minima",
]
