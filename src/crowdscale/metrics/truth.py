"""Ground truth of one photo: heads, their boxes or radii, size bands, mask, attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from crowdscale.arrays import Booleans, Floats, Integers
from crowdscale.errors import DataError
from crowdscale.points import Points

__all__ = ["BANDS", "GroundTruth", "box_radii", "size_bands"]


BANDS = (10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
"""Upper ends of the areas in pixels of NWPU's size bands A0 to A4; A5 is larger."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The truth of one photo.

    Args:
        points: The (m,) heads.
        radii: Radii in pixels that come with the heads, each (m,): ``small`` (σ_s) and ``large`` (σ_l).
        bands: (m,) size band 0…5 of each head; None without boxes.
        size: (width, height) of the image, which GAME needs; None if unknown.
        attributes: Attributes of the photo in its set: level, weather, …
        mask: (h, w) region of interest; heads and predictions outside it are left out.
    """

    points: Points
    radii: Mapping[str, Floats] = field(default_factory=dict)
    bands: Integers | None = None
    size: tuple[int, int] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    mask: Booleans | None = None

    def __len__(self) -> int:
        return len(self.points)

    @classmethod
    def from_boxes(cls, points: Points, sizes: Floats | None, **known: object) -> GroundTruth:
        """Return the truth of heads with (m, 2) box sizes in pixels, or without where ``sizes`` is None."""
        if sizes is None:
            return cls(points, **known)  # type: ignore[arg-type]
        if len(sizes) != len(points):
            raise DataError(f"expected {len(points)} head boxes", f"{len(sizes)}")
        return cls(points, box_radii(sizes), size_bands(sizes), **known)  # type: ignore[arg-type]

    def radius(self, name: str) -> Floats:
        """Return the (m,) radii of a name. Raises DataError where the annotation gives no boxes."""
        if not len(self.points):
            return np.zeros(0)
        if name not in self.radii:
            raise DataError(
                f"expected head boxes for the threshold {name!r}",
                "an annotation with points alone",
                "Choose thresholds in pixels (--thresholds 4px,8px) or knn8",
            )
        return self.radii[name]


def box_radii(sizes: Floats) -> dict[str, Floats]:
    """Return NWPU's radii of (m, 2) boxes: σ_s = min(w, h)/2 and σ_l = √(w² + h²)/2."""
    boxes = np.asarray(sizes, float).reshape(-1, 2)
    return {"small": boxes.min(axis=1, initial=np.inf) / 2, "large": np.hypot(*boxes.T) / 2}


def size_bands(sizes: Floats) -> Integers:
    """Return NWPU's size band of each of the (m, 2) boxes: 0 up to 10 pixels of area, 1 up to 100, … 5."""
    areas = np.prod(np.asarray(sizes, float).reshape(-1, 2), axis=1)
    return np.asarray(np.digitize(areas, BANDS, right=True), np.int64)
