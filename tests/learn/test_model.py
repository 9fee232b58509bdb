"""AutoScale's losses: Eq. 6 and 8 with a region, without one, without people; and that it can learn."""

import numpy as np
import pytest
import torch

from crowdscale.learn.crops.batches import Crop, collate
from crowdscale.learn.model import AutoScale, LossOptions, decode, run_in_batches_of, whole_batches
from crowdscale.learn.networks.backbones import Lite
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.learn.scaling import CentreOptions
from crowdscale.maps import Density, DistanceLabels
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.models.description import ZoomOptions
from crowdscale.points import Box, Points
from tests.support.learn_crowds import draw


def make(codec=None, boxes=None, centre=None, **losses):
    torch.manual_seed(0)
    codec = codec or DistanceLabels()
    network = CountingNetwork(Lite(), codec.channels, block_counts=True)
    rule = LabelRule() if isinstance(codec, DistanceLabels) else DensityRule()
    model = AutoScale(
        network, codec, rule, ZoomOptions(), centre or CentreOptions(centre=12.0),
        LossOptions(**{"canvas": 64, **losses}),
    )  # fmt: skip
    if boxes is not None:
        model.dense_boxes = lambda prediction, counted: boxes  # type: ignore[method-assign]
    return model


def batch_of(codec, people, seed=0, side=96):
    items = []
    for index, number in enumerate(people):
        pixels, xy = draw(side, side, number, seed + index)
        items.append(Crop(pixels, Points(xy)))
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
        model, "map_loss", lambda prediction, target, *_: targets.append(target) or images.sum()
    )
    model.losses(images, batch, refine=True)
    rows, columns = np.nonzero(targets[1][0].numpy() == 0)
    middle = 39.5
    moved = (batch["points"][0] - middle) * 2 + 31.5
    expected = {(y, x) for x, y in np.floor(moved + 0.5).astype(int).tolist()}
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) >= expected


def test_views_shown_in_a_batch_of_a_fixed_number_are_seen_as_they_are():
    model = make().eval()
    views = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen: list[int] = []
    model.network.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    alone, padded = (run_in_batches_of(model.network, views, number) for number in (3, 8))
    assert seen == [3, 8]
    for a, b in zip(alone, padded, strict=True):
        for one, other in zip(
            *([each] if torch.is_tensor(each) else each or [] for each in (a, b)), strict=True
        ):
            assert one.shape == other.shape
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("views", "number"), [(1, 8), (8, 8), (9, 16), (24, 24)])
def test_views_are_shown_in_whole_batches(views, number):
    assert whole_batches(views, 8) == number


def test_decoding_gives_expected_and_likeliest_label():
    logits = torch.zeros(1, 11, 1, 2)
    logits[0, 3, 0, 0], logits[0, 7, 0, 1] = 50.0, 50.0
    assert decode(logits)[0].round().tolist() == [[[3.0, 7.0]], [[3.0, 7.0]]]


def seen_targets(monkeypatch, model, batch, images):
    """The targets that the first and the second pass are compared with, and the heads of the second."""
    targets, heads = [], []

    def keep(prediction, target, points, certain):
        targets.append(target)
        heads.append(points)
        return prediction.fused.sum() * 0

    monkeypatch.setattr(model, "map_loss", keep)
    model.losses(images, batch, refine=True)
    return targets, heads


@pytest.mark.parametrize("scaled", [False, True], ids=["fixed", "scaled"])
@pytest.mark.parametrize("codec", [DistanceLabels(), Density(3.0)], ids=["points", "density"])
def test_kernels_and_edges_stay_or_grow_with_the_factor(monkeypatch, codec, scaled):
    model = make(codec, [(0, Box(20, 20, 60, 60))], scaled_kernel=scaled)
    model.scale_net = Fourfold()
    batch, images = batch_of(codec, [1])
    batch["points"] = [np.array([[40.0, 39.0], [50.0, 44.0]])]
    (_, target), (_, heads) = seen_targets(monkeypatch, model, batch, images)
    factor = 2 if scaled else 1
    if isinstance(codec, Density):
        expected = Density(3.0 * factor).encode(Points(heads[0]), 64, 64)[None]
    else:
        edges = tuple(edge * factor for edge in codec.edges)
        expected = DistanceLabels(edges).encode(Points(heads[0]), 64, 64)
    np.testing.assert_array_equal(target[0].numpy(), expected)


def test_whole_regions_are_shown_where_no_canvas_is_set(monkeypatch):
    model = make(
        boxes=[(0, Box(20, 20, 60, 70)), (0, Box(8, 8, 24, 24))], canvas=0
    ).eval()  # as in training: statistics are frozen
    model.scale_net = Fourfold()
    batch, images = batch_of(model.codec, [1])
    batch["points"] = [np.array([[40.0, 39.0], [50.0, 44.0], [10.0, 10.0], [12.0, 14.0]])]
    targets, heads = seen_targets(monkeypatch, model, batch, images)
    assert [tuple(t.shape) for t in targets[1:]] == [(1, 128, 96), (1, 32, 32)]  # (50, 40)·2 in whole strides
    middle = (np.array([40.0, 39.0]) - (39.5, 44.5)) * 2 + (47.5, 63.5)
    assert heads[1][0][0].tolist() == middle.tolist()


