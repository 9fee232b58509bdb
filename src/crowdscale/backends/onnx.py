"""ONNX Runtime: the default backend, on CPU or CUDA."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from crowdscale.arrays import Maps, Pixels
from crowdscale.backends.base import NetworkOutput
from crowdscale.backends.graphs import PIXELS, graph_file, map_outputs, network_input, read_maps
from crowdscale.errors import ModelError, OptionError, unknown_name
from crowdscale.models.description import ModelConfig

__all__ = ["OnnxBackend"]

if os.environ.get("ORT_DISABLE_TELEMETRY") == "1":
    onnxruntime.disable_telemetry_events()  # Windows, and a program that imported it before crowdscale

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

GROWTH = {"arena_extend_strategy": "kSameAsRequested"}
"""The arena stays between photos, since a run without it takes 1.6 times as long, and grows by need, not by doubling."""


class OnnxBackend:
    """The exported graphs ``network.onnx`` and ``scale.onnx`` of a model folder."""

    def __init__(self, folder: Path, config: ModelConfig, device: str = "cpu", threads: int = 0) -> None:
        if device not in PROVIDERS:
            raise unknown_name("device", device, PROVIDERS)
        if PROVIDERS[device] not in onnxruntime.get_available_providers():
            raise OptionError(
                f"expected an ONNX Runtime with {device}", "one without", "Run: pip install onnxruntime-gpu"
            )
        self.config = config
        self.network = _session(folder / "network.onnx", device, threads)
        (self.input,) = self.network.get_inputs()
        self.single = self.input.shape[0] == 1
        self.maps = map_outputs([output.name for output in self.network.get_outputs()])
        self.outputs = [*self.maps, "features", *(["blocks"] if config.codec.counts_blocks else [])]
        # One thread: a second pool would spin while the network runs again.
        self.scale = _session(folder / "scale.onnx", device, 1) if config.refines else None

    def predict(self, pixels: Pixels) -> NetworkOutput:
        """Run the counting network on (h, w, 3) RGB pixels."""
        return self.predict_batch([pixels])[0]

    def predict_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Run the counting network on views of one size, together if the graph takes a batch."""
        if len(views) > 1 and self.single:
            return [self.predict(view) for view in views]
        height, width = views[0].shape[:2]
        given = network_input(self.input.name, views, self.config)
        try:
            outputs = self.network.run(self.outputs, {self.input.name: given})
        except Exception as error:  # its errors are private classes, out of memory too
            size = f"{width}×{height} ({error})"
            raise ModelError("expected ONNX Runtime to run the photo", size, "Reduce it") from error
        maps, (features, *blocks) = outputs[: len(self.maps)], outputs[len(self.maps) :]
        columns = given.shape[2 if self.input.name == PIXELS else 3]
        return read_maps(maps, features, blocks[0] if blocks else None, (height, width), columns, self.config)

    def area_factor(self, pooled: Maps) -> float:
        """Run the scale net on (c, 14, 14) pooled features."""
        if self.scale is None:
            raise ModelError(
                "expected a model with a scale net", f"{self.config.name} without", "Use refine=False"
            )
        (area,) = self.scale.run(["area_factor"], {"pooled": pooled[None]})
        return float(area.reshape(-1)[0])


def _session(path: Path, device: str, threads: int) -> onnxruntime.InferenceSession:
    path = graph_file(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry(
        "session.force_spinning_stop", "1"
    )  # other work needs the cores between runs
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[(PROVIDERS[device], GROWTH)])
    except Exception as error:  # its errors are private classes
        raise ModelError("expected a graph that ONNX Runtime can run", f"{path} ({error})") from error
