"""The bridge: a trained AutoScale → ONNX graphs with dynamic height and width, checked against torch."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from crowdscale.backends.onnx import OnnxBackend
from crowdscale.data.sample import Sample
from crowdscale.errors import ModelError
from crowdscale.files.writing import write_atomic
from crowdscale.learn.backend import TorchBackend
from crowdscale.learn.export.graph import ServedNetwork
from crowdscale.learn.export.weight_steps import whole_steps
from crowdscale.learn.model import AutoScale
from crowdscale.learn.store import WEIGHTS, build_model, halved, load_weights, write_description
from crowdscale.maps.regions import POOLED
from crowdscale.models.description import ModelConfig, read_config

__all__ = ["CHECK_SIZES", "Difference", "check_equality", "describe_folder", "export_folder", "export_model"]

CHECK_SIZES = ((97, 131), (256, 256), (333, 200), (480, 641), (1, 1), (511, 767))
"""(height, width) at which exported and original are compared; none is the size exported at."""

GRAPHS = ("network.onnx", "scale.onnx")
"""Files that are written here, so they may be missing or of other weights before."""

OPSET = 18


@dataclass(frozen=True)
class Difference:
    """Largest absolute differences between an exported and an original model over the checked photos."""

    output: float
    features: float
    area_factor: float
    blocks: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.output:.1e} in the map, {self.features:.1e} in the features, "
            f"{self.area_factor:.1e} in zoom_area, {self.blocks:.1e} in the blocks"
        )


def describe_folder(
    folder: Path, name: str = "", licence: str = "", method: str = "", dots: bool | None = None
) -> None:
    """Change the description of a model folder. Empty or None keeps a value.

    Args:
        folder: The model folder.
        name: Name of the model.
        licence: Terms of use.
        method: How its maps are read, such as ``hybrid``.
        dots: Whether a density's local maxima count as heads.

    Raises:
        OptionError: The method does not fit this model, or local maxima are asked of a model without a density.
    """
    config = read_config(folder, apart=GRAPHS)
    config = replace(config, name=name or config.name, licence=licence or config.licence)
    config = config.read_as(method) if method else config
    if dots is not None:
        config = replace(config, codec=config.codec.with_dots(dots))
    write_description(config, folder, tuple(name for name in config.files if (folder / name).is_file()))


def export_folder(folder: Path, samples: Sequence[Sample]) -> Difference:
    """Write the graphs of a model folder from its weights, and compare them with torch at ``CHECK_SIZES``.

    Args:
        folder: A model folder with ``weights.safetensors`` and its description.
        samples: Photos to compare on, resized to the sizes in turn; noise where there are none.

    Raises:
        ModelError: Exported and original differ.
    """
    config = read_config(folder, apart=GRAPHS)
    model = build_model(config)
    load_weights(model, folder / WEIGHTS)
    export_model(model, config, folder)
    random = np.random.default_rng(0)
    photos = [sample.read() for sample in samples[: len(CHECK_SIZES)]]
    photos = photos or [random.integers(0, 256, (128, 128, 3)).astype(np.uint8)]
    resized = [cv2.resize(photos[i % len(photos)], (w, h)) for i, (h, w) in enumerate(CHECK_SIZES)]
    return check_equality(folder, [np.asarray(photo, np.uint8) for photo in resized])


def export_model(model: AutoScale, config: ModelConfig, folder: Path) -> ModelConfig:
    """Write ``network.onnx`` and ``scale.onnx`` beside the folder's weights, and the description.

    Weights are stored as float16, or as int8 and steps (``research.shrink.compact``). A backend turns them into float32
    when it loads the graph.

    Returns:
        The description, with the sha256 of each file.
    """
    model = model.eval().cpu().float()
    hybrid = config.codec.counts_blocks
    _write_graph(
        ServedNetwork(model.network, hybrid),
        torch.rand(1, 3, 192, 224),
        ("images",),
        ("output", "features", *(("blocks",) if hybrid else ())),
        folder / "network.onnx",
    )
    names = ["network.onnx", WEIGHTS]
    if config.refines:
        pooled = torch.rand(1, model.network.feature_channels, POOLED, POOLED)
        _write_graph(model.scale_net, pooled, ("pooled",), ("area_factor",), folder / "scale.onnx")
        names.append("scale.onnx")
    return write_description(config, folder, tuple(sorted(names)))


def _write_graph(
    module: nn.Module, example: Tensor, inputs: tuple[str], outputs: tuple[str, ...], path: Path
) -> None:
    dynamic = {0: "batch", 2: "height", 3: "width"} if inputs == ("images",) else {}
    blocks = {0: "batch", 1: "rows", 2: "columns"}
    free = {n: blocks if n == "blocks" else dynamic for n in (*inputs, *outputs)}
    # Without gradients normalisation stays a layer of its own; folded into weights, float16 would round it.
    with torch.no_grad(), tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes; check_equality judges the graph
        raw = str(Path(scratch) / "graph.onnx")
        torch.onnx.export(
            module,
            (example,),
            raw,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=free if dynamic else None,
            opset_version=OPSET,
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # a folded normalisation would round otherwise
        )
        graph = onnx.load(raw)
    _store_small(graph)
    data = graph.SerializeToString()
    write_atomic(path, lambda stream: stream.write(data))


def _store_small(graph: onnx.ModelProto) -> None:
    """Store large float32 initialisers as float16, or as int8 and steps where that loses nothing.

    The nodes that turn them into float32 come first; backends fold them when they load the graph.
    """
    nodes: list[onnx.NodeProto] = []
    for initialiser in list(graph.graph.initializer):
        small = np.prod(initialiser.dims) < 64 or initialiser.name.startswith("mixers.")
        if initialiser.data_type != TensorProto.FLOAT or small:
            continue  # a product of weights would be rounded once more than torch's
        name = initialiser.name
        weight = torch.from_numpy(numpy_helper.to_array(initialiser).copy())
        if held := whole_steps(weight):
            numbers, steps = held
            initialiser.CopyFrom(numpy_helper.from_array(numbers.numpy(), f"{name}.int8"))
            graph.graph.initializer.append(numpy_helper.from_array(steps.numpy(), f"{name}.steps"))
            nodes.append(
                helper.make_node("Cast", [f"{name}.int8"], [f"{name}.numbers"], to=TensorProto.FLOAT)
            )
            nodes.append(helper.make_node("Mul", [f"{name}.numbers", f"{name}.steps"], [name]))
        elif (half := halved(weight)).dtype == torch.float16:
            initialiser.CopyFrom(numpy_helper.from_array(half.numpy(), f"{name}.float16"))
            nodes.append(helper.make_node("Cast", [f"{name}.float16"], [name], to=TensorProto.FLOAT))
    for node in reversed(nodes):
        graph.graph.node.insert(0, node)


def check_equality(folder: Path, photos: list[NDArray[np.uint8]], tolerance: float = 2e-3) -> Difference:
    """Compare a folder's ONNX graphs with torch on the photos and return the largest differences.

    Args:
        folder: A model folder.
        photos: (h, w, 3) RGB uint8 each.
        tolerance: Largest difference of the expected label, the density or the factor that passes.

    Raises:
        ModelError: They differ by more.
    """
    config = read_config(folder)
    exported, original = OnnxBackend(folder, config), TorchBackend(folder, config)
    worst = np.zeros(4)
    for photo in photos:
        ours, theirs = exported.predict(photo), original.predict(photo)
        # Channel 1, where there is one, is an arg-max: equal scores may fall either way.
        gaps = [
            np.abs(ours.output[0] - theirs.output[0]).max(),
            np.abs(ours.features - theirs.features).max(),
            0.0,
            0.0,
        ]
        if ours.blocks is not None and theirs.blocks is not None:
            gaps[3] = np.abs(ours.blocks - theirs.blocks).max()
        if config.refines:
            pooled = theirs.features[:, :1, :1].repeat(POOLED, 1).repeat(POOLED, 2)
            gaps[2] = abs(exported.area_factor(pooled) - original.area_factor(pooled))
        worst = np.maximum(worst, gaps)
    if not worst[[0, 2, 3]].max(initial=0) <= tolerance:
        raise ModelError(f"expected exported and original to agree within {tolerance}", f"{worst.tolist()}")
    return Difference(*(float(value) for value in worst))
