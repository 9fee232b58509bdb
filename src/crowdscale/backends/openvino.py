"""OpenVINO: another engine for x86 processors, which knows bfloat16 (extra [openvino]); the same graphs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.backends import PIXELS, Array, FirstPass, map_outputs, network_input, read_maps
from crowdscale.errors import MissingExtraError, ModelError, OptionError
from crowdscale.models.description import ModelConfig

try:
    import openvino
except ImportError as error:
    raise MissingExtraError("The engine openvino", "openvino") from error

__all__ = ["CACHE", "OpenVinoBackend", "OpenVinoBfloat16"]

CACHE = "CROWDSCALE_OPENVINO_CACHE"
"""Environment variable: a folder in which compiled graphs are kept, for a faster start the next time."""


class OpenVinoBackend:
    """The exported graphs of a model folder, compiled once for photos of every size.

    Args:
        folder: A model folder.
        config: Its description.
        device: ``cpu`` alone: other devices were not tried.
        threads: 0 takes every core.
    """

    precision = "f32"
    """What the network is computed in; weights, the map and the features are float32."""

    def __init__(self, folder: Path, config: ModelConfig, device: str = "cpu", threads: int = 0) -> None:
        if device != "cpu":
            raise OptionError("expected the device cpu for the engine openvino", repr(device))
        self.config = config
        core = openvino.Core()
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": self.precision}
        settings |= {"INFERENCE_NUM_THREADS": str(threads)} if threads else {}
        settings |= {"CACHE_DIR": os.environ[CACHE]} if os.environ.get(CACHE) else {}
        self.network = _Graph(core, folder / "network.onnx", settings)
        # The factor of a region is one small run: float32 costs nothing and keeps it the same.
        exact = settings | {"INFERENCE_PRECISION_HINT": "f32"}
        self.scale = _Graph(core, folder / "scale.onnx", exact) if config.refines else None

    def predict(self, pixels: NDArray[np.uint8]) -> FirstPass:
        """Run the counting network on (h, w, 3) RGB pixels."""
        return self.predict_batch([pixels])[0]

    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[FirstPass]:
        """Run the counting network on views of one size; together where the graph takes several."""
        if len(views) > 1 and self.network.single:
            return [self.predict(view) for view in views]
        height, width = views[0].shape[:2]
        try:
            given = network_input(self.network.input, views, self.config)
            found = self.network.run(given)
        except Exception as error:  # the engine raises bare RuntimeErrors, out of memory too
            size = f"{width}×{height} ({error})"
            raise ModelError("expected OpenVINO to run the photo", size, "Reduce it") from error
        maps, blocks = [found[name] for name in map_outputs(found)], found.get("blocks")
        columns = given.shape[2 if self.network.input == PIXELS else 3]
        return read_maps(maps, found["features"], blocks, (height, width), columns)

    def area_factor(self, pooled: Array) -> float:
        """Run the scale net on (c, 14, 14) pooled features."""
        if self.scale is None:
            raise ModelError(
                "expected a model with a scale net", f"{self.config.name} without", "Use refine=False"
            )
        return float(self.scale.run(pooled[None])["area_factor"].reshape(-1)[0])


class OpenVinoBfloat16(OpenVinoBackend):
    """The same in bfloat16, for processors that compute in it: faster, with visibly other numbers."""

    precision = "bf16"


class _Graph:
    """A compiled graph and its free requests: a request serves one thread at a time."""

    def __init__(self, core: Any, path: Path, settings: dict[str, str]) -> None:
        try:
            self.compiled = core.compile_model(str(path), "CPU", settings)
        except Exception as error:  # bare RuntimeErrors
            raise ModelError("expected a graph that OpenVINO can run", f"{path} ({error})") from error
        self.input = self.compiled.input(0).any_name
        batch = self.compiled.input(0).partial_shape[0]
        self.single = batch.is_static and batch.get_length() == 1
        self.free: LifoQueue[Any] = LifoQueue()

    def run(self, values: NDArray[Any]) -> dict[str, Array]:
        """Return the outputs by name for the one input; they belong to the caller."""
        with self._request() as request:
            found = request.infer([values], share_inputs=True, share_outputs=False)
        return {name: values for output, values in found.items() for name in output.get_names()}

    @contextmanager
    def _request(self) -> Iterator[Any]:
        try:
            request = self.free.get_nowait()
        except Empty:
            request = self.compiled.create_infer_request()
        yield request
        self.free.put(request)  # one that failed is not used again
