"""Quantization: a graph with 8-bit convolutions, their ranges measured on training photos.

Each tensor between convolutions gets its range on the calibration photos. Weights get steps with which no sum overflows
on processors that add two products in 16 bits (x86 without VNNI). The last layers, which compute labels and people, stay
in float32: they cost little, and their errors would change the count.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from crowdscale.arrays import Maps
from crowdscale.backends import NetworkOutput, open_backend
from crowdscale.backends.graphs import network_input, padded_input
from crowdscale.counting.second_pass import estimate
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.learn.export.byte_graph import leave_room, read_bytes, read_cells, return_small_maps
from crowdscale.learn.store import write_description
from crowdscale.models.description import ModelConfig, read_config

__all__ = ["QuantizeOptions", "quantize_folder"]

OPERATORS = ["Conv", "Clip", "Relu", "Add", "Concat", "Resize"]
"""Operators computed in 8 bits; a Clip or Relu behind a convolution becomes the range of its result."""

EXACT = ("/mixers", "/block_head/layers/layers.3", "/subpixel/layers/layers.2")
"""First parts of the names of nodes that compute labels and people: they and their readers stay float32."""


@dataclass(frozen=True)
class QuantizeOptions:
    """How a model is quantised."""

    photos: int = 64
    """Calibration photos, drawn from those given; a crop of each is used."""
    crop: int = 512
    """Largest side of a crop in pixels."""
    seed: int = 0
    """Draws photos and crops."""

    def __post_init__(self) -> None:
        if self.photos < 1 or self.crop < 32:
            raise OptionError("expected photos >= 1 and crop >= 32", f"{self.photos}, {self.crop}")


def quantize_folder(
    folder: Path, out: Path, samples: Sequence[Sample], options: QuantizeOptions | None = None
) -> float:
    """Write a model folder with an 8-bit graph and the scale net of the original, without training weights.

    Args:
        folder: A model folder with float graphs.
        out: The folder to write.
        samples: Training photos; never photos that choose between models.
        options: Number of photos, size of crops, seed.

    Returns:
        Σ |people by the 8-bit graph − by the float graph| / Σ people over the calibration crops, first pass.

    Raises:
        ModelError: The graph is not one that this version exports.
        DataError: There is no photo to calibrate on.
    """
    options = options or QuantizeOptions()
    if not samples:
        raise DataError("expected training photos to calibrate on", "none", "Name some with --data")
    if folder.resolve() == out.resolve():
        raise OptionError("expected --out apart from the model", str(out))
    config = read_config(folder)
    if config.precision != "float32":
        raise ModelError("expected a float32 model to quantise", f"one in {config.precision}")
    crops = _crops(samples, options)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, _quiet():
        folded, small = Path(scratch) / "folded.onnx", Path(scratch) / "small.onnx"
        _fold(folder / "network.onnx", folded)
        quantize_static(
            folded, small, _Crops(crops, config), QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS, per_channel=True, nodes_to_exclude=_exact_nodes(folded),
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            extra_options={"CalibMovingAverage": True},
        )  # fmt: skip
        model = onnx.load(small)
        leave_room(model.graph, onnx.load(folded).graph)
        read_bytes(model.graph)
        onnx.save(model, small)
        _refit(folded, small, config, crops)
        model = onnx.load(small)
        if config.codec.counts_blocks:
            return_small_maps(model.graph)
        read_cells(model.graph)
        data = model.SerializeToString()
    write_atomic(out / "network.onnx", lambda stream: stream.write(data))
    kept = ["scale.onnx"] if config.refines else []
    for name in kept:
        shutil.copyfile(folder / name, out / name)
    calibration = {"photos": len(crops), "seed": options.seed, "from": config.name}
    training = {**config.training, "quantised": calibration}
    training.pop("validation", None)  # holds for the float graph alone
    config = replace(config.unmeasured(), name=f"{config.name}-int8", precision="int8", training=training)
    write_description(config, out, tuple(sorted(["network.onnx", *kept])))
    return _drift(folder, out, crops)


def _fold(source: Path, target: Path) -> None:
    """Write a graph with stored halves widened and normalisations folded into their convolutions."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = str(target)
    onnxruntime.InferenceSession(str(source), settings, providers=["CPUExecutionProvider"])


def _exact_nodes(path: Path) -> list[str]:
    """Return the names of the nodes that stay float32: those of ``EXACT`` and all that depend on them."""
    graph = onnx.load(path).graph
    names, reached = [], set[str]()
    for node in graph.node:  # a graph lists its nodes in the order in which they can run
        if node.name.startswith(EXACT) or reached.intersection(node.input):
            names.append(node.name)
            reached.update(node.output)
    if not any(name.startswith(EXACT[0]) for name in names):
        raise ModelError(
            "expected a graph as this version exports it",
            "an older one",
            "Run: crowdscale models export FOLDER",
        )
    return names


