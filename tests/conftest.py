"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from crowdscale.models.finding import BUNDLED
from tests.support.fakes import write_label_model

settings.register_profile("busy", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("busy")


ON_REQUEST = (
    "tests/research/",
    "tests/serve/test_teaching.py",
    "tests/test_guides.py",
    "tests/test_notebooks.py",
    "tests/bulk/test_engines.py::test_ray_on_loopback",
    "tests/learn/test_training.py::test_two_processes_of_which_one_has_no_region",
    "tests/learn/test_training.py::test_a_killed_run_goes_on_as_if_nothing_had_happened[first phase]",
)
"""Files and tests. Their slow tests take minutes and run only on request: ``pytest FILE -m slow``."""

LONGEST = ("tests/test_guides.py", "tests/learn/test_training.py")
"""Files that take longest; they begin first."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    slow = [item for item in items if item.get_closest_marker("slow")]
    if "slow" not in config.getoption("markexpr"):
        for item in slow:
            if any(each in f"{item.path.as_posix()}::{item.name}" for each in ON_REQUEST):
                item.add_marker(pytest.mark.skip(reason="slow: run pytest on this file with -m slow"))
    if (
        "PYTEST_XDIST_WORKER" in os.environ
    ):  # a file stays in one process: a long one at the end would run alone
        slow_files = {item.path for item in slow if not item.get_closest_marker("skip")}
        items.sort(key=lambda item: (not item.path.as_posix().endswith(LONGEST), item.path not in slow_files))


@pytest.fixture(scope="session")
def shanghaitech_root() -> Path:
    """The folder that holds the real part_A and part_B."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    root = Path(os.environ.get("CROWDSCALE_SHARED") or beside) / "data" / "ShanghaiTech"
    if not root.is_dir():
        pytest.skip("real data not found: set CROWDSCALE_SHARED")
    return root


@pytest.fixture(scope="session")
def bundled() -> str:
    """The name of the bundled model; the test is skipped where its folder is missing."""
    if "lite" not in BUNDLED:
        pytest.skip("the bundled model is not there")
    return "lite"


@pytest.fixture(scope="session")
def label_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that reads labels from the grey values of ``fakes.label_photo``; needs the extra [learn]."""
    pytest.importorskip("onnx")
    return write_label_model(tmp_path_factory.mktemp("models") / "labels")


@pytest.fixture(scope="session")
def shared_root() -> Path:
    """The folder with the real data sets, weights and published point files."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    root = Path(os.environ.get("CROWDSCALE_SHARED") or beside)
    if not (root / "data").is_dir():
        pytest.skip("real data not found: set CROWDSCALE_SHARED")
    return root
