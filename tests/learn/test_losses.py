"""Losses against independent computations, and their gradients in float64."""

import numpy as np
import pytest
import torch
from scipy.stats import poisson

from crowdscale.learn.losses import block_count_loss, density_loss, dynamic_cross_entropy


def by_hand(logits, labels):
    """Eq. 7, pixel by pixel, summed over pixels and averaged over images."""
    total = 0.0
    for b, row, column in np.ndindex(labels.shape):
        scores = logits[b, :, row, column]
        p = np.exp(scores) / np.exp(scores).sum()
        true = labels[b, row, column]
        bracket = sum((abs(true - i) + 1) * p[i] for i in range(len(p)))
        total -= bracket * np.log(p[true])
    return total / len(labels)


@pytest.mark.parametrize("gradient", [True, False])
def test_dynamic_cross_entropy_is_equation_7(gradient):
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 2, (2, 11, 3, 4)), random.integers(0, 11, (2, 3, 4))
    ours = dynamic_cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), "sum", gradient)
    assert ours.item() == pytest.approx(by_hand(logits, labels), rel=1e-9)
    mean = dynamic_cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), "mean", gradient)
    assert mean.item() == pytest.approx(ours.item() * 2 / labels.size, rel=1e-9)


def test_dynamic_cross_entropy_gradient():
    torch.manual_seed(0)
    logits = torch.randn(1, 5, 2, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[[0, 4], [2, 1]]])
    assert torch.autograd.gradcheck(lambda x: dynamic_cross_entropy(x, labels), logits)


def test_the_bracket_costs_gradient_only_where_asked():
    logits = torch.randn(1, 5, 2, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.zeros(1, 2, 2, dtype=torch.long)
    gradients = [
        torch.autograd.grad(dynamic_cross_entropy(logits, labels, "sum", flag), logits)[0]
        for flag in (True, False)
    ]
    assert not torch.allclose(*gradients)


def test_far_classes_cost_more_than_near_ones():
    labels = torch.full((1, 1, 1), 5)
    near, far = torch.zeros(1, 11, 1, 1), torch.zeros(1, 11, 1, 1)
    near[0, 4], far[0, 0] = 4.0, 4.0
    assert dynamic_cross_entropy(far, labels) > dynamic_cross_entropy(near, labels)


def test_density_loss_is_the_squared_norm():
    a, b = torch.rand(2, 1, 4, 5), torch.rand(2, 1, 4, 5)
    assert density_loss(a, b).item() == pytest.approx(((a - b) ** 2).sum().item() / 2, rel=1e-5)
    assert density_loss(a, b, "mean").item() == pytest.approx(((a - b) ** 2).mean().item(), rel=1e-5)


def test_block_likelihood_is_a_zero_inflated_poisson():
    logit, log_rate = 0.3, np.log(2.5)
    counts = np.array([[0.0, 1.0], [3.0, 0.0]])
    empty = 1 / (1 + np.exp(-logit))
    p = (1 - empty) * poisson.pmf(counts, 2.5) + empty * (counts == 0)
    likelihood = -np.log(p).mean()
    error = (1 - empty) * 2.5 - counts
    absolute = np.abs(error).mean() + 2 * abs(error.mean())
    expected = likelihood + absolute + 0.01 * abs(error.sum())
    blocks = torch.tensor([logit, log_rate], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    assert block_count_loss(blocks, torch.from_numpy(counts).float()[None]).item() == pytest.approx(
        expected, rel=1e-5
    )
