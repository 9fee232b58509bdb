"""Bayesian loss (Ma et al., ICCV 2019): each head expects one person in the cells that probably belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crowdscale.learn.losses.cells import cell_centres, each_image, squared_distances
from crowdscale.learn.losses.reduction import widen

__all__ = ["BayesianLoss", "bayesian_loss", "head_posterior"]


def head_posterior(distance: Tensor, sigma: float, reach: float) -> Tensor:
    """Return the (n + 1, m) probability that a cell belongs to each head, or (last row) to the background.

    Heads are Gaussians of width σ. The background stands ``reach`` pixels from the nearest head, on the cell's side, so
    cells near heads belong to them and cells far from all belong to the background.

    Args:
        distance: (n, m) squared distances in pixels² of n > 0 heads and m cells.
        sigma: Width of a head in pixels.
        reach: Distance in pixels of the background from the nearest head.
    """
    nearest = distance.min(0, keepdim=True).values.sqrt()
    distances = torch.cat([distance, (reach - nearest).square()])
    return (-distances / (2 * sigma**2)).softmax(0)


def bayesian_loss(
    people: Tensor,
    points: Sequence[NDArray[Any] | Tensor],
    stride: int,
    sigma: float = 8.0,
    background: float = 0.15,
    certain: Tensor | None = None,
) -> Tensor:
    """Return Σ_n |1 - E[c_n]| + |0 - E[c_0]|: one person for each head, none for the background.

    Args:
        people: (b, 1, h, w) predicted people in each cell.
        points: For each image its (n, 2) heads in pixels; heads outside the frame are left out.
        stride: Side of a cell in pixels.
        sigma: Width of a head in pixels.
        background: Distance of the background as a share of the frame's shorter side.
        certain: (b, 1, h, w) cells that take part; None for all.

    Returns:
        A scalar: the sum over heads, averaged over images.
    """
    with torch.autocast(people.device.type, enabled=False):
        people = widen(people)
        rows, columns = people.shape[-2:]
        centres = cell_centres(rows, columns, stride, people)
        total = people.new_zeros(())
        for cells, heads, places in each_image(people, points, stride, certain):
            if not len(cells):
                continue
            if not len(heads):
                total = total + cells.sum().abs()
                continue
            reach = background * min(rows, columns) * stride
            expected = head_posterior(squared_distances(heads, centres[places]), sigma, reach) @ cells
            total = total + (1 - expected[:-1]).abs().sum() + expected[-1].abs()
        return total / len(people)


class BayesianLoss(nn.Module):
    """``bayesian_loss`` as a module."""

    def __init__(self, sigma: float = 8.0, background: float = 0.15) -> None:
        super().__init__()
        self.sigma, self.background = sigma, background

    def forward(
        self,
        people: Tensor,
        points: Sequence[NDArray[Any] | Tensor],
        stride: int,
        certain: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of (b, 1, h, w) people in cells of ``stride`` pixels against heads."""
        return bayesian_loss(people, points, stride, self.sigma, self.background, certain)
