"""What a run starts from: choices of zoom, regions and dots; a centre of either closeness; groups of learning rates."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from crowdscale.errors import DataError, OptionError
from crowdscale.learn.networks.backbones import Lite, load_pretrained
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.store import WEIGHTS, read_weights
from crowdscale.learn.training.loop import Run
from crowdscale.learn.training.optimizing import new_optimizer
from crowdscale.learn.training.options import TrainOptions
from crowdscale.learn.training.preparation import Start, _shared_widths, gather, region_spacings, start_model
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model
from tests.support.learn_crowds import write_folder


@pytest.fixture(scope="module")
def gathered(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    write_folder(root, [60, 45, 50, 1, 40], (96, 64))
    return gather([f"folder:{root}"], None, None, 0.2, 0)


BASE = Path(__file__).parents[2] / "models" / "base"


def described(gathered, centre=9.0, **start):
    return start_model(Start(backbone_weights="none", **start), gathered, CentreOptions(centre=centre))


def test_a_model_that_inherits_has_the_giver_s_widths_where_both_have_the_same_levels(gathered):
    parent = read_config(find_model("lite"))
    model, config = described(gathered, backbone="nano", method="hybrid", inherit="lite")
    assert config.widths == parent.widths[:4] == (16, 32, 64, 64)
    known = load_file(find_model("lite") / "weights.safetensors")
    for name in ("network.levels.0.smooth.0.weight", "network.levels.1.reduce.weight"):
        assert (model.state_dict()[name] == known[name].float()).all()
    assert described(gathered, backbone="nano")[1].widths == ()
    assert _shared_widths(parent, Start(backbone="vgg16", inherit="lite")) == ((), ())


def test_a_model_that_inherits_has_the_giver_s_channels_inside_blocks_where_both_have_the_same(gathered):
    parent = replace(read_config(find_model("lite")), hidden=(32, 64, *Lite.usual_hidden()[2:]))
    assert _shared_widths(parent, Start(backbone="nano", inherit="lite"))[1] == parent.hidden[:10]
    assert _shared_widths(parent, Start(backbone="lite1", inherit="lite"))[1] == ()


def test_a_backbone_that_does_not_begin_as_the_giver_s_starts_from_imagenet_whole(gathered):
    start = Start(backbone="lite", method="hybrid", inherit=str(BASE))
    model, _ = start_model(start, gathered, CentreOptions(centre=9.0))
    imagenet = load_pretrained("lite").state_dict()
    giver = read_weights(BASE / WEIGHTS)
    ours = model.network.state_dict()
    assert all(torch.equal(ours[f"backbone.{name}"], value) for name, value in imagenet.items())
    head = "block_head.layers.0.weight"
    assert torch.equal(ours[head], giver[f"network.{head}"].float())


def test_another_backbone_takes_none_of_the_giver_s_layers_where_imagenet_is_not_wanted(gathered):
    torch.manual_seed(0)
    alone, _ = described(gathered, backbone="lite1", method="hybrid")
    model, _ = described(gathered, backbone="lite1", method="hybrid", inherit="lite")
    same = zip(model.network.backbone.parameters(), alone.network.backbone.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    assert not torch.equal(
        model.network.block_head.layers[0].weight, alone.network.block_head.layers[0].weight
    )


def test_zoom_regions_and_dots_are_the_published_ones_until_chosen(gathered):
    _, points = described(gathered)
    _, density = described(gathered, method="density")
    assert (points.zoom.area_low, points.zoom.area_high, points.rule.minimum) == (0.5, 5.0, 0.02)
    assert (density.zoom.area_low, density.zoom.area_high, density.rule.minimum) == (0.5, 9.0, 0.1)
    chosen = {
        "area_high": 4.0,
        "region_minimum": 0.2,
        "region_by": "box",
        "region_code": True,
        "region_times": 3.0,
    }
    _, ours = described(gathered, method="density", dots=True, **chosen)
    rule = ours.rule
    assert (rule.minimum, rule.by, rule.published_code, rule.times_mean) == (0.2, "box", True, 3.0)
    assert (ours.zoom.area_high, ours.codec.dots) == (4.0, True)


def test_choices_count_for_a_model_that_goes_on_from_another(gathered, bundled):
    _, config = start_model(Start(init=bundled, area_high=3.0, region_below=6), gathered, CentreOptions())
    assert config.enlarge_below == 0  # photos are trained on at their own size
    assert any(read_config(find_model(bundled)).offset)
    assert config.offset == (0, 0)  # of other annotators
    assert (config.zoom.area_high, config.rule.below, config.rule.minimum) == (3.0, 6, 0.02)


def test_a_gain_is_kept_unless_another_or_a_centre_is_asked_for(gathered, bundled, tmp_path):
    parent = tmp_path / "parent"
    shutil.copytree(find_model(bundled), parent)
    config = read_config(parent)
    text = replace(config, zoom=replace(config.zoom, gain=1.3)).to_json()
    (parent / "model.json").write_text(text, encoding="utf-8")
    for start, centre, gain in (
        ({}, 0.0, 1.3),
        ({"gain": 1.1}, 0.0, 1.1),
        ({}, 15.0, 1.0),
        ({"gain": 1.1}, 15.0, 1.1),
    ):
        _, ours = start_model(Start(init=str(parent), **start), gathered, CentreOptions(centre=centre))
        assert ours.zoom.gain == gain


@pytest.mark.parametrize(
    "options", [{"dots": True}, {"region_by": "box"}, {"method": "density", "region_below": 5}], ids=str
)
def test_choices_of_the_other_kind_of_map_are_refused(gathered, options):
    with pytest.raises(OptionError, match="expected options of a"):
        described(gathered, **options)


def test_the_centre_from_data_follows_the_measure_of_closeness(gathered):
    _, config = described(gathered)
    found = [region_spacings(gathered.samples, config, measure) for measure in ("distance", "density")]
    assert len(found[0]) == len(found[1]) >= 3
    assert all(
        near < lattice for near, lattice in zip(*found, strict=True) if np.isfinite(near)
    )  # random, no lattice
    model, _ = start_model(
        Start(backbone_weights="none"), gathered, CentreOptions(closeness="density", wanted_factor=2.0)
    )
    assert model.centre.value.item() == pytest.approx(2 * np.nanmedian(found[1]), rel=1e-5)


@pytest.mark.parametrize(("network", "groups"), [("fpn", 2), ("bl", 2), ("mcnn", 1)])
def test_every_parameter_has_one_learning_rate(gathered, network, groups):
    model, _ = described(gathered, network=network, method="density")
    first, second = (new_optimizer(model, TrainOptions(), phase).param_groups for phase in ("count", "l2s"))
    assert (len(first), len(second)) == (groups, groups + 1)
    taught = [id(p) for group in second for p in group["params"]]
    assert sorted(taught) == sorted(id(p) for p in model.parameters())


def test_layers_up_to_a_stride_can_be_kept_only_where_strides_are_told(gathered):
    model, _ = described(gathered, network="mcnn", method="density")
    with pytest.raises(OptionError, match="--freeze-stride 0"):
        new_optimizer(model, TrainOptions(freeze_stride=4), "count")


@pytest.mark.parametrize(("schedule", "last"), [("cosine", 0.003), ("constant", 1.0)])
def test_rates_warm_up_and_then_fall_or_stay(schedule, last):
    group = {"peak": 2.0}
    run = SimpleNamespace(
        options=TrainOptions(schedule=schedule, warmup=10),
        optimizer=SimpleNamespace(param_groups=[group]),
        state=SimpleNamespace(step=0),
    )
    Run._set_rates(run, 1000)
    assert group["lr"] == pytest.approx(0.2)
    run.state.step = 999
    Run._set_rates(run, 1000)
    assert group["lr"] == pytest.approx(2.0 * last)


def test_borders_are_left_out_of_photos_with_the_heads_in_them(tmp_path):
    write_folder(tmp_path, [60] * 6, (96, 64))
    data = [f"folder:{tmp_path}"]
    whole, inner = (gather(data, None, None, 0.2, 0, borders=borders) for borders in (None, [0.1]))
    for before, after in zip(whole.samples, inner.samples, strict=True):
        assert (after.read() == before.read()[6:-6, 10:-10]).all()
        kept = before.points.xy - (10, 6)
        kept = kept[((kept >= -0.5) & (kept < (75.5, 51.5))).all(axis=1)]
        assert (after.points.xy == kept).all()
        assert 0 < len(kept) < 60
    with pytest.raises(OptionError, match="--border"):
        gather(data, None, None, 0.2, 0, borders=[0.1, 0.1])
    with pytest.raises(OptionError, match="border"):
        whole.samples[0].trimmed(0.5, (96, 64))


def test_a_folder_is_described_by_its_name(gathered):
    assert gathered.sets[0].startswith("folder photos")


def test_lists_choose_the_photos_to_train_on_and_to_hold_out(tmp_path):
    write_folder(tmp_path, [60] * 6, (96, 64))
    data = [f"folder:{tmp_path}"]
    names = [sample.name for sample in gather(data, None, None, 0.2, 0).samples]
    lists = {}
    for list_name, part in (("train", names[:2]), ("validation", names[2:3]), ("both", names[:3])):
        lists[list_name] = tmp_path / f"{list_name}.txt"
        lists[list_name].write_text("".join(f"folder/{name}\n" for name in part))
    chosen = gather(data, None, lists["validation"], 0.2, 0, only=lists["train"])
    assert [sample.name for sample in chosen.samples] == names[:2]
    assert [sample.name for sample in chosen.held_out] == names[2:3]
    share = gather(data, None, None, 0.5, 0, only=lists["both"])
    assert {sample.name for sample in (*share.samples, *share.held_out)} == set(names[:3])
    with pytest.raises(DataError, match="listed photos among"):
        gather(data, None, lists["validation"], 0.2, 0, only=lists["both"])
