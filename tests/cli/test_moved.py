"""Commands that moved to the laboratory: hidden, and each names its new command."""

from __future__ import annotations

import importlib.util

import pytest

from crowdscale.cli.renamed import MOVED
from tests.support.commands import crowdscale


@pytest.mark.parametrize("former", MOVED)
@pytest.mark.parametrize("rest", [[], ["lite", "--out", "x"], ["--help"]], ids=["alone", "options", "help"])
def test_a_moved_command_names_its_new_one(former, rest):
    done = crowdscale(*former.split(), *rest)
    module = MOVED[former]
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.rstrip().endswith(f"moved. Run in a clone of the repository: python -m {module}")
    assert importlib.util.find_spec(module)


@pytest.mark.parametrize("group", [[], ["data"]], ids=["crowdscale", "data"])
def test_help_does_not_list_moved_commands(group):
    shown = crowdscale(*group, "--help").stdout
    assert not [name for name in MOVED if f"  {name} " in shown]
