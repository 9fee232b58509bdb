"""Result folders: whole parts, what is done, one writer, one job; on local disk and in other file systems."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys

import pytest

from crowdscale.bulk import PhotoRow, ResultFolder
from crowdscale.bulk.tables import FORMATS
from crowdscale.counting.table import RegionRecord
from crowdscale.errors import OptionError
from crowdscale.files.storage import Folder
from tests.support.crashes import Disk

pytest.importorskip("pyarrow")
JOB = {"sources": ["photos"], "model": "lite"}
REGION = RegionRecord([1, 2, 30, 40], 1.5, 3.0, 4.5)


def row(index, **changes):
    known = {
        "count": 2.5, "count_low": 1, "count_high": 4, "first_pass_count": 2.0, "model": "lite", "width": 640, "height": 480,
        "read_scale": 1.0, "tiles": 1, "seconds": 0.1, "regions": [REGION], "heads": [[1.5, 3.0, 0.5], [2.25, 4.5, 1.0]],
    }  # fmt: skip
    return PhotoRow(f"photos/{index}, «é».jpg", **{**known, **changes})


def broken(index):
    return PhotoRow(f"photos/{index}.jpg", error='expected a photo, but got "something", else.')


@pytest.fixture(params=["local", "memory"])
def address(request, tmp_path):
    if request.param == "local":
        return str(tmp_path / "deep" / "results")
    return f"memory://results-{tmp_path.name}"


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_rows_come_back_and_what_is_done_is_known(address, kind):
    folder = ResultFolder(address, kind, part_rows=3)
    with folder.opened(JOB):
        for index in range(7):
            folder.add(row(index))
        folder.add(broken(9))
        assert folder.manifest()["photos"] == 6  # two parts; the rest waits
    again = ResultFolder(address, kind)
    with again.opened(JOB):
        assert len(again.done) == 8
        assert row(6).photo in again.done
        known = again.manifest()
        assert (known["photos"], known["count"], known["broken"]) == (7, 17.5, 1)
        assert list(again.broken()) == [(broken(9).photo, broken(9).error)]
        again.add(row(6))  # a row that is there already is not doubled
        again.add(row(7))
    assert again.manifest()["photos"] == 8
    assert again.folder.names("counts") == [f"part-{i:06d}.{kind}" for i in range(4)]
    assert json.loads(again.folder.read("manifest.json")) == again.manifest()


def test_parquet_holds_every_head_and_region(tmp_path):
    from pyarrow import parquet

    folder = ResultFolder(str(tmp_path))
    with folder.opened(JOB):
        folder.add(row(0))
        folder.add(row(1, regions=[], heads=[]))
    first, second = parquet.read_table(tmp_path / "counts").to_pylist()
    heads = [{"x": 1.5, "y": 3.0, "confidence": 0.5}, {"x": 2.25, "y": 4.5, "confidence": 1.0}]
    plain = {
        key: value
        for key, value in row(0).to_dict().items()
        if key not in ("intervals", "interval_of", "error")
    }
    assert first == plain | {"heads": heads}
    assert second["heads"] == second["regions"] == []


def test_csv_has_a_line_a_photo(tmp_path):
    folder = ResultFolder(str(tmp_path), "csv")
    with folder.opened(JOB):
        folder.add(row(0))
        folder.add(broken(1))
    lines = (tmp_path / "counts" / "part-000000.csv").read_text().splitlines()
    assert (
        lines[0]
        == "photo,count,count_low,count_high,first_pass_count,model,width,height,read_scale,tiles,seconds,regions,zones,turn,warnings,notes,usable,calibrated,calibrated_heads"
    )
    assert lines[1].startswith('"photos/0, «é».jpg",2.5,1,4,2,lite,640,480,1,1,0.1,')
    assert (tmp_path / "broken" / "part-000000.csv").read_text().startswith("photo,error\n")


def test_a_part_is_written_when_its_time_has_come(tmp_path):
    folder = ResultFolder(str(tmp_path), "jsonl", part_seconds=0)
    with folder.opened(JOB):
        folder.add(row(0))
        assert len((tmp_path / "counts" / "part-000000.jsonl").read_text().splitlines()) == 1


def test_an_error_in_the_middle_loses_no_row(tmp_path):
    folder = ResultFolder(str(tmp_path), "jsonl")
    with pytest.raises(RuntimeError), folder.opened(JOB):  # noqa: PT012
        folder.add(row(0))
        raise RuntimeError
    with ResultFolder(str(tmp_path), "jsonl").opened(JOB) as again:
        assert again.done == {row(0).photo}


def test_another_job_is_refused(address):
    with ResultFolder(address, "csv").opened(JOB):
        pass
    with (
        pytest.raises(OptionError, match="begun with, but got model base instead of lite"),
        ResultFolder(address, "csv").opened({**JOB, "model": "base"}),
    ):
        pass
    with (
        pytest.raises(OptionError, match="format jsonl instead of csv"),
        ResultFolder(address, "jsonl").opened(JOB),
    ):
        pass
    nested = {"options": {"refine": True, "tiles": {"side": 512, "batch": 1}}}
    with ResultFolder(f"{address}2", "csv").opened(nested):
        pass
    nested["options"]["tiles"]["side"] = 256
    with (
        pytest.raises(OptionError, match=r"but got options\.tiles\.side 256 instead of 512\. Choose"),
        ResultFolder(f"{address}2", "csv").opened(nested),
    ):
        pass


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(OptionError, match="--format out of parquet, csv, jsonl, but got 'xls'"):
        ResultFolder(str(tmp_path), "xls")


def test_two_processes_on_one_folder(tmp_path):
    """Another process holds the lock; when it is killed, the folder is free."""
    code = (
        "import sys, time; from crowdscale.bulk import ResultFolder\n"
        f"with ResultFolder({str(tmp_path)!r}, 'csv').opened({JOB!r}): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(OptionError, match=r"another process writes into "):
            ResultFolder(str(tmp_path), "csv").opened(JOB).__enter__()
    finally:
        other.kill()
        other.wait()
    with ResultFolder(str(tmp_path), "csv").opened(JOB) as free:
        assert free.done == set()


def test_a_remote_folder_is_leased(tmp_path):
    address = f"memory://lease-{tmp_path.name}"
    first, second = ResultFolder(address, "csv"), ResultFolder(address, "csv")
    with (
        first.opened(JOB),
        pytest.raises(OptionError, match="another process writes into"),
        second.opened(JOB),
    ):
        pass
    with second.opened(JOB):
        pass


def test_a_lease_that_another_process_took_ends_the_slower_one(tmp_path):
    """Stores without locks cannot keep two from beginning at once, but no two write the same part."""
    address = f"memory://taken-{tmp_path.name}"
    first, second = ResultFolder(address, "csv"), ResultFolder(address, "csv")
    with pytest.raises(OptionError, match="another process writes into"), first.opened(JOB):  # noqa: PT012
        first.add(row(0))
        first.folder.write("lock.json", b'{"time": 0, "owner": ""}')  # gone stale meanwhile
        with second.opened(JOB):
            second.add(row(1))
            second.flush()
            first.flush()
    assert first.folder.names("counts") == ["part-000000.csv"]
    assert row(1).photo in first.folder.read("counts/part-000000.csv").decode()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the size of files by setrlimit")
def test_a_full_disk_is_one_sentence_and_what_was_written_stays(tmp_path):
    """The writing of a part fails as on a full disk; the parts before are whole, and a restart goes on."""
    code = f"""
