"""Which loss teaches a map: names, defaults, maps of any stride, and words for what does not fit."""

import numpy as np
import pytest
import torch

from crowdscale.errors import OptionError
from crowdscale.learn.losses import (
    DENSITY_LOSSES,
    LABEL_LOSSES,
    LossOptions,
    bayesian_loss,
    choose_loss,
    density_loss,
    dynamic_cross_entropy,
)
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Points

HEADS = np.array([[10.0, 12.0], [40.0, 50.0]])


def test_labels_are_picked_at_cell_centres():
    labels = torch.from_numpy(DistanceLabels().encode(Points(HEADS), 64, 64))[None]
    logits = torch.randn(1, 11, 16, 16, generator=torch.Generator().manual_seed(0))
    ours = choose_loss(DistanceLabels(), LossOptions())(logits, labels, [HEADS])
    expected = dynamic_cross_entropy(logits, labels[:, 2::4, 2::4].long())
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=0.0)  # sums of float32 differ by their order


def test_a_thinned_loss_reads_every_third_pixel_from_an_offset_of_the_target():
    labels = torch.from_numpy(DistanceLabels().encode(Points(HEADS), 64, 64))[None]
    logits = torch.randn(1, 11, 64, 64)
    ours = choose_loss(DistanceLabels(), LossOptions(loss="ce", thinning=3))(logits, labels, [HEADS])
    offsets = [
        torch.nn.functional.cross_entropy(logits[..., i::3, j::3], labels[:, i::3, j::3].long()).item()
        for i in range(3)
        for j in range(3)
    ]
    assert sum(abs(ours.item() - value) < 1e-6 for value in offsets) == 1


@pytest.mark.parametrize("in_cells", [False, True], ids=["people a pixel", "people a cell"])
def test_a_coarse_density_that_is_right_costs_nothing(in_cells):
    target = torch.from_numpy(Density(4.0).encode(Points(HEADS), 64, 64))[None, None]
    coarse = torch.nn.functional.avg_pool2d(target, 8) * (64 if in_cells else 1)
    loss = choose_loss(Density(4.0), LossOptions())
    assert loss(coarse, target, [HEADS], in_cells).item() == pytest.approx(0, abs=1e-10)
    assert loss(coarse * 2, target, [HEADS], in_cells) == pytest.approx(coarse.square().sum().item())


def test_a_fine_density_is_summed_over_cells_for_losses_between_heads_and_cells():
    density = torch.rand(1, 1, 64, 64)
    loss = choose_loss(Density(4.0), LossOptions(loss="bayesian", bayesian_sigma=5.0))
    cells = torch.nn.functional.avg_pool2d(density, 8) * 64
    expected = bayesian_loss(cells, [HEADS], 8, 5.0)
    assert loss(density, torch.zeros(1, 1, 64, 64), [HEADS]).item() == pytest.approx(
        expected.item(), rel=1e-5
    )
    assert loss(cells, torch.zeros(1, 1, 64, 64), [HEADS], True).item() == pytest.approx(expected.item())


def test_auto_is_the_loss_a_network_was_published_with():
    density, target = torch.rand(1, 1, 64, 64), torch.rand(1, 1, 64, 64)
    auto = choose_loss(Density(), LossOptions(reduction="mean"))
    assert torch.equal(auto(density, target, [HEADS]), density_loss(density, target, "mean"))
    published = choose_loss(Density(), LossOptions(), usual="bayesian")
    chosen = choose_loss(Density(), LossOptions(loss="bayesian"))
    assert torch.equal(published(density, target, [HEADS]), chosen(density, target, [HEADS]))


@pytest.mark.parametrize(
    ("codec", "names"),
    [(DistanceLabels(), DENSITY_LOSSES), (Density(), LABEL_LOSSES)],
    ids=["labels", "density"],
)
def test_a_loss_of_the_other_kind_of_map_is_refused(codec, names):
    for name in names:
        with pytest.raises(OptionError, match=r"--loss of"):
            choose_loss(codec, LossOptions(loss=name))


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        ({"loss": "mae"}, "--loss"),
        ({"reduction": "median"}, "--reduction"),
        ({"canvas": 100}, "--canvas"),
        ({"bayesian_sigma": 0.0}, "--bayesian-sigma"),
        ({"transport_iterations": 0}, "--transport-iterations"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_name_the_flag(options, flag):
    with pytest.raises(OptionError, match=flag):
        LossOptions(**options)
