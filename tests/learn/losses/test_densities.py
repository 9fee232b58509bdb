"""Losses of densities against loops, SciPy's linear programming and closed forms; gradients in float64."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from scipy.stats import norm, poisson

from crowdscale.learn.losses import (
    BayesianLoss,
    BlockCountLoss,
    DensityLoss,
    DistributionLoss,
    Matching,
    bayesian_loss,
    block_count_loss,
    density_loss,
    distribution_loss,
    transport_cost,
)
from crowdscale.learn.losses.cells import heads_in_cells

HEADS = np.array([[3.0, 4.0], [17.2, 9.6], [20.0, 21.0], [60.0, 5.0]])  # the last one lies beside the frame
STRIDE, ROWS, COLUMNS = 8, 3, 4
CENTRES = [(8 * j + 3.5, 8 * i + 3.5) for i in range(ROWS) for j in range(COLUMNS)]


def people(seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((1, 1, ROWS, COLUMNS)))


def test_density_loss_is_the_squared_norm():
    a, b = torch.rand(2, 1, 4, 5), torch.rand(2, 1, 4, 5)
    assert density_loss(a, b).item() == pytest.approx(((a - b) ** 2).sum().item() / 2, rel=1e-5)
    assert density_loss(a, b, "mean").item() == pytest.approx(((a - b) ** 2).mean().item(), rel=1e-5)
    assert torch.equal(DensityLoss("mean")(a, b), density_loss(a, b, "mean"))
    wide = a.double().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: density_loss(x, b.double()), wide)


def bayesian_by_hand(cells, heads, sigma, background):
    """The posterior of each cell from Gaussian densities, then each head's expected count."""
    reach = background * min(ROWS, COLUMNS) * STRIDE
    expected = np.zeros(len(heads) + 1)
    for (x, y), value in zip(CENTRES, cells, strict=True):
        distances = [np.hypot(x - hx, y - hy) for hx, hy in heads]
        likelihoods = norm.pdf([*distances, reach - min(distances)], scale=sigma)
        expected += value * likelihoods / likelihoods.sum()
    return np.abs(1 - expected[:-1]).sum() + abs(expected[-1])


def test_bayesian_loss_is_that_of_a_loop_over_cells():
    cells = people()
    expected = bayesian_by_hand(cells.flatten().numpy(), HEADS[:3], 6.0, 0.5)
    assert bayesian_loss(cells, [HEADS], STRIDE, 6.0, 0.5).item() == pytest.approx(expected, rel=1e-9)
    assert BayesianLoss(6.0, 0.5)(cells, [HEADS], STRIDE).item() == pytest.approx(expected, rel=1e-9)


def test_bayesian_loss_of_one_person_in_the_head_s_own_cell_is_nearly_nothing():
    cells = torch.zeros(1, 1, 8, 8)
    cells[0, 0, 2, 5] = 1.0
    head = np.array([[43.5, 19.5]])
    right = bayesian_loss(cells, [head], 8, 4.0, 0.3)
    assert right < 0.05
    assert (
        bayesian_loss(cells, [head - (40, 0)], 8, 4.0, 0.3) > 1.5
    )  # far off: nobody there, and one too many


def distribution_by_hand(cells, heads, matching):
    """Count and total variation by sums, optimal transport by linear programming."""
    true = np.zeros((ROWS, COLUMNS))
    for x, y in heads:
        true[int((y + 0.5) // STRIDE), int((x + 0.5) // STRIDE)] += 1
    n, shape = len(heads), cells / cells.sum()
    cost = np.array([[(hx - x) ** 2 + (hy - y) ** 2 for x, y in CENTRES] for hx, hy in heads])
    variation = 0.5 * n * np.abs(true.ravel() / n - shape).sum()
    moved = cheapest(cost, np.full(n, 1 / n), shape)
    return abs(n - cells.sum()) + matching.transport * moved + matching.variation * variation


def cheapest(cost, sources, sinks):
    """The cost of optimal transport as a linear program."""
    n, m = cost.shape
    marginals = np.zeros((n + m, n * m))
    for i in range(n):
        marginals[i, i * m : (i + 1) * m] = 1
    for j in range(m):
        marginals[n + j, j::m] = 1
    return linprog(cost.ravel(), A_eq=marginals, b_eq=np.concatenate([sources, sinks])).fun


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_transport_nears_the_linear_program_as_smoothing_vanishes(seed):
    random = np.random.default_rng(seed)
    cost, a, b = random.random((5, 7)) * 100, random.random(5), random.random(7)
    a, b = a / a.sum(), b / b.sum()
    exact = cheapest(cost, a, b)
    tensors = [torch.from_numpy(x) for x in (cost, a, b)]
    errors = [transport_cost(*tensors, smoothing, 2000).item() - exact for smoothing in (10.0, 1.0, 0.1)]
    entropy = min(-(a * np.log(a)).sum(), -(b * np.log(b)).sum())  # the most that KL(plan | product) can be
    for error, smoothing in zip(errors, (10.0, 1.0, 0.1), strict=True):
        assert -1e-3 < error < smoothing * entropy
    assert errors[0] > errors[1] > errors[2]


def test_transport_gradient_is_that_of_finite_differences():
    random = np.random.default_rng(0)
    cost = torch.from_numpy(random.random((3, 5)) * 10)
    heads = torch.full((3,), 1 / 3, dtype=torch.float64)
    mass = torch.from_numpy(random.random(5)).requires_grad_(True)

    def value(x):
        return transport_cost(cost, heads, x / x.sum(), 2.0, 400)

    assert torch.autograd.gradcheck(value, mass)


def test_distribution_loss_is_count_transport_and_variation():
    cells, matching = people(), Matching(smoothing=0.05, iterations=6000)
    expected = distribution_by_hand(cells.flatten().numpy(), HEADS[:3], matching)
    ours = distribution_loss(cells, [HEADS], STRIDE, matching)
    assert ours.item() == pytest.approx(expected, rel=2e-3)
    assert torch.equal(DistributionLoss(matching)(cells, [HEADS], STRIDE), ours)


def test_distribution_loss_of_each_head_in_its_cell_is_that_of_the_way_to_the_centres():
    heads = np.array([[3.5, 3.5], [19.5, 11.5]])
    cells = torch.zeros(1, 1, ROWS, COLUMNS, dtype=torch.float64)
    cells[0, 0, 0, 0] = cells[0, 0, 1, 2] = 1.0
    value = distribution_loss(cells, [heads], STRIDE, Matching(smoothing=0.1, iterations=200))
    assert value.item() == pytest.approx(0.1 * 0.1 * np.log(2), abs=1e-6)  # λ1·ε·KL(plan | product)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, heads: bayesian_loss(x, heads, STRIDE, 6.0, 0.5),
        lambda x, heads: distribution_loss(x, heads, STRIDE, Matching(smoothing=30.0, iterations=250)),
    ],
    ids=["bayesian", "dm"],
)
@pytest.mark.parametrize("heads", [HEADS, HEADS[:1], HEADS[:0]], ids=["three", "one", "nobody"])
def test_gradients_in_float64_with_any_number_of_heads(function, heads):
    cells = people(3).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: function(x, [heads]), cells)