def _refit(folded: Path, small: Path, config: ModelConfig, crops: Sequence[NDArray[np.uint8]]) -> None:
    """Fit the last layer of the block head to the 8-bit features, with the float graph's output as target.

    Rounding in 8 bits biases features. The layer stays float32. Ridge regression over the crops fits it, near its old
    weights, and blocks with people weigh more. Then the log-rate is shifted until all crops together have as many
    people as in the float graph.
    """
    if not config.codec.counts_blocks:
        return
    graph = onnx.load(small)
    last = next(node for node in graph.graph.node if node.name.startswith(EXACT[1]))
    stored = {each.name: each for each in graph.graph.initializer}
    weight, bias = (stored[name] for name in last.input[1:3])
    kernel, offset = onnx.numpy_helper.to_array(weight), onnx.numpy_helper.to_array(bias)
    wanted = _channels(folded, last.output[0], config, crops)
    features = _channels(small, last.input[0], config, crops)
    inputs = np.concatenate([features, np.ones((len(features), 1))], 1)
    layer = np.concatenate([kernel[:, :, 0, 0], offset[:, None]], 1).astype(np.float64).T
    people = _people(wanted)
    weighted = inputs * (people + LEAST_PEOPLE)[:, None]
    gram = weighted.T @ inputs
    gram[np.diag_indices_from(gram)] += HELD * np.trace(gram) / len(gram)
    layer += np.linalg.solve(gram, weighted.T @ (wanted - inputs @ layer))
    layer[-1, 1] += np.log(max(people.sum(), 1e-6) / max(_people(inputs @ layer).sum(), 1e-6))
    for tensor, values in ((weight, layer[:-1].T[..., None, None]), (bias, layer[-1])):
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), tensor.name))
    onnx.save(graph, small)


LEAST_PEOPLE, HELD = 0.02, 1e-3
"""Weight of a block without people in that fit; strength of the ridge, relative to the mean square of the input."""


def _people(head: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the people of (n, 2) outputs of the block head: logit of an empty block, log-rate."""
    people: NDArray[np.float64] = np.exp(np.clip(head[:, 1], -8, 6)) / (1 + np.exp(head[:, 0]))
    return people


def _channels(
    path: Path, name: str, config: ModelConfig, crops: Sequence[NDArray[np.uint8]]
) -> NDArray[np.float64]:
    """Return the (n, channels) values of a tensor within a graph at all places of all crops."""
    model = onnx.load(path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    (asked,) = session.get_inputs()
    given = ({asked.name: network_input(asked.name, [crop], config)} for crop in crops)
    values = [session.run([name], each)[0][0] for each in given]
    return np.concatenate([each.reshape(len(each), -1).T for each in values]).astype(np.float64)


def _crops(samples: Sequence[Sample], options: QuantizeOptions) -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(options.seed)
    order = random.permutation(len(samples))[: options.photos]
    crops = []
    for index in order.tolist():
        pixels = samples[index].read()
        top, left = (random.integers(0, max(1, side - options.crop + 1)) for side in pixels.shape[:2])
        crops.append(np.ascontiguousarray(pixels[top : top + options.crop, left : left + options.crop]))
    return crops


class _Crops(CalibrationDataReader):  # type: ignore[misc]
    """Calibration crops, one input at a time."""

    def __init__(self, crops: Sequence[NDArray[np.uint8]], config: ModelConfig) -> None:
        self.left: Iterator[Maps] = (padded_input([crop], config) for crop in crops)

    def get_next(self) -> dict[str, Maps] | None:
        """Return the next input, None after the last."""
        images = next(self.left, None)
        return None if images is None else {"images": images}


def _drift(folder: Path, out: Path, crops: Sequence[NDArray[np.uint8]]) -> float:
    """Return the difference of the people of both graphs, relative to all people."""
    people: list[list[float]] = []
    for each in (folder, out):
        config = read_config(each)
        backend = open_backend("onnx", each, config)
        people.append([_count(config, backend.predict(crop)) for crop in crops])
    before, after = np.array(people)
    return float(np.abs(after - before).sum() / max(1.0, before.sum()))


def _count(config: ModelConfig, output: NetworkOutput) -> float:
    return float(estimate(config, output).count)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the library's advice to prepare the graph: it is prepared."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
