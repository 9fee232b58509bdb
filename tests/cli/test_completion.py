"""Completion in the shell: commands and the names of models."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crowdscale.models.finding import BUNDLED


@pytest.mark.parametrize(
    ("words", "offered"),
    [("crowdscale co", {"count"}), ("crowdscale count -m l", {n for n in BUNDLED if n[0] == "l"})],
)
def test_bash_completes(words, offered, monkeypatch):
    monkeypatch.setenv("_CROWDSCALE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    code = "from crowdscale.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert set(done.stdout.split()) >= offered
    assert "compare" not in done.stdout.split()  # a former name
