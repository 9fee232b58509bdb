"""Distribution matching (DM-Count, Wang et al., NeurIPS 2020): count, optimal transport and total variation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdscale.learn.losses.cells import cell_centres, each_image, heads_in_cells, squared_distances
from crowdscale.learn.losses.reduction import widen
from crowdscale.learn.losses.transport import transport_cost

__all__ = ["DistributionLoss", "Matching", "distribution_loss"]

LEAST = 1e-8
"""A map with less mass than this has no distribution; only its count has a loss."""


@dataclass(frozen=True)
class Matching:
    """Weights of the terms and settings of the transport solver; defaults are the paper's."""

    transport: float = 0.1
    """Weight λ1 of optimal transport, in pixels²."""
    variation: float = 0.01
    """Weight λ2 of total variation."""
    smoothing: float = 10.0
    """Entropic smoothing ε in pixels²."""
    iterations: int = 100
    """Sinkhorn iterations."""


def distribution_loss(
    people: Tensor,
    points: Sequence[NDArray[Any] | Tensor],
    stride: int,
    matching: Matching | None = None,
    certain: Tensor | None = None,
) -> Tensor:
    """Return |n - Σẑ| + λ1·OT(heads, ẑ) + λ2·n·TV(heads, ẑ); the last two clip the map ẑ at zero.

    Args:
        people: (b, 1, h, w) predicted people ẑ in each cell.
        points: For each image its (n, 2) heads in pixels; heads outside the frame are left out.
        stride: Side of a cell in pixels.
        matching: Weights and solver; None takes the paper's.
        certain: (b, 1, h, w) cells that take part; None for all.

    Returns:
        A scalar, averaged over images. An image without heads compares its count alone.
    """
    matching = matching or Matching()
    with torch.autocast(people.device.type, enabled=False):
        people = widen(people)
        rows, columns = people.shape[-2:]
        centres = cell_centres(rows, columns, stride, people)
        total = people.new_zeros(())
        for cells, heads, places in each_image(people, points, stride, certain):
            total = total + (len(heads) - cells.sum()).abs()
            mass = cells.clamp(min=0)
            if len(heads) and float(mass.detach().sum()) > LEAST:
                shape = mass / mass.sum()
                true = heads_in_cells(heads, rows, columns, stride)[places]
                total = total + matching.variation * 0.5 * (true - len(heads) * shape).abs().sum()
                evenly = torch.full_like(heads[:, 0], 1 / len(heads))
                cost = squared_distances(heads, centres[places])
                moved = transport_cost(cost, evenly, shape, matching.smoothing, matching.iterations)
                total = total + matching.transport * moved
        return total / len(people)


class DistributionLoss(nn.Module):
    """``distribution_loss`` as a module."""

    def __init__(self, matching: Matching | None = None) -> None:
        super().__init__()
        self.matching = matching or Matching()

    def forward(
        self,
        people: Tensor,
        points: Sequence[NDArray[Any] | Tensor],
        stride: int,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of (b, 1, h, w) people in cells of ``stride`` pixels against heads."""
        return distribution_loss(people, points, stride, self.matching, certain)
