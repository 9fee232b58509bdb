"""Losses of distance labels against pixel-by-pixel loops; gradients in float64; function equals Module."""

import numpy as np
import pytest
import torch

from crowdscale.learn.losses import (
    CrossEntropy,
    DynamicCrossEntropy,
    FocalLoss,
    OrdinalLoss,
    cross_entropy,
    dynamic_cross_entropy,
    focal_loss,
    ordinal_loss,
)


def dynamic(p, true):
    """Eq. 7 of one pixel."""
    return -sum((abs(true - i) + 1) * p[i] for i in range(len(p))) * np.log(p[true])


def plain(p, true):
    return -np.log(p[true])


def focal(p, true):
    return -((1 - p[true]) ** 1.5) * np.log(p[true])


def ordinal(p, true):
    """Is the class beyond edge k? One logarithm for each edge."""
    total = 0.0
    for k in range(len(p) - 1):
        beyond = sum(p[i] for i in range(k + 1, len(p)))
        total -= np.log(beyond if true > k else 1 - beyond)
    return total


LOSSES = {
    "dynamic": (dynamic_cross_entropy, DynamicCrossEntropy, dynamic, {}),
    "plain": (cross_entropy, CrossEntropy, plain, {}),
    "focal": (focal_loss, FocalLoss, focal, {"focus": 1.5}),
    "ordinal": (ordinal_loss, OrdinalLoss, ordinal, {}),
}


@pytest.fixture(params=LOSSES.values(), ids=LOSSES)
def loss(request):
    return request.param


def by_hand(rule, logits, labels):
    """Summed over pixels, averaged over images."""
    total = 0.0
    for b, row, column in np.ndindex(labels.shape):
        p = np.exp(logits[b, :, row, column])
        total += rule(p / p.sum(), labels[b, row, column])
    return total / len(labels)


def test_numbers_are_those_of_a_loop_over_pixels(loss):
    function, module, rule, settings = loss
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 2, (2, 11, 3, 4)), random.integers(0, 11, (2, 3, 4))
    tensors = torch.from_numpy(logits), torch.from_numpy(labels)
    ours = function(*tensors, "sum", **settings)
    assert ours.item() == pytest.approx(by_hand(rule, logits, labels), rel=1e-9)
    mean = function(*tensors, "mean", **settings)
    assert mean.item() == pytest.approx(ours.item() * 2 / labels.size, rel=1e-9)
    for reduction, value in (("sum", ours), ("mean", mean)):
        assert torch.equal(module(reduction, **settings)(*tensors), value)


def test_gradient_in_float64(loss):
    function, _, _, settings = loss
    torch.manual_seed(0)
    logits = torch.randn(1, 5, 2, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[[0, 4], [2, 1]]])
    assert torch.autograd.gradcheck(lambda x: function(x, labels, **settings), logits)


@pytest.mark.parametrize("told", [3, 10], ids=["sure and right", "sure and wrong"])
def test_certainty_neither_overflows_nor_gives_nan(loss, told):
    function, _, _, settings = loss
    logits = torch.zeros(1, 11, 2, 2)
    logits[:, told] = 60.0
    logits.requires_grad_(True)
    value = function(logits, torch.full((1, 2, 2), 3), **settings)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    assert value.item() == pytest.approx(0, abs=1e-6) if told == 3 else value.item() > 10


def test_half_precision_is_computed_in_float32(loss):
    function, _, _, settings = loss
    logits, labels = torch.randn(1, 11, 4, 4).bfloat16(), torch.randint(0, 11, (1, 4, 4))
    ours = function(logits, labels, **settings)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, function(logits.float(), labels, **settings))


@pytest.mark.parametrize("gradient", [True, False])
def test_the_bracket_of_equation_7_has_the_same_value_with_and_without_gradient(gradient):
    logits, labels = torch.randn(2, 11, 3, 3), torch.randint(0, 11, (2, 3, 3))
    with_gradient = dynamic_cross_entropy(logits, labels)
    assert torch.equal(dynamic_cross_entropy(logits, labels, weight_gradient=gradient), with_gradient)
    assert torch.equal(DynamicCrossEntropy("mean", gradient)(logits, labels), with_gradient)


def test_the_bracket_costs_gradient_only_where_asked():
    logits = torch.randn(1, 5, 2, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.zeros(1, 2, 2, dtype=torch.long)
    gradients = [
        torch.autograd.grad(dynamic_cross_entropy(logits, labels, "sum", flag), logits)[0]
        for flag in (True, False)
    ]
    assert not torch.allclose(*gradients)


@pytest.mark.parametrize("function", [dynamic_cross_entropy, ordinal_loss])
def test_far_classes_cost_more_than_near_ones(function):
    labels = torch.full((1, 1, 1), 5)
    near, far = torch.zeros(1, 11, 1, 1), torch.zeros(1, 11, 1, 1)
    near[0, 4], far[0, 0] = 4.0, 4.0
    assert function(far, labels) > function(near, labels)
    assert cross_entropy(far, labels) == pytest.approx(cross_entropy(near, labels).item())


def test_focal_without_focus_is_plain():
    logits, labels = torch.randn(2, 11, 3, 3), torch.randint(0, 11, (2, 3, 3))
    assert focal_loss(logits, labels, focus=0.0).item() == pytest.approx(cross_entropy(logits, labels).item())
