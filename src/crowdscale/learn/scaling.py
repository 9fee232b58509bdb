"""Learning to scale (AutoScale §3.2): closeness, scale net, differentiable zoom, centre loss and its update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.errors import OptionError
from crowdscale.maps.regions import POOLED, pooling_matrices
from crowdscale.points import Box, Points

__all__ = [
    "Centre",
    "CentreOptions",
    "Law",
    "Measure",
    "ScaleNet",
    "centre_loss",
    "closeness",
    "pool_regions",
    "start_centre",
    "zoom",
]

Law = Literal["paper", "spacing"]
Measure = Literal["distance", "density"]


@dataclass(frozen=True)
class CentreOptions:
    """The law and the centre that the scale net learns."""

    law: Law = "spacing"
    """``paper``: S·r² → S̄ (Eq. 2); ``spacing``: S·r → S̄, which makes spacings equal, since S is a length."""
    centre: float = 0.0
    """Start value of S̄ in pixels; 0 takes it from the data, for a median side factor of ``wanted_factor``."""
    wanted_factor: float = 1.5
    """Median side factor r over the training regions that the start value aims at."""
    centre_rate: float = 1e-3
    """Learning rate α of the centre (Eq. 4)."""
    closeness: Measure = "distance"
    """Closeness S: ``distance``, mean distance to the nearest head (Eq. 1); ``density``, √(area / heads), which stands
    for the average density of the conference version."""
    keep_low: float = 0.0
    """Regions with an unclamped area factor q below this are left out of training (journal version)."""
    keep_high: float = float("inf")
    """Regions with an unclamped area factor q above this are left out of training (journal version)."""
    farthest: float = float("inf")
    """Largest closeness S of a region in multiples of S̄: a sparse region mistaken for dense must not outweigh all others
    in the squared loss."""

    def __post_init__(self) -> None:
        if self.law not in ("paper", "spacing"):
            raise OptionError("expected --law as paper or spacing", repr(self.law))
        if self.centre < 0 or self.wanted_factor <= 0:
            raise OptionError(
                "expected --centre >= 0 and --wanted-factor > 0", f"{self.centre}, {self.wanted_factor}"
            )
        if self.closeness not in ("distance", "density"):
            raise OptionError("expected --closeness as distance or density", repr(self.closeness))
        if self.farthest < 1:
            raise OptionError("expected --farthest of at least 1", str(self.farthest))
        if not 0 <= self.keep_low < self.keep_high:
            raise OptionError("expected 0 <= --keep-low < --keep-high", f"{self.keep_low}, {self.keep_high}")


def closeness(points: Points, box: Box, measure: Measure = "distance") -> float:
    """Return S of Eq. 1 in pixels: the mean distance of each head in the box to its nearest in the box.

    With ``density`` it is √(area / heads), a length, too, so that Eq. 2 to 4 hold for both. NaN with fewer than two
    heads in the box.
    """
    inside = points.inside(box)
    if measure == "density":
        return (box.area / len(inside)) ** 0.5 if len(inside) > 1 else float("nan")
    return inside.spacing()


def rescaled_closeness(spacing: Tensor, area: Tensor, law: Law) -> Tensor:
    """Return S·r² (``paper``) or S·r (``spacing``) for area factors q = r²."""
    return spacing * (area if law == "paper" else area.sqrt())


def centre_loss(spacing: Tensor, area: Tensor, centre: Tensor | float, law: Law = "paper") -> Tensor:
    """Return L_s = ½ Σ (S_i·r_i² - S̄)² over the regions (Eq. 2), or with S_i·r_i by the ``spacing`` law.

    Args:
        spacing: (m,) closeness S of each region in pixels.
        area: (m,) unclamped area factors q = r².
        centre: S̄.
        law: ``paper`` or ``spacing``.
    """
    return 0.5 * (rescaled_closeness(spacing, area, law) - centre).square().sum()


def start_centre(spacings: Sequence[float], wanted_factor: float, law: Law) -> float:
    """Return the S̄ that gives the training regions this median side factor: median(S)·r² or median(S)·r."""
    values = np.asarray(spacings, float)
    values = values[np.isfinite(values)]
    if not len(values):
        raise OptionError(
            "expected training regions with at least two heads to start the centre from", "none"
        )
    return float(np.median(values)) * (wanted_factor**2 if law == "paper" else wanted_factor)


class Centre(nn.Module):
    """The centre S̄ with its own update over the regions of an epoch (Eq. 4), outside the optimiser.

    Args:
        value: Start value in pixels.
        rate: α.
    """

    value: Tensor
    pulled: Tensor
    regions: Tensor

    def __init__(self, value: float = 0.0, rate: float = 1e-3) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("value", torch.tensor(float(value)))
        self.register_buffer("pulled", torch.tensor(0.0))
        self.register_buffer("regions", torch.tensor(0.0))

    @torch.no_grad()
    def observe(self, spacing: Tensor, area: Tensor, law: Law) -> None:
        """Add regions to the sums of Eq. 4: Σ (S̄ - S_i·r_i²) and M."""
        self.pulled += (self.value - rescaled_closeness(spacing, area, law)).sum()
        self.regions += len(spacing)

    @torch.no_grad()
    def update(self) -> None:
        """Move S̄ by -α·Σ/(1 + M) and reset the sums; the sums of several processes are added up first."""
        self._add_up()
        self.value -= self.rate * self.pulled / (1 + self.regions)
        self.forget()

    @torch.no_grad()
    def collect(self, rank: int) -> None:
        """Gather the sums of all processes in rank 0, so that one saved state holds them."""
        if self._add_up() and rank != 0:
            self.forget()

    @torch.no_grad()
    def forget(self) -> None:
        """Reset the sums."""
        self.pulled.zero_()
        self.regions.zero_()

    def _add_up(self) -> bool:
        """Add the sums up over processes; return whether there are several."""
        if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return False
        torch.distributed.all_reduce(self.pulled)
        torch.distributed.all_reduce(self.regions)
        return True


class ScaleNet(nn.Module):
    """Pooled features of a region → its area factor q: three 3×3 convolutions, two fully connected layers.

    Args:
        channels: Channels of the features.
        start: The q of an untrained net.
    """

    def __init__(self, channels: int, start: float = 1.0) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 32, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 16, 3, stride=2, padding=1),
            nn.ReLU(inplace=True),
        )
        self.linear = nn.Sequential(
            nn.Linear(16 * (POOLED // 4 + 1) ** 2, 64), nn.ReLU(inplace=True), nn.Linear(64, 1)
        )
        last = self.linear[-1]
        assert isinstance(last, nn.Linear)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.constant_(last.bias, float(np.log(start)))

    def forward(self, pooled: Tensor) -> Tensor:
        """Return (b,) positive area factors of (b, c, 14, 14) pooled features."""
        log_area: Tensor = self.linear(self.convolutions(pooled).flatten(1))[:, 0]
        return log_area.clamp(-6, 6).exp()


def pool_regions(features: Tensor, boxes: Sequence[tuple[int, Box]], stride: int) -> Tensor:
    """Return the (m, c, 14, 14) area means of regions: the twin of ``regions.pool_region``.

    Args:
        features: (b, c, h/stride, w/stride).
        boxes: For each region the index of its image and its box in image pixels.
        stride: Image pixels per feature cell.
    """
    pooled = []
    for image, box in boxes:
        rows, columns = pooling_matrices(box, stride, features.shape[-2], features.shape[-1])
        rows_t = torch.from_numpy(rows).to(features.device, torch.float32)
        columns_t = torch.from_numpy(columns).to(features.device, torch.float32)
        pooled.append(rows_t @ features[image].float() @ columns_t.T)
    return torch.stack(pooled) if pooled else features.new_zeros((0, features.shape[1], POOLED, POOLED))


def zoom(images: Tensor, centres: Tensor, factor: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Return canvases with images enlarged by r around a centre, differentiable in r.

    The canvas is fixed and the sampling step is 1/r, so r has a gradient: it moves the image under each canvas pixel. A
    grid that always fills the box has none. Bilinear; zero outside the image.

    Args:
        images: (m, 3, h, w).
        centres: (m, 2) x, y in image pixels of the middle of the canvas.
        factor: (m,) side factors r.
        size: Height and width of the canvas in pixels, or its side.

    Returns:
        (m, 3, height, width).
    """
    height, width = images.shape[-2:]
    rows, columns = (size, size) if isinstance(size, int) else size
    x, y = (
        centres[:, axis, None]
        + (torch.arange(n, device=images.device, dtype=factor.dtype) - (n - 1) / 2)[None] / factor[:, None]
        for axis, n in ((0, columns), (1, rows))
    )
    x, y = (x + 0.5) * (2 / width) - 1, (y + 0.5) * (2 / height) - 1
    shape = (len(images), rows, columns)
    grid = torch.stack([x[:, None, :].expand(shape), y[:, :, None].expand(shape)], dim=-1)
    return functional.grid_sample(images, grid.to(images.dtype), mode="bilinear", align_corners=False)
