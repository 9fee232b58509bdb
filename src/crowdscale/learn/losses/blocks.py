"""People in blocks as a zero-inflated Poisson: the likelihood and the error of sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from crowdscale.errors import OptionError
from crowdscale.learn.losses.reduction import reduce_pixels, widen

__all__ = ["BlockCountLoss", "block_count_loss", "expected_blocks", "twin_loss"]


SPANS = (4, 8)
"""Sides in blocks of the squares with an absolute error of their own."""


def block_count_loss(
    blocks: Tensor, counts: Tensor, squares: bool = True, known: Tensor | None = None
) -> Tensor:
    """Return the zero-inflated Poisson loss of block counts, plus the absolute errors of squares and of the whole.

    P(n) = π·[n = 0] + (1 - π)·Poisson(n; λ); expected count (1 - π)·λ. The absolute error of a square of s² blocks is
    divided by s, that of all N blocks by √N, as independent errors add up. Single blocks have no such term: the least
    absolute error is at the median, which is 0 where a head is unlikely, so sums would be too low.

    Args:
        blocks: (b, 2, h, w): logit of π and log λ.
        counts: (b, h, w) people in each block.
        squares: Add the absolute errors to the likelihood.
        known: (b, h, w) blocks whose people are known; None for all. Sums are over known blocks alone, and n of them
            have the divisor √n.
    """
    with torch.autocast(blocks.device.type, enabled=False):
        blocks = widen(blocks)
        empty_logit, log_rate = blocks[:, 0], blocks[:, 1].clamp(-8, 6)
        rate = log_rate.exp()
        log_full = functional.logsigmoid(-empty_logit)
        poisson = counts * log_rate - rate - torch.lgamma(counts + 1)
        at_zero = torch.logaddexp(functional.logsigmoid(empty_logit), log_full - rate)
        likelihood = reduce_pixels(-torch.where(counts > 0, log_full + poisson, at_zero), "mean", known)
        if not squares:
            return likelihood
        error = (log_full.exp() * rate - counts)[:, None]
        spans = [span for span in SPANS if min(error.shape[-2:]) >= span]
        if known is not None:
            return torch.stack([likelihood, *_known_sums(error, known[:, None], spans)]).sum()
        absolute = [functional.avg_pool2d(error, span).abs().mean() * span for span in spans]
        whole = error.mean((1, 2, 3)).abs().mean() * error[0].numel() ** 0.5
        return torch.stack([likelihood, *absolute, whole]).sum()


def _known_sums(error: Tensor, known: Tensor, spans: Sequence[int]) -> Iterator[Tensor]:
    """Yield the mean absolute error of squares of each side, and of the whole, over those with known blocks."""
    error, number = torch.where(known, error, error.new_zeros(())), known.to(error.dtype)
    rows, columns = error.shape[-2:]
    for kernel in (*((span, span) for span in spans), (rows, columns)):
        sums, held = (
            functional.avg_pool2d(each, kernel, divisor_override=1).flatten() for each in (error, number)
        )
        yield reduce_pixels(sums.abs() / held.clamp(min=1).sqrt(), "mean", held > 0)


def expected_blocks(blocks: Tensor) -> Tensor:
    """Return the (b, h, w) people in each block, (1 - π)·λ, of the (b, 2, h, w) block head's output."""
    values = blocks.float()
    return torch.sigmoid(-values[:, 0]) * values[:, 1].clamp(-8, 6).exp()


def twin_loss(blocks: Tensor) -> Tensor:
    """Return how much the counts of two versions of the same crops differ; what is true does not matter.

    The difference is that of squares of 4 and 8 blocks, weighed as the errors of ``block_count_loss``: both together
    have the same unit. Smaller maps have the whole alone.

    Args:
        blocks: (b, 2, h, w): logit of π and log λ; crops 0 and 1, 2 and 3, … are two versions of one.

    Raises:
        OptionError: The number of crops is odd.
    """
    if len(blocks) % 2:
        raise OptionError("expected an even number of crops a step with --consistency", str(len(blocks)))
    with torch.autocast(blocks.device.type, enabled=False):
        people = expected_blocks(blocks)
        difference = (people[0::2] - people[1::2])[:, None]
        spans = [span for span in SPANS if min(difference.shape[-2:]) >= span]
        squares = [functional.avg_pool2d(difference, span).abs().mean() * span for span in spans]
        whole = difference.mean((1, 2, 3)).abs().mean() * difference[0].numel() ** 0.5
        return torch.stack([*squares, whole]).sum()


class BlockCountLoss(nn.Module):
    """``block_count_loss`` as a module.

    Args:
        squares: Add the absolute errors of squares and of the whole.
    """

    def __init__(self, squares: bool = True) -> None:
        super().__init__()
        self.squares = squares

    def forward(self, blocks: Tensor, counts: Tensor, known: Tensor | None = None) -> Tensor:
        """Return the loss of (b, 2, h, w) logits of π and log λ against (b, h, w) counts."""
        return block_count_loss(blocks, counts, self.squares, known)
