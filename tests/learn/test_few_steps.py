"""A few steps from random weights: what stops a training, and what it teaches; the sentences of its end."""

from types import SimpleNamespace

import pytest

from crowdscale.errors import ModelError, OptionError
from crowdscale.learn.crops.transforms import CropOptions
from crowdscale.learn.export.onnx import Difference
from crowdscale.learn.networks.backbones import VGG16
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.training.loop import TrainOptions, _skip_blocks, train
from crowdscale.learn.training.preparation import Start, gather, start_model
from crowdscale.learn.training.validation import error_sentence
from tests.support.learn_crowds import write_folder


@pytest.mark.parametrize(
    ("first", "sentence"), [(5.3445, "2.8 people, 5.3 by the first pass alone."), (2.8354, "2.8 people.")]
)
def test_errors_are_a_sentence(first, sentence):
    errors = {"mae": 2.8354, "first_mae": first}
    assert error_sentence(errors) == f"Mean error on the held-out photos: {sentence}"


def test_a_difference_names_its_parts():
    found = str(Difference(1.04e-5, 2.5e-5, 0.0))
    assert found == "1.0e-05 in the map, 2.5e-05 in the features, 0.0e+00 in zoom_area, 0.0e+00 in the blocks"


def few(tmp_path, **chosen):
    """A run of a few steps from random weights."""
    write_folder(tmp_path, [40, 30, 25, 20, 35, 30])
    gathered = gather([f"folder:{tmp_path}"], None, None, 0.2, 0)
    model, config = start_model(
        Start(backbone="nano", backbone_weights="none"), gathered, CentreOptions(centre=12)
    )
    options = TrainOptions(
        batch=2, l2s_batch=2, workers=0, precision="32-true", pictures=0, l2s_crop=64,
        crop_options=CropOptions(crop=64), **chosen,
    )  # fmt: skip
    train(model, config, gathered.samples, gathered.weights, gathered.held_out, tmp_path / "run", options)
    return model


def test_a_diverged_run_stops_with_a_sentence(tmp_path):
    with pytest.raises(ModelError, match=r"expected a finite loss in step \d+ of phase count"):
        few(tmp_path, crops=40, l2s_crops=0, lr=1e30, backbone_lr=1e30, warmup=1, clip=0.0, validate_every=40)


def test_blocks_are_skipped_where_there_are_some(tmp_path):
    with pytest.raises(OptionError, match="expected --skip-blocks 0 for a backbone without residual blocks"):
        _skip_blocks(SimpleNamespace(network=SimpleNamespace(backbone=VGG16())), 0.1)
    with pytest.raises(OptionError, match="--skip-blocks from 0 to below 1"):
        TrainOptions(skip_blocks=1.0)
    model = few(tmp_path, crops=4, l2s_crops=0, skip_blocks=0.5)
    assert model.network.backbone.blocks[-1].skipped == 0.5


@pytest.mark.parametrize(("crops", "l2s_crops", "name"), [(1, 0, "--crops"), (4, 1, "--l2s-crops")])
def test_less_than_a_batch_is_refused(tmp_path, crops, l2s_crops, name):
    with pytest.raises(OptionError, match=f"expected {name} of at least a batch, 2"):
        few(tmp_path, crops=crops, l2s_crops=l2s_crops)


@pytest.mark.parametrize(("crops", "moves"), [(0, True), (2, False)])
def test_both_passes_from_the_start_learn_normalisation(tmp_path, crops, moves):
    model = few(tmp_path, crops=crops, l2s_crops=4, ema=0.0)
    counted = int(model.network.levels[0].smooth[1].num_batches_tracked)
    assert (counted > crops // 2) is moves
