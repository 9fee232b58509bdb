"""A model without its finest level: counts as before, dots nearly so, taught by the whole one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from crowdscale import PredictOptions, load
from crowdscale.backends import open_backend
from crowdscale.cli.main import app
from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, OptionError
from crowdscale.files.images import read_image, write_image
from crowdscale.learn.export.graph import infer
from crowdscale.learn.export.onnx import export_folder
from crowdscale.learn.export.quantization import QuantizeOptions, quantize_folder
from crowdscale.learn.losses.labels import mean_label_loss
from crowdscale.learn.networks.backbones import VGG16, Nano
from crowdscale.learn.networks.fpn import CountingNetwork, SubpixelHead
from crowdscale.learn.store import build_model, load_weights, read_weights
from crowdscale.models.description import read_config
from crowdscale.points import Points
from research.shrink import channels, distillation
from research.shrink.distill import app as distill_app
from research.shrink.distillation import PROGRESS, DistillOptions, _label_loss, distill_model
from research.shrink.narrowing import narrow_model

PHOTO = Path(__file__).parents[3] / "examples" / "auditorium.jpg"
QUICK = DistillOptions(channels=8, crops=16, views=4, crop=96, batch=4, scale_steps=5)


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Parts of a real photo, in which there are dense regions; where heads are does not matter."""
    root, pixels = tmp_path_factory.mktemp("photos"), read_image(PHOTO).pixels
    found = []
    for number, left in enumerate((640, 800, 1000)):
        path = root / f"part_{number}.png"
        write_image(path, np.ascontiguousarray(pixels[400:592, left : left + 256]))
        path.with_suffix(".csv").write_text("x,y\n10,10\n30,40\n")
        found.append(Sample(path.stem, path, Points(np.array([[10.0, 10.0], [30.0, 40.0]]))))
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The model that the bundled nano was distilled from, with graphs."""
    folder = tmp_path_factory.mktemp("models") / "whole"
    shutil.copytree(PHOTO.parents[1] / "models" / "nano-whole", folder)
    export_folder(folder, [])
    return folder


@pytest.fixture(scope="module")
def distilled(tmp_path_factory, samples, whole):
    folder = tmp_path_factory.mktemp("models") / "quick"
    config = distill_model(str(whole), samples, folder, QUICK, quiet)
    assert max(vars(export_folder(folder, [])).values()) < 1e-3
    assert not (folder / PROGRESS).exists()
    return folder, config


def opened(folder):
    config = read_config(folder)
    model = build_model(config)
    load_weights(model, folder / "weights.safetensors")
    return model.eval()


def test_head_tells_what_quarters_differ_by():
    head = SubpixelHead(3, 5)
    expected = torch.tensor([[[[1.0, 2.0]]]])
    assert head(torch.rand(1, 3, 1, 2), expected).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]
    with torch.no_grad():
        head.layers[2].bias.copy_(torch.tensor([0.0, 0.1, 0.2, 0.3]))
    found = head(torch.zeros(1, 3, 1, 2), expected)[0, 0]
    assert found.flatten().tolist() == pytest.approx([1, 1.1, 2, 2.1, 1.2, 1.3, 2.2, 2.3])


def test_description_says_what_is_left(distilled, whole):
    folder, config = distilled
    before = read_config(whole)
    assert config.subpixel == 8
    assert config.widths == before.widths[1:]
    assert config.feature_stride == 16
    assert config.feature_channels == before.feature_channels - before.widths[0]
    assert config.training["distilled"]["from"] == before.name
    assert config.training["distilled"]["crops"] == 16
    assert config.calibration is None
    assert read_config(folder).subpixel == 8


def test_first_look_counts_as_the_whole_model(distilled, whole):
    pixels = np.ascontiguousarray(read_image(PHOTO).pixels[300:556, 700:1020])
    theirs, ours = (open_backend("onnx", f, read_config(f)).predict(pixels) for f in (whole, distilled[0]))
    assert np.allclose(theirs.blocks, ours.blocks, atol=1e-3)
    assert ours.output.shape == theirs.output.shape
    by_torch = open_backend("torch", distilled[0], read_config(distilled[0])).predict(pixels)
    assert np.abs(by_torch.output[0] - ours.output[0]).max() < 1e-3
    assert ours.features.shape[1:] == (16, 20)
    seen = load(distilled[0]).predict(pixels)
    assert seen.count > 0
    assert seen.map.shape == load(whole).predict(pixels).map.shape  # in cells of 8 pixels, as ever


def test_in_8_bits_the_end_of_the_head_stays_float32(distilled, samples, tmp_path):
    onnx = pytest.importorskip("onnx")
    quantize_folder(distilled[0], tmp_path / "int8", samples, QuantizeOptions(photos=2, crop=96))
    graph = onnx.load(tmp_path / "int8" / "network.onnx").graph
    made = {name: node for node in graph.node for name in node.output}
    kept = {each.name: each.data_type for each in graph.initializer}
    first, last = (
        next(n for n in graph.node if n.name.startswith(f"/subpixel/layers/layers.{place}/Conv"))
        for place in (0, 2)
    )
    assert made[first.input[1]].op_type == "DequantizeLinear"
    assert kept[last.input[1]] == onnx.TensorProto.FLOAT
    pixels = read_image(PHOTO).pixels[300:556, 700:1020]
    by = [
        open_backend("onnx", f, read_config(f)).predict(np.ascontiguousarray(pixels))
        for f in (distilled[0], tmp_path / "int8")
    ]
    assert np.abs(by[0].output[0] - by[1].enlarged().output[0]).mean() < 0.5


def test_what_people_are_counted_by_is_not_touched(distilled, whole):
    before, after = (read_weights(f / "weights.safetensors") for f in (whole, distilled[0]))
    same = [name for name in after if name.startswith(("network.backbone", "network.block_head"))]
    same += [name for name in after if name.startswith(("network.levels.1", "network.levels.2"))]
    for name in same:
        place = name.split(".")
        if place[1] == "levels":
            place[2] = str(int(place[2]) + 1)
        assert torch.equal(after[name], before[".".join(place)]), name
    assert len(same) > 100
    assert not torch.equal(after["network.levels.0.side.weight"], before["network.levels.1.side.weight"])


def test_finest_level_is_narrowed_where_asked(tmp_path, samples, distilled, whole, monkeypatch):
    monkeypatch.setattr(channels, "CROPS", 3)
    monkeypatch.setattr(channels, "PIXELS", 2000)
    width = distilled[1].widths[0] // 2
    told = {}
    config = distill_model(
        whole,
        samples,
        tmp_path / "slim",
        replace(QUICK, width=width),
        lambda what, *how: told.setdefault(what, how),
    )
    assert config.widths == (width, *distilled[1].widths[1:])
    assert config.training["distilled"]["width"] == width
    assert max(vars(export_folder(tmp_path / "slim", [])).values()) < 1e-3
    pixels = np.ascontiguousarray(read_image(PHOTO).pixels[300:556, 700:1020])
    folders = (distilled[0], tmp_path / "slim")
    wide, slim = (open_backend("onnx", f, read_config(f)).predict(pixels) for f in folders)
    assert np.array_equal(wide.blocks, slim.blocks)  # people are counted by coarser levels
    assert np.corrcoef(wide.output[0].ravel(), slim.output[0].ravel())[0, 1] > 0.9
    with pytest.raises(OptionError, match=f"expected --width of at most {2 * width}, but got {3 * width}"):
        distill_model(whole, samples, tmp_path / "x", replace(QUICK, width=3 * width), quiet)


@pytest.mark.slow
def test_labels_come_nearer_and_factors_too(tmp_path, samples, whole):
    longer = replace(QUICK, crops=160, scale_steps=60)
    told: dict[str, list[str]] = {}
    distill_model(whole, samples, tmp_path / "a", QUICK, quiet)
    distill_model(
        whole, samples, tmp_path / "b", longer, lambda what, *how: told.setdefault(what, []).append(how[-1])
    )
    images = next(iter(distillation._batches(samples, replace(QUICK, seed=9), 0)))
    teacher = opened(whole)
    with torch.no_grad():
        short, long = (float(_label_loss(teacher, opened(tmp_path / name), images)) for name in "ab")
    assert long < short
    off = [float(text.split()[-1].rstrip("%")) for text in told["steps of the scale net"]]
    assert off[-1] < off[0]


def test_stopped_run_goes_on_to_the_same_weights(tmp_path, samples, monkeypatch, distilled, whole):
    monkeypatch.setattr(distillation, "KEPT_EVERY", 2)

    def stop(what, done, of, how):
        if what == "crops" and done == 12:
            raise KeyboardInterrupt

    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        distill_model(whole, samples, folder, QUICK, stop)
    assert (folder / PROGRESS).is_file()
    with pytest.raises(OptionError, match="the options of the run that was stopped"):
        distill_model(whole, samples, folder, replace(QUICK, seed=1), quiet)
    seen = []
    distill_model(whole, samples, folder, QUICK, lambda what, done, of, how: seen.append((what, done)))
    assert seen[0] == ("crops", 12)  # two steps of four were kept, the third was not
    first, second = (read_weights(f / "weights.safetensors") for f in (distilled[0], folder))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_cannot_be_distilled_is_said(tmp_path, samples, distilled, whole):
    with pytest.raises(OptionError, match="with all its levels and a scale net to distill"):
        distill_model(distilled[0], samples, tmp_path / "x", QUICK, quiet)
    with pytest.raises(DataError, match="training photos to distill by"):
        distill_model(whole, [], tmp_path / "x", QUICK, quiet)
    with pytest.raises(OptionError, match="channels and views of at least 1"):
        DistillOptions(channels=0)
    with pytest.raises(OptionError, match="whose finest features are at stride 2"):
        CountingNetwork(VGG16(), 11, subpixel=8)
    with pytest.raises(OptionError, match="distance labels"):
        CountingNetwork(Nano(), 1, subpixel=8)


def test_blocks_of_a_distilled_model_are_narrowed(tmp_path, samples, distilled, monkeypatch):
    monkeypatch.setattr(channels, "CROPS", 3)
    monkeypatch.setattr(channels, "PIXELS", 2000)
    hidden = tuple(each - each // 8 * (place == 9) for place, each in enumerate(distilled[1].hidden))
    config = narrow_model(distilled[0], [], samples, tmp_path / "slim", hidden=hidden)
    assert (config.hidden, config.subpixel, config.feature_stride) == (hidden, 8, 16)
    assert max(vars(export_folder(tmp_path / "slim", [])).values()) < 1e-3
    pixels = read_image(PHOTO).pixels[400:656, 900:1220]
    first = PredictOptions(refine=False)
    people = [load(f, options=first).predict(pixels).count for f in (distilled[0], tmp_path / "slim")]
    assert people[0] > 50
    assert people[1] == pytest.approx(people[0], rel=0.1)


def test_a_distilled_model_is_not_narrowed_at_its_levels(tmp_path, samples, distilled):
    with pytest.raises(
        OptionError, match=r"levels to narrow these, but got .*distilled. Narrow, then distill"
    ):
        narrow_model(distilled[0], [8], samples, tmp_path / "slim")


def test_a_distilled_model_is_trained_on_with_its_head(tmp_path, samples, distilled):
    photos = str(Path(samples[0].image_path).parent)
    options = (
        "--crops 0 --l2s-crops 8 --l2s-crop 96 --workers 0 --pictures 0 --precision 32-true --regime ours"
    )
    command = ["train", "--data", photos, "--init", str(distilled[0]), *options.split(), "--out"]
    ran = CliRunner().invoke(app, [*command, str(tmp_path / "run")])
    assert ran.exit_code == 0, ran.output
    made = tmp_path / "run" / "best"
    assert read_config(made).subpixel == distilled[1].subpixel
    before, after = (read_weights(folder / "weights.safetensors") for folder in (distilled[0], made))
    for name in ("network.subpixel.layers.0.weight", "network.levels.0.side.weight"):
        assert not torch.equal(before[name], after[name])
    heir = ["train", "--data", photos, "--inherit", str(distilled[0]), "--out", str(tmp_path / "heir")]
    ran = CliRunner().invoke(app, heir)
    assert ran.exit_code != 0
    assert "all its levels to inherit from" in ran.output


def test_the_head_learns_where_heads_are(distilled):
    """The loss of its mean labels falls; they are those that the exported graph gives."""
    model = opened(distilled[0])
    network, pixels = model.network, read_image(PHOTO).pixels[400:496, 700:828]
    images = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        given = infer(network, images)[0][:, :1]
        assert (network(images).fine - given).abs().mean() < 0.02  # levels are mixed in another order there
    labels = (given[:, 0] / 2).round().long()
    ignored = torch.zeros_like(labels, dtype=torch.bool)
    assert mean_label_loss(given, labels, ignored) == 0
    optimizer = torch.optim.Adam(network.subpixel.parameters(), 1e-2)
    losses = []
    for _ in range(20):
        losses.append(mean_label_loss(network(images).fine, labels))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
def test_command_distills(tmp_path, samples, whole):
    photos = str(Path(samples[0].image_path).parent)
    command = [
        str(whole),
        "--data",
        photos,
        "--out",
        str(tmp_path / "quick"),
        "--crops",
        "16",
        "--views",
        "2",
        "--channels",
        "4",
    ]
    ran = CliRunner().invoke(distill_app, command)
    assert ran.exit_code == 0, ran.output
    assert "Distilled into" in ran.output
    assert read_config(tmp_path / "quick").subpixel == 4
