"""Graphs of model folders: those of strangers read no file outside it, a missing one says how to get it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from crowdscale.backends.onnx import OnnxBackend
from crowdscale.backends.opening import open_backend
from crowdscale.errors import ModelError
from crowdscale.models.description import read_config
from crowdscale.models.finding import BUNDLED

onnx = pytest.importorskip("onnx")


def write_graph(root: Path, location: str) -> Path:
    """Return a model folder whose graph adds numbers that lie in another file."""
    folder = Path(shutil.copytree(BUNDLED["nano"], root / "nano"))
    weight = onnx.TensorProto(name="w", dims=[4], data_type=onnx.TensorProto.FLOAT)
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    given, made = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in ("images", "output")
    )
    node = onnx.helper.make_node("Add", ["images", "w"], ["output"])
    graph = onnx.helper.make_graph([node], "g", [given], [made], [weight])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    (folder / "network.onnx").write_bytes(model.SerializeToString())
    return folder


@pytest.mark.parametrize("location", ["../secret.bin", "{root}/secret.bin"], ids=["above", "absolute"])
def test_a_graph_with_data_outside_its_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    folder = write_graph(tmp_path, location.format(root=tmp_path))
    with pytest.raises(ModelError, match="expected a graph that ONNX Runtime can run"):
        OnnxBackend(folder, read_config(folder, verify=False), threads=1)


def test_the_same_graph_with_data_in_its_folder_is_opened(tmp_path: Path) -> None:
    folder = write_graph(tmp_path, "inside.bin")
    (folder / "inside.bin").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    assert OnnxBackend(folder, read_config(folder, verify=False), threads=1).maps == ["output"]


@pytest.mark.parametrize("backend", ["onnx", "openvino"])
@pytest.mark.parametrize(
    ("missing", "weights", "said"),
    [
        (
            "network.onnx",
            True,
            r"^expected network\.onnx in the model folder .*weights without it.* crowdscale models export ",
        ),
        (
            "scale.onnx",
            False,
            r"^expected scale\.onnx in the model folder .*got none\. Copy the whole folder",
        ),
    ],
)
def test_a_model_folder_without_a_graph_says_how_to_get_it(
    tmp_path: Path, backend: str, missing: str, weights: bool, said: str
) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    folder = shutil.copytree(BUNDLED["nano"], tmp_path / "model", ignore=shutil.ignore_patterns("weights.*"))
    (folder / missing).unlink()
    if weights:
        (folder / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=said):
        open_backend(backend, folder, read_config(folder, verify=False), threads=1)
