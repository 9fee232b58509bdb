"""Confidence of heads: from the network's own value to the probability that a person is there.

A head is right if a true head within ``RADIUS`` pixels is matched to it, one to one. A logistic curve through the heads
of annotated photos (Platt, 1999) turns the network's value into the share of right heads. The order of heads stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crowdscale.arrays import Floats
from crowdscale.errors import DataError

__all__ = ["RADIUS", "Band", "HeadConfidence", "fit_heads"]

RADIUS = 8.0
"""Pixels of the photo. Among 8 px and the spacing rules (mean distance to 1, 4 or 8 neighbours) it is the one by which the
network's value separates right heads from wrong ones, and the same in dense and sparse photos."""
FEWEST_HEADS = 200
"""Fewer heads give no curve: the share of ten bands would be known to ±10 % at best."""
FOLDS = 5
BANDS = 10
STEPS = 100


@dataclass(frozen=True)
class Band:
    """Heads of similar probability."""

    probability: float
    """Mean of their probabilities."""
    right: float
    """Share that is right."""
    heads: int


@dataclass(frozen=True)
class HeadConfidence:
    """A logistic curve: probability = 1 / (1 + exp(-(offset + slope · value)))."""

    offset: float
    slope: float
    """0 or above, so that the order of heads stays."""
    radius: float
    """Pixels within which a head is right."""
    heads: int
    photos: int
    data: tuple[str, ...] = ()
    """What the photos are."""
    error: float = 0.0
    """Mean distance of probability and share over the bands, each by its heads; photos are judged by the others."""
    bands: tuple[Band, ...] = ()
    """The same photos, each judged by the others, from the least probable heads on."""

    def probability(self, values: Floats) -> Floats:
        """Return the (n,) probabilities of (n,) values of the network."""
        return np.asarray(1 / (1 + np.exp(-(self.offset + self.slope * np.asarray(values, np.float64)))))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> HeadConfidence:
        """Return the curve that ``dataclasses.asdict`` took apart, from JSON."""
        bands = tuple(Band(**each) for each in values.get("bands", ()))
        return cls(**{**values, "data": tuple(values.get("data", ())), "bands": bands})


def fit_heads(
    photos: Sequence[tuple[Floats, Floats]], data: Sequence[str] = (), radius: float = RADIUS
) -> HeadConfidence:
    """Return the curve through the heads of annotated photos.

    Args:
        photos: For each photo the (n,) values of the network and (n,) whether each head is right.
        data: What the photos are.
        radius: Pixels within which a head is right.

    Raises:
        DataError: There are fewer than 200 heads, or fewer than 5 photos.
    """
    heads = sum(len(values) for values, _ in photos)
    if heads < FEWEST_HEADS or len(photos) < FOLDS:
        raise DataError(
            f"expected {FEWEST_HEADS} located heads in {FOLDS} photos or more",
            f"{heads} in {len(photos)}",
            "Name more data",
        )
    offset, slope = _fit(photos)
    judged = [
        (_judge(_fit([each for i, each in enumerate(photos) if i % FOLDS != fold]), values), right)
        for fold in range(FOLDS)
        for values, right in photos[fold::FOLDS]
    ]
    bands = _bands(np.concatenate([p for p, _ in judged]), np.concatenate([right for _, right in judged]))
    error = sum(band.heads * abs(band.probability - band.right) for band in bands) / heads
    return HeadConfidence(
        round(offset, 4), round(slope, 4), radius, heads, len(photos), tuple(data), round(error, 4), bands
    )


def _judge(curve: tuple[float, float], values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(curve[0] + curve[1] * values))))


def _fit(photos: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Return offset and slope of the most likely curve, by Newton's method on Platt's softened targets."""
    values = np.concatenate([np.asarray(value, np.float64) for value, _ in photos])
    right = np.concatenate([np.asarray(each, np.float64) for _, each in photos])
    rights = float(right.sum())
    targets = np.where(right > 0, (rights + 1) / (rights + 2), 1 / (len(right) - rights + 2))
    rows = np.column_stack([np.ones_like(values), values])
    curve = np.array([np.log((rights + 1) / (len(right) - rights + 1)), 0.0])
    for _ in range(STEPS):
        guessed = 1 / (1 + np.exp(-(rows @ curve)))
        bend = (rows * (guessed * (1 - guessed))[:, None]).T @ rows + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, rows.T @ (targets - guessed))
        curve = curve + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-8:
            break
    if curve[1] < 0:  # the value is no evidence: all heads get the same probability
        return float(np.log((rights + 1) / (len(right) - rights + 1))), 0.0
    return float(curve[0]), float(curve[1])


def _bands(probabilities: Floats, right: Floats) -> tuple[Band, ...]:
    """Return bands of equally many heads."""
    order = np.argsort(probabilities, kind="stable")
    return tuple(
        Band(round(float(probabilities[part].mean()), 4), round(float(right[part].mean()), 4), len(part))
        for part in np.array_split(order, BANDS)
    )
