"""How a loss over pixels becomes one number: summed as in the papers, or averaged."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

__all__ = ["Reduction", "reduce_pixels", "widen"]

Reduction = Literal["sum", "mean"]


def reduce_pixels(values: Tensor, reduction: Reduction) -> Tensor:
    """Return the sum over pixels averaged over the batch (as the papers), or the mean over all."""
    return values.mean() if reduction == "mean" else values.sum() / len(values)


def widen(values: Tensor) -> Tensor:
    """Return values in float32 at least: logarithms and exponentials lose too much in bfloat16."""
    return values if values.is_floating_point() and values.element_size() > 4 else values.float()
