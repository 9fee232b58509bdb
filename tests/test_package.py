"""The wheel holds what inference needs and no more, and its description is one that an index takes."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import crowdscale

ROOT = Path(__file__).parents[1]
with (ROOT / "pyproject.toml").open("rb") as file:
    PROJECT = tomllib.load(file)["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="needs the extra [dev]")
    made = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(made)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def names(made):
    (path,) = made.glob("*.whl")
    return [PurePosixPath(name) for name in zipfile.ZipFile(path).namelist()]


def test_the_wheel_holds_what_inference_needs(wheel):
    held = {str(name) for name in names(wheel)}
    assert {"crowdscale/py.typed", "crowdscale/serve/page/index.html", "crowdscale/models/NOTICE.md"} <= held
    for model in ("nano", "lite", "lite-int8"):
        for name in ("model.json", "network.onnx", "MODEL_CARD.md"):
            assert f"crowdscale/models/bundled/{model}/{name}" in held


def test_the_wheel_holds_no_more(wheel):
    tops = {name.parts[0] for name in names(wheel)}
    assert tops == {"crowdscale", f"crowdscale-{crowdscale.__version__}.dist-info"}
    suffixes = {name.suffix for name in names(wheel)}
    assert suffixes.isdisjoint({".safetensors", ".pt", ".pth", ".pyc", ".ipynb"})
    (path,) = wheel.glob("*.whl")
    assert path.stat().st_size < 12e6


def test_an_index_takes_both_files(wheel):
    pytest.importorskip("twine", reason="needs the extra [dev]")
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, wheel.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_versions_agree():
    assert PROJECT["version"] == crowdscale.__version__
    assert f"version: {crowdscale.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
