"""The truth of a data set's sample: heads inside its mask, radii, size."""

from __future__ import annotations

from collections.abc import Sequence

from crowdscale.data.areas import inside_mask
from crowdscale.data.checks import photo_size
from crowdscale.data.sample import Sample
from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.metrics.scoring import Scoring
from crowdscale.metrics.truth import GroundTruth

__all__ = ["check_scoring", "inside_mask", "sample_truth"]


def sample_truth(sample: Sample, scoring: Scoring) -> GroundTruth:
    """Return the truth of a sample, without heads outside its mask. Raises DataError for a photo without points."""
    if sample.points is None:
        raise DataError("expected an annotated photo", f"{sample.name} without points")
    points, sizes = sample.points, sample.sizes
    size = (sample.size or photo_size(sample.image_path)) if scoring.game or sample.mask else None
    mask = sample.read_mask()
    if mask is not None:
        kept = inside_mask(points, mask)
        points, sizes = points.select(kept), None if sizes is None else sizes[kept]
    return GroundTruth.from_boxes(points, sizes, size=size, attributes=sample.attributes, mask=mask)


def check_scoring(samples: Sequence[Sample], scoring: Scoring) -> None:
    """Check that one photo at least has what the measures need, before any prediction.

    Raises:
        DataError: No photo has, such as boxes for their thresholds.
    """
    refused = None
    for sample in samples:
        try:
            truth = sample_truth(sample, scoring)
            if len(truth):
                for each in scoring.thresholds:
                    each.radii(truth)
                return
        except CrowdscaleError as error:
            refused = refused or error
    if refused is not None:
        raise refused
