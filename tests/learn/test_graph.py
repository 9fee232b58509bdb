"""The network as served: the same as the plain one where it must be, near where it is rewritten."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from crowdscale.learn.export.graph import ServedNetwork, infer  # noqa: E402
from crowdscale.learn.losses import expected_blocks  # noqa: E402
from crowdscale.learn.model import decode  # noqa: E402
from crowdscale.learn.networks.backbones import VGG16, Lite  # noqa: E402
from crowdscale.learn.networks.fpn import CountingNetwork  # noqa: E402


def trained(backbone, classes, blocks, subpixel=0):
    """A network whose normalisations, fusion and head are not those it starts with."""
    torch.manual_seed(0)
    network = CountingNetwork(backbone(), classes, blocks, subpixel=subpixel)
    if network.subpixel:
        torch.nn.init.normal_(network.subpixel.layers[2].weight, std=0.1)
    with torch.no_grad():
        network.fuse.weight.add_(torch.randn_like(network.fuse.weight) * 0.2)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_var.uniform_(0.5, 2)
                module.bias.uniform_(-0.2, 0.4)
    return network.eval()


@pytest.mark.parametrize(
    ("backbone", "classes", "blocks", "subpixel"),
    [(Lite, 11, True, 0), (Lite, 11, True, 8), (Lite, 1, False, 0), (VGG16, 11, False, 0)],
)
@torch.inference_mode()
def test_rewritten_network_answers_as_the_served_one(backbone, classes, blocks, subpixel):
    network = trained(backbone, classes, blocks, subpixel)
    images = torch.rand(2, 3, 64, 96)
    plain, rewritten = infer(network, images), ServedNetwork(network, blocks)(images)
    assert len(plain) == len(rewritten) == 2 + blocks
    for ours, theirs in zip(rewritten, plain, strict=True):
        assert torch.allclose(ours, theirs, atol=2e-4)
    assert plain[0].shape == (2, 1 if classes == 1 else 2, 64, 96)


@torch.inference_mode()
def test_served_answer_keeps_what_training_knows():
    network = trained(Lite, 11, True)
    images = torch.rand(1, 3, 64, 96)
    full = network(images)
    output, features, blocks = infer(network, images)
    assert torch.allclose(features[:, :-11], full.features[:, :-11], atol=1e-5)
    assert torch.allclose(blocks, expected_blocks(full.blocks), atol=1e-6)
    assert (output[:, 0] - decode(full.fused)[:, 0]).abs().mean() < 0.05


def test_exported_graph_pads_inside_its_convolutions(tmp_path):
    from crowdscale.learn.export.onnx import _write_graph

    network = trained(Lite, 11, True)
    path = tmp_path / "network.onnx"
    outputs = ("output", "features", "blocks")
    _write_graph(ServedNetwork(network, True), torch.rand(1, 3, 64, 64), ("images",), outputs, path)
    nodes = onnx.load(path).graph.node
    kinds = [node.op_type for node in nodes]
    assert "Pad" not in kinds
    assert "AveragePool" not in kinds
    one_sided = [
        list(attribute.ints)
        for node in nodes
        for attribute in node.attribute
        if attribute.name == "pads" and attribute.ints[0] != attribute.ints[2]
    ]
    assert sorted(one_sided) == [[0, 0, 1, 1]] * 3 + [[1, 1, 2, 2]] * 2


def test_exported_graph_enlarges_by_constant_factors(tmp_path):
    from crowdscale.learn.export.onnx import _write_graph

    path = tmp_path / "network.onnx"
    outputs = ("output", "features", "blocks")
    network = ServedNetwork(trained(Lite, 11, True), True)
    _write_graph(network, torch.rand(1, 3, 64, 64), ("images",), outputs, path)
    nodes = onnx.load(path).graph.node
    enlarging = [node for node in nodes if node.op_type == "Resize"]
    by_size = [node for node in enlarging if len(node.input) == 4]  # (x, roi, scales, sizes)
    assert len(by_size) == 2  # both labels, to the size of the photo
    assert len(enlarging) - len(by_size) == 4 + 4 + 2  # levels, their shares, coarse features
    makers = {name: node.op_type for node in nodes for name in node.output}
    assert makers["features"] == "Concat"


@torch.inference_mode()
def test_scores_beyond_what_exponentials_hold_are_answered():
    network = trained(Lite, 11, True)
    network.fuse.weight.mul_(1e4)
    output, features, _ = infer(network, torch.rand(1, 3, 64, 96))
    assert torch.isfinite(output).all()
    assert torch.isfinite(features).all()
