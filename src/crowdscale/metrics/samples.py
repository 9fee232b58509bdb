"""What is true of a data set's sample, as scoring asks for it: its heads inside its mask, radii, size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.data.checks import photo_size
from crowdscale.data.sample import Sample
from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.metrics.scoring import Scoring
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import Points

__all__ = ["check_scoring", "inside_mask", "sample_truth"]


def sample_truth(sample: Sample, scoring: Scoring) -> GroundTruth:
    """Return what is true of a sample, heads outside its mask left out. Raises DataError where it has no points."""
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


def inside_mask(points: Points, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which points lie in the mask; those outside the photo do not."""
    columns, rows = np.floor(points.xy + 0.5).astype(np.int64).T
    height, width = mask.shape
    on = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    on[on] = mask[rows[on], columns[on]]
    return np.asarray(on)


def check_scoring(samples: Sequence[Sample], scoring: Scoring) -> None:
    """See that what is measured can be measured on one photo at least, before any is predicted.

    Raises:
        DataError: It cannot, as thresholds of boxes where only points are annotated.
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
