"""Ignored areas: no label in them changes a loss or a gradient, no crop or score takes them for empty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.data.areas import Area, Areas
from crowdscale.data.sample import Sample
from crowdscale.files.images import write_image
from crowdscale.learn.backend import TorchBackend
from crowdscale.learn.crops.batches import Crop, collate
from crowdscale.learn.crops.transforms import CropOptions, Crops
from crowdscale.learn.losses import (
    DENSITY_LOSSES,
    LABEL_LOSSES,
    LossOptions,
    block_count_loss,
    choose_loss,
    whole_cells,
)
from crowdscale.learn.model import AutoScale
from crowdscale.learn.networks.backbones import Lite
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.training.loop import TrainOptions, train
from crowdscale.learn.training.preparation import Gathered, Start, start_model
from crowdscale.learn.training.validation import validate
from crowdscale.maps import Density, DistanceLabels
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.models.description import ZoomOptions
from crowdscale.points import Box, Points
from tests.support.learn_crowds import draw, write_folder

RIGHT = np.arange(96)[None] >= np.full((96, 1), 48)
"""The right half of a crop, ignored in these tests."""
CODECS = pytest.mark.parametrize("codec", [DistanceLabels(), Density(4.0)], ids=["points", "density"])


def halves(seed=0):
    """Heads of the left half, and three sets of heads for the right one."""
    random = np.random.default_rng(seed)
    left = random.uniform((2, 2), (47, 94), (20, 2))
    return left, [np.zeros((0, 2)), random.uniform((49, 2), (94, 94), (40, 2)), np.array([[49.0, 50.0]])]


@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("thinning", [1, 3])
@pytest.mark.parametrize("name", [*LABEL_LOSSES, *DENSITY_LOSSES])
def test_whatever_is_labelled_in_ignored_pixels_the_loss_and_its_gradient_are_the_same(
    name, stride, thinning
):
    codec = DistanceLabels() if name in LABEL_LOSSES else Density(4.0)
    loss = choose_loss(codec, LossOptions(loss=name, thinning=thinning))
    left, rights = halves()
    certain = torch.from_numpy(codec.certain(codec.encode(Points(left), 96, 96), ~RIGHT))[None]
    generator = torch.Generator().manual_seed(0)
    output = torch.rand(1, codec.channels, 96 // stride, 96 // stride, generator=generator).requires_grad_(
        True
    )
    results = []
    for right in rights:
        heads = np.concatenate([left, right])
        target = torch.from_numpy(codec.encode(Points(heads), 96, 96))[None]
        if name in DENSITY_LOSSES:
            target = target[:, None]
            target = torch.where(
                certain[:, None], torch.from_numpy(codec.encode(Points(left), 96, 96)), target
            )
        value = loss(output, target, [heads], certain=certain)
        results.append((value.detach(), *torch.autograd.grad(value, output)))
    for value, gradient in results[1:]:
        assert torch.equal(value, results[0][0])
        assert torch.equal(gradient, results[0][1])
    assert results[0][0].item() > 0
    assert not results[0][1][..., 48 // stride :].any()
    assert results[0][1][..., : 40 // stride].any()


@pytest.mark.parametrize("squares", [True, False])
def test_blocks_with_an_ignored_pixel_are_left_out_and_others_weigh_as_ever(squares):
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randn(2, 2, 8, 12, generator=generator).requires_grad_(True)
    counts = torch.randint(0, 4, (2, 8, 12), generator=generator).float()
    known = torch.ones(2, 8, 12, dtype=torch.bool)
    known[:, :, 8:] = False
    results = []
    for other in (counts, torch.where(known, counts, 50.0)):
        value = block_count_loss(blocks, other, squares, known)
        results.append((value, *torch.autograd.grad(value, blocks)))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert not results[0][1][..., 8:].any()
    alone = block_count_loss(blocks[..., :8], counts[..., :8], squares)
    torch.testing.assert_close(results[0][0], alone)
    everything = block_count_loss(blocks, counts, squares, torch.ones_like(known))
    torch.testing.assert_close(everything, block_count_loss(blocks, counts, squares))
    assert block_count_loss(blocks, counts, squares, torch.zeros_like(known)).item() == 0


def test_a_block_is_whole_where_none_of_its_pixels_is_ignored():
    counted = torch.ones(1, 40, 48, dtype=torch.bool)
    counted[0, 15, 16] = False
    assert whole_cells(counted, 16)[0, 0].tolist() == [[True, False, True], [True] * 3, [True] * 3]


def test_labels_are_certain_where_no_ignored_head_could_lower_them():
    codec, counted = DistanceLabels(), ~RIGHT
    known = np.array([[10.0, 40.0], [44.0, 60.0]])
    certain = codec.certain(codec.encode(Points(known), 96, 96), counted)
    assert not certain[:, 48:].any()
    random = np.random.default_rng(1)
    everywhere = codec.encode(
        Points(np.concatenate([known, random.uniform((48, 0), (95, 95), (3000, 2))])), 96, 96
    )
    alone = codec.encode(Points(known), 96, 96)
    np.testing.assert_array_equal(everywhere[certain], alone[certain])
    assert certain[60, 44:47].all()  # nearer to a known head than to the ignored area
    assert certain[:, :19].all()  # farther from it than any class reaches
    assert not certain[5, 40]
    assert codec.certain(alone, np.ones_like(counted)).all()


def make(codec, boxes):
    torch.manual_seed(0)
    network = CountingNetwork(Lite(), codec.channels, block_counts=True)
    rule = LabelRule() if isinstance(codec, DistanceLabels) else DensityRule()
    model = AutoScale(network, codec, rule, ZoomOptions(), CentreOptions(centre=12.0), LossOptions(canvas=64))
    model.dense_boxes = lambda prediction, counted: boxes
    return model.eval()  # statistics of a batch would depend on nothing here, and stay


@CODECS
def test_both_phases_and_the_second_pass_have_the_same_gradients_whatever_heads_are_ignored(codec, tmp_path):
    left, rights = halves()
    results = []
    for number, right in enumerate(rights):
        (written,) = write_folder(tmp_path / str(number), [0], (96, 96))
        heads = Points(np.concatenate([left, right]))
        mask = Areas((96, 96), ignored=(Area.of_box(48, 0, 96, 96),))
        sample = replace(written, points=heads, mask=mask)
        crop = Crops([sample], [1], CropOptions(crop=96, jitter=0, scale_low=1, scale_high=1), 1, 0)[0]
        batch = collate(codec)([crop])
        model = make(codec, [(0, Box(8, 8, 80, 72))])
        model.losses(batch["images"].float() / 255, batch, refine=True).total.backward()
        results.append({name: p.grad for name, p in model.named_parameters()})
    assert all(any(g.any() for g in each.values()) for each in results)
    for each in results[1:]:
        assert [name for name, grad in each.items() if not torch.equal(grad, results[0][name])] == []


@CODECS
def test_an_ignored_half_gives_no_gradient_to_the_output_of_either_pass(codec):
    pixels, xy = draw(96, 96, 30, 3)
    batch = collate(codec)([Crop(pixels, Points(xy[xy[:, 0] < 47.5]), ~RIGHT)])
    model = make(codec, [(0, Box(0, 0, 96, 96))])
    seen = []

    def keep(module, inputs, prediction):
        del module, inputs
        for each in (prediction.fused, prediction.blocks):
            each.retain_grad()
        seen.append(prediction)

    model.network.register_forward_hook(keep)
    model.losses(batch["images"].float() / 255, batch, refine=True).total.backward()
    assert len(seen) == 2
    for prediction in seen:
        middle = prediction.fused.shape[-1] // 2
        assert not prediction.fused.grad[..., middle + 1 :].any()
        assert prediction.fused.grad[..., :middle].any()
        assert not prediction.blocks.grad[..., prediction.blocks.shape[-1] // 2 :].any()


@pytest.mark.parametrize("kind", [{}, {"mosaic": 1.0}, {"quilt": 1.0}, {"crowded": 1.0}, {"journeys": 1.0}, {"variety": 1.0}],
                         ids=lambda kind: next(iter(kind), "plain"))  # fmt: skip
def test_crops_carry_what_counts_and_no_head_of_ignored_areas(tmp_path, kind):
    samples = [
        replace(each, mask=Areas((160, 128), only=(Area.of_box(20, 20, 80, 100),)))
        for each in write_folder(tmp_path, [40, 60])
    ]
    painted = []
    for number, each in enumerate(samples):  # where it counts, photos are white
        pixels = np.where(each.mask.read()[..., None], np.uint8(255), np.uint8(0)).repeat(3, axis=2)
        path = tmp_path / "white" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        write_image(path, pixels)
        painted.append(replace(each, image_path=path))
    crops = Crops(painted, [1, 1], CropOptions(crop=96, jitter=0, scale_low=0.8, **kind), 30, seed=1)
    heads = 0
    for index in range(30):
        pixels, points, counted = crops[index]
        assert counted is not None
        assert counted.any()
        if kind.keys() <= {"mosaic", "quilt", "crowded"}:
            assert (pixels[counted] >= 250).all()
            assert (pixels.mean(axis=2)[~counted] < 255).mean() > 0.97  # its rim is left out as well
        inside = points.xy[np.all((points.xy >= 0) & (points.xy <= 95), axis=1)]
        columns, rows = np.floor(inside + 0.5).astype(int).T
        heads += len(inside)
        grown = np.pad(counted, 3)
        near = [grown[r : r + 7, c : c + 7].any() for c, r in zip(columns, rows, strict=True)]
        assert all(near)
    assert heads > 30


def test_negatives_are_cut_from_what_counts_alone(tmp_path):
    (sample,) = write_folder(tmp_path, [0], (300, 200))
    masked = replace(sample, mask=Areas((300, 200), ignored=(Area.of_box(150, 0, 300, 200),)))
    crops = Crops([masked], [1], CropOptions(crop=64, negatives=0.9, jitter=0, flip=False), 40, seed=0)
    empty = [crops[index] for index in range(40)]
    assert sum(crop.counted is None for crop in empty) > 30
    ignored = replace(sample, mask=Areas((300, 200), ignored=(Area.of_box(0, 0, 300, 200),)))
    nothing = Crops([ignored], [1], CropOptions(crop=64, negatives=0.9), 8, seed=0)
    assert not any(nothing[index].counted.any() for index in range(8))


def test_photos_without_ignored_areas_give_the_batches_of_before(tmp_path):
    samples = write_folder(tmp_path, [10])
    batch = collate(DistanceLabels())([Crops(samples, [1], CropOptions(crop=64), 1, 0)[0]])
    assert batch["counted"] is batch["certain"] is None


def test_validation_leaves_ignored_people_out_of_truth_and_prediction(tmp_path, monkeypatch):
    (sample,) = write_folder(tmp_path, [50])
    left = int((sample.points.xy[:, 0] < 79.5).sum())
    masked = replace(sample, mask=Areas((160, 128), ignored=(Area.of_box(80, 0, 160, 128),)))
    model, config = start_model(
        Start(backbone="nano", backbone_weights="none"),
        Gathered([sample], [1.0], [sample], []),
        CentreOptions(centre=12),
    )
    prediction = type("Found", (), {
        "points": sample.points, "count": 50.0, "first_pass_points": sample.points, "first_pass_count": 50.0,
        "density": None, "regions": (),
    })()  # fmt: skip
    monkeypatch.setattr("crowdscale.learn.training.validation.Predictor.predict_photo", lambda *_: prediction)
    whole, half = (validate(model, config, [each], None, 0) for each in (sample, masked))
    assert (whole.mae, half.mae, half.first_mae) == (0, 0, 0)
    monkeypatch.setattr(prediction, "points", Points(sample.points.xy[:0]))
    assert validate(model, config, [masked], None, 0).mae == left


@pytest.mark.slow
def test_training_does_not_learn_nobody_where_half_of_a_photo_is_ignored(tmp_path):
    """Heads are marked on the left of each photo alone. What is right of it is ignored, or, wrongly, empty."""
    size = (128, 96)
    samples = []
    for sample in write_folder(tmp_path, [60, 60, 60, 60], size):
        kept = sample.points.select(sample.points.xy[:, 0] < 63.5)
        samples.append(replace(sample, points=kept))
    ignored = [replace(each, mask=Areas(size, ignored=(Area.of_box(64, 0, *size),))) for each in samples]
    found = {}
    for name, photos in (("ignored", ignored), ("empty", samples)):
        found[name] = _people_on_the_right(photos, tmp_path / f"run_{name}")
    assert found["ignored"] > 3 * max(1.0, found["empty"])


def _people_on_the_right(samples: list[Sample], out) -> float:
    held_out = [replace(samples[0], image_path=out.with_suffix(".png"))]
    out.with_suffix(".png").write_bytes(samples[0].image_path.read_bytes())
    gathered = Gathered(samples, [1.0] * 4, held_out, [])
    model, config = start_model(
        Start(method="hybrid", backbone="nano"), gathered, CentreOptions(centre=12), LossOptions()
    )
    cut = CropOptions(crop=96, scale_low=1, scale_high=1, flip=False)
    options = TrainOptions(
        crops=120, l2s_crops=0, batch=4, validate_every=10**6, warmup=5, workers=0, precision="32-true",
        pictures=0, ema=0.0, lr=3e-3, backbone_lr=1e-3, crop_options=cut,
    )  # fmt: skip
    train(model, config, samples, gathered.weights, held_out, out, options)
    predictor = Predictor(TorchBackend.from_model(model, config), config, PredictOptions())
    blocks = [predictor.predict(each.read()).blocks() for each in samples]
    return float(np.mean([each.count_in(Box(80, 0, 128, 96)) for each in blocks]))
