"""The counting network: both backbones, both maps, any size, gradients everywhere."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file

from crowdscale.errors import ModelError
from crowdscale.learn.networks.backbones import BACKBONES, load_pretrained
from crowdscale.learn.networks.fpn import CountingNetwork


@pytest.mark.parametrize("backbone", ["lite", "vgg16"])
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


@pytest.mark.parametrize("backbone", ["lite", "vgg16"])
def test_every_parameter_learns_from_the_outputs(backbone):
    network = CountingNetwork(BACKBONES[backbone](), 11, block_counts=True)
    prediction = network(torch.rand(2, 3, 64, 64))
    loss = prediction.fused.square().sum() + prediction.blocks.square().sum()
    (loss + sum(side.square().sum() for side in prediction.sides)).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


def test_what_a_network_sees_in_a_batch_is_what_it_sees_alone():
    network = CountingNetwork(BACKBONES["lite"](), 11).eval()
    images = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        both, alone = network(images).fused, network(images[1:]).fused
    assert torch.allclose(both[1:], alone, atol=1e-4)


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
