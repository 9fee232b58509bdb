"""Files that survive a power cut, and targets that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crowdscale.errors import OptionError
from crowdscale.files.writing import write_atomic
from tests.support.crashes import Disk

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads open files as Linux names them")


@linux
def test_a_power_cut_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    disk = Disk(tmp_path, monkeypatch)
    path = tmp_path / "new" / "deep" / "a.csv"
    write_atomic(path, lambda stream: stream.write(b"old"))
    first = len(disk.images)
    write_atomic(path, lambda stream: stream.write(b"new"))
    named = [image["new/deep/a.csv"] for image in disk.images if "new/deep/a.csv" in image]
    assert set(named) == {b"old", b"new"}
    assert disk.images[first - 1]["new/deep/a.csv"] == b"old"
    assert disk.images[-1]["new/deep/a.csv"] == b"new"
    folders = [tmp_path, tmp_path / "new", tmp_path / "new" / "deep"]
    assert [folder.resolve() for folder in folders] == disk.synced_folders[:3]


@pytest.mark.parametrize("target", ["file/a.csv", "folder", "x" * 300, "file/deep/a.csv"])
def test_targets_that_cannot_be_written_are_one_sentence(tmp_path, target):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OptionError, match=r" cannot be written \("):
        write_atomic(tmp_path / target, lambda stream: stream.write(b"x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@linux
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    code = f"""
import resource, signal
from pathlib import Path
from crowdscale.errors import OptionError
from crowdscale.files.writing import write_atomic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomic(Path({str(tmp_path / "a.csv")!r}), lambda stream: stream.write(bytes(5000)))
except OptionError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "a.csv cannot be written (File too large)" in done.stdout
    assert (tmp_path / "a.csv").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.csv"]  # noqa: PTH208


def test_a_folder_that_forbids_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path / ".a.csv.x"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(OptionError, match=rf"^{tmp_path}/a\.csv cannot be written \(Permission denied\)"):
        write_atomic(Path(tmp_path / "a.csv"), lambda stream: stream.write(b"x"))
