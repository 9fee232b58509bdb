"""Losses of distance labels: dynamic cross-entropy (Eq. 7) and its rivals, plain, focal and ordinal regression."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from crowdscale.learn.losses.reduction import Reduction, reduce_pixels, widen

__all__ = [
    "CrossEntropy",
    "DynamicCrossEntropy",
    "FocalLoss",
    "OrdinalLoss",
    "cross_entropy",
    "dynamic_cross_entropy",
    "focal_loss",
    "mean_label_loss",
    "ordinal_loss",
]


def dynamic_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    reduction: Reduction = "mean",
    weight_gradient: bool = True,
    certain: Tensor | None = None,
) -> Tensor:
    """Return the cross-entropy weighted by the distance of the predicted distribution from the true class (Eq. 7).

    L = -Σ_p [Σ_i (|C(p) - i| + 1)·Pr(p)_i] · log Pr(p)_C(p).

    Args:
        logits: (b, classes, h, w).
        labels: (b, h, w) true classes C(p), integers.
        reduction: ``mean`` over pixels, or ``sum`` over pixels and mean over images.
        weight_gradient: Whether the bracket carries gradient; the paper does not specify it.
        certain: (b, h, w) pixels that take part; None for all.

    Returns:
        A scalar. Computed in float32 under any autocast.
    """
    with torch.autocast(logits.device.type, enabled=False):
        log_p = widen(logits).log_softmax(1)
        classes = torch.arange(logits.shape[1], device=logits.device)
        distance = (labels[:, None] - classes.view(1, -1, 1, 1)).abs() + 1
        bracket = (distance * log_p.exp()).sum(1)
        if not weight_gradient:
            bracket = bracket.detach()
        return reduce_pixels(-bracket * _true(log_p, labels), reduction, certain)


def cross_entropy(
    logits: Tensor, labels: Tensor, reduction: Reduction = "mean", certain: Tensor | None = None
) -> Tensor:
    """Return the plain cross-entropy: L = -Σ_p log Pr(p)_C(p).

    Args:
        logits: (b, classes, h, w).
        labels: (b, h, w) true classes.
        reduction: As in ``dynamic_cross_entropy``.
        certain: As in ``dynamic_cross_entropy``.
    """
    with torch.autocast(logits.device.type, enabled=False):
        return reduce_pixels(-_true(widen(logits).log_softmax(1), labels), reduction, certain)


def focal_loss(
    logits: Tensor,
    labels: Tensor,
    reduction: Reduction = "mean",
    focus: float = 2.0,
    certain: Tensor | None = None,
) -> Tensor:
    """Return the focal loss (Lin et al., ICCV 2017): L = -Σ_p (1 - Pr(p)_C(p))^γ · log Pr(p)_C(p).

    Args:
        logits: (b, classes, h, w).
        labels: (b, h, w) true classes.
        reduction: As in ``dynamic_cross_entropy``.
        focus: γ; 0 is plain cross-entropy.
        certain: As in ``dynamic_cross_entropy``.
    """
    with torch.autocast(logits.device.type, enabled=False):
        log_p = _true(widen(logits).log_softmax(1), labels)
        # -expm1 keeps 1 - p exact near p = 1; the floor keeps the slope of its power finite at p = 1.
        missing = (-torch.expm1(log_p)).clamp(min=1e-12)
        return reduce_pixels(-missing.pow(focus) * log_p, reduction, certain)


def ordinal_loss(
    logits: Tensor, labels: Tensor, reduction: Reduction = "mean", certain: Tensor | None = None
) -> Tensor:
    """Return the loss of ordinal regression: one binary question per edge, "is the class beyond it?" (Fu et al., CVPR 2018).

    L = -Σ_p Σ_k log P(C(p) lies on its true side of edge k), with P(class > k) = Σ_{i>k} Pr(p)_i. All answers come
    from one distribution over classes, so the map is read as with the other losses.

    Args:
        logits: (b, classes, h, w).
        labels: (b, h, w) true classes.
        reduction: As in ``dynamic_cross_entropy``.
        certain: As in ``dynamic_cross_entropy``.
    """
    with torch.autocast(logits.device.type, enabled=False):
        p = widen(logits).softmax(1)
        classes = p.shape[1]
        # Summed from both ends: 1 - P(class <= k) would lose small values.
        beyond = p.new_ones(classes, classes).triu(1)[:-1]
        above, below = (torch.einsum("kc,bchw->bkhw", matrix, p) for matrix in (beyond, 1 - beyond))
        edges = torch.arange(classes - 1, device=logits.device).view(1, -1, 1, 1)
        answers = torch.where(labels[:, None] > edges, above, below).clamp(min=1e-37).log().sum(1)
        return reduce_pixels(-answers, reduction, certain)


NEAR, LEAST = 3.0, 0.05
"""A pixel weighs exp(-label / NEAR) + LEAST: pixels near heads move located heads, the background does not."""


def mean_label_loss(means: Tensor, labels: Tensor, certain: Tensor | None = None) -> Tensor:
    """Return the weighted mean of |mean label - true class|; pixels near heads weigh most. It trains a ``SubpixelHead``.

    Args:
        means: (b, 1, h, w) mean labels.
        labels: (b, h, w) true classes.
        certain: (b, h, w) pixels that take part; None for all. Without one the loss is 0.

    Returns:
        A scalar in classes. Computed in float32 under any autocast. Ours, not the papers'.
    """
    with torch.autocast(means.device.type, enabled=False):
        weight = (-labels.float() / NEAR).exp() + LEAST
        if certain is not None:
            weight = weight * certain
        error = (widen(means)[:, 0] - labels).abs()
        return (weight * error).sum() / weight.sum().clamp(min=1e-6)


def _true(log_p: Tensor, labels: Tensor) -> Tensor:
    """Return the (b, h, w) log-probabilities of the true classes."""
    return log_p.gather(1, labels[:, None].long())[:, 0]


class DynamicCrossEntropy(nn.Module):
    """``dynamic_cross_entropy`` as a module."""

    def __init__(self, reduction: Reduction = "mean", weight_gradient: bool = True) -> None:
        super().__init__()
        self.reduction, self.weight_gradient = reduction, weight_gradient

    def forward(self, logits: Tensor, labels: Tensor, certain: Tensor | None = None) -> Tensor:
        """Return the loss of (b, classes, h, w) logits against (b, h, w) labels."""
        return dynamic_cross_entropy(logits, labels, self.reduction, self.weight_gradient, certain)


class CrossEntropy(nn.Module):
    """``cross_entropy`` as a module."""

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, logits: Tensor, labels: Tensor, certain: Tensor | None = None) -> Tensor:
        """Return the loss of (b, classes, h, w) logits against (b, h, w) labels."""
        return cross_entropy(logits, labels, self.reduction, certain)


class FocalLoss(nn.Module):
    """``focal_loss`` as a module."""

    def __init__(self, reduction: Reduction = "mean", focus: float = 2.0) -> None:
        super().__init__()
        self.reduction, self.focus = reduction, focus

    def forward(self, logits: Tensor, labels: Tensor, certain: Tensor | None = None) -> Tensor:
        """Return the loss of (b, classes, h, w) logits against (b, h, w) labels."""
        return focal_loss(logits, labels, self.reduction, self.focus, certain)


class OrdinalLoss(nn.Module):
    """``ordinal_loss`` as a module."""

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        self.reduction = reduction

    def forward(self, logits: Tensor, labels: Tensor, certain: Tensor | None = None) -> Tensor:
        """Return the loss of (b, classes, h, w) logits against (b, h, w) labels."""
        return ordinal_loss(logits, labels, self.reduction, certain)
