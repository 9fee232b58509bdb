"""OpenVINO: a backend for x86 processors, also in bfloat16 (extra [openvino]); the same graphs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from numpy.typing import NDArray

from crowdscale.arrays import Maps, Pixels
from crowdscale.backends.base import NetworkOutput
from crowdscale.backends.graphs import PIXELS, graph_file, map_outputs, network_input, read_maps
from crowdscale.errors import MissingExtraError, ModelError, OptionError
from crowdscale.models.description import ModelConfig

try:
    import openvino
except ImportError as error:
    raise MissingExtraError("The backend openvino", "openvino") from error

__all__ = ["CACHE", "OpenVinoBackend", "OpenVinoBfloat16"]

CACHE = "CROWDSCALE_OPENVINO_CACHE"
"""Environment variable: a folder that keeps compiled graphs, for a faster start."""


class OpenVinoBackend:
    """The exported graphs of a model folder, compiled once for photos of every size.

    Args:
        folder: A model folder.
        config: Its description.
        device: ``cpu`` alone; other devices are untested.
        threads: 0 takes every core.
    """

    precision = "f32"
    """Type in which the network computes; weights, map and features are float32."""

    def __init__(self, folder: Path, config: ModelConfig, device: str = "cpu", threads: int = 0) -> None:
        if device != "cpu":
            raise OptionError("expected the device cpu for the backend openvino", repr(device))
        self.config = config
        core = openvino.Core()
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self.precision}
        settings |= {"INFERENCE_NUM_THREADS": str(threads)} if threads else {}
        settings |= {"CACHE_DIR": os.environ[CACHE]} if os.environ.get(CACHE) else {}
        self.network = _Graph(core, folder / "network.onnx", settings)
        # The scale net is one small run: float32 costs nothing and keeps the zoom.
        exact = settings | {"INFERENCE_PRECISION_HINT": "f32"}
        self.scale = _Graph(core, folder / "scale.onnx", exact) if config.refines else None

    def predict(self, pixels: Pixels) -> NetworkOutput:
        """Run the counting network on (h, w, 3) RGB pixels."""
        return self.predict_batch([pixels])[0]

    def predict_batch(self, views: Sequence[Pixels]) -> list[NetworkOutput]:
        """Run the counting network on views of one size, together if the graph takes a batch."""
        if len(views) > 1 and self.network.single:
            return [self.predict(view) for view in views]
        height, width = views[0].shape[:2]
        try:
            given = network_input(self.network.input, views, self.config)
            outputs = self.network.run(given)
        except Exception as error:  # bare RuntimeErrors, out of memory too
            size = f"{width}×{height} ({error})"
            raise ModelError("expected OpenVINO to run the photo", size, "Reduce it") from error
        maps, blocks = [outputs[name] for name in map_outputs(outputs)], outputs.get("blocks")
        columns = given.shape[2 if self.network.input == PIXELS else 3]
        return read_maps(maps, outputs["features"], blocks, (height, width), columns, self.config)

    def area_factor(self, pooled: Maps) -> float:
        """Run the scale net on (c, 14, 14) pooled features."""
        if self.scale is None:
            raise ModelError(
                "expected a model with a scale net", f"{self.config.name} without", "Use refine=False"
            )
        return float(self.scale.run(pooled[None])["area_factor"].reshape(-1)[0])


class OpenVinoBfloat16(OpenVinoBackend):
    """The same in bfloat16, for processors with it: faster, with visibly other numbers."""

    precision = "bf16"


class _Graph:
    """A compiled graph and its free requests: a request serves one thread at a time."""

    def __init__(self, core: Any, path: Path, settings: dict[str, str]) -> None:
        path = graph_file(path)
        try:
            self.compiled = core.compile_model(str(path), "CPU", settings)
        except Exception as error:  # bare RuntimeErrors
            raise ModelError("expected a graph that OpenVINO can run", f"{path} ({error})") from error
        self.input = self.compiled.input(0).any_name
        batch = self.compiled.input(0).partial_shape[0]
        self.single = batch.is_static and batch.get_length() == 1
        self.free: LifoQueue[Any] = LifoQueue()

    def run(self, values: NDArray[Any]) -> dict[str, Maps]:
        """Return the outputs by name for the one input; the caller owns them."""
        with self._request() as request:
            results = request.infer([values], share_inputs=True, share_outputs=False)
        return {name: values for output, values in results.items() for name in output.get_names()}

    @contextmanager
    def _request(self) -> Iterator[Any]:
        try:
            request = self.free.get_nowait()
        except Empty:
            request = self.compiled.create_infer_request()
        yield request
        self.free.put(request)  # a failed one is dropped
