"""Stand-ins of the tests: a network that knows the truth, a model folder that reads labels from grey values."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from crowdscale.backends import NetworkOutput
from crowdscale.maps import DistanceLabels
from crowdscale.maps.regions import LabelRule, Reference
from crowdscale.models.description import DESCRIPTION, ModelConfig, ZoomOptions
from crowdscale.models.package import file_sha256
from crowdscale.points import Box, Points


def coordinate_photo(width: int, height: int) -> NDArray[np.uint8]:
    """A photo whose red is x and whose green is y, in steps told by blue: any view of it tells where it is."""
    pixels = np.zeros((height, width, 3), np.uint8)
    step = 255 // (
        max(width, height, 2) - 1
    )  # the finer the steps, the less the rounding of colours moves heads
    pixels[..., 0] = step * np.arange(width)
    pixels[..., 1] = step * np.arange(height)[:, None]
    pixels[..., 2] = step
    return pixels


def axis(colours: NDArray[np.uint8], step: int) -> tuple[float, float]:
    """(slope, start) of photo pixels along one row of a view, read off its colours."""
    values = colours.astype(float) / step
    inner = slice(2, -2) if len(values) > 8 else slice(None)
    slope, start = np.polyfit(np.arange(len(values))[inner], values[inner], 1)
    return float(slope), float(start)


class TruthBackend:
    """Sees a view of ``coordinate_photo`` and returns the true label map of known heads at its scale.

    Colours are whole numbers, so a view is placed to a quarter of a photo pixel. What a view is padded with on
    the right and below, told by another blue, is background.
    """

    def __init__(self, points: Points, area: float = 2.25) -> None:
        self.points, self.area = points, area
        self.shown: list[tuple[int, int]] = []

    def predict(self, pixels: NDArray[np.uint8]) -> NetworkOutput:
        self.shown.append((pixels.shape[1], pixels.shape[0]))
        told = pixels[..., 2] == pixels[0, 0, 2]
        rows, columns = int(told[:, 0].sum()), int(told[0].sum())
        seen = self._seen(pixels[:rows, :columns])
        beside = ((0, 0), (0, pixels.shape[0] - rows), (0, pixels.shape[1] - columns))
        cells = ((0, 0), *((0, -(-pixels.shape[i] // 32) * 4 - seen.features.shape[i + 1]) for i in (0, 1)))
        return NetworkOutput(np.pad(seen.output, beside, constant_values=10.0), np.pad(seen.features, cells))

    def _seen(self, pixels: NDArray[np.uint8]) -> NetworkOutput:
        height, width = pixels.shape[:2]
        expected = np.full((height, width), 10.0, np.float32)
        view = Points()
        if len(self.points):
            (sx, x0), (sy, y0) = (
                axis(pixels[0, :, 0], pixels[0, 0, 2]),
                axis(pixels[:, 0, 1], pixels[0, 0, 2]),
            )
            view = Points((self.points.xy - (x0, y0)) / (sx, sy))
            rows, columns = np.mgrid[:height, :width]
            grid = np.stack([columns.ravel(), rows.ravel()], axis=1)
            distance = cKDTree(view.xy).query(grid)[0].reshape(height, width)
            expected = np.minimum(distance**2 / 16, 10).astype(np.float32)  # smooth: minima are exact
        labels = DistanceLabels().encode(view, width, height).astype(np.float32)
        features = np.zeros((2, -(-height // 32) * 4, -(-width // 32) * 4), np.float32)
        return NetworkOutput(np.stack([expected, labels]), features)

    def predict_batch(self, views: Sequence[NDArray[np.uint8]]) -> list[NetworkOutput]:
        return [self.predict(view) for view in views]

    def area_factor(self, pooled: NDArray[np.float32]) -> float:
        assert pooled.shape == (2, 14, 14)
        return self.area


class FixedRule:
    """Finds the same boxes in every output."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self.boxes = list(boxes)

    def find(
        self, output: NDArray[np.float32], most: int = 1, reference: Reference | None = None
    ) -> list[Box]:
        return self.boxes[:most]

    def reference(self, area: float, mean: Callable[[], float]) -> Reference:
        return Reference(area)


def truth_config(*boxes: Box, zoom: ZoomOptions | None = None) -> ModelConfig:
    rule = FixedRule(boxes) if boxes else LabelRule()
    return ModelConfig("truth", "points", "none", DistanceLabels(), rule, zoom or ZoomOptions())  # type: ignore[arg-type]


def label_photo(points: Points, width: int, height: int) -> NDArray[np.uint8]:
    """A grey photo that the model of ``write_label_model`` reads: 25 grey values a label."""
    nearest = cKDTree(points.xy).query(np.stack(np.mgrid[:height, :width][::-1], axis=-1))[0]
    grey = np.clip(np.rint(nearest / 3 * 25), 0, 250).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def encoded(pixels: NDArray[np.uint8], kind: str = "PNG") -> bytes:
    """Return pixels as the bytes of a file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def write_label_model(folder: Path, area: float = 2.25) -> Path:
    """Write a whole model folder whose tiny network reads labels from grey values and whose factor is fixed."""
    import onnx
    from onnx import TensorProto, helper

    folder.mkdir(parents=True, exist_ok=True)
    number = lambda name, value: helper.make_tensor(name, TensorProto.FLOAT, [], [value])  # noqa: E731
    whole = lambda name, value: helper.make_tensor(name, TensorProto.INT64, [len(value)], value)  # noqa: E731
    free = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    network = helper.make_graph(
        [
            helper.make_node("Slice", ["images", "zero", "one", "axis"], ["red"]),
            helper.make_node("Mul", ["red", "labels_of_white"], ["expected"]),
            helper.make_node("Round", ["expected"], ["label"]),
            helper.make_node("Concat", ["expected", "label"], ["output"], axis=1),
            helper.make_node("AveragePool", ["red"], ["features"], kernel_shape=[8, 8], strides=[8, 8]),
        ],
        "network",
        [free("images", 1, 3, "h", "w")],
        [free("output", 1, 2, "h", "w"), free("features", 1, 1, "fh", "fw")],
        [whole("zero", [0]), whole("one", [1]), whole("axis", [1]), number("labels_of_white", 255 / 25)],
    )
    scale = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["pooled"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "nothing"], ["none"]),
            helper.make_node("Add", ["none", "area"], ["area_factor"]),
        ],
        "scale",
        [free("pooled", 1, 1, 14, 14)],
        [free("area_factor")],
        [number("nothing", 0.0), number("area", area)],
    )
    for name, graph in (("network.onnx", network), ("scale.onnx", scale)):
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, str(folder / name))
    config = replace(
        ModelConfig("labels", "points", "none", DistanceLabels(), LabelRule(below=5, minimum=0.02)),
        mean=(1.0, 1.0, 1.0), feature_channels=1, licence="Apache-2.0",
        training={"validation": {"mae": 1.25, "rmse": 2.5}},
    )  # fmt: skip
    names = ("network.onnx", "scale.onnx")
    config = replace(config, files={name: file_sha256(folder / name) for name in names})
    (folder / DESCRIPTION).write_text(config.to_json(), encoding="utf-8")
    return folder
