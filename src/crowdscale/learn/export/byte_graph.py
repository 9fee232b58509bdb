"""What an 8-bit graph is rewritten to once its ranges are known: it reads a photo's bytes, in cells, and tells small maps.

None of that changes what the graph says; each saves time of ONNX Runtime (measured in docs/speed.md). And its weights
are put in steps with which every processor computes the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from crowdscale.backends import LABELS, LIKELIEST, PIXELS

__all__ = ["leave_room", "read_bytes", "read_cells", "tell_small_maps"]

CELL = 4
"""Pixels of a row that the first convolution takes at a time."""


ROOM = 128
"""What two neighbouring weights may add up to: 255 · 128 < 2¹⁵, the sum of two products of bytes on x86 without VNNI."""


def leave_room(graph: onnx.GraphProto, original: onnx.GraphProto) -> None:
    """Store weights in steps of which no two that are added in 16 bits overflow, as fine as that allows.

    Processors without VNNI multiply bytes in pairs, neighbours among the inputs of a place, and cut their sum off at 16
    bits. 7 bits a weight are safe but twice as coarse; instead each output channel gets the finest step at which no
    pair of its weights exceeds ``ROOM``: 7.7 bits in the mean of ``lite-int8``. Depthwise convolutions add no pairs: they are left.

    Args:
        graph: A graph of quantised convolutions, their weights in 8 bits.
        original: The float graph it was made of, its nodes of the same names.
    """
    floats = {node.name: node.input[1] for node in original.node if node.op_type == "Conv"}
    quantised = [node for node in graph.node if node.op_type == "Conv" and node.name in floats]
    for node in quantised:
        kernel = next((each for each in graph.node if node.input[1] in each.output), None)
        if kernel is None or kernel.op_type != "DequantizeLinear":
            continue  # stays in floats
        weight = _constant(original, floats[node.name])
        groups = next((each.i for each in node.attribute if each.name == "group"), 1)
        if groups > 1 and weight.shape[1] == 1:
            continue
        largest = np.abs(weight).reshape(len(weight), -1).max(1) / 127
        steps = np.maximum(largest, _pair_sums(weight).max(1) / (ROOM - 0.01))  # less: both are rounded
        before = _constant(graph, kernel.input[1])
        biases = [_maker(graph, name) for name in node.input[2:]]
        for bias in biases:  # steps of a channel with hardly any weight must hold its bias still
            steps = np.maximum(steps, np.abs(_constant(graph, bias.input[0])) * before / 2**30)
        steps = np.where(steps > np.finfo(np.float32).tiny, steps, 1).astype(np.float32)
        values = {
            kernel.input[0]: np.rint(weight / steps[:, None, None, None]).astype(np.int8),
            kernel.input[1]: steps,
        }
        for bias in biases:
            values[bias.input[0]] = np.rint(_constant(graph, bias.input[0]) * before / steps).astype(np.int32)
            values[bias.input[1]] = (_constant(graph, bias.input[1]) * steps / before).astype(np.float32)
        _store(graph, values)


def _pair_sums(weight: NDArray[Any]) -> NDArray[np.float64]:
    """Return what neighbouring weights of one sign add up to, (outputs, pairs), in the order in which they are multiplied.

    That order is row, column, input channel. Pairs start at every second one; where the inputs are odd in number, as of
    the first convolution, which is rearranged, at every one.
    """
    order = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1).astype(np.float64)
    order = np.pad(order, ((0, 0), (0, 2 - order.shape[1] % 2)))
    step = 1 if weight.shape[1] % 2 else 2
    first, second = order[:, :-1:step], order[:, 1::step]
    above, below = (np.maximum(s * first, 0) + np.maximum(s * second, 0) for s in (1, -1))
    sums: NDArray[np.float64] = np.maximum(above, below)
    return sums


def read_bytes(graph: onnx.GraphProto) -> None:
    """Let a graph read a photo's bytes, (n, h, w, 3), where its normalisation is one byte for nothing and one step.

    The first convolution then takes them as they are: less work, and no rounding. Where the channels differ it is left.
    """
    subtract = next(node for node in graph.node if "images" in node.input and node.op_type == "Sub")
    (divide,) = _readers(graph, subtract.output[0])
    (rounded,) = _readers(graph, divide.output[0])
    (read,) = _readers(graph, rounded.output[0])
    mean, std = (_constant(graph, node.input[1]) * 255 for node in (subtract, divide))
    if np.ptp(mean) or np.ptp(std) or abs(mean.flat[0] - np.rint(mean.flat[0])) > 1e-3:
        return
    step = 1 / std.flat[0]
    (convolution,) = _readers(graph, read.output[0])
    kernel, bias = (_maker(graph, name) for name in convolution.input[1:3])
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
    planes = helper.make_node("Transpose", [PIXELS], ["planes"], perm=[0, 3, 1, 2])
    values = helper.make_node(
        "DequantizeLinear", ["planes", "pixels.step", "pixels.nothing"], read.output[:1]
    )
    for node in (subtract, divide, rounded, read):
        graph.node.remove(node)
    for node in reversed((planes, values)):
        graph.node.insert(0, node)
    for node in graph.node:  # those that ask for the size of the photo
        node.input[:] = ["planes" if name == "images" else name for name in node.input]
    shape: list[str | int | None] = ["batch", "height", "width", 3]
    graph.input[0].CopyFrom(helper.make_tensor_value_info(PIXELS, onnx.TensorProto.UINT8, shape))
    _clean(graph)


def read_cells(graph: onnx.GraphProto) -> None:
    """Let the first convolution, 3×3 with stride 2, take ``CELL`` pixels of a row as one with as many times the channels.

    ONNX Runtime copies what each place of a kernel sees; of three channels that takes longer than the products. Two
    places at once are two sets of channels of one kernel, which is mostly zeros: the same sums in half the time. Where
    the graph reads no bytes, or asks for the size of the photo, it is left.
    """
    planes = next((node for node in graph.node if PIXELS in node.input), None)
    read = _readers(graph, planes.output[0]) if planes else []
    if planes is None or len(read) != 1:
        return
    (convolution,) = _readers(graph, read[0].output[0])
    known = {each.name: helper.get_attribute_value(each) for each in convolution.attribute}
    square = known["kernel_shape"] == [3, 3] and known["strides"] == [2, 2] and known.get("group", 1) == 1
    if not square or known.get("pads") != [0, 0, 1, 1]:
        return
    places = CELL // 2
    kernel, bias = (_maker(graph, name) for name in convolution.input[1:3])
    weight = _constant(graph, kernel.input[0])
    outputs = len(weight)
    wide = np.zeros((places * outputs, 3 * CELL, 3, 2), np.int8)
    for place in range(places):
        for column in range(3):
            cell, inside = divmod(2 * place + column, CELL)
            rows, channels = slice(place * outputs, (place + 1) * outputs), slice(3 * inside, 3 * inside + 3)
            wide[rows, channels, :, cell] = weight[..., column]
    repeated = {
        name: np.tile(_stored(graph, name), places)
        for name in [*kernel.input[1:], *bias.input]
        if _stored(graph, name).ndim
    }
    cells = np.array([0, 0, -1, 3 * CELL], np.int64)
    _store(
        graph,
        repeated
        | {kernel.input[0]: wide, "pixels.cells": cells, "pixels.places": np.array([0, 0, -1, outputs])},
    )
    for name, values in {"kernel_shape": [3, 2], "strides": [2, 1]}.items():
        (attribute,) = (each for each in convolution.attribute if each.name == name)
        attribute.CopyFrom(helper.make_attribute(name, values))
    (rounded,) = _readers(graph, convolution.output[0])
    told = rounded.output[0]
    rounded.output[0] = f"{told}.cells"
    planes.input[0] = f"{PIXELS}.by_cells"
    apart = [
        helper.make_node("Transpose", [f"{told}.cells"], [f"{told}.rows"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{told}.rows", "pixels.places"], [f"{told}.places"]),
        helper.make_node("Transpose", [f"{told}.places"], [told], perm=[0, 3, 1, 2]),
    ]
    behind = list(graph.node).index(rounded) + 1
    for node in reversed(apart):
        graph.node.insert(behind, node)
    graph.node.insert(0, helper.make_node("Reshape", [PIXELS, "pixels.cells"], [f"{PIXELS}.by_cells"]))


def tell_small_maps(graph: onnx.GraphProto) -> None:
    """Let a graph of labels tell its two maps as small as it has them; who reads them enlarges them.

    ``LABELS`` are then the expected labels and ``LIKELIEST`` the likeliest, over the padded photo. A graph that
    tells a density is left.
    """
    joined = next((node for node in graph.node if "output" in node.output), None)
    if joined is None or joined.op_type != "Concat" or len(joined.input) != 2:
        return
    enlarged = [_maker(graph, name) for name in joined.input]
    if any(node.op_type != "Resize" for node in enlarged):
        return
    small = {node.input[0]: name for node, name in zip(enlarged, (LABELS, LIKELIEST), strict=True)}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [small.get(name, name) for name in names]
    others = [each for each in graph.output if each.name != "output"]
    del graph.output[:]
    for name in (LABELS, LIKELIEST):
        shape: list[str | int | None] = ["batch", 1, f"{name}_rows", f"{name}_columns"]
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    graph.output.extend(others)
    _clean(graph)


def _readers(graph: onnx.GraphProto, name: str) -> list[onnx.NodeProto]:
    return [node for node in graph.node if name in node.input]


def _maker(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    made: onnx.NodeProto = next(node for node in graph.node if name in node.output)
    return made


def _stored(graph: onnx.GraphProto, name: str) -> NDArray[Any]:
    """The values of an initialiser or of a Constant node."""
    stored = next((each for each in graph.initializer if each.name == name), None)
    return np.asarray(numpy_helper.to_array(_maker(graph, name).attribute[0].t if stored is None else stored))


def _constant(graph: onnx.GraphProto, name: str) -> NDArray[np.float64]:
    return _stored(graph, name).astype(np.float64)


def _store(graph: onnx.GraphProto, values: dict[str, NDArray[Any]]) -> None:
    """Keep values as initialisers, in place of those of the same names."""
    for each in [each for each in graph.initializer if each.name in values]:
        graph.initializer.remove(each)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in values.items())


def _clean(graph: onnx.GraphProto) -> None:
    """Remove what nothing reads any more, and shapes that were noted of what changed."""
    del graph.value_info[:]
    wanted = {each.name for each in graph.output}
    for node in reversed(list(graph.node)):
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)
    for each in [each for each in graph.initializer if each.name not in wanted]:
        graph.initializer.remove(each)
