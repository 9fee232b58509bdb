"""Counting errors from one row an image: MAE, RMSE (the field's "MSE"), NAE, bias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from crowdscale.errors import DataError
from crowdscale.metrics.measures import plain_number

__all__ = ["CountScores", "count_scores"]


@dataclass(frozen=True)
class CountScores:
    """How far counts are from the truth."""

    images: int
    mae: float
    """Mean absolute error in people."""
    rmse: float
    """Root of the mean squared error in people, which the field prints as "MSE"."""
    nae: float
    """Mean of |error| / truth over the images with people; NaN where none has any."""
    bias: float
    """Mean of count - truth."""

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as plain values for JSON; None for an unknown NAE."""
        return {**asdict(self), "nae": plain_number(self.nae)}


def count_scores(truths: Sequence[float], counts: Sequence[float]) -> CountScores:
    """Return the scores of counts against true counts, image by image.

    Raises:
        DataError: There is no image, or there are more of one than of the other.
    """
    truth, count = np.asarray(truths, float), np.asarray(counts, float)
    if truth.shape != count.shape or not len(truth):
        raise DataError(
            "expected as many counts as true counts, and one at least", f"{len(count)} and {len(truth)}"
        )
    error = count - truth
    peopled = truth > 0
    nae = float((np.abs(error[peopled]) / truth[peopled]).mean()) if peopled.any() else float("nan")
    return CountScores(
        len(truth),
        float(np.abs(error).mean()),
        float(np.sqrt(np.square(error).mean())),
        nae,
        float(error.mean()),
    )
