"""What a photo looks like: its light, its heads and the network's features, and the cloud of the training photos' features.

A photo's distance from the cloud is Mahalanobis' distance in the main directions of the features, and the rest beside these.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from crowdscale.points import Points, nearest_distances

__all__ = ["Appearance", "FeatureCloud", "Floats", "ProfiledPhoto", "mean_features"]

Floats = NDArray[np.float64]

DIRECTIONS = 16
"""Main directions of the features that are kept: of 8, 16 and 32 the one that alarmed least on validation photos
while it alarmed on all drawn textures."""

NARROW = 0.002
"""A direction whose spread is below this share of the largest one is left out: float16 cannot hold it."""

FEWEST_DOTS = 5
"""Fewer heads give no spacing and no confidence."""


def mean_features(features: NDArray[np.float32]) -> Floats:
    """Return the (c,) means of (c, h, w) features."""
    return np.asarray(features.reshape(len(features), -1).mean(axis=1), np.float64)


@dataclass(frozen=True)
class Appearance:
    """Light and features of a photo or a tile. Those of the tiles add up to those of the photo."""

    pixels: int
    light: float
    """Mean grey value, 0…255."""
    square: float
    """Mean square of the grey value."""
    detail: float
    """Mean square of the Laplacian at half size."""
    features: Floats
    """(c,) mean of the features that the scale net reads."""

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], features: NDArray[np.float32]) -> Appearance:
        """Return the appearance of (h, w, 3) RGB pixels whose (c, h', w') features are known."""
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        size = max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2)
        edges = cv2.Laplacian(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), cv2.CV_32F)
        mean, spread = (float(value.item()) for value in cv2.meanStdDev(grey))
        return cls(
            grey.size, mean, mean**2 + spread**2, float(np.square(edges).mean()), mean_features(features)
        )

    @classmethod
    def joined(cls, parts: Sequence[Appearance]) -> Appearance:
        """Return the appearance of a photo from those of its tiles."""
        if len(parts) == 1:
            return parts[0]
        weights = np.array([part.pixels for part in parts], float)
        weights /= weights.sum()
        light, square, detail = (
            float(weights @ [getattr(part, name) for part in parts]) for name in ("light", "square", "detail")
        )
        features = weights @ np.stack([part.features for part in parts])
        return cls(sum(part.pixels for part in parts), light, square, detail, features)


class ProfiledPhoto(NamedTuple):
    """A photo and what was counted in it."""

    appearance: Appearance
    heads: Points | None
    """In pixels of the scale at which the photo was read; None where the model gives none."""
    people: float
    size: tuple[int, int]
    """(width, height) of the original photo."""

    def measures(self) -> dict[str, float]:
        """Return what is measured, NaN where it cannot be; all but the distance of the features."""
        look = self.appearance
        contrast = max(look.square - look.light**2, 0.0) ** 0.5
        dots = self.heads if self.heads is not None and len(self.heads) >= FEWEST_DOTS else None
        sure = None if dots is None else dots.confidence
        return {
            "luminance": look.light,
            "glare": look.light,
            "contrast": contrast,
            "sharpness": look.detail**0.5 / max(contrast, 1.0),
            "side": float(min(self.size)),
            "spacing": float("nan") if dots is None else _median(nearest_distances(dots.xy)),
            "confidence": float("nan") if sure is None else float(sure.mean()),
            "people": self.people,
        }


def _median(values: Floats) -> float:
    """Return the median without ``np.median``, whose first call imports NumPy's masked arrays."""
    ordered = np.sort(values)
    return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


@dataclass(frozen=True, eq=False)
class FeatureCloud:
    """The mean features of training photos: their centre, main directions, spread in and beside these."""

    centre: Floats
    """(c,)."""
    directions: Floats
    """(k, c), each divided by the spread along it: what they give has unit variance."""
    beside: float
    """Mean square of what the directions leave over; 0 where they leave nothing."""

    @classmethod
    def around(cls, features: Floats) -> FeatureCloud:
        """Return the cloud of (n, c) features."""
        centre = features.mean(axis=0)
        _, spreads, axes = np.linalg.svd(features - centre, full_matrices=False)
        spreads = spreads / len(features) ** 0.5
        known = int((spreads > NARROW * spreads[0]).sum())
        kept = min(DIRECTIONS, known)
        beside = float(np.square(spreads[kept:]).sum()) if kept < known else 0.0
        return cls(centre, axes[:kept] / spreads[:kept, None], beside)

    def distance(self, features: Floats) -> float:
        """Return how far (c,) features lie from the cloud: about 1 for a usual photo."""
        away = features - self.centre
        along = self.directions @ away
        lengths = np.square(self.directions).sum(axis=1)
        inside = float(np.square(along).mean())
        if not self.beside:
            return float(inside**0.5)
        left = max(0.0, float(away @ away - np.square(along) @ (1 / lengths)))
        return float(((inside + left / self.beside) / 2) ** 0.5)

    def to_text(self) -> str:
        """Return the cloud as text: float16 numbers in base64, the centre first."""
        table = np.concatenate([self.centre[None], self.directions]).astype("<f2")
        return base64.b64encode(table.tobytes()).decode()

    @classmethod
    def from_text(cls, text: str, channels: int, beside: float) -> FeatureCloud:
        """Return the cloud that ``to_text`` wrote."""
        table = np.frombuffer(base64.b64decode(text), "<f2").reshape(-1, channels).astype(np.float64)
        return cls(table[0], table[1:], beside)
