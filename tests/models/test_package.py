"""Models as one file: packed, unpacked into the cache, found by path and name; what is no model is refused."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import pytest

from crowdscale.errors import ModelError, OptionError
from crowdscale.maps import DistanceLabels
from crowdscale.maps.regions import LabelRule
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_folder, find_model, known_models
from crowdscale.models.package import cache_folder, file_sha256, pack_folder

CONFIG = ModelConfig("tiny", "points", "none", DistanceLabels(), LabelRule(), refines=False)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CROWDSCALE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "network.onnx").write_bytes(b"a graph" * 1000)
    config = replace(CONFIG, files={"network.onnx": file_sha256(folder / "network.onnx")})
    (folder / "model.json").write_text(config.to_json())
    (folder / "MODEL_CARD.md").write_text("not packed")
    return folder


def test_a_packed_model_is_the_folder_again(folder, cache, tmp_path):
    pack_folder(folder, ["network.onnx"], tmp_path / "tiny.crowdscale")
    found = find_model(tmp_path / "tiny.crowdscale")
    assert found.is_relative_to(cache)
    assert read_config(found) == read_config(folder)
    assert sorted(path.name for path in found.iterdir()) == ["model.json", "network.onnx"]
    stamp = (found / "network.onnx").stat().st_mtime_ns
    assert find_model(tmp_path / "tiny.crowdscale") == found  # unpacked once
    assert (found / "network.onnx").stat().st_mtime_ns == stamp
    assert [path for path in found.parent.iterdir() if path != found] == []


def test_what_is_unpacked_in_the_cache_is_not_written_into(folder, cache, tmp_path):
    pack_folder(folder, ["network.onnx"], tmp_path / "tiny.crowdscale")
    with pytest.raises(OptionError, match="in one file"):
        find_folder(tmp_path / "tiny.crowdscale")
    assert find_folder(folder) == folder


def test_equal_folders_make_equal_files(folder, tmp_path):
    for name in ("a", "b"):
        pack_folder(folder, ["network.onnx"], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_model_in_the_cache_has_a_name(folder, cache):
    (cache / "models").mkdir(parents=True)
    pack_folder(folder, ["network.onnx"], cache / "models" / "small.crowdscale")
    assert known_models()["small"] == cache / "models" / "small.crowdscale"
    assert read_config(find_model("small")).name == "tiny"


def test_a_changed_model_of_the_same_name_is_unpacked_anew(folder, cache):
    (cache / "models").mkdir(parents=True)
    target = cache / "models" / "small.crowdscale"
    pack_folder(folder, ["network.onnx"], target)
    first = find_model("small")
    (folder / "model.json").write_text(replace(read_config(folder), name="newer").to_json())
    pack_folder(folder, ["network.onnx"], target)
    assert find_model("small") != first
    assert read_config(find_model("small")).name == "newer"


@pytest.mark.parametrize(
    "names",
    [["network.onnx"], ["model.json", "../escape"], ["model.json", "deep/er"], ["model.json", ".hidden"]],
    ids=["no description", "out of the folder", "a folder", "hidden"],
)
def test_another_zip_is_refused(names, cache, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.crowdscale", "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    with pytest.raises(ModelError, match=r"model file with model\.json"):
        find_model(tmp_path / "x.crowdscale")
    assert not list(cache.rglob("escape"))
    assert not list(tmp_path.glob("escape"))


def test_a_cut_file_is_refused(folder, cache, tmp_path):
    pack_folder(folder, ["network.onnx"], tmp_path / "tiny.crowdscale")
    whole = (tmp_path / "tiny.crowdscale").read_bytes()
    (tmp_path / "tiny.crowdscale").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="complete model file"):
        find_model(tmp_path / "tiny.crowdscale")


def test_the_cache_has_a_place_on_every_system(monkeypatch, tmp_path):
    monkeypatch.delenv("CROWDSCALE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / "crowdscale"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local" / "crowdscale"
