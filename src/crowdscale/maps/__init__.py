"""Target maps as codecs: points to map and back."""

from crowdscale.maps.blocks import BlockEstimate
from crowdscale.maps.density import Density
from crowdscale.maps.distance import LABEL_EDGES, DistanceLabels, expected_label, regional_minima
from crowdscale.maps.estimates import Estimate
from crowdscale.maps.hybrid import HybridEstimate, HybridLabels
from crowdscale.maps.methods import METHODS
from crowdscale.maps.output import NetworkOutput

__all__ = [
    "LABEL_EDGES",
    "METHODS",
    "BlockEstimate",
    "Density",
    "DistanceLabels",
    "Estimate",
    "HybridEstimate",
    "HybridLabels",
    "NetworkOutput",
    "expected_label",
    "regional_minima",
]
