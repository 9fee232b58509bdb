"""Rewrites a quantized ONNX graph for speed: bytes in, pixels by cells, small maps out, steps without overflow.

The graph computes the same. Each rewrite saves time in ONNX Runtime (measured in research/results/speed-history.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from crowdscale.backends.graphs import LABELS, LIKELIEST, PIXELS

__all__ = ["leave_room", "read_bytes", "read_cells", "return_small_maps"]

CELL = 4
"""Pixels of a row that the first convolution reads at once."""

ROOM = 128
"""Largest sum of two neighbouring weights: 255 · 128 < 2¹⁵ holds two products of bytes on x86 without VNNI."""

Values = dict[str, NDArray[Any]]


def leave_room(graph: onnx.GraphProto, original: onnx.GraphProto) -> None:
    """Store weights in the finest steps at which no 16-bit sum of two products overflows.

    Processors without VNNI multiply bytes in pairs, neighbours among the inputs of a place, and clip their sum to 16
    bits. Weights of 7 bits are safe but twice as coarse. Here each output channel gets the finest step at which no
    pair of its weights exceeds ``ROOM``: 7.7 bits in the mean of ``lite-int8``. Depthwise convolutions add no pairs
    and stay.

    Args:
        graph: A graph of quantised convolutions, their weights in 8 bits. It is changed.
        original: The float graph it was made of, its nodes of the same names.
    """
    floats = {node.name: node.input[1] for node in original.node if node.op_type == "Conv"}
    for node, kernel in _quantised(graph):
        weight = _constant(original, floats[node.name]) if node.name in floats else None
        if weight is not None and not _is_depthwise(node, weight):
            biases = [_maker(graph, name) for name in node.input[2:]]
            _store(graph, _in_steps(graph, weight, kernel, biases))


def _quantised(graph: onnx.GraphProto) -> list[tuple[onnx.NodeProto, onnx.NodeProto]]:
    """Return each convolution of 8-bit weights with the node that turns them into floats."""
    makers = {name: node for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    pairs = [(node, makers[node.input[1]]) for node in convolutions if node.input[1] in makers]
    return [(node, kernel) for node, kernel in pairs if kernel.op_type == "DequantizeLinear"]


def _is_depthwise(node: onnx.NodeProto, weight: NDArray[np.float64]) -> bool:
    groups = next((each.i for each in node.attribute if each.name == "group"), 1)
    return groups > 1 and weight.shape[1] == 1


def _in_steps(
    graph: onnx.GraphProto,
    weight: NDArray[np.float64],
    kernel: onnx.NodeProto,
    biases: list[onnx.NodeProto],
) -> Values:
    """Return the new values of a kernel and its bias: whole numbers and steps."""
    largest = np.abs(weight).reshape(len(weight), -1).max(1) / 127
    steps = np.maximum(largest, _pair_sums(weight).max(1) / (ROOM - 0.01))  # less: both are rounded
    before = _constant(graph, kernel.input[1])
    for bias in biases:  # a channel with tiny weights still needs steps that hold its bias
        steps = np.maximum(steps, np.abs(_constant(graph, bias.input[0])) * before / 2**30)
    steps = np.where(steps > np.finfo(np.float32).tiny, steps, 1).astype(np.float32)
    values: Values = {
        kernel.input[0]: np.rint(weight / steps[:, None, None, None]).astype(np.int8),
        kernel.input[1]: steps,
    }
    for bias in biases:
        values[bias.input[0]] = np.rint(_constant(graph, bias.input[0]) * before / steps).astype(np.int32)
        values[bias.input[1]] = (_constant(graph, bias.input[1]) * steps / before).astype(np.float32)
    return values


def _pair_sums(weight: NDArray[Any]) -> NDArray[np.float64]:
    """Return the (outputs, pairs) sums of neighbouring weights of one sign, in the order of multiplication.

    That order is row, column, input channel. Pairs start at every second weight, and at every weight where the number
    of inputs is odd, as in the first convolution, which is rearranged.
    """
    order = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1).astype(np.float64)
    order = np.pad(order, ((0, 0), (0, 2 - order.shape[1] % 2)))
    step = 1 if weight.shape[1] % 2 else 2
    first, second = order[:, :-1:step], order[:, 1::step]
    above, below = (np.maximum(s * first, 0) + np.maximum(s * second, 0) for s in (1, -1))
    sums: NDArray[np.float64] = np.maximum(above, below)
    return sums


def read_bytes(graph: onnx.GraphProto) -> None:
    """Let a graph read a photo's bytes, (n, h, w, 3), if one zero point and one step normalise all channels.

    The first convolution then reads the bytes: less work, and no rounding. A graph whose channels differ stays.
    """
    subtract = next(node for node in graph.node if "images" in node.input and node.op_type == "Sub")
    divide = _reader(graph, subtract)
    rounded = _reader(graph, divide)
    read = _reader(graph, rounded)
    mean, std = (_constant(graph, node.input[1]) * 255 for node in (subtract, divide))
    if np.ptp(mean) or np.ptp(std) or abs(mean.flat[0] - np.rint(mean.flat[0])) > 1e-3:
        return
    step = 1 / std.flat[0]
    kernel, bias = (_maker(graph, name) for name in _reader(graph, read).input[1:3])
    steps = step * _constant(graph, kernel.input[1])  # of the products, in which the bias is held
    bytes_of_bias = _constant(graph, bias.input[0]) * _constant(graph, bias.input[1]) / steps
    _store(
        graph,
        {
            "pixels.step": np.array(step, np.float32),
            "pixels.nothing": np.array(np.rint(mean.flat[0]), np.uint8),
            bias.input[0]: np.rint(bytes_of_bias).astype(np.int32),
            bias.input[1]: steps.astype(np.float32),
        },
    )
    _take_pixels(graph, (subtract, divide, rounded, read), read.output[0])


def _take_pixels(graph: onnx.GraphProto, normalisation: tuple[onnx.NodeProto, ...], result: str) -> None:
    """Replace the nodes of the normalisation by ones that read the input ``PIXELS``."""
    planes = helper.make_node("Transpose", [PIXELS], ["planes"], perm=[0, 3, 1, 2])
    values = helper.make_node("DequantizeLinear", ["planes", "pixels.step", "pixels.nothing"], [result])
    for node in normalisation:
        graph.node.remove(node)
    for node in reversed((planes, values)):
        graph.node.insert(0, node)
    for node in graph.node:  # those that ask for the size of the photo
        node.input[:] = ["planes" if name == "images" else name for name in node.input]
    shape: list[str | int | None] = ["batch", "height", "width", 3]
    graph.input[0].CopyFrom(helper.make_tensor_value_info(PIXELS, onnx.TensorProto.UINT8, shape))
    _clean(graph)


def read_cells(graph: onnx.GraphProto) -> None:
    """Let the first convolution, 3×3 with stride 2, read ``CELL`` pixels of a row as one cell of more channels.

    ONNX Runtime copies the input of each place of a kernel. With three channels that takes longer than the products.
    Two places at once are two sets of channels of one kernel, which is mostly zeros: the same sums in half the time.
    A graph that reads no bytes, or asks for the size of the photo, stays.
    """
    planes = next((node for node in graph.node if PIXELS in node.input), None)
    convolution = _first_convolution(graph, planes) if planes else None
    if planes is None or convolution is None:
        return
    kernel, bias = (_maker(graph, name) for name in convolution.input[1:3])
    weight = _constant(graph, kernel.input[0])
    places = CELL // 2
    repeated = _repeated(graph, [*kernel.input[1:], *bias.input], places)
    changed: Values = {
        kernel.input[0]: _widened(weight, places),
        "pixels.cells": np.array([0, 0, -1, 3 * CELL], np.int64),
        "pixels.places": np.array([0, 0, -1, len(weight)]),
    }
    _store(graph, repeated | changed)
    for name, values in {"kernel_shape": [3, 2], "strides": [2, 1]}.items():
        (attribute,) = (each for each in convolution.attribute if each.name == name)
        attribute.CopyFrom(helper.make_attribute(name, values))
    _part_places(graph, _reader(graph, convolution))
    planes.input[0] = f"{PIXELS}.by_cells"
    graph.node.insert(0, helper.make_node("Reshape", [PIXELS, "pixels.cells"], [f"{PIXELS}.by_cells"]))


def _repeated(graph: onnx.GraphProto, names: list[str], times: int) -> Values:
    """Return the stored vectors of these names repeated; scalars hold for all channels."""
    stored = {name: _stored(graph, name) for name in names}
    return {name: np.tile(values, times) for name, values in stored.items() if values.ndim}


def _first_convolution(graph: onnx.GraphProto, planes: onnx.NodeProto) -> onnx.NodeProto | None:
    """Return the convolution of the photo's planes; None if it is of another form or others read the planes."""
    read = _readers(graph, planes.output[0])
    convolution = _reader(graph, read[0]) if len(read) == 1 else None
    return convolution if convolution is not None and _fits_cells(convolution) else None


