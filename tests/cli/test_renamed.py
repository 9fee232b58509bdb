"""Old names of commands and options: they work and print the new name, or the program names a way out."""

from __future__ import annotations

import re

import pytest

from crowdscale.cli.renamed import COMMANDS, GONE_OPTIONS, OPTIONS
from tests.support.commands import crowdscale


@pytest.mark.parametrize(("old", "new"), COMMANDS.items(), ids=COMMANDS)
def test_an_old_command_runs_the_new_one(old, new):
    done = crowdscale(old, "--help")
    assert done.stdout == crowdscale(*new.split(), "--help").stdout
    assert (
        done.stderr
        == f"Note: crowdscale {old} is now crowdscale {new}; the old name works until the next release.\n"
    )


@pytest.mark.parametrize(
    ("command", "old", "new"), [(command, *pair) for command in OPTIONS for pair in OPTIONS[command].items()]
)
def test_an_old_option_is_the_new_one(command, old, new):
    text = crowdscale(*command.split(), "--help").stdout
    assert re.search(rf"{new}\b", text)
    assert not re.search(rf"{old} ", text)
    done = crowdscale(*command.split(), old, "1", "--help")
    assert done.stderr == f"Note: {old} is now {new}; the old name works until the next release.\n"
    assert crowdscale(*command.split(), "--", old).stderr.count("Note") == 0


@pytest.mark.parametrize(
    ("command", "option"),
    [(command, option) for command, options in GONE_OPTIONS.items() for option in options],
)
def test_an_option_that_is_gone_names_a_way_out(command, option):
    done = crowdscale(*command.split(), "photo.jpg", option)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: crowdscale {command} has no option {option} any more. ")
    assert done.stderr.count("\n") == 1


def test_old_names_are_hidden():
    text = crowdscale("--help").stdout
    for old in (*COMMANDS, "compare"):
        assert not re.search(rf"^  {old} ", text, re.MULTILINE)
