"""A camera's password: in no output, in no list of processes where the user keeps it out, and a hint where not."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.commands import crowdscale

HIDDEN = "rtsp://admin:***@127.0.0.1:9/x"


@pytest.fixture
def no_other_program(monkeypatch):
    """Fail where a child process is started: its words could be read."""

    def refuse(*_, **__):
        raise AssertionError("another program was started")

    for place, name in ((subprocess, "Popen"), (os, "posix_spawn"), (os, "fork"), (os, "system")):
        monkeypatch.setattr(place, name, refuse)


@pytest.mark.parametrize("way", ["variable", "file", "whole variable"])
def test_a_password_kept_out_of_the_command_is_nowhere(tmp_path, monkeypatch, no_other_program, way):
    monkeypatch.setenv("CAMERA_PASSWORD", "S3cret")
    monkeypatch.setenv("CAMERA", "rtsp://admin:S3cret@127.0.0.1:9/x")
    (tmp_path / "address").write_text("rtsp://admin:S3cret@127.0.0.1:9/x\n")
    source = {
        "variable": "rtsp://admin:${CAMERA_PASSWORD}@127.0.0.1:9/x",
        "file": f"@{tmp_path / 'address'}",
        "whole variable": "${CAMERA}",
    }[way]
    done = crowdscale("watch", source, "--retries", 0, "--timeout", 2, "--rows", tmp_path / "rows.csv")
    assert done.returncode == 2
    assert HIDDEN in done.stderr
    assert "S3cret" not in done.stdout + done.stderr
    assert "Everybody" not in done.stderr
    for path in tmp_path.iterdir():
        assert path.name == "address" or "S3cret" not in path.read_text()


def test_a_password_in_the_command_gets_a_hint(no_other_program):
    given = "watch", "rtsp://admin:S3cret@127.0.0.1:9/x", "--retries", 0, "--timeout", 2
    done = crowdscale(*given)
    assert done.stderr.startswith("Note: Everybody on this machine can read the password in this command")
    assert "S3cret" not in done.stderr
    assert "Everybody" not in crowdscale(*given, "--quiet").stderr
