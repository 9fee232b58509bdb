"""AutoScale's losses: Eq. 6 and 8 with a region, without one, without people; and that it can learn."""

import numpy as np
import pytest
import torch

from crowdscale.learn.model import AutoScale, LossOptions, decode
from crowdscale.learn.networks.backbones import Lite
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.transforms import collate
from crowdscale.maps import Density, DistanceLabels
from crowdscale.points import Box, Points
from crowdscale.regions import DensityRule, LabelRule
from crowdscale.weights import ZoomOptions

from .crowds import draw


def make(codec=None, boxes=None, **losses):
    torch.manual_seed(0)
    codec = codec or DistanceLabels()
    network = CountingNetwork(Lite(), codec.channels, block_counts=True)
    rule = LabelRule() if isinstance(codec, DistanceLabels) else DensityRule()
    model = AutoScale(
        network, codec, rule, ZoomOptions(), CentreOptions(centre=12.0), LossOptions(canvas=64, **losses)
    )
    if boxes is not None:
        model.dense_boxes = lambda prediction: boxes  # type: ignore[method-assign]
    return model


def batch_of(codec, people, seed=0):
    items = []
    for index, number in enumerate(people):
        pixels, xy = draw(96, 96, number, seed + index)
        items.append((pixels, Points(xy)))
    batch = collate(codec)(items)
    return batch, batch["images"].float() / 255


@pytest.mark.parametrize("codec", [DistanceLabels(), Density(4.0)], ids=["points", "density"])
def test_total_is_the_sum_of_its_terms_and_reaches_every_parameter(codec):
    model = make(codec, [(0, Box(8, 8, 72, 64))])
    batch, images = batch_of(codec, [30, 0])
    losses = model.losses(images, batch, refine=True)
    assert losses.total.item() == pytest.approx(sum(x.item() for x in losses), rel=1e-6)
    assert losses.second.item() > 0
    assert losses.centre.item() > 0
    losses.total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert model.centre.regions.item() == 1


@pytest.mark.parametrize("people", [[0, 0], [1, 0]], ids=["nobody", "one person"])
def test_without_a_region_the_scale_net_still_takes_part(people):
    model = make(boxes=[(0, Box(0, 0, 40, 40))])
    batch, images = batch_of(model.codec, people)
    losses = model.losses(images, batch, refine=True)
    assert losses.second.item() == losses.centre.item() == 0
    losses.total.backward()
    assert all(p.grad is not None and not p.grad.any() for p in model.scale_net.parameters())
    assert model.centre.regions.item() == 0


@pytest.mark.parametrize("flag", [False, True])
def test_the_second_pass_teaches_the_scale_net_only_where_asked(flag):
    model = make(boxes=[(0, Box(8, 8, 72, 64))], zoom_gradient=flag, centre_weight=0.0)
    batch, images = batch_of(model.codec, [30, 5])
    model.losses(images, batch, refine=True).total.backward()
    assert any(p.grad.any() for p in model.scale_net.parameters()) is flag


class Fourfold(torch.nn.Module):
    """A scale net that always says q = 4, so r = 2."""

    def forward(self, pooled):
        return torch.full((len(pooled),), 4.0)


def test_the_target_of_the_second_pass_is_made_anew_at_its_scale(monkeypatch):
    model = make(boxes=[(0, Box(20, 20, 60, 60))])
    model.scale_net = Fourfold()
    batch, images = batch_of(model.codec, [1])
    batch["points"] = [np.array([[40.0, 39.0], [50.0, 44.0]])]
    targets = []
    monkeypatch.setattr(
        model, "map_loss", lambda prediction, target, points: targets.append(target) or images.sum()
    )
    model.losses(images, batch, refine=True)
    rows, columns = np.nonzero(targets[1][0].numpy() == 0)
    middle = 39.5
    moved = (batch["points"][0] - middle) * 2 + 31.5
    expected = {(y, x) for x, y in np.floor(moved + 0.5).astype(int).tolist()}
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) >= expected


def test_decoding_gives_expected_and_likeliest_label():
    logits = torch.zeros(1, 11, 1, 2)
    logits[0, 3, 0, 0], logits[0, 7, 0, 1] = 50.0, 50.0
    assert decode(logits)[0].round().tolist() == [[[3.0, 7.0]], [[3.0, 7.0]]]


@pytest.mark.slow
def test_it_overfits_one_batch():
    model = make()
    batch, images = batch_of(model.codec, [12, 6])
    optimiser = torch.optim.AdamW(model.network.parameters(), 2e-3)
    for _ in range(120):
        loss = model.losses(images, batch, refine=False).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    # Training mode: two images are too few for running statistics.
    outputs = decode(model.network(images).fused.detach()).numpy()
    assert [abs(model.codec.read(o).count - n) <= 1 for o, n in zip(outputs, [12, 6], strict=True)] == [
        True,
        True,
    ]
