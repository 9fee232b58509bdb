"""Sample: one photo of a data set with its annotated heads; knows no network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdscale.images import read_image
from crowdscale.points import Points

__all__ = ["Sample"]


@dataclass(frozen=True)
class Sample:
    """One photo of a data set with its annotation, read lazily.

    Args:
        name: What identifies the photo within its set, for instance ``IMG_12``.
        image_path: The photo's file.
        points: The annotated heads in pixels of the photo; None where the set gives no labels.
        sizes: (n, 2) width and height of each head's box in pixels, where the set gives boxes.
        attributes: What the set says of the photo: density level, weather, luminance, …
        mask_path: Region of interest as an image (non-zero counts), where the set gives one.
    """

    name: str
    image_path: Path
    points: Points | None
    sizes: NDArray[np.float64] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    mask_path: Path | None = None

    def read(self) -> NDArray[np.uint8]:
        """Return the photo as (h, w, 3) RGB uint8. Raises ImageError where it cannot be read."""
        return read_image(self.image_path).pixels
