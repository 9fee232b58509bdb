"""Scores: counting errors, one-to-one matching, localization, GAME, intervals, the field's point files."""

from crowdscale.metrics.counting import CountScores, count_scores
from crowdscale.metrics.game import game_errors
from crowdscale.metrics.hints import placement_hint
from crowdscale.metrics.localization import LocalizationScores, localization_scores
from crowdscale.metrics.matching import Matches, match_counts, match_points
from crowdscale.metrics.measures import (
    FEWEST_IMAGES,
    Comparison,
    Interval,
    Measure,
    interval,
    plain_number,
)
from crowdscale.metrics.pairing import pair_entries
from crowdscale.metrics.point_files import Entry, read_entries, write_entries
from crowdscale.metrics.scores import Scores, compare
from crowdscale.metrics.scoring import ImageRow, Scoring, score_image
from crowdscale.metrics.table import ResultTable, check_table
from crowdscale.metrics.thresholds import (
    SHANGHAITECH,
    BoxRadius,
    Fixed,
    NearestNeighbours,
    Threshold,
    threshold,
)
from crowdscale.metrics.truth import GroundTruth, box_radii, size_bands

__all__ = [
    "FEWEST_IMAGES",
    "SHANGHAITECH",
    "BoxRadius",
    "Comparison",
    "CountScores",
    "Entry",
    "Fixed",
    "GroundTruth",
    "ImageRow",
    "Interval",
    "LocalizationScores",
    "Matches",
    "Measure",
    "NearestNeighbours",
    "ResultTable",
    "Scores",
    "Scoring",
    "Threshold",
    "box_radii",
    "check_table",
    "compare",
    "count_scores",
    "game_errors",
    "interval",
    "localization_scores",
    "match_counts",
    "match_points",
    "pair_entries",
    "placement_hint",
    "plain_number",
    "read_entries",
    "score_image",
    "size_bands",
    "threshold",
    "write_entries",
]
