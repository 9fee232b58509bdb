"""Weights as they are stored: halves, and what halves cannot hold."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from safetensors.torch import load_file  # noqa: E402

from crowdscale.learn.export.onnx import check_equality, export_model  # noqa: E402
from crowdscale.learn.store import (  # noqa: E402
    WEIGHTS,
    build_model,
    load_weights,
    save_weights,
    write_description,
)
from crowdscale.maps import HybridLabels  # noqa: E402
from crowdscale.maps.regions import LabelRule  # noqa: E402
from crowdscale.models.description import ModelConfig  # noqa: E402

VARIANCE = "network.levels.2.smooth.1.running_var"


def test_variances_beyond_float16_are_stored_and_served(tmp_path):
    config = ModelConfig("wide", "hybrid", "nano", HybridLabels(), LabelRule(), block_counts=True)
    model = build_model(config)
    with torch.no_grad():
        model.network.levels[2].smooth[1].running_var.fill_(1e7)
        model.network.levels[2].smooth[0].weight.mul_(3000)
    save_weights(model.state_dict(), tmp_path)
    stored = load_file(tmp_path / WEIGHTS)
    assert stored[VARIANCE].dtype == torch.float32
    assert {value.dtype for name, value in stored.items() if name != VARIANCE} == {torch.float16}
    write_description(config, tmp_path, (WEIGHTS,))
    again = build_model(config)
    load_weights(again, tmp_path / WEIGHTS)
    assert torch.equal(again.state_dict()[VARIANCE], torch.full((64,), 1e7))
    export_model(again, config, tmp_path)
    graph = onnx.load(tmp_path / "network.onnx").graph
    held = [onnx.numpy_helper.to_array(each).astype(float) for each in graph.initializer]
    assert all(np.isfinite(values).all() for values in held)
    assert max(values.max(initial=0) for values in held) == 1e7
    photo = np.random.default_rng(0).integers(0, 256, (96, 64, 3)).astype(np.uint8)
    assert check_equality(tmp_path, [photo]).blocks < 1e-3
