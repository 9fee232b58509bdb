"""Losses of both papers: dynamic cross-entropy (Eq. 7), density error (Eq. 5), block counts; each a function."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["block_count_loss", "density_loss", "dynamic_cross_entropy", "reduce_pixels"]

Reduction = Literal["sum", "mean"]


def reduce_pixels(values: Tensor, reduction: Reduction) -> Tensor:
    """Return the sum over pixels averaged over the batch (as the papers), or the mean over all."""
    return values.mean() if reduction == "mean" else values.sum() / len(values)


def dynamic_cross_entropy(
    logits: Tensor, labels: Tensor, reduction: Reduction = "mean", weight_gradient: bool = True
) -> Tensor:
    """Cross-entropy weighted by how far the predicted distribution lies from the true class (Eq. 7).

    L = -Σ_p [Σ_i (|C(p) - i| + 1)·Pr(p)_i] · log Pr(p)_C(p).

    Args:
        logits: (b, classes, h, w).
        labels: (b, h, w) true classes C(p), integers.
        reduction: ``mean`` over pixels, or ``sum`` over pixels and mean over images.
        weight_gradient: Whether the bracket carries gradient, which the paper leaves open.

    Returns:
        A scalar. Computed in float32 under any autocast.
    """
    with torch.autocast(logits.device.type, enabled=False):
        log_p = logits.float().log_softmax(1) if logits.dtype != torch.float64 else logits.log_softmax(1)
        classes = torch.arange(logits.shape[1], device=logits.device)
        distance = (labels[:, None] - classes.view(1, -1, 1, 1)).abs() + 1
        bracket = (distance * log_p.exp()).sum(1)
        if not weight_gradient:
            bracket = bracket.detach()
        true_log_p = log_p.gather(1, labels[:, None].long())[:, 0]
        return reduce_pixels(-bracket * true_log_p, reduction)


def density_loss(density: Tensor, target: Tensor, reduction: Reduction = "sum") -> Tensor:
    """Squared norm of the difference of two density maps (Eq. 5).

    Args:
        density: (b, 1, h, w) predicted.
        target: (b, 1, h, w).
        reduction: ``sum`` over pixels (the papers', which the learning rate 1e-7 fits) or ``mean``.
    """
    return reduce_pixels((density.float() - target).square(), reduction)


def block_count_loss(blocks: Tensor, counts: Tensor) -> Tensor:
    """Zero-inflated Poisson likelihood of block counts, with the absolute error at 1, 2 and 4 blocks.

    P(n) = π·[n = 0] + (1 - π)·Poisson(n; λ); expected count (1 - π)·λ.

    Args:
        blocks: (b, 2, h, w): logit of π and log λ.
        counts: (b, h, w) people in each block.
    """
    with torch.autocast(blocks.device.type, enabled=False):
        blocks = blocks.float()
        empty_logit, log_rate = blocks[:, 0], blocks[:, 1].clamp(-8, 6)
        rate = log_rate.exp()
        log_full = functional.logsigmoid(-empty_logit)
        poisson = counts * log_rate - rate - torch.lgamma(counts + 1)
        at_zero = torch.logaddexp(functional.logsigmoid(empty_logit), log_full - rate)
        likelihood = -torch.where(counts > 0, log_full + poisson, at_zero).mean()
        error = (log_full.exp() * rate - counts)[:, None]
        spans = [span for span in (1, 2, 4) if min(error.shape[-2:]) >= span]
        absolute = sum(functional.avg_pool2d(error, span).abs().mean() * span for span in spans)
        total = error.sum((1, 2, 3)).abs().mean()
        return likelihood + absolute + 0.01 * total
