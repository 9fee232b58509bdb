"""Kernels as whole numbers of steps, one step for each output channel."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["LARGE", "count_steps", "is_large", "whole_steps"]

LARGE = 4096
"""Kernels with fewer weights stay: 8 bits gain nothing there."""

MOST = 127
"""Steps of the largest weight of each output channel."""

CLOSE = 1e-3
"""Largest distance of a weight from a whole step, in steps, that is rounding alone."""


def count_steps(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the (out, …) int8 numbers of steps and the (out, 1, …) float32 steps nearest to a weight.

    Args:
        weight: (out, …) a layer's weights.
    """
    values = weight.detach().float()
    largest = values.abs().flatten(1).amax(1).view(-1, *[1] * (values.ndim - 1))
    steps = torch.where(largest > 0, largest / MOST, torch.ones_like(largest))
    return (values / steps).round().to(torch.int8), steps


def is_large(weight: Tensor) -> bool:
    """Return whether a weight is a kernel large enough to be stored in 8 bits."""
    return weight.ndim == 4 and weight.numel() >= LARGE


def whole_steps(weight: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return a large kernel's numbers of steps and its steps if int8 holds it without loss, else None."""
    if not is_large(weight):
        return None
    numbers, steps = count_steps(weight)
    return (numbers, steps) if bool(((weight / steps - numbers).abs() <= CLOSE).all()) else None
