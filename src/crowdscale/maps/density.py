"""Density map (AutoScale §3.3): a sum of unit-mass Gaussians at the heads, whose sum is the count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import cv2
import numpy as np

from crowdscale.arrays import Booleans, Floats, Maps
from crowdscale.errors import OptionError
from crowdscale.maps.estimates import DensityEstimate, Estimate, PublishedEstimate
from crowdscale.maps.output import NetworkOutput
from crowdscale.points import Box, Points, nearest_distances

__all__ = ["Density"]

TRUNCATION = 4.0
"""Kernels end at this many σ; they are renormalised to unit mass afterwards."""

SPREAD = 2.0
"""Widths σ around a head that hold 86 % of its kernel."""

GEOMETRY_NEIGHBOURS = 3
GEOMETRY_BETA = 0.3
"""Geometry-adaptive kernels: σ = β · mean distance to the three nearest heads (Zhang et al., CVPR 2016)."""


@dataclass(frozen=True)
class Density:
    """The density codec: points ⇄ density map."""

    sigma: float = 4.0
    """Standard deviation of each head's Gaussian in pixels; with ``adaptive`` the one of a lone head."""
    adaptive: bool = False
    """Take σ from the distance to the nearest heads instead (geometry-adaptive kernels)."""
    dots: bool = False
    """Read the map's local maxima as heads, beside its sum as the count."""

    kind: ClassVar[str] = "densities"
    """The kind of map, by which losses are chosen."""
    labelled: ClassVar[bool] = False
    """Whether the map holds classes."""
    counts_pixels: ClassVar[bool] = True
    """Whether a pixel of the map holds people."""
    counts_blocks: ClassVar[bool] = False
    """Whether the codec reads people in blocks."""
    largest_area: ClassVar[float] = 9.0
    """Largest area factor of a zoom (AutoScale §4)."""

    def __post_init__(self) -> None:
        if not self.sigma > 0:
            raise OptionError("expected sigma above 0", str(self.sigma))

    @property
    def locates(self) -> bool:
        """Whether the codec reads heads."""
        return self.dots

    @property
    def channels(self) -> int:
        """Number of channels a network predicts."""
        return 1

    @property
    def reach(self) -> int:
        """Pixels beyond a crop's border from which a head still adds density."""
        return int(np.ceil(TRUNCATION * self.sigma))

    def encode(self, points: Points, width: int, height: int) -> Maps:
        """Return the (height, width) density map; heads outside the frame are left out.

        Small kernels are added where the heads are, not filtered over the frame. A kernel cut by
        the border is renormalised, so the sum is the number of heads in the frame.
        """
        density = np.zeros((height, width), np.float32)
        inside = points.inside(Box(0, 0, width, height))
        for (x, y), sigma in zip(inside.xy, self._sigmas(inside), strict=True):
            column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
            kernel = _kernel(round(float(sigma), 3))
            reach = len(kernel) // 2
            box = Box(
                max(0, column - reach),
                max(0, row - reach),
                min(width, column + reach + 1),
                min(height, row + reach + 1),
            )
            top, left = row - reach, column - reach
            part = kernel[box.top - top : box.bottom - top, box.left - left : box.right - left]
            density[box.slices] += part if part.shape == kernel.shape else part / part.sum()
        return density

    def certain(self, density: Maps, counted: Booleans) -> Booleans:
        """Return the pixels that count and to which a head in an ignored pixel adds next to nothing.

        Args:
            density: (h, w) density of the heads that are known.
            counted: (h, w) pixels that are not ignored.
        """
        del density
        if counted.all():
            return counted
        away = cv2.distanceTransform(counted.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        return np.asarray(away > SPREAD * self.sigma)

    def _sigmas(self, points: Points) -> Floats:
        if not self.adaptive:
            return np.full(len(points), self.sigma)
        distances = nearest_distances(points.xy, GEOMETRY_NEIGHBOURS)
        return np.maximum(np.where(np.isnan(distances), self.sigma, GEOMETRY_BETA * distances), 0.5)

    def count(self, density: Maps) -> float:
        """Return the number of people in a density map of any stride: its sum."""
        return float(density.sum(dtype=np.float64))

    def locate(self, density: Maps) -> Points:
        """Return the local maxima of a (h, w) density map above a tenth of a lone head's peak."""
        peak = _kernel(self.sigma).max()
        highest = cv2.dilate(density, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
        candidates = (density >= highest) & (density > 0.1 * peak)
        _, _, _, centres = cv2.connectedComponentsWithStats(candidates.astype(np.uint8), connectivity=8)
        xy = centres[1:]
        columns, rows = np.rint(xy.T).astype(np.int64)
        return Points(xy, np.clip(density[rows, columns] / peak, 0.0, 1.0))

    def blank(self, density: Maps, box: Box) -> Maps:
        """Return the map with the box set to zero: the published way to leave a region out."""
        blanked = density.copy()
        blanked[box.slices] = 0
        return blanked

    def scaled(self, zoom: float) -> Density:
        """Return the codec of a map enlarged by this side factor, its kernel enlarged too."""
        return replace(self, sigma=self.sigma * zoom)

    def with_dots(self, dots: bool) -> Density:
        """Return the codec that reads the map's maxima as heads, or does not."""
        return replace(self, dots=dots)

    def settings(self) -> dict[str, float]:
        """Return the settings of reading that need no training: none."""
        return {}

    def variants(self, windows: Sequence[int], ceilings: Sequence[float]) -> list[Density]:
        """Return the codec alone. Raises OptionError for settings of labels."""
        if windows or ceilings:
            raise OptionError("expected a points model, whose heads are read from labels", "density")
        return [self]

    def cell_values(self, sums: Floats, areas: Floats) -> Maps:
        """Return the people in each cell."""
        del areas
        return sums.astype(np.float32)

    def estimate(self, seen: NetworkOutput) -> Estimate:
        """Return the density of a network's output."""
        return self.read(seen.enlarged().output)

    def read(self, output: Maps) -> DensityEstimate:
        """Return the estimate of a network's (1, h, w) output."""
        _, height, width = output.shape
        heads = self.locate(output[0]) if self.dots else None
        return DensityEstimate(output[0], Box(0, 0, width, height), heads)

    def read_published(self, output: Maps) -> PublishedEstimate:
        """Return the estimate of a network's (1, h, w) output, as published."""
        return self.read(output)

    def blank_output(self, output: Maps, box: Box) -> Maps:
        """Return an output with the box set to zero."""
        blanked = output.copy()
        blanked[(slice(None), *box.slices)] = 0
        return blanked

    def keep_counted(self, output: Maps, counted: Booleans) -> Maps:
        """Return a (1, h, w) decoded output with 0 where a pixel is ignored."""
        return np.where(counted, output, np.float32(0))


@lru_cache(maxsize=256)
def _kernel(sigma: float) -> Maps:
    """Return the odd-sized unit-mass Gaussian of this σ in pixels."""
    side = 2 * int(np.ceil(TRUNCATION * sigma)) + 1
    line = cv2.getGaussianKernel(side, sigma, cv2.CV_64F)
    kernel = (line @ line.T).astype(np.float32)
    kernel.setflags(write=False)
    return kernel
