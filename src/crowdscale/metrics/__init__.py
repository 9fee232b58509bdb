"""Scores: counting errors, one-to-one matching, localization, the field's point files."""

from crowdscale.metrics.counting import CountScores, count_scores
from crowdscale.metrics.localization import (
    SHANGHAITECH,
    Fixed,
    LocalizationScores,
    NearestNeighbours,
    Threshold,
    localization_scores,
)
from crowdscale.metrics.matching import Matches, match_points
from crowdscale.metrics.point_files import read_points, read_truth, write_points

__all__ = [
    "SHANGHAITECH",
    "CountScores",
    "Fixed",
    "LocalizationScores",
    "Matches",
    "NearestNeighbours",
    "Threshold",
    "count_scores",
    "localization_scores",
    "match_points",
    "read_points",
    "read_truth",
    "write_points",
]
