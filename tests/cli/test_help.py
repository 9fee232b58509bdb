"""``--help`` and ``--version``: quick, for they import no heavy library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import crowdscale

HEAVY = (
    "numpy",
    "cv2",
    "scipy",
    "PIL",
    "onnxruntime",
    "torch",
    "onnx",
    "lightning_fabric",
    "fsspec",
    "pyarrow",
    "ray",
)
PROBE = f"""
import sys
from crowdscale.cli.main import main
try:
    sys.argv = ["crowdscale", *sys.argv[1:]]
    main()
finally:
    print("HEAVY", [name for name in {HEAVY} if name in sys.modules])
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        *([name, "--help"] for name in ("count", "watch", "models", "evaluate", "train", "export")),
    ],
    ids=" ".join,
)
def test_help_imports_no_heavy_library(arguments):
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stdout
    assert done.stderr == ""


def test_the_probe_would_see_a_heavy_library():
    code = PROBE.replace("main()\n", "main(); import numpy\n").replace(
        "finally", "except SystemExit: import numpy\nfinally"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=False
    )
    assert "HEAVY ['numpy']" in done.stdout


def test_importing_the_package_is_light_and_silent():
    code = f"import crowdscale, sys; print([n for n in {HEAVY} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_public_names_are_pinned_and_lead_somewhere():
    assert sorted(crowdscale.__all__) == [
        "Box", "CrowdscaleError", "Points", "PredictOptions", "Prediction", "Predictor", "Region", "Sample",
        "__version__", "load",
    ]  # fmt: skip
    for name in crowdscale.__all__:
        assert getattr(crowdscale, name) is not None
        assert name in dir(crowdscale)
    with pytest.raises(AttributeError, match="no attribute 'Crowd'"):
        _ = crowdscale.Crowd


def test_version_is_the_one_of_the_project():
    (version,) = re.findall(
        r'^version = "(.+)"', (Path(__file__).parents[2] / "pyproject.toml").read_text(), re.M
    )
    assert crowdscale.__version__ == version
    done = subprocess.run(
        [sys.executable, "-m", "crowdscale", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"crowdscale {version}"


def test_commands_are_listed():
    done = subprocess.run(
        [sys.executable, "-m", "crowdscale", "--help"], capture_output=True, text=True, check=True
    )
    for name in ("count", "watch", "zones", "models", "evaluate", "train", "export"):
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize(
    "arguments", [["cuont"], ["count", "--colour"], ["count", "--factor", "big"]], ids=" ".join
)
def test_wrong_usage_is_exit_2_without_traceback(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "crowdscale", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert arguments[min(1, len(arguments) - 1)] in done.stderr


def test_one_is_one():
    from crowdscale.cli.tables import counted

    assert [counted(number, "image") for number in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]
