"""Hints on predictions in other coordinates: swapped axes, another scale, an offset, a mirror, points twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from crowdscale.metrics.matching import match_points
from crowdscale.metrics.thresholds import Threshold
from crowdscale.metrics.truth import GroundTruth
from crowdscale.points import Points

__all__ = ["placement_hint"]

Pairs = Sequence[tuple[Points, GroundTruth]]
Floats = NDArray[np.float64]

MOST_IMAGES = 30
"""Images that are matched again a change."""

GAIN, LEAST = 0.3, 0.5
"""A change is named where F grows by at least the first and reaches the second."""


def placement_hint(pairs: Pairs, thresholds: Sequence[Threshold]) -> str | None:
    """Return a sentence where predictions fit the truth far better in other coordinates; None otherwise.

    Args:
        pairs: Predicted points and the truth of each image.
        thresholds: The thresholds of the scores; the loosest one is used.
    """
    some = [(points, truth) for points, truth in pairs if len(points) and len(truth)][:MOST_IMAGES]
    if not some or not thresholds:
        return None
    loosest = max(thresholds, key=lambda each: float(np.median(each.radii(some[0][1]))))
    plain = _f_score(some, loosest, lambda xy: xy)
    best, words = max(
        ((_f_score(some, loosest, change), words) for words, change in _changes(some)),
        key=lambda each: each[0],
    )
    if best < max(LEAST, plain + GAIN):
        return None
    return (
        f"F {loosest.name} would be {100 * best:.0f} % instead of {100 * plain:.0f} % with {words}. "
        "Check the coordinates of the predictions."
    )


def _changes(pairs: Pairs) -> Iterator[tuple[str, Callable[[Floats], Floats]]]:
    """Return changes of coordinates with their words."""
    yield "x and y swapped", lambda xy: xy[:, ::-1]
    yield "x and y doubled", lambda xy: xy * 2
    yield "x and y halved", lambda xy: xy / 2
    factor = _spread_ratio(pairs)
    if factor is not None:
        yield f"x and y multiplied by {factor:.3g}", lambda xy: xy * factor
        yield f"x and y swapped and multiplied by {factor:.3g}", lambda xy: xy[:, ::-1] * factor
    dx, dy = _offset(pairs)
    yield f"all points shifted by ({dx:.4g}, {dy:.4g}) px", lambda xy: np.add(xy, (dx, dy))
    for axis, name in enumerate("xy"):
        middle = _mirror(pairs, axis)
        yield f"{name} mirrored to {middle:.4g} - {name}", partial(_mirrored, axis=axis, middle=middle)
    yield "points that stand there twice taken once", lambda xy: np.unique(xy, axis=0)


def _spread_ratio(pairs: Pairs) -> float | None:
    """Return the median ratio of the true to the predicted spread; None where points do not spread."""
    spreads = [(truth.points.xy.std(), points.xy.std()) for points, truth in pairs]
    ratios = [true / predicted for true, predicted in spreads if true > 0 and predicted > 0]
    return float(np.median(ratios)) if ratios else None


def _offset(pairs: Pairs) -> tuple[float, float]:
    """Return the median offset from the middle of the predicted to the middle of the true points."""
    offsets = [np.median(truth.points.xy, axis=0) - np.median(points.xy, axis=0) for points, truth in pairs]
    dx, dy = np.median(offsets, axis=0).tolist()
    return dx, dy


def _mirror(pairs: Pairs, axis: int) -> float:
    """Return the sum of a true and a mirrored coordinate, for photos of one size: the median over them."""
    sums = [np.median(truth.points.xy[:, axis]) + np.median(points.xy[:, axis]) for points, truth in pairs]
    return float(np.median(sums))


def _mirrored(xy: Floats, axis: int, middle: float) -> Floats:
    mirrored = xy.copy()
    mirrored[:, axis] = middle - xy[:, axis]
    return mirrored


def _f_score(pairs: Pairs, threshold: Threshold, change: Callable[[Floats], Floats]) -> float:
    changed = [(change(points.xy), truth) for points, truth in pairs]
    matched = sum(len(match_points(xy, truth.points.xy, threshold.radii(truth))) for xy, truth in changed)
    return 2 * matched / sum(len(xy) + len(truth) for xy, truth in changed)
