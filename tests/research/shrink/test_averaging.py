"""Averaging of models: the mean of the weights, and what cannot be averaged."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from crowdscale.errors import OptionError
from crowdscale.learn.store import WEIGHTS, build_model, inherit_weights, save_weights, write_description
from crowdscale.maps import Density, DistanceLabels
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.models.description import ModelConfig, ZoomOptions
from research.shrink.averaging import average_models


def write_model(folder, seed, blocks=True):
    torch.manual_seed(seed)
    config = ModelConfig(f"m{seed}", "points", "lite", DistanceLabels(), LabelRule(), block_counts=blocks)
    model = build_model(config)
    config = replace(
        config,
        feature_channels=model.network.feature_channels,
        training={"seed": seed, "data": ["both", f"set {seed}"]},
    )
    save_weights(model.state_dict(), folder)
    write_description(config, folder, (WEIGHTS,))
    return folder


def test_the_mean_of_the_weights(tmp_path):
    one, two = write_model(tmp_path / "one", 1), write_model(tmp_path / "two", 2)
    config = average_models([one, two], [3, 1], tmp_path / "mean")
    ours, first, second = (load_file(folder / WEIGHTS) for folder in (tmp_path / "mean", one, two))
    for name, value in ours.items():
        expected = 0.75 * first[name].float() + 0.25 * second[name].float()
        assert torch.allclose(value.float(), expected, atol=2e-3, rtol=1e-3), name
    assert [parent["share"] for parent in config.training["averaged"]] == [0.75, 0.25]
    assert config.training["data"] == ["both", "set 1", "set 2"]
    assert config.name == "m1"


def test_what_cannot_be_averaged(tmp_path):
    one, other = write_model(tmp_path / "one", 1), write_model(tmp_path / "other", 2, blocks=False)
    with pytest.raises(OptionError, match="the same network"):
        average_models([one, other], [1, 1], tmp_path / "mean")
    for models, shares in (([one], [1]), ([one, one], [1]), ([one, one], [1, 0])):
        with pytest.raises(OptionError, match="a positive share for each"):
            average_models(models, shares, tmp_path / "mean")


@pytest.mark.parametrize(
    ("donor", "cell"), [("points", 8), ("density of 4", 4), ("density without a unit", 1)]
)
def test_a_density_inherits_what_a_donors_layers_mean(tmp_path, donor, cell):
    codec, rule = (DistanceLabels(), LabelRule()) if donor == "points" else (Density(), DensityRule())
    parent = build_model(ModelConfig("parent", "points", "nano", codec, rule))
    state = parent.state_dict()
    if donor == "density of 4":
        parent.network.choose_cell(4)
        state = parent.state_dict()
    elif donor != "points":
        del state["network.unit"]
    save_weights(state, tmp_path)
    heir = build_model(ModelConfig("heir", "density", "nano", Density(), DensityRule()))
    assert inherit_weights(heir, tmp_path / WEIGHTS) <= len(state)
    assert heir.network.density_cell == cell


@pytest.mark.parametrize("differs", ["gain", "cell"])
def test_models_whose_layers_or_factors_mean_another_thing_are_refused(tmp_path, differs):
    for name, value in (("one", 1), ("other", 2)):
        zoom = ZoomOptions(gain=value if differs == "gain" else 1)
        config = ModelConfig(name, "density", "nano", Density(), DensityRule(), zoom)
        model = build_model(config)
        if differs == "cell":
            model.network.choose_cell(4 * value)
        save_weights(model.state_dict(), tmp_path / name)
        write_description(config, tmp_path / name, (WEIGHTS,))
    with pytest.raises(OptionError, match=f"models of one .*{differs}"):
        average_models([tmp_path / "one", tmp_path / "other"], [1, 1], tmp_path / "mean")
