"""The density error of Eq. 5: squared norm of the difference of two maps."""

from __future__ import annotations

from torch import Tensor, nn

from crowdscale.learn.losses.reduction import Reduction, reduce_pixels, widen

__all__ = ["DensityLoss", "density_loss"]


def density_loss(
    density: Tensor, target: Tensor, reduction: Reduction = "sum", certain: Tensor | None = None
) -> Tensor:
    """Return the squared norm of the difference of two density maps (Eq. 5).

    Args:
        density: (b, 1, h, w) predicted.
        target: (b, 1, h, w).
        reduction: ``sum`` over pixels (the papers', which fits the learning rate 1e-7) or ``mean``.
        certain: (b, 1, h, w) pixels that take part; None for all.
    """
    return reduce_pixels((widen(density) - target).square(), reduction, certain)


class DensityLoss(nn.Module):
    """``density_loss`` as a module."""

    def __init__(self, reduction: Reduction = "sum") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, density: Tensor, target: Tensor, certain: Tensor | None = None) -> Tensor:
        """Return the loss of two (b, 1, h, w) maps."""
        return density_loss(density, target, self.reduction, certain)
