"""Reduction of a loss over pixels to one number: summed as in the papers, or averaged."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["Reduction", "reduce_pixels", "widen"]

Reduction = Literal["sum", "mean"]


def reduce_pixels(values: Tensor, reduction: Reduction, certain: Tensor | None = None) -> Tensor:
    """Return the sum over pixels averaged over the batch (the papers' way), or the mean over all.

    Args:
        values: The loss of each pixel.
        reduction: ``sum`` or ``mean``.
        certain: The pixels that take part, in the same shape; None for all. Without one the loss is 0.
    """
    if certain is None:
        return values.mean() if reduction == "mean" else values.sum() / len(values)
    left = torch.where(certain, values, values.new_zeros(())).sum()
    return left / (certain.sum().clamp(min=1) if reduction == "mean" else len(values))


def widen(values: Tensor) -> Tensor:
    """Return values in at least float32: bfloat16 is too coarse for logarithms and exponentials."""
    return values if values.is_floating_point() and values.element_size() > 4 else values.float()
