"""The truth of a data set's sample: heads inside its mask, radii, size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from crowdscale.arrays import Booleans
from crowdscale.data.checks import photo_size
from crowdscale.data.sample import Sample
from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.metrics.scoring import Scoring
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import Points

__all__ = ["check_scoring", "inside_mask", "sample_truth"]


def sample_truth(sample: Sample, scoring: Scoring) -> GroundTruth:
    """Return the truth of a sample, without heads outside its mask. Raises DataError for a photo without points."""
    if sample.points is None:
        raise DataError("expected an annotated photo", f"{sample.name} without points")
    points, sizes, mask = sample.points, sample.sizes, None
    size = (sample.size or photo_size(sample.image_path)) if scoring.game or sample.mask else None
    if sample.mask is not None and size is not None:
        mask = sample.mask.read()
        mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        kept = inside_mask(points, mask)
        points, sizes = points.select(kept), None if sizes is None else sizes[kept]
    return GroundTruth.from_boxes(points, sizes, size=size, attributes=sample.attributes, mask=mask)


def inside_mask(points: Points, mask: Booleans) -> Booleans:
    """Return which points lie in the mask; those outside the photo do not."""
    columns, rows = np.floor(points.xy + 0.5).astype(np.int64).T
    height, width = mask.shape
    on = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    on[on] = mask[rows[on], columns[on]]
    return np.asarray(on)


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
