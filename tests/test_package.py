"""The wheel holds what inference needs and no more, and its description is one that an index takes."""

from __future__ import annotations

import re
import shutil
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


def description(made):
    """Return what an index shows of the wheel."""
    (path,) = made.glob("*.whl")
    with zipfile.ZipFile(path) as held:
        text = held.read(f"crowdscale-{crowdscale.__version__}.dist-info/METADATA").decode("utf-8")
    return text.split("\n\n", 1)[1]


def addresses(text):
    """Return where the links and pictures of Markdown lead."""
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text)


def test_the_description_of_the_wheel_has_no_relative_link(wheel):
    text = description(wheel)
    assert text.startswith("# crowdscale\n")
    assert [each for each in addresses(text) if "://" not in each] == []
    assert "The guide" in text  # the words of a link stay


def test_with_an_address_all_links_and_the_picture_are_absolute(tmp_path):
    pytest.importorskip("hatchling", reason="needs the extra [dev]")
    for name in (
        ".ci/links.py",
        ".ci/long_description.py",
        "README.md",
        "LICENSE",
        "src/crowdscale/models/NOTICE.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    release = "https://forge.example/us/crowdscale"
    project = project.replace("[project.urls]\n", f'[project.urls]\nRepository = "{release}"\n')
    (tmp_path / "pyproject.toml").write_text(project, "utf-8")
    command = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    made = addresses(done.stdout)
    picture, *links = [each for each in made if each.startswith(release)]
    version = crowdscale.__version__
    assert picture.startswith(f"{release}/raw/v{version}/docs/pictures/")
    assert len(links) > 8
    for link in links:
        path = link.removeprefix(f"{release}/blob/v{version}/")
        assert (ROOT / path).exists(), link
    assert len(made) == len(addresses((ROOT / "README.md").read_text("utf-8")))


def test_versions_agree():
    assert PROJECT["version"] == crowdscale.__version__
    assert f"version: {crowdscale.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
