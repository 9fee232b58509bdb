"""``--help`` and ``--version``: quick, for they import no heavy library; commands in panels, lines whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import crowdscale
from crowdscale.cli.main import app
from crowdscale.cli.tables import counted
from tests.support.commands import crowdscale as run
from tests.support.commands import crowdscale_process

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
from crowdscale.cli.main import app
import crowdscale
names = [*sys.argv[1:]] or ["--help"]
for name in names:
    try:
        app(name.split(), prog_name="crowdscale")
    except SystemExit as end:
        assert not end.code, name
    print("HEAVY", [name for name in {HEAVY} if name in sys.modules])
"""
COMMANDS = [
    "count", "watch", "zones", "data", "train", "evaluate", "score", "models", "models list", "models show",
    "models fetch", "models export", "models quantize", "models tune", "models calibrate", "models profile",
    "models note", "models card", "models pack", "data check", "data convert", "data split", "data list",
    "zones edit", "zones check", "zones show",
]  # fmt: skip


def probe(*arguments, code=PROBE):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_help_imports_no_heavy_library():
    done = probe("--help", "--version", *(f"{name} --help" for name in COMMANDS))
    assert done.returncode == 0, done.stderr
    assert set(re.findall("^HEAVY .*$", done.stdout, re.MULTILINE)) == {"HEAVY []"}
    assert done.stderr == ""


def test_the_probe_detects_a_heavy_library():
    done = probe("--version", code=PROBE.replace("import crowdscale\n", "import numpy\n"))
    assert "HEAVY ['numpy']" in done.stdout


def test_public_names_are_pinned_and_exist():
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
    assert crowdscale_process("--version").stdout.strip() == f"crowdscale {version}"


def test_commands_are_listed_in_panels():
    text = run("--help").stdout
    assert text == run("-h").stdout
    panels = re.findall(r"^([A-Z][^:\n]*):$", text, re.MULTILINE)
    assert panels == ["Count", "Annotate and train", "Models", "Options"]
    commands = re.findall(r"^  ([a-z]+) +(\S.*)$", text, re.MULTILINE)
    assert {"count", "watch", "zones", "data", "train", "evaluate", "score", "models"} <= dict(
        commands
    ).keys()
    assert len(commands) <= 11


@pytest.mark.parametrize("group", ["", "models", "data", "zones"])
def test_help_lines_are_whole_and_short(group):
    lines = re.findall(r"^  ([a-z]+) +(\S.*)$", run(*group.split(), "--help").stdout, re.MULTILINE)
    assert len(lines) > 2
    for name, line in lines:
        assert len(line) <= 60, name
        assert line.endswith("."), name
        assert "…" not in line
        assert "..." not in line


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_for_itself_and_its_options(name):
    done = run(*name.split(), "-h")
    assert done.returncode == 0
    assert f"Usage: crowdscale {name} " in done.stdout
    first = done.stdout.split("\n\n")[1].strip()
    assert first[0].isupper()


def test_each_option_and_argument_has_help():
    for name, command in walk():
        without = [each.name for each in command.params if not each.help]
        assert without == [], name


def walk(group=None, before=""):
    """Yield the full name and the command for each command."""
    for entry in (group or get_command(app)).entries:
        command = entry.load()
        if hasattr(command, "entries"):
            yield from walk(command, f"{before}{entry.name} ")
        elif not entry.hidden:
            yield f"{before}{entry.name}", command


def test_the_list_of_commands_is_whole():
    assert {name for name, _ in walk()} >= {
        name for name in COMMANDS if name not in ("zones", "data", "models")
    }


def test_options_stand_in_panels():
    text = run("count", "--help").stdout
    places = [
        text.index(f"\n{panel}:\n") for panel in ("Input", "Counting", "Output", "Backend", "Many photos")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "arguments", [["cuont"], ["count", "--colour"], ["count", "--zoom", "big"]], ids=" ".join
)
def test_wrong_usage_is_exit_2(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert arguments[min(1, len(arguments) - 1)] in done.stderr


def test_one_is_singular():
    assert [counted(number, "image") for number in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]