import resource, signal, sys
from crowdscale.bulk import PhotoRow, ResultFolder
from crowdscale.errors import CrowdscaleError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = ResultFolder({str(tmp_path)!r}, "jsonl", part_rows=2)
try:
    with folder.opened({JOB!r}):
        for index in range(4):
            folder.add(PhotoRow(str(index), count=1.0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        for index in range(4, 6):
            folder.add(PhotoRow(str(index), count=1.0, heads=[[1.0, 1.0, 1.0]] * 5000))
except CrowdscaleError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "expected to write results, but got" in done.stdout
    assert "File too large" in done.stdout
    assert sorted(path.name for path in (tmp_path / "counts").iterdir()) == [
        "part-000000.jsonl",
        "part-000001.jsonl",
    ]
    with ResultFolder(str(tmp_path), "jsonl").opened(JOB) as again:
        assert again.done == {"0", "1", "2", "3"}


FORMER_JOB = {
    "sources": ["photos"], "model": "lite",
    "options": {"refine": True, "factor": None, "again": False, "base": None, "bases": {"above": 1500000},
                "average": {"flip": False, "scales": []}},
}  # fmt: skip
CURRENT_JOB = {
    "sources": ["photos"], "model": "lite",
    "options": {"refine": True, "zoom": None, "third_pass": False, "read_scale": None,
                "read_scale_search": {"above": 1500000}},
}  # fmt: skip
FORMER_ROW = {
    "photo": "photos/1.jpg", "people": 2.5, "low_90": 1, "high_90": 4, "first_pass": 2.0, "width": 640, "height": 480,
    "reduction": 1.0, "tiles": 1, "seconds": 0.1,
    "regions": [{"box": [1, 2, 30, 40], "factor": 1.5, "count_before": 3.0, "count_after": 4.5}],
    "x": [1.5, 2.25], "y": [3.0, 4.5], "confidence": [0.5, 1.0],
    "zones": [{"name": "hall", "people": 2.0, "dots": 2, "per_square_metre": None}], "warnings": "Dark.;Small.",
}  # fmt: skip


def former_part(kind):
    """Return a part as the release before wrote it."""
    if kind == "jsonl":
        return (json.dumps(FORMER_ROW) + "\n").encode()
    if kind == "csv":
        cells = {name: json.dumps(v) if isinstance(v, list) else v for name, v in FORMER_ROW.items()}
        stream = io.StringIO()
        writer = csv.DictWriter(
            stream, [name for name in cells if name not in ("x", "y", "confidence")], extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerow(cells)
        return stream.getvalue().encode()
    import pyarrow
    from pyarrow import parquet

    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist([FORMER_ROW]), sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_a_folder_of_the_release_before_goes_on_under_current_names(tmp_path, kind):
    folder = Folder(str(tmp_path))
    folder.write("job.json", json.dumps({**FORMER_JOB, "format": kind}).encode())
    folder.write(f"counts/part-000000.{kind}", former_part(kind))
    with ResultFolder(str(tmp_path), kind).opened(CURRENT_JOB) as results:
        assert results.done == {"photos/1.jpg"}
        assert results.manifest()["count"] == 2.5
        results.add(row(2))
    first, second = (folder.read(f"counts/part-{i:06d}.{kind}") for i in range(2))
    assert FORMATS[kind].names(first) == FORMATS[kind].names(second)
    (values,) = FORMATS[kind].read(first, FORMATS[kind].names(first))
    assert (values["count"], values["count_low"], values["count_high"], values["read_scale"]) == (
        2.5,
        1,
        4,
        1.0,
    )
    assert values["warnings"] == ["Dark.", "Small."]
    assert values["regions"] == [{**vars(REGION), "capped": False}]
    assert (values["zones"][0]["count"], values["zones"][0]["heads"]) == (2.0, 2)
    if kind != "csv":
        assert values["heads"] == [[1.5, 3.0, 0.5], [2.25, 4.5, 1.0]]


def test_the_base_install_writes_csv(tmp_path, monkeypatch):
    monkeypatch.setattr("crowdscale.bulk.tables.find_spec", lambda name: None)
    assert ResultFolder(str(tmp_path / "new")).kind == "csv"
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "job.json").write_text('{"format": "jsonl"}')
    assert ResultFolder(str(tmp_path / "begun")).kind == "jsonl"


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize("damage", [b"", b"PAR1", None], ids=["empty", "garbage", "cut"])
def test_a_damaged_part_is_set_aside_and_its_photos_are_counted_again(address, kind, damage):
    with ResultFolder(address, kind, part_rows=2).opened(JOB) as folder:
        for index in range(6):
            folder.add(row(index))
    name = f"counts/part-000001.{kind}"
    whole = folder.folder.read(name)
    damaged = whole[: len(whole) - 9] if damage is None else damage
    folder.folder.write(name, damaged)
    again = ResultFolder(address, kind, part_rows=2)
    with again.opened(JOB):
        assert again.done == {row(index).photo for index in (0, 1, 4, 5)}
        assert again.notes == [f"{name} was damaged and is set aside: its photos are counted again."]
        for index in range(6):
            again.add(row(index))
    assert again.manifest()["photos"] == 6
    if damaged:
        assert again.folder.read(f"damaged/counts-part-000001.{kind}") == damaged
    with ResultFolder(address, kind).opened(JOB) as third:
        assert len(third.done) == 6
        assert third.notes == []


DAMAGED = [b"", b"{", b"[1]", b"[" * 5000, b'{"parts": 3, "owner": 7, "time": "x"}']


@pytest.mark.parametrize("name", ["manifest.json", "lock.json"])
@pytest.mark.parametrize("content", DAMAGED, ids=["empty", "half", "list", "deep", "odd"])
def test_damaged_notes_of_the_folder_change_nothing(address, name, content):
    with ResultFolder(address, "csv").opened(JOB) as folder:
        folder.add(row(0))
    folder.folder.write(name, content)
    with ResultFolder(address).opened(JOB) as again:
        assert again.done == {row(0).photo}


@pytest.mark.parametrize("content", DAMAGED[:4], ids=["empty", "half", "list", "deep"])
def test_a_damaged_job_with_parts_is_one_sentence(address, content):
    with ResultFolder(address, "csv").opened(JOB) as folder:
        folder.add(row(0))
    folder.folder.write("job.json", content)
    with pytest.raises(
        OptionError, match=r"job\.json to hold the options of its job, but got a damaged file"
    ):
        ResultFolder(address).opened(JOB).__enter__()


def test_an_empty_job_without_parts_begins_anew(address):
    folder = ResultFolder(address, "csv")
    folder.folder.write("job.json", b"")
    with folder.opened(JOB):
        folder.add(row(0))
    assert json.loads(folder.folder.read("job.json"))["model"] == "lite"


def test_files_of_others_in_the_folder_are_left_alone(tmp_path):
    with ResultFolder(str(tmp_path), "csv").opened(JOB) as folder:
        folder.add(row(0))
        folder.add(broken(1))
    for name in ("counts/Thumbs.db", "counts/desktop.ini", "broken/._part-000000.csv", "counts/part-x.csv"):
        (tmp_path / name).write_bytes(b"\0\1")
    with ResultFolder(str(tmp_path), "csv").opened(JOB) as again:
        assert len(again.done) == 2
        assert len(list(again.broken())) == 1
    assert (tmp_path / "counts" / "Thumbs.db").read_bytes() == b"\0\1"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads open files as Linux names them")
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_a_power_cut_at_any_moment_loses_no_part_of_the_manifest(tmp_path, monkeypatch, kind):
    """Each recorded step of the disk, with the bytes that surely reached it, is a folder that goes on."""
    with monkeypatch.context() as recorded:
        disk = Disk(tmp_path, recorded)
        with ResultFolder(str(tmp_path / "results"), kind, part_rows=2).opened(JOB) as folder:
            for index in range(6):
                folder.add(row(index))
            folder.add(broken(9))
    images = {tuple(sorted(image.items())): image for image in disk.images}.values()
    assert len(images) > 10
    for number, image in enumerate(images):
        after = disk.restore(image, tmp_path / f"after{number}")
        listed = json.loads(image.get("results/manifest.json") or b'{"parts": {}}')["parts"]
        for name, part in listed.items():
            data = image.get(f"results/{name}", b"")
            assert hashlib.sha256(data).hexdigest() == part["sha256"], f"image {number}: {name}"
        again = ResultFolder(str(after / "results"), kind)
        with again.opened(JOB):
            assert again.notes == []
            for index in range(6):
                again.add(row(index))
        assert again.manifest()["photos"] == 6


@pytest.mark.parametrize("target", ["file", "file/deep"])
def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, target):
    (tmp_path / "file").touch()
    with (
        pytest.raises(OptionError, match="cannot be written"),
        ResultFolder(str(tmp_path / target), "csv").opened(JOB),
    ):
        pass
