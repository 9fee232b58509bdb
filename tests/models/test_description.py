"""Model folders: found, verified, described."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from crowdscale.errors import ModelError, OptionError
from crowdscale.maps import Density, DistanceLabels
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.models.description import ModelConfig, ZoomOptions, read_config
from crowdscale.models.finding import BUNDLED, find_model
from crowdscale.models.package import file_sha256

POINTS = ModelConfig(
    "p", "points", "lite", DistanceLabels(window=7), LabelRule(below=6), ZoomOptions(0.7, 4.0)
)
DENSITY = ModelConfig("d", "density", "vgg16", Density(2.0), DensityRule(by="box"), training={"seed": 1})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "network.onnx").write_bytes(b"graph")
    config = replace(POINTS, files={"network.onnx": file_sha256(tmp_path / "network.onnx")})
    (tmp_path / "model.json").write_text(config.to_json())
    return tmp_path


@pytest.mark.parametrize("config", [POINTS, DENSITY], ids=["points", "density"])
def test_description_comes_back_equal(config):
    assert ModelConfig.from_json(config.to_json()) == config


def test_folder_is_found_by_itself_and_by_its_description(folder):
    assert find_model(folder) == folder
    assert find_model(folder / "model.json") == folder
    assert read_config(folder).name == "p"


def test_bundled_names_lead_into_the_package():
    assert {find_model(name) for name in BUNDLED} == set(BUNDLED.values())


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("heavy", "unknown model 'heavy'.*lite.*models fetch"),
        ("no/where", "no such model: no/where"),
        ("model.onnx", r"no such model: model\.onnx"),
    ],
)
def test_wrong_model_says_what_there_is(model, sentence):
    with pytest.raises(ModelError, match=sentence):
        find_model(model)


def test_folder_without_description(tmp_path):
    with pytest.raises(ModelError, match=r"folder with model\.json"):
        find_model(tmp_path)


def test_changed_file_is_refused(folder):
    (folder / "network.onnx").write_bytes(b"grapH")
    with pytest.raises(ModelError, match=r"sha256 .* copy the model folder again"):
        read_config(folder)
    assert read_config(folder, verify=False).name == "p"


def test_missing_file_is_named(folder):
    (folder / "network.onnx").unlink()
    with pytest.raises(ModelError, match=r"the file network\.onnx"):
        read_config(folder)


def edited(**changes):
    values = json.loads(POINTS.to_json())
    values.update(changes)
    return json.dumps({key: value for key, value in values.items() if value != "gone"}).encode()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"7", b"{}", b"{not json", b"\xff\xfe\x00", edited(format=99), edited(method="x"),
     edited(name="gone"), edited(extra=1), edited(codec={"edges": [3, 2]}), edited(zoom=None)],
    ids=["empty", "list", "number", "no fields", "no json", "binary", "format", "method", "missing field",
         "unknown field", "bad codec", "null"],
)  # fmt: skip
def test_wrong_description_is_one_sentence(folder, content):
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.json"):
        read_config(folder)


def test_no_description_at_all(tmp_path):
    with pytest.raises(ModelError, match=r"no model\.json in"):
        read_config(tmp_path)


@pytest.mark.parametrize("values", [(0, 5.0), (2.0, 1.0)])
def test_area_bounds_must_be_in_order(values):
    with pytest.raises(OptionError, match="area-low"):
        ZoomOptions(*values)