@pytest.mark.parametrize("loss", [BayesianLoss(), DistributionLoss()], ids=["bayesian", "dm"])
def test_maps_without_mass_and_images_without_heads_give_the_count(loss):
    empty, two = torch.zeros(1, 1, 4, 4), HEADS[:2]
    assert loss(empty, [two], 8).item() == pytest.approx(2.0)
    assert loss(empty - 0.1, [two[:0]], 8).item() == pytest.approx(1.6, rel=1e-5)


def test_heads_are_counted_in_the_cell_of_their_pixel():
    heads = torch.tensor([[7.49, 0.0], [7.5, 0.0], [-0.5, 8.2]])
    assert heads_in_cells(heads, 2, 2, 8).tolist() == [1, 1, 1, 0]


def blocks_of(logit, log_rate, counts):
    blocks = torch.tensor([logit, log_rate], dtype=torch.float64).view(1, 2, 1, 1)
    return blocks.repeat(1, 1, *counts.shape), torch.from_numpy(counts)[None]


def test_block_likelihood_is_a_zero_inflated_poisson():
    logit, log_rate = 0.3, np.log(2.5)
    counts = np.zeros((5, 9))
    counts[0, 1], counts[4, 3], counts[2, 8] = 1, 3, 2
    empty = 1 / (1 + np.exp(-logit))
    p = (1 - empty) * poisson.pmf(counts, 2.5) + empty * (counts == 0)
    likelihood = -np.log(p).mean()
    error = (1 - empty) * 2.5 - counts
    squares = [
        error[:4, :4].sum(),
        error[:4, 4:8].sum(),
    ]  # of 4 blocks a side; what is left over counts in the whole
    absolute = np.abs(squares).mean() / 4 + abs(error.sum()) / 45**0.5
    expected = likelihood + absolute
    tensors = blocks_of(logit, log_rate, counts)
    assert block_count_loss(*tensors).item() == pytest.approx(expected, rel=1e-9)
    assert torch.equal(BlockCountLoss()(*tensors), block_count_loss(*tensors))
    assert BlockCountLoss(squares=False)(*tensors).item() == pytest.approx(likelihood, rel=1e-9)


def test_the_block_loss_is_least_at_the_mean_where_heads_are_rare():
    """One block in four has a head, in every square alike: an absolute error a block would ask for fewer."""
    counts = torch.zeros(1, 16, 16, dtype=torch.float64)
    counts[:, ::2, ::2] = 1
    empty = torch.full((1, 16, 16), -20.0, dtype=torch.float64)
    rates = np.geomspace(0.02, 1.0, 40)
    losses = [
        float(block_count_loss(torch.stack([empty, torch.full_like(empty, np.log(r))], 1), counts))
        for r in rates
    ]
    assert rates[int(np.argmin(losses))] == pytest.approx(0.25, rel=0.06)


def test_block_loss_gradient():
    """Over squares of 4 and of 8 blocks, with a row that no square holds."""
    rng = np.random.default_rng(0)
    blocks, counts = blocks_of(0.3, 0.4, rng.poisson(0.8, (9, 8)).astype(float))
    blocks = (blocks + torch.from_numpy(rng.normal(0, 0.1, blocks.shape))).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: block_count_loss(x, counts), blocks)
