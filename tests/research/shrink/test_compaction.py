"""Eight bits a weight: half the bytes, nearly the same numbers, and nothing lost by storing them again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from crowdscale import load
from crowdscale.errors import ModelError, OptionError
from crowdscale.files.images import read_image
from crowdscale.learn.export.onnx import export_folder
from crowdscale.learn.export.weight_steps import LARGE, count_steps, whole_steps
from crowdscale.learn.store import read_weights, save_weights
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model
from crowdscale.models.package import file_sha256
from research.shrink.averaging import average_models
from research.shrink.compact import app
from research.shrink.compaction import compact_model

WEIGHTS = "weights.safetensors"
PHOTO = Path(__file__).parents[3] / "examples" / "crossing.jpg"


@pytest.fixture(scope="module")
def compacted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "nano8"
    compact_model("nano", folder)
    assert max(vars(export_folder(folder, [])).values()) < 1e-3
    return folder


def test_steps_are_the_nearest_of_each_channel():
    weight = torch.randn(8, 64, 3, 3) * torch.logspace(-4, 2, 8).view(8, 1, 1, 1)
    weight[3] = 0
    numbers, steps = count_steps(weight)
    assert numbers.dtype == torch.int8
    assert steps.shape == (8, 1, 1, 1)
    assert ((numbers * steps - weight).abs() <= steps * 0.5001).all()
    assert numbers.abs().flatten(1).amax(1).tolist() == [127, 127, 127, 0, 127, 127, 127, 127]
    assert whole_steps(weight) is None
    held = whole_steps(numbers * steps)
    assert held is not None
    assert torch.equal(held[0], numbers)
    assert whole_steps((numbers * steps)[:1, :8]) is None  # too small to be worth it
    assert weight[:1, :8].numel() < LARGE


def test_large_kernels_take_half_the_bytes(compacted):
    small, large = (load_file(folder / WEIGHTS) for folder in (compacted, find_model("nano")))
    stored = {name for name, value in small.items() if value.dtype == torch.int8}
    assert stored
    for name in stored:
        assert large[name].numel() >= LARGE
        assert (read_weights(compacted / WEIGHTS)[name] - large[name]).abs().max() <= small[
            name + ".steps"
        ].max()
    for name in set(large) - stored:
        assert torch.equal(small[name], large[name])
    sizes = [(folder / "network.onnx").stat().st_size for folder in (compacted, find_model("nano"))]
    assert sizes[0] < 0.7 * sizes[1]


def test_people_stay_the_same_but_for_rounding(compacted):
    before = load("nano", threads=1).predict(PHOTO)
    after = load(compacted, threads=1).predict(PHOTO)
    assert after.count == pytest.approx(before.count, rel=0.05)
    config = read_config(compacted)
    assert config.calibration is None  # was measured with other weights
    assert config.precision == "float32"


def test_storing_again_loses_nothing(compacted, tmp_path):
    save_weights(read_weights(compacted / WEIGHTS), tmp_path)
    assert (tmp_path / WEIGHTS).read_bytes() == (compacted / WEIGHTS).read_bytes()
    average_models([compacted, compacted], [1, 1], tmp_path / "mean")
    mean, known = read_weights(tmp_path / "mean" / WEIGHTS), read_weights(compacted / WEIGHTS)
    assert mean.keys() == known.keys()
    assert all(np.allclose(mean[name], known[name], rtol=1e-5) for name in known)


def test_the_command_and_what_it_refuses(compacted, tmp_path):
    ran = CliRunner().invoke(app, [str(compacted), "--out", str(tmp_path / "again")])
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (compacted / WEIGHTS).read_bytes()
    with pytest.raises(OptionError, match="apart from the model"):
        compact_model(compacted, compacted)
    quantised = tmp_path / "int8"
    quantised.mkdir()
    (quantised / "model.json").write_text(
        replace(read_config(compacted), precision="int8", files={}).to_json()
    )
    with pytest.raises(ModelError, match="float32 model to compact, but got one in int8"):
        compact_model(quantised, tmp_path / "out")
    with pytest.raises(ModelError, match="no such model"):
        compact_model(tmp_path / "none", tmp_path / "out")


def test_base_is_compact_and_counts_like_lite():
    folder = PHOTO.parents[1] / "models" / "base"
    config = read_config(folder)
    assert config.backbone == "vgg16"
    for name, digest in config.files.items():
        assert file_sha256(folder / name) == digest
        assert (folder / name).stat().st_size < 20_000_000
    part = read_image(PHOTO).pixels[300:812, 600:1112]
    ours, small = (load(model).predict(part).count for model in (folder, "lite"))
    assert ours == pytest.approx(small, rel=0.35)
    assert small > 20