def _fits_cells(convolution: onnx.NodeProto) -> bool:
    """Return whether a convolution is 3×3 with stride 2, one group and padding after the last row and column."""
    values = {each.name: helper.get_attribute_value(each) for each in convolution.attribute}
    square = values["kernel_shape"] == [3, 3] and values["strides"] == [2, 2]
    return square and values.get("group", 1) == 1 and values.get("pads") == [0, 0, 1, 1]


def _widened(weight: NDArray[np.float64], places: int) -> NDArray[np.int8]:
    """Return the (places · outputs, 3 · CELL, 3, 2) kernel over cells that holds a kernel at several places."""
    outputs = len(weight)
    wide = np.zeros((places * outputs, 3 * CELL, 3, 2), np.int8)
    for place in range(places):
        for column in range(3):
            cell, inside = divmod(2 * place + column, CELL)
            rows, channels = slice(place * outputs, (place + 1) * outputs), slice(3 * inside, 3 * inside + 3)
            wide[rows, channels, :, cell] = weight[..., column]
    return wide


def _part_places(graph: onnx.GraphProto, rounded: onnx.NodeProto) -> None:
    """Turn the channels of several places, the result of ``rounded``, into columns again."""
    result = rounded.output[0]
    rounded.output[0] = f"{result}.cells"
    apart = [
        helper.make_node("Transpose", [f"{result}.cells"], [f"{result}.rows"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{result}.rows", "pixels.places"], [f"{result}.places"]),
        helper.make_node("Transpose", [f"{result}.places"], [result], perm=[0, 3, 1, 2]),
    ]
    behind = list(graph.node).index(rounded) + 1
    for node in reversed(apart):
        graph.node.insert(behind, node)


def return_small_maps(graph: onnx.GraphProto) -> None:
    """Let a graph of labels return its two maps at their own resolution; the backend enlarges them.

    ``LABELS`` are then the expected labels and ``LIKELIEST`` the likeliest, over the padded photo. A graph that
    returns a density stays.
    """
    enlarged = _enlarged_maps(graph)
    if len(enlarged) != 2:
        return
    small = {node.input[0]: name for node, name in zip(enlarged, (LABELS, LIKELIEST), strict=True)}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [small.get(name, name) for name in names]
    _replace_output(graph)


def _enlarged_maps(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes that enlarge the maps which the output joins; none if it joins other nodes."""
    joined = next((node for node in graph.node if "output" in node.output), None)
    if joined is None or joined.op_type != "Concat":
        return []
    enlarged = [_maker(graph, name) for name in joined.input]
    return enlarged if all(node.op_type == "Resize" for node in enlarged) else []


def _replace_output(graph: onnx.GraphProto) -> None:
    """Put the outputs ``LABELS`` and ``LIKELIEST`` in place of ``output``."""
    others = [each for each in graph.output if each.name != "output"]
    del graph.output[:]
    for name in (LABELS, LIKELIEST):
        shape: list[str | int | None] = ["batch", 1, f"{name}_rows", f"{name}_columns"]
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    graph.output.extend(others)
    _clean(graph)


def _readers(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    return [node for node in graph.node if name in node.input]


def _reader(graph: onnx.GraphProto, node: onnx.NodeProto) -> onnx.NodeProto:
    """Return the only node that reads another one's first result."""
    (reader,) = _readers(graph, node.output[0])
    return reader


def _maker(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    made: onnx.NodeProto = next(node for node in graph.node if name in node.output)
    return made


def _stored(graph: onnx.GraphProto, name: str) -> NDArray[Any]:
    """Return the values of an initialiser or of a Constant node."""
    stored = next((each for each in graph.initializer if each.name == name), None)
    return np.asarray(numpy_helper.to_array(_maker(graph, name).attribute[0].t if stored is None else stored))


def _constant(graph: onnx.GraphProto, name: str) -> NDArray[np.float64]:
    return _stored(graph, name).astype(np.float64)


def _store(graph: onnx.GraphProto, values: Values) -> None:
    """Store values as initialisers, in place of those of the same names."""
    for each in [each for each in graph.initializer if each.name in values]:
        graph.initializer.remove(each)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in values.items())


def _clean(graph: onnx.GraphProto) -> None:
    """Remove nodes and initialisers that nothing reads, and the recorded shapes, which changed."""
    del graph.value_info[:]
    wanted = {each.name for each in graph.output}
    for node in reversed(list(graph.node)):
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)
    for each in [each for each in graph.initializer if each.name not in wanted]:
        graph.initializer.remove(each)
