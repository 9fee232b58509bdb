"""ONNX Runtime: the default engine, on CPU or CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from crowdscale.backends import PIXELS, Array, FirstPass, map_outputs, network_input, read_maps
from crowdscale.errors import ModelError, OptionError, unknown_name
from crowdscale.models.description import ModelConfig

__all__ = ["OnnxBackend"]

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

GROWTH = {"arena_extend_strategy": "kSameAsRequested"}
"""The arena is kept between photos (without it a run takes 1.6 times as long) but grows by need, not by doubling."""


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
        self.outputs = [*self.maps, "features", *(["blocks"] if config.method == "hybrid" else [])]
        # One thread: those of a second pool would go on waiting, busily, while the network looks again.
        self.scale = _session(folder / "scale.onnx", device, 1) if config.refines else None

    def predict(self, pixels: NDArray[np.uint8]) -> FirstPass:
        """Run the counting network on (h, w, 3) RGB pixels."""
        return self.predict_batch([pixels])[0]

    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[FirstPass]:
        """Run the counting network on views of one size; together where the graph takes several."""
        if len(views) > 1 and self.single:
            return [self.predict(view) for view in views]
        height, width = views[0].shape[:2]
        given = network_input(self.input.name, views, self.config)
        try:
            told = self.network.run(self.outputs, {self.input.name: given})
        except Exception as error:  # the engine raises its own private classes, out of memory too
            size = f"{width}×{height} ({error})"
            raise ModelError("expected ONNX Runtime to run the photo", size, "Reduce it") from error
        maps, (features, *blocks) = told[: len(self.maps)], told[len(self.maps) :]
        columns = given.shape[2 if self.input.name == PIXELS else 3]
        return read_maps(maps, features, blocks[0] if blocks else None, (height, width), columns)

    def area_factor(self, pooled: Array) -> float:
        """Run the scale net on (c, 14, 14) pooled features."""
        if self.scale is None:
            raise ModelError(
                "expected a model with a scale net", f"{self.config.name} without", "Use refine=False"
            )
        (area,) = self.scale.run(["area_factor"], {"pooled": pooled[None]})
        return float(area.reshape(-1)[0])


def _session(path: Path, device: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # cores are needed between runs, too
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[(PROVIDERS[device], GROWTH)])
    except Exception as error:  # the engine raises its own private classes
        raise ModelError("expected a graph that ONNX Runtime can run", f"{path} ({error})") from error
