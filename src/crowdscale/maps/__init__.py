"""Target maps as codecs: points to map and back."""

from crowdscale.maps.density import Density
from crowdscale.maps.distance import LABEL_EDGES, DistanceLabels, expected_label, regional_minima

__all__ = ["LABEL_EDGES", "Density", "DistanceLabels", "expected_label", "regional_minima"]
