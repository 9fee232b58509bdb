"""An installed package has no training weights: models count, and training names where to get the weights."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner

import crowdscale
from crowdscale.cli.main import app
from crowdscale.errors import ModelError
from crowdscale.models import finding
from crowdscale.models.description import read_config
from crowdscale.models.finding import BUNDLED, find_weights
from crowdscale.models.package import WEIGHTS, file_sha256, pack_folder
from tests.support.fakes import coordinate_photo


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The folder of nano as a wheel installs it, without training weights, and an empty cache."""
    if not (BUNDLED["nano"] / WEIGHTS).is_file():
        pytest.skip("the training weights are not there")
    folder = tmp_path / "bundled" / "nano"
    shutil.copytree(BUNDLED["nano"], folder, ignore=shutil.ignore_patterns(WEIGHTS))
    monkeypatch.setenv("CROWDSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(BUNDLED, "nano", folder)
    return folder


@pytest.fixture
def packed(tmp_path):
    """The whole nano as one file."""
    source = BUNDLED["nano"]
    pack_folder(source, tuple(read_config(source).files), tmp_path / "nano.crowdscale")
    return tmp_path / "nano.crowdscale"


def test_a_model_without_training_weights_counts(installed):
    assert crowdscale.load("nano").predict(coordinate_photo(96, 64)).count >= 0


def test_another_missing_file_is_an_error(installed):
    (installed / "scale.onnx").unlink()
    with pytest.raises(ModelError, match=r"expected the file scale\.onnx"):
        read_config(installed)


def test_training_names_where_to_get_the_weights(installed):
    with pytest.raises(
        ModelError,
        match=r"nano is installed without its training weights\. A clone has them: run there pip install .* -e ",
    ):
        find_weights(installed / WEIGHTS)


def test_fetched_weights_are_used(packed, installed):
    done = CliRunner().invoke(
        app, ["models", "fetch", "nano", "--from", str(packed), "--sha256", file_sha256(packed)]
    )
    assert done.exit_code == 0, done.output
    assert find_weights(installed / WEIGHTS).is_relative_to(installed.parents[1] / "cache")
    assert finding.find_model("nano") == installed  # graphs stay those of the release


def test_fetched_weights_of_another_release_are_refused(installed, tmp_path):
    (tmp_path / "cache" / "models").mkdir(parents=True)
    pack_folder(installed, tuple(read_config(installed).files), tmp_path / "cache/models/nano.crowdscale")
    with pytest.raises(ModelError, match="other training weights than this release"):
        find_weights(installed / WEIGHTS)


def test_an_untrained_folder_has_no_weights(tmp_path):
    with pytest.raises(ModelError, match="no training weights at"):
        find_weights(tmp_path / WEIGHTS)