def test_a_gain_multiplies_the_factor_of_the_second_pass(monkeypatch):
    model = make(boxes=[(0, Box(20, 20, 60, 70))], canvas=0).eval()
    model.scale_net, model.zoom_options = Fourfold(), ZoomOptions(gain=0.75)
    batch, images = batch_of(model.codec, [1])
    batch["points"] = [np.array([[40.0, 39.0], [50.0, 44.0]])]
    targets, heads = seen_targets(monkeypatch, model, batch, images)
    assert [tuple(t.shape) for t in targets[1:]] == [(1, 96, 64)]  # (50, 40)·1.5 in whole strides
    assert heads[1][0][1].tolist() == ((np.array([50.0, 44.0]) - (39.5, 44.5)) * 1.5 + (31.5, 47.5)).tolist()


@pytest.mark.parametrize(
    ("low", "high", "kept"), [(0.0, 9.0, 1), (4.5, 9.0, 0), (0.0, 3.9, 0)], ids=["within", "below", "above"]
)
def test_factors_outside_the_range_take_no_part(low, high, kept):
    centre = CentreOptions(centre=12.0, keep_low=low, keep_high=high)
    model = make(boxes=[(0, Box(8, 8, 72, 64))], centre=centre)
    model.scale_net.linear[-1].bias.data.fill_(float(np.log(4.0)))
    model.scale_net.linear[-1].weight.data.zero_()  # q = 4 exactly, and it can still learn
    batch, images = batch_of(model.codec, [30, 0])
    losses = model.losses(images, batch, refine=True)
    losses.total.backward()
    assert (losses.second.item() > 0) is (losses.centre.item() > 0) is bool(kept)
    assert model.centre.regions.item() == kept
    assert all(p.grad is not None for p in model.scale_net.parameters())


def test_the_gradient_through_the_zoom_is_that_of_finite_differences(monkeypatch):
    """With the target held still: what the network sees moves, as in the journal's spatial transformer."""
    model = make(Density(4.0), [(0, Box(8, 8, 72, 64))], zoom_gradient=True, canvas=32).double().eval()
    batch, images = batch_of(model.codec, [30, 5])
    images = torch.nn.functional.avg_pool2d(images.double(), 9, 1, 4)  # smooth: bilinear slopes have no steps
    still = np.random.default_rng(0).random((32, 32))
    monkeypatch.setattr(Density, "encode", lambda self, points, width, height: still)

    def loss(q):
        return model._second_pass(images, batch, [(0, Box(8, 8, 72, 64))], q)

    area = torch.tensor([1.69], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(area), area)
    with torch.no_grad():
        difference = (loss(area + 1e-5) - loss(area - 1e-5)) / 2e-5
    assert slope.item() != 0
    assert slope.item() == pytest.approx(difference.item(), rel=1e-2)  # small beside the loss: rounding
    (at_the_clamp,) = torch.autograd.grad(
        loss(beyond := torch.tensor([30.0]).double().requires_grad_(True)), beyond
    )
    assert at_the_clamp.item() == 0


def test_several_regions_of_a_crop_are_enlarged_where_asked():
    box = Box(8, 8, 40, 40)
    found = []

    class Rule:
        def find(self, output, most=1, whole=None):
            found.append(most)
            return [box, box.shift(40, 0)][:most]

    for most in (1, 2):
        model = make(train_regions=most)
        model.rule = Rule()
        batch, images = batch_of(model.codec, [60])
        model.losses(images, batch, refine=True)
        assert model.centre.regions.item() == most
    assert found == [1, 2]


@pytest.mark.slow
def test_it_overfits_one_batch():
    model = make()
    batch, images = batch_of(model.codec, [12, 6], side=64)
    optimiser = torch.optim.AdamW(model.network.parameters(), 2e-3)
    for _ in range(40):
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


@pytest.mark.parametrize(
    ("farthest", "taught"), [(float("inf"), 80.0), (2.0, 24.0)], ids=["no limit", "limit"]
)
def test_heads_far_apart_are_taught_as_if_they_were_nearer(farthest, taught):
    model = make(boxes=[(0, Box(0, 0, 96, 96))], centre=CentreOptions(centre=12.0, farthest=farthest))
    batch, images = batch_of(model.codec, [30])
    batch["points"] = [np.array([[8.0, 9.0], [88.0, 9.0]])]
    q = model.area_factors(model(images).features, [(0, Box(0, 0, 96, 96))]).item()
    losses = model.losses(images, batch, refine=True)
    assert losses.centre.item() == pytest.approx(0.5 * (taught * q**0.5 - 12.0) ** 2, rel=1e-3)
