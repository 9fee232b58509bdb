"""Any network learns to scale: the published ones, one of a user's, the documented example; export and the seams of strides."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.errors import ModelError, OptionError
from crowdscale.files.images import Photo
from crowdscale.learn.backend import TorchBackend
from crowdscale.learn.crops.batches import Crop, collate
from crowdscale.learn.export.onnx import check_equality, export_model
from crowdscale.learn.losses import LossOptions
from crowdscale.learn.model import decode
from crowdscale.learn.networks.backbones import VGG16
from crowdscale.learn.networks.building import NETWORKS, build_network, register_network
from crowdscale.learn.networks.plugin import PlugIn
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.store import WEIGHTS, save_weights, write_description
from crowdscale.learn.training.preparation import Start, gather, start_model
from crowdscale.points import Box, Points
from tests.support.learn_crowds import draw, write_folder
from tests.support.networks import Tiny

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module", autouse=True)
def tiny():
    NETWORKS["tiny"] = Tiny
    yield "tiny"
    del NETWORKS["tiny"]


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    write_folder(root, [9, 5, 0, 1, 7], (96, 64))
    return gather([f"folder:{root}"], None, None, 0.2, 0)


def start(gathered, network, method, **losses):
    torch.manual_seed(0)
    chosen = Start(network=network, method=method, backbone_weights="none", blocks=method == "hybrid")
    return start_model(chosen, gathered, CentreOptions(centre=12.0), LossOptions(canvas=32, **losses))


EVERY = [
    *[(name, method) for name in ("mcnn", "tiny", "fpn") for method in ("points", "density")],
    ("fpn", "hybrid"),
    ("csrnet", "density"),
    ("bl", "density"),
    pytest.param("csrnet", "points", marks=pytest.mark.slow),
    pytest.param("bl", "points", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("network", "method"), EVERY)
def test_no_region_nobody_and_one_person_pass_through_training_and_prediction(gathered, network, method):
    model, config = start(gathered, network, method)
    model.eval()  # as in the second phase of training: statistics of normalisation are frozen
    crowds = [draw(64, 64, people, people) for people in (0, 1, 30)]
    batch = collate(model.codec)([Crop(pixels, Points(xy)) for pixels, xy in crowds])
    images = batch["images"].float() / 255
    box = Box(8, 8, 56, 48)
    for boxes in ([(0, box), (1, box)], [(2, box)]):  # the first two hold no pair of heads: no region
        model.dense_boxes = lambda prediction, counted, boxes=boxes: boxes
        model.zero_grad()
        losses = model.losses(images, batch, refine=True)
        losses.total.backward()
        assert torch.isfinite(losses.total)
        assert [name for name, p in model.named_parameters() if p.grad is None] == []
        taught = sum(p.grad.abs().sum() for p in model.scale_net.parameters())
        assert bool(taught > 0) is (losses.second.item() > 0) is (boxes == [(2, box)])
    predictor = Predictor(TorchBackend.from_model(model, config), config, PredictOptions())
    for pixels in (crowds[0][0], crowds[1][0], np.zeros((1, 1, 3), np.uint8)):
        found = predictor.predict_photo(Photo(pixels, (pixels.shape[1], pixels.shape[0])))
        assert np.isfinite(found.count)
        assert found.count >= 0


@pytest.mark.parametrize("size", [(64, 96), (32, 32)])
def test_the_map_is_enlarged_with_its_sum(gathered, size):
    network = PlugIn(Tiny(1), 1)
    prediction = network(torch.rand(2, 3, *size))
    assert prediction.fused.shape == (2, 1, *size)
    assert prediction.own.shape == (2, 1, size[0] // 8, size[1] // 8)
    assert prediction.features.shape == (2, 7, size[0] // 4, size[1] // 4)
    assert torch.allclose(prediction.fused.sum((1, 2, 3)), prediction.own.sum((1, 2, 3)), atol=1e-4)
    # The last channel of what the scale net reads is the map as the network gives it, in people a cell.
    assert torch.allclose(prediction.features[:, -1].mean(), prediction.own.mean(), atol=1e-5)


def test_photos_of_any_size_are_padded_and_cut_back():
    prediction = PlugIn(Tiny(11), 11)(torch.rand(1, 3, 45, 70))
    assert prediction.fused.shape == (1, 11, 45, 70)
    assert prediction.features.shape == (1, 17, 16, 24)
    assert decode(prediction.fused).shape == (1, 2, 45, 70)


def test_a_network_s_own_normalisation_is_used():
    network = PlugIn(Tiny(1), 1)
    assert network.mean.flatten().tolist() == pytest.approx([0.5, 0.4, 0.3])
    assert PlugIn(NETWORKS["mcnn"](1), 1).mean[0, 0].item() == pytest.approx(0.485)


@pytest.mark.parametrize(
    ("network", "method"),
    [("tiny", "density"), ("mcnn", "points"), pytest.param("csrnet", "density", marks=pytest.mark.slow),
     pytest.param("bl", "density", marks=pytest.mark.slow)],
)  # fmt: skip
def test_exported_equals_original(gathered, network, method, tmp_path):
    model, config = start(gathered, network, method)
    save_weights(model.state_dict(), tmp_path)
    config = write_description(config, tmp_path, (WEIGHTS,))
    export_model(model, config, tmp_path)
    photos = [draw(width, height, 5, height)[0] for height, width in ((64, 96), (45, 70))]
    difference = check_equality(tmp_path, photos)
    assert difference.output < 1e-3


def test_imagenet_weights_reach_the_front_of_csrnet_and_bl(tmp_path):
    vgg = VGG16()
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    theirs = [m for m in vgg.modules() if isinstance(m, nn.Conv2d)]
    state = {f"features.{n}.{kind}": getattr(m, kind).detach().clone() for n, m in zip(numbers, theirs, strict=True)
             for kind in ("weight", "bias")}  # fmt: skip
    save_file(state, tmp_path / "vgg.safetensors")
    for name, layers in (("csrnet", 10), ("bl", 13)):
        network = build_network(name, "none", 1)
        network.load_pretrained(str(tmp_path / "vgg.safetensors"))
        ours = [m for m in network.backbone.modules() if isinstance(m, nn.Conv2d)]
        assert len(ours) == layers
        for mine, other in zip(ours, theirs, strict=False):
            assert torch.equal(mine.weight, other.weight)
            assert torch.equal(mine.bias, other.bias)


def test_what_is_no_network_is_said():
    class Mute(nn.Module):
        pass

    class Odd(Tiny):
        map_stride = 3

    class Wide(Tiny):
        def forward(self, images):
            own, features = super().forward(images)
            return own.repeat(1, 2, 1, 1), features

    with pytest.raises(ModelError, match="map_stride"):
        PlugIn(Mute(), 1)
    with pytest.raises(ModelError, match="divisor of 32"):
        PlugIn(Odd(1), 1)
    with pytest.raises(ModelError, match="1 channels, but got 2"):
        PlugIn(Wide(1), 1)(torch.rand(1, 3, 32, 32))
    with pytest.raises(OptionError, match=r"bl, csrnet, fpn, mcnn"):
        build_network("resnet", "lite", 1)
    with pytest.raises(OptionError, match="alone counts blocks"):
        Start(network="mcnn", method="hybrid")


def test_a_network_is_imported_where_the_user_names_it_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_networks_of_a_test.py").write_text("from tests.support.networks import Tiny as Mine\n")
    name = "my_networks_of_a_test:Mine"
    with pytest.raises(OptionError, match="unknown network"):
        build_network(name, "none", 1)
    assert register_network(name) == name
    assert isinstance(build_network(name, "none", 1), PlugIn)
    del NETWORKS[name]
    for wrong in ("no_such_module_anywhere:Mine", "my_networks_of_a_test:Nothing"):
        with pytest.raises(OptionError, match="module:Class"):
            register_network(wrong)
    assert register_network("mcnn") == "mcnn"


def test_the_example_of_the_docs_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "plug-in.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my_photos").mkdir()
    write_folder(tmp_path / "my_photos", [9, 5, 0, 1, 7], (96, 64))
    monkeypatch.chdir(tmp_path)
    small = "crops=4, l2s_crops=4, batch=2, l2s_batch=2, crop=64, l2s_crop=64, canvas=64, workers=0, "
    code = code.replace("crops=64, l2s_crops=32, ", small)
    exec(compile(code, "plug-in.md", "exec"), {})
    assert float(capsys.readouterr().out) >= 0
    del NETWORKS["mine"]
