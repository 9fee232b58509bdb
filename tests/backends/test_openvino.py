"""OpenVINO behind the same door: what it says is what ONNX Runtime says, on a real photo, at any size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import crowdscale
from crowdscale.backends import open_backend
from crowdscale.errors import MissingExtraError, ModelError, OptionError
from crowdscale.files.images import read_image
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model

pytest.importorskip("openvino")

PHOTO = read_image(Path(__file__).parents[2] / "examples" / "auditorium.jpg").pixels
CROP = np.ascontiguousarray(PHOTO[400:656, 800:1120])


@pytest.fixture(scope="module")
def engines(bundled):
    folder = find_model(bundled)
    config = read_config(folder)
    return [open_backend(name, folder, config, threads=2) for name in ("onnx", "openvino")]


@pytest.mark.parametrize(("height", "width"), [(256, 320), (97, 131), (1, 1), (256, 33)])
def test_says_what_onnx_runtime_says(engines, height, width):
    ours, theirs = (engine.predict(np.ascontiguousarray(CROP[:height, :width])) for engine in engines)
    assert ours.output.shape == theirs.output.shape == (2, height, width)
    assert np.abs(ours.output[0] - theirs.output[0]).max() < 1e-3
    assert np.mean(ours.output[1] != theirs.output[1]) < 1e-3
    assert np.abs(ours.features - theirs.features).max() < 1e-3
    assert ours.blocks.sum() == pytest.approx(theirs.blocks.sum(), rel=1e-4, abs=1e-4)


def test_factor_is_the_same(engines):
    pooled = np.random.default_rng(0).random((engines[0].config.feature_channels, 14, 14), np.float32)
    first, second = (engine.area_factor(pooled) for engine in engines)
    assert first == pytest.approx(second, rel=1e-4)


def test_batch_and_threads_give_the_answers_of_one(engines):
    views = [np.ascontiguousarray(CROP[i : i + 96, :128]) for i in range(0, 40, 10)]
    alone = [engines[1].predict(view) for view in views]
    together = engines[1].predict_batch(views)
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(engines[1].predict, views * 2))
    for index, seen in enumerate([*together, *shared]):
        assert np.abs(seen.output[0] - alone[index % 4].output[0]).max() < 1e-4
        assert np.allclose(seen.blocks, alone[index % 4].blocks, atol=1e-4)


def test_answers_are_not_overwritten_by_the_next(engines):
    first = engines[1].predict(CROP)
    kept = first.output.copy(), first.features.copy()
    engines[1].predict(np.ascontiguousarray(CROP[::-1]))
    assert np.array_equal(first.output, kept[0])
    assert np.array_equal(first.features, kept[1])


def test_bfloat16_is_near(bundled, engines):
    found = crowdscale.load(bundled, backend="openvino-bf16", threads=2).backend.predict(CROP)
    assert found.blocks.sum() == pytest.approx(engines[0].predict(CROP).blocks.sum(), rel=0.1)


def test_compiled_graphs_are_kept_where_asked(bundled, tmp_path, monkeypatch):
    monkeypatch.setenv("CROWDSCALE_OPENVINO_CACHE", str(tmp_path))
    crowdscale.load(bundled, backend="openvino")
    assert list(tmp_path.glob("*.blob"))


def test_what_it_cannot_do_is_said(bundled, tmp_path):
    folder = find_model(bundled)
    config = read_config(folder)
    with pytest.raises(OptionError, match="the device cpu"):
        open_backend("openvino", folder, config, device="cuda")
    (tmp_path / "network.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="expected a graph that OpenVINO can run"):
        open_backend("openvino", tmp_path, config)
    pooled = np.zeros((config.feature_channels, 14, 14))
    with pytest.raises(ModelError, match="scale net"):
        open_backend("openvino", folder, replace(config, refines=False)).area_factor(pooled)


def test_missing_library_names_the_extra(monkeypatch, bundled):
    import sys

    monkeypatch.delitem(sys.modules, "crowdscale.backends.openvino", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    folder = find_model(bundled)
    with pytest.raises(MissingExtraError, match=r"crowdscale\[openvino\]"):
        open_backend("openvino", folder, read_config(folder))


def test_a_model_that_reads_bytes_says_what_it_says_by_onnx_runtime():
    folder = find_model("lite-int8")
    engines = [open_backend(name, folder, read_config(folder), threads=2) for name in ("onnx", "openvino")]
    ours, theirs = (engine.predict(CROP[:250, :300]) for engine in engines)
    assert ours.size == theirs.size == (250, 300)
    assert ours.output.shape == theirs.output.shape
    assert np.abs(ours.output[0] - theirs.output[0]).mean() < 0.1  # both round, each in its own places
    assert ours.blocks.sum() == pytest.approx(theirs.blocks.sum(), rel=0.03)
