"""A model in 8 bits: it says so, counts like its original on what it was calibrated on, and runs anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import crowdscale  # noqa: E402
from crowdscale.backends import open_backend  # noqa: E402
from crowdscale.backends.graphs import PIXELS, network_input, padded_input  # noqa: E402
from crowdscale.counting.predictor import PredictOptions  # noqa: E402
from crowdscale.data.folder import Folder  # noqa: E402
from crowdscale.errors import DataError, ModelError, OptionError  # noqa: E402
from crowdscale.files.images import read_image, write_image  # noqa: E402
from crowdscale.learn.export import quantization  # noqa: E402
from crowdscale.learn.export.byte_graph import leave_room, read_cells, return_small_maps  # noqa: E402
from crowdscale.learn.export.quantization import QuantizeOptions, quantize_folder  # noqa: E402
from crowdscale.learn.store import WEIGHTS, build_model, load_weights  # noqa: E402
from crowdscale.models.description import read_config  # noqa: E402
from crowdscale.models.finding import find_model  # noqa: E402

PHOTO = read_image(Path(__file__).parents[2] / "examples" / "auditorium.jpg").pixels


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number, left in enumerate((500, 800)):
        write_image(folder / f"{number}.png", np.ascontiguousarray(PHOTO[400:592, left : left + 192]))
        (folder / f"{number}.csv").write_text("x,y\n5,5\n")
    return Folder(folder).samples


@pytest.fixture(scope="module")
def small(bundled, samples, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "lite8"
    return out, quantize_folder(find_model(bundled), out, samples, QuantizeOptions(crop=192))


def test_folder_describes_itself(small, bundled):
    config = read_config(small[0])  # the sha256 of each file is checked
    assert (config.precision, config.name) == ("int8", "lite-int8")
    assert config.training["quantised"]["photos"] == 2
    assert "validation" not in config.training
    assert (config.calibration, config.familiar, config.notes) == (None, None, {})  # not of this graph
    assert sorted(config.files) == ["network.onnx", "scale.onnx"]
    original = find_model(bundled) / "network.onnx"
    assert (small[0] / "network.onnx").stat().st_size < 0.65 * original.stat().st_size


def test_convolutions_are_whole_numbers_but_not_what_counts(small):
    graph = onnx.load(small[0] / "network.onnx").graph
    made = {output for node in graph.node for output in node.output}
    exact = [node.name for node in graph.node if node.op_type == "Conv" and node.input[1] not in made]
    assert sum(name.startswith("/mixers") for name in exact) == 5
    assert "/block_head/layers/layers.3/Conv" in exact
    assert not any(name.startswith("/backbone") for name in exact)
    assert sum(node.op_type == "DequantizeLinear" for node in graph.node) > 100


def test_weights_leave_room_for_sums_of_16_bits(small):
    graph = onnx.load(small[0] / "network.onnx").graph
    made = {output: node for node in graph.node for output in node.output}
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    dense, fine = 0, 0
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in made:
            continue
        kernel = stored[made[node.input[1]].input[0]]
        if kernel.shape[1] == 1:  # depthwise: no pairs are added
            continue
        # as they are multiplied: row, column, input channel; every second place begins a pair
        order = kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1).astype(int)
        assert order.shape[1] % 2 == 0
        pairs = order.reshape(len(kernel), -1, 2)
        products = [np.where(sign * pairs > 0, pairs, 0).sum(2) * 255 for sign in (1, -1)]
        assert -(2**15) <= products[1].min() <= products[0].max() < 2**15
        dense += 1
        fine += np.abs(order).max(1).mean() > 90  # weights of 7 bits end at 64
    assert dense > 40
    assert fine > 0.9 * dense


def test_weights_are_in_the_finest_steps_that_leave_room():
    weight = np.zeros((4, 4, 1, 1), np.float32)
    weight[0, :, 0, 0] = 1, 1, 0, 0  # both of one pair
    weight[1, :, 0, 0] = 1, -1, 0, 0  # of opposite signs
    weight[2, :, 0, 0] = 0, 1, 1, 0  # of two pairs
    stored = quantised(weight)
    assert stored["w.whole"][:3, :, 0, 0].tolist() == [[64, 64, 0, 0], [127, -127, 0, 0], [0, 127, 127, 0]]
    biases = stored["b.whole"] * stored["b.steps"].astype(float)
    assert biases == pytest.approx([0.5, 0.5, 0.5, 2**29 * 0.5 / 127], rel=0.01)  # said as before


def quantised(weight, groups=1):
    """The initialisers of a quantised convolution of four outputs once room is left in it."""
    float_graph, graph = (onnx.helper.make_graph([], "g", [], []) for _ in range(2))
    known = {
        "w.steps": np.full(4, 1 / 127, np.float32),
        "b.whole": np.array([127, 127, 127, 2**29], np.int32),
        "b.steps": np.full(4, 0.5 / 127, np.float32),
        "w.whole": np.rint(weight * 127).astype(np.int8),
    }
    graph.initializer.extend(onnx.numpy_helper.from_array(values, name) for name, values in known.items())
    node = onnx.helper.make_node("Conv", ["x", "w", "b"], ["y"], "conv", group=groups)
    graph.node.extend(
        [
            onnx.helper.make_node("DequantizeLinear", ["w.whole", "w.steps"], ["w"]),
            onnx.helper.make_node("DequantizeLinear", ["b.whole", "b.steps"], ["b"]),
            node,
        ]
    )
    float_graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    float_graph.node.append(node)
    leave_room(graph, float_graph)
    return {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}


@pytest.mark.parametrize(
    ("inputs", "groups", "largest"),
    [(1, 1, 64), (1, 4, 127), (3, 1, 64), (4, 1, 127)],
    ids=["one input", "depthwise", "odd: any two", "even: pairs alone"],
)
def test_what_is_added_in_pairs_leaves_room(inputs, groups, largest):
    weight = np.zeros((4, inputs, 3, 3), np.float32)
    order = weight.transpose(0, 2, 3, 1).reshape(4, -1)  # as they are multiplied
    order[:, 1:3] = 1  # neighbours, the second of one pair and the first of the next
    weight = order.reshape(4, 3, 3, inputs).transpose(0, 3, 1, 2)
    stored = quantised(weight, groups)
    assert np.abs(stored["w.whole"].astype(int)).max() == largest


def test_reads_the_bytes_of_a_photo_as_they_are(small, bundled):
    config = read_config(small[0])
    eight, full = (
        open_backend("onnx", folder, read_config(folder)) for folder in (small[0], find_model(bundled))
    )
    assert eight.input.name == PIXELS
    crop = np.ascontiguousarray(PHOTO[400:497, 500:601])  # of no whole strides: padded with the mean colour
    bytes_, planes = network_input(PIXELS, [crop, crop], config), padded_input([crop, crop], config)
    assert np.abs(bytes_.transpose(0, 3, 1, 2) / 255 - planes).max() < 1e-6
    ours, theirs = eight.predict(crop), full.predict(crop)
    assert ours.output.shape == (2, 49, 51)
    assert ours.size == theirs.size == (97, 101)
    assert ours.enlarged().output.shape == theirs.output.shape == (2, 97, 101)
    assert np.abs(ours.enlarged().output[0] - theirs.output[0]).mean() < 0.5
    together = eight.predict_batch([crop, crop[::-1]])
    assert np.array_equal(together[0].output, ours.output)


def test_cells_and_small_maps_change_nothing_that_is_said(small, bundled, samples, tmp_path, monkeypatch):
    for name in ("read_cells", "return_small_maps"):
        monkeypatch.setattr(quantization, name, lambda graph: None)
    quantize_folder(find_model(bundled), tmp_path / "plain", samples, QuantizeOptions(crop=192))
    engines = [open_backend("onnx", f, read_config(f)) for f in (small[0], tmp_path / "plain")]
    assert [engine.maps for engine in engines] == [["labels", "likeliest"], ["output"]]
    graph = onnx.load(small[0] / "network.onnx").graph
    first = next(node for node in graph.node if node.op_type == "Conv")
    made = {output: node for node in graph.node for output in node.output}
    stored = {each.name: each for each in graph.initializer}
    assert list(stored[made[first.input[1]].input[0]].dims) == [64, 12, 3, 2]
    assert not any(node.op_type == "Shape" and "planes" in node.input for node in graph.node)
    for crop in (PHOTO[400:528, 500:660], PHOTO[400:497, 500:601]):  # of whole strides, and padded
        ours, theirs = (engine.predict(np.ascontiguousarray(crop)) for engine in engines)
        assert np.array_equal(ours.blocks, theirs.blocks)
        assert np.allclose(ours.features, theirs.features, atol=1e-5)
        assert (ours.cell, theirs.cell) == (2, 1)
        whole = ours.enlarged()
        assert (whole.cell, whole.size, theirs.enlarged()) == (1, crop.shape[:2], theirs)
        assert whole.output.shape == theirs.output.shape == (2, *crop.shape[:2])
        assert np.allclose(whole.output[0], theirs.output[0], atol=1e-5)
        assert np.array_equal(whole.output[1], theirs.output[1])


def test_a_graph_of_another_kind_is_left_as_it_is(bundled):
    helper = onnx.helper
    density = helper.make_graph(
        [
            helper.make_node("Transpose", [PIXELS], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["planes"], ["numbers"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Shape", ["planes"], ["size"]),
            helper.make_node("Resize", ["numbers", "", "", "size"], ["output"]),
        ],
        "density",
        [helper.make_tensor_value_info(PIXELS, onnx.TensorProto.UINT8, None)],
        [helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, None)],
    )
    for graph in (density, onnx.load(find_model(bundled) / "network.onnx").graph):
        before = graph.SerializeToString()
        read_cells(graph)
        assert graph.SerializeToString() == before
    before = density.SerializeToString()
    return_small_maps(density)
    assert density.SerializeToString() == before


def test_counts_like_the_original(small, bundled, samples):
    assert 0 <= small[1] < 0.1
    as_calibrated = PredictOptions(read_scale=1)
    # By default such small photos are read enlarged, beyond the ranges of two crops.
    for options, nearness in ((as_calibrated, 0.02), (None, 0.1)):
        predictors = [crowdscale.load(model, options=options) for model in (small[0], bundled)]
        people = [sum(each.predict(s.read()).first_pass_count for s in samples) for each in predictors]
        assert people[0] == pytest.approx(people[1], rel=nearness)


def test_what_cannot_be_quantised_is_said(small, bundled, samples, tmp_path):
    with pytest.raises(ModelError, match="float32 model"):
        quantize_folder(small[0], tmp_path, samples)
    with pytest.raises(ModelError, match="float32 model for the backend torch"):
        crowdscale.load(small[0], backend="torch")
    model = build_model(read_config(find_model(bundled)))
    with pytest.raises(ModelError, match="one in 8 bits has none"):
        load_weights(model, small[0] / WEIGHTS)
    with pytest.raises(DataError, match="calibrate"):
        quantize_folder(find_model(bundled), tmp_path, [])
    with pytest.raises(OptionError, match="apart"):
        quantize_folder(small[0], small[0], samples)
