"""Narrowing: what is kept of a pyramid's fine levels says the same where it can, and never touches the count."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import crowdscale
from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.learn.networks.backbones import Nano
from crowdscale.learn.store import WEIGHTS, build_model, load_weights, save_weights, write_description
from crowdscale.maps import DistanceLabels
from crowdscale.maps.regions import LabelRule, pool_region
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.points import Box
from research.shrink import channels
from research.shrink.channels import Sums, _choose
from research.shrink.narrow import app
from research.shrink.narrowing import narrow_model
from tests.support.learn_crowds import write_folder


@pytest.fixture(autouse=True)
def few_crops(monkeypatch):
    monkeypatch.setattr(channels, "CROPS", 3)
    monkeypatch.setattr(channels, "PIXELS", 2000)


def write_model(folder, repeats=False):
    """A small model; with ``repeats`` its two fine levels say with many channels what a few could say."""
    torch.manual_seed(0)
    config = ModelConfig("wide", "points", "nano", DistanceLabels(), LabelRule(), block_counts=True)
    model = build_model(config)
    model.eval()
    if repeats:
        for level in list(model.network.levels)[:2]:
            repeat(level, 5)
    config = replace(config, feature_channels=model.network.feature_channels)
    save_weights(model.state_dict(), folder)
    write_description(config, folder, (WEIGHTS,))
    return folder


@torch.no_grad()
def repeat(level, few):
    """Have a level read ``few`` directions, and write ``few`` channels again and again in other sizes."""
    width = len(level.smooth[0].weight)
    directions = torch.linalg.qr(torch.randn(width, few))[0]
    for layer in (level.lateral, level.reduce):
        layer.weight.copy_((directions @ directions.T @ layer.weight[..., 0, 0])[..., None, None])
    level.lateral.bias.copy_(directions @ directions.T @ level.lateral.bias)
    weight = level.smooth[0].weight
    for channel in range(width):
        weight[channel] = weight[channel % few] * (1 + channel // few)


@torch.no_grad()
def repeat_inside(backbone, few):
    """Have the first two blocks compute their first channels again and again."""
    block, other = backbone.blocks[:2]
    for layers in (
        [*backbone.stem, *block.layers[:2]],
        other.layers[:5],
    ):
        for layer in layers:
            for name, value in [*layer.named_parameters(), *layer.named_buffers()]:
                if value.ndim:
                    repeats = torch.arange(len(value)) % few
                    value.copy_(value[repeats])
                    assert name in ("weight", "bias", "running_mean", "running_var")


def open_model(folder):
    model = build_model(read_config(folder))
    load_weights(model, folder / WEIGHTS)
    return model.eval()


def answers(folder, images):
    model = open_model(folder)
    with torch.inference_mode():
        seen = model.network(images)
        pooled = torch.nn.functional.adaptive_avg_pool2d(seen.features, 14)
        inner = model.scale_net.convolutions[0](pooled)[..., 1:-1, 1:-1]
    return seen, inner


def test_levels_that_repeat_themselves_are_narrowed_without_a_change(tmp_path):
    samples = write_folder(tmp_path / "photos", [40, 30])
    folder = write_model(tmp_path / "wide", repeats=True)
    config = narrow_model(folder, [5, 5], samples, tmp_path / "slim")
    assert config.widths == (5, 5, 64, 64)
    assert config.training["narrowed_from"]["widths"] == [24, 48, 64, 64]
    images = torch.from_numpy(samples[0].read()[:128, :160]).permute(2, 0, 1)[None].float() / 255
    (before, factor), (after, other) = (answers(tmp_path / name, images) for name in ("wide", "slim"))
    size = float(before.fused.abs().max())
    inside = (..., slice(8, -8), slice(8, -8))  # zeros beside the photo are zeros of other channels
    assert float((after.fused - before.fused)[inside].abs().max()) < 0.01 * size
    assert torch.allclose(factor, other, atol=0.01 * float(factor.abs().max()))


def test_blocks_that_repeat_themselves_are_narrowed_without_a_change(tmp_path):
    samples = write_folder(tmp_path / "photos", [40, 30])
    folder = write_model(tmp_path / "wide")
    model = open_model(folder)
    repeat_inside(model.network.backbone, 6)
    save_weights(model.state_dict(), folder)
    write_description(read_config(folder, verify=False), folder, (WEIGHTS,))
    config = narrow_model(folder, [], samples, tmp_path / "slim", hidden=[6, 6])
    assert config.hidden == (6, 6, *Nano.usual_hidden()[2:])
    assert config.widths == (24, 48, 64, 64)
    assert config.training["narrowed_from"]["hidden"] == list(Nano.usual_hidden())
    images = torch.from_numpy(samples[0].read()[:128, :160]).permute(2, 0, 1)[None].float() / 255
    (before, _), (after, _) = (answers(tmp_path / name, images) for name in ("wide", "slim"))
    for kind in ("fused", "features", "blocks"):
        was, now = getattr(before, kind), getattr(after, kind)
        assert float((now - was).abs().max()) < 0.01 * float(was.abs().max()), kind


def test_fewer_channels_inside_blocks_come_near(tmp_path):
    samples = write_folder(tmp_path / "photos", [40, 30])
    folder = write_model(tmp_path / "wide")
    images = torch.from_numpy(samples[0].read()[:96, :128]).permute(2, 0, 1)[None].float() / 255
    before, _ = answers(folder, images)
    far = []
    for hidden in ([32, 80, 128], [16, 16, 16]):
        narrow_model(folder, [], samples, tmp_path / "slim", hidden=hidden)
        after, _ = answers(tmp_path / "slim", images)
        far.append(float((after.blocks - before.blocks).square().mean() / before.blocks.var()))
    assert far[0] < 0.2
    assert far[0] < far[1]


def test_channels_are_dropped_as_by_trying_each():
    random = np.random.default_rng(0)
    mixed = random.normal(size=(400, 9)) @ random.normal(size=(9, 24)) + 0.05 * random.normal(size=(400, 24))
    sums = Sums()
    for part in torch.from_numpy(mixed).split(150):
        sums.add(part)
    spread = sums.spread()
    readers = [random.normal(size=(7, 24)), random.normal(size=(3, 24))]
    covariance = spread.covariance
    noticed = sum(reader.T @ reader / np.trace(reader @ covariance @ reader.T) for reader in readers)

    def lost(channels):
        part = covariance[:, channels]
        said = part @ np.linalg.solve(covariance[np.ix_(channels, channels)], part.T)
        return np.trace(noticed @ (covariance - said))

    wanted = list(range(24))
    while len(wanted) > 8:
        wanted.remove(min(wanted, key=lambda channel: lost([c for c in wanted if c != channel])))
    assert _choose(spread, readers, 8).channels == wanted


def test_coarser_features_leave_all_but_the_pooling(tmp_path):
    samples = write_folder(tmp_path / "photos", [40, 30])
    folder = write_model(tmp_path / "wide")
    config = narrow_model(folder, [], samples, tmp_path / "slim", feature_stride=16)
    assert config.feature_stride == 16
    assert config.training["narrowed_from"]["feature_stride"] == [8]
    images = torch.rand(1, 3, 256, 320)
    (before, _), (after, _) = (answers(tmp_path / name, images) for name in ("wide", "slim"))
    assert torch.equal(before.fused, after.fused)
    assert torch.equal(before.blocks, after.blocks)
    assert before.features.shape[2:] == (32, 40)
    assert after.features.shape[2:] == (16, 20)
    whole = Box(0, 0, 320, 256)
    wanted, found = (
        pool_region(each.features[0].numpy(), whole, stride) for each, stride in ((before, 8), (after, 16))
    )
    assert np.allclose(found.mean((1, 2)), wanted.mean((1, 2)), atol=1e-4)
    assert np.square(found - wanted).mean() < 0.1 * wanted.var()
    for stride in (8, 4, 12):
        if stride == 8:
            with pytest.raises(OptionError, match="--widths or --hidden below those of the model"):
                narrow_model(folder, [], samples, tmp_path / "x", feature_stride=stride)
        else:
            with pytest.raises(OptionError, match=r"--feature-stride of \(16, 32\) above the model's"):
                narrow_model(folder, [], samples, tmp_path / "x", feature_stride=stride)


def test_the_count_stays_and_the_map_comes_near(tmp_path):
    samples = write_folder(tmp_path / "photos", [40, 30])
    folder = write_model(tmp_path / "wide")
    images = torch.rand(1, 3, 96, 128)
    before, _ = answers(folder, images)
    far = []
    for widths in ([20, 40], [4, 8]):
        narrow_model(folder, widths, samples, tmp_path / "slim")
        after, _ = answers(tmp_path / "slim", images)
        assert torch.allclose(after.blocks, before.blocks, atol=1e-3)
        far.append(float((after.fused - before.fused).square().mean() / before.fused.var()))
    assert far[0] < 0.1
    assert far[0] < far[1]


@pytest.mark.parametrize(
    ("widths", "said"),
    [
        ([24, 48], "expected --widths or --hidden below those of the model"),
        ([16, 32, 48], "expected --widths of the first 2 levels alone, but got 16,32,48"),
        ([0], "--widths of at most 24,48,64,64, each at least 1, but got 0"),
        ([32], "--widths of at most 24,48,64,64, each at least 1, but got 32"),
        ([8] * 5, "--widths of at most 24,48,64,64"),
    ],
)
def test_widths_that_cannot_be(tmp_path, widths, said):
    folder = write_model(tmp_path / "wide")
    with pytest.raises(OptionError, match=said):
        narrow_model(folder, widths, write_folder(tmp_path / "photos", [4]), tmp_path / "slim")


def test_hidden_channels_that_cannot_be(tmp_path):
    folder, samples = write_model(tmp_path / "wide"), write_folder(tmp_path / "photos", [4])
    for hidden in ([33], [0], [8] * 11):
        with pytest.raises(OptionError, match="expected --hidden of at most 32,96,144,144,240,"):
            narrow_model(folder, [], samples, tmp_path / "slim", hidden=hidden)


def test_other_networks_and_no_photos(tmp_path):
    folder = write_model(tmp_path / "wide")
    with pytest.raises(OptionError, match="expected --out apart from the model"):
        narrow_model(folder, [8], write_folder(tmp_path / "photos", [4]), folder)
    small = write_model(tmp_path / "small")
    write_description(replace(read_config(small), precision="int8"), small, (WEIGHTS,))
    with pytest.raises(ModelError, match="expected a float32 model to narrow"):
        narrow_model(small, [8], write_folder(tmp_path / "photos", [4]), tmp_path / "slim")
    with pytest.raises(DataError, match="expected training photos"):
        narrow_model(folder, [8], [], tmp_path / "slim")
    config = ModelConfig("other", "points", "none", DistanceLabels(), LabelRule(), network="mcnn")
    save_weights(build_model(config).state_dict(), tmp_path / "other")
    write_description(config, tmp_path / "other", (WEIGHTS,))
    with pytest.raises(OptionError, match="a model of the network fpn, but got mcnn"):
        narrow_model(tmp_path / "other", [8], [], tmp_path / "slim")


@pytest.mark.slow
def test_the_command_writes_a_model_that_counts(tmp_path):
    write_folder(tmp_path / "photos", [40, 30])
    words = [str(write_model(tmp_path / "wide")), "--data", f"folder:{tmp_path / 'photos'}"]
    words += ["--widths", "16,32", "--hidden", "32,64", "--out"]
    done = CliRunner().invoke(app, [*words, str(tmp_path / "slim")])
    assert done.exit_code == 0, done.output
    assert "largest difference from torch" in done.stdout
    photo = next((tmp_path / "photos").rglob("*.png"))
    slim = crowdscale.load(tmp_path / "slim")
    assert slim.config.widths == (16, 32, 64, 64)
    assert slim.config.hidden[:3] == (32, 64, 144)
    assert np.isfinite(slim.predict(photo).count)
    words[words.index("16,32")] = "16;32"
    with pytest.raises(OptionError, match="expected --widths as whole numbers parted by commas"):
        CliRunner().invoke(app, [*words, str(tmp_path / "none")], catch_exceptions=False)
