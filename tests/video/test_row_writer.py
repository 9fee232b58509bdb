"""Rows are appended whole, by one process at a time, and never spoil what is there."""

from __future__ import annotations

import contextlib
import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from crowdscale.errors import OptionError
from crowdscale.video.watch import RowWriter
from crowdscale.zones.zone import Zones
from tests.support.watches import LEFT, rows


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_rows_are_appended_and_read_back(label_model, tmp_path, suffix):
    path = tmp_path / "deep" / f"rows{suffix}"
    found = rows(label_model, [2, 3], Zones((LEFT,)), every=0)
    for row in found:
        with RowWriter(path) as writer:
            writer.write(row)
    text = path.read_text()
    read = (
        list(csv.DictReader(text.splitlines()))
        if suffix == ".csv"
        else [json.loads(x) for x in text.splitlines()]
    )
    assert [(float(row["time"]), float(row["count"]), float(row["left"])) for row in read] == [
        (0, 2, 2),
        (0.5, 3, 3),
    ]
    assert list(read[0]) == [
        "time", "clock", "frame", "count", "count_low", "count_high", "smoothed", "left", "alarms", "raised", "warnings", "usable", "seconds", "dropped",
    ]  # fmt: skip


def test_a_file_with_other_columns_is_not_spoilt(label_model, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    (row,) = rows(label_model, [2])
    with (
        RowWriter(path) as writer,
        pytest.raises(OptionError, match=r"expected the columns time, .* but got a, b"),
    ):
        writer.write(row)
    assert path.read_text() == "a,b\n1,2\n"


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(OptionError, match=r"rows as \.csv or \.jsonl"):
        RowWriter(tmp_path / "rows.xls")


def test_two_processes_on_one_file(tmp_path):
    path = tmp_path / "rows.csv"
    code = (
        "import time; from pathlib import Path; from crowdscale.video.watch import RowWriter\n"
        f"writer = RowWriter(Path({str(path)!r})); print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(OptionError, match=r"no other process writes, but got .*rows\.csv in use"):
            RowWriter(path)
    finally:
        other.kill()
        other.wait()
    RowWriter(path).close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(label_model, tmp_path):
    (row,) = rows(label_model, [2])
    writer = RowWriter(tmp_path / "rows.jsonl")
    writer._file.close()
    writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
    with pytest.raises(OptionError, match=r"expected to write rows, but got .*No space left"):
        writer.write(row)
    with contextlib.suppress(OSError):  # what it still holds cannot be written either
        writer.close()


@pytest.mark.parametrize(
    ("suffix", "content", "kept", "mended"),
    [
        (".csv", "a,b\n1,2\n3", "a,b\n1,2\n", True),
        (".csv", "a,b\n1,2\n3,4", "a,b\n1,2\n3,4\n", False),
        (".csv", "a,b\n1,2\n", "a,b\n1,2\n", False),
        (".jsonl", '{"a": 1}\n{"a": ', '{"a": 1}\n', True),
        (".jsonl", '{"a": 1}\n{"a": 2}', '{"a": 1}\n{"a": 2}\n', False),
    ],
)
def test_half_a_row_is_removed_before_the_next(tmp_path, suffix, content, kept, mended):
    path = tmp_path / f"rows{suffix}"
    path.write_text(content)
    with RowWriter(path) as writer:
        assert writer.mended is mended
    assert path.read_text() == kept


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_disk_that_fills_in_a_row_leaves_no_half_of_it(label_model, tmp_path, suffix):
    class Filling:
        """A file that takes ten bytes more than it holds, until there is room again."""

        def __init__(self, file):
            self.file, self.left = file, 10

        def write(self, data):
            if not self.left:
                raise OSError(28, "No space left on device")
            taken = self.file.write(data[: self.left])
            self.left -= taken
            return taken

        def __getattr__(self, name):
            return getattr(self.file, name)

    first, second, third = rows(label_model, [2, 3, 4], every=0)
    path = tmp_path / f"rows{suffix}"
    writer = RowWriter(path)
    writer.write(first)
    before = path.read_text()
    file, writer._file = writer._file, Filling(writer._file)
    with pytest.raises(OptionError, match="No space left on device"):
        writer.write(second)
    assert path.read_text() == before
    writer._file = file
    writer.write(third)
    writer.close()
    assert path.read_text().startswith(before)
    assert path.read_text().count("\n") == before.count("\n") + 1


@pytest.mark.parametrize("target", ["file/r.csv", "folder.csv"])
def test_rows_that_cannot_be_written_are_one_sentence(tmp_path, target):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OptionError, match="expected a file of rows that can be written"):
        RowWriter(tmp_path / target)
