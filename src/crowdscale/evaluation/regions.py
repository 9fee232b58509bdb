"""Dense regions of an evaluation (journal version, dense-only): their people by truth and by both passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from crowdscale.counting.prediction import Prediction, Region
from crowdscale.deprecation import renamed
from crowdscale.metrics import GroundTruth, Scoring
from crowdscale.metrics.matching import match_points
from crowdscale.points import Box, Points

__all__ = ["RegionRow", "region_rows"]

FORMER = {
    "factor": "zoom",
    "before": "first_pass_count",
    "after": "count",
    "matched_before": "first_pass_matched",
    "matched_after": "matched",
}
"""Names in files of the release before, by their current names."""


@renamed(**FORMER)
@dataclass(frozen=True)
class RegionRow:
    """One dense region of one photo."""

    box: tuple[int, int, int, int]
    """(left, top, right, bottom) in pixels of the photo."""
    zoom: float
    """Side factor of the enlargement; 1 without one."""
    capped: bool
    """Whether the limit of pixels lowered the zoom."""
    truth: int
    """Annotated heads."""
    first_pass_count: float
    """People by the first pass."""
    count: float
    """People by the second pass."""
    spacing: float
    """Mean distance of a true head in the region to its nearest true heads, in pixels of the photo as it is read; NaN
    below two heads."""
    predicted: tuple[int, int] | None = None
    """Located heads by the first pass and by the second; None for a model without heads."""
    first_pass_matched: tuple[int, ...] = ()
    """True heads that the first pass matches, at each threshold."""
    matched: tuple[int, ...] = ()
    """True heads that the second pass matches, at each threshold."""

    @property
    def density(self) -> float:
        """Heads in 10,000 square pixels: the density level of the papers' Fig. 8."""
        left, top, right, bottom = self.box
        return 1e4 * self.truth / max(1, (right - left) * (bottom - top))

    def of_pass(self, first: bool) -> tuple[int, tuple[int, ...]]:
        """Return the located heads of a pass, and the true heads that they match at each threshold."""
        before, after = self.predicted or (0, 0)
        return (before, self.first_pass_matched) if first else (after, self.matched)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RegionRow:
        """Return the row that ``to_dict`` wrote."""
        plain: dict[str, Any] = {
            FORMER.get(k, k): tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**plain)


def region_rows(
    prediction: Prediction, truth: GroundTruth, scoring: Scoring, boxes: Sequence[Box] | None = None
) -> tuple[RegionRow, ...]:
    """Return a row for each dense region of a prediction.

    Args:
        prediction: Of the photo.
        truth: Of the photo.
        scoring: Has the thresholds; regions use those with a radius in pixels.
        boxes: Regions of another model, whose people by this prediction stand for both passes.
    """
    regions: Sequence[Region] = prediction.regions
    if boxes is not None:
        counts = [_count_in(prediction, box) for box in boxes]
        regions = [Region(box, 1.0, n, n) for box, n in zip(boxes, counts, strict=True)]
    return tuple(_row(region, prediction, truth, scoring, boxes is not None) for region in regions)


def _row(
    region: Region, prediction: Prediction, truth: GroundTruth, scoring: Scoring, foreign: bool
) -> RegionRow:
    heads = truth.points.inside(region.box)
    values: dict[str, Any] = {}
    begun = prediction.points if foreign else prediction.first_pass_points
    if begun is not None and prediction.points is not None:
        first, last = begun.inside(region.box), prediction.points.inside(region.box)
        values = {
            "predicted": (len(first), len(last)),
            "first_pass_matched": _matched(first, heads, scoring),
            "matched": _matched(last, heads, scoring),
        }
    return RegionRow(
        box=region.box.as_tuple(),
        zoom=region.zoom,
        capped=region.capped,
        truth=len(heads),
        first_pass_count=region.first_pass_count,
        count=region.count,
        spacing=heads.spacing() * prediction.read_scale,
        **values,
    )


def _matched(points: Points, heads: Points, scoring: Scoring) -> tuple[int, ...]:
    alone = GroundTruth(heads)
    return tuple(
        len(match_points(points.xy, heads.xy, each.radii(alone)))
        for each in scoring.thresholds
        if each.name.endswith("px")
    )


def _count_in(prediction: Prediction, box: Box) -> float:
    """People in a box by the blocks of a prediction that has them, or by its heads."""
    blocks = prediction.blocks()
    if blocks is not None:
        return float(blocks.count_in(box))
    return float(len(prediction.points.inside(box))) if prediction.points is not None else float("nan")
