"""Target maps as codecs: points to map and back."""

from crowdscale.maps.blocks import BlockReading
from crowdscale.maps.density import Density
from crowdscale.maps.distance import LABEL_EDGES, DistanceLabels, expected_label, regional_minima
from crowdscale.maps.estimate import Estimate
from crowdscale.maps.hybrid import HybridLabels, HybridReading
from crowdscale.maps.methods import METHODS
from crowdscale.maps.output import NetworkOutput

__all__ = [
    "LABEL_EDGES",
    "METHODS",
    "BlockReading",
    "Density",
    "DistanceLabels",
    "Estimate",
    "HybridLabels",
    "HybridReading",
    "NetworkOutput",
    "expected_label",
    "regional_minima",
]
