"""Commands that moved to the laboratory: hidden, and each names its new command."""

from __future__ import annotations

import importlib.util

import pytest
from typer.testing import CliRunner

from crowdscale.cli.main import app
from crowdscale.cli.moved import MOVED


@pytest.mark.parametrize("former", [*(name for name in MOVED if name != "synthesize"), "data synthesize"])
@pytest.mark.parametrize("rest", [[], ["lite", "--out", "x"], ["--help"]], ids=["alone", "options", "help"])
def test_a_moved_command_names_its_new_one(former, rest):
    done = CliRunner().invoke(app, [*former.split(), *rest])
    module = MOVED[former.split()[-1]]
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.rstrip().endswith(f"moved. Run in a clone of the repository: python -m {module}")
    assert importlib.util.find_spec(module)


@pytest.mark.parametrize("group", [[], ["data"]], ids=["crowdscale", "data"])
def test_help_does_not_list_moved_commands(group):
    shown = CliRunner().invoke(app, [*group, "--help"]).stdout
    assert not [name for name in MOVED if f"  {name} " in shown]
