"""Jobs by threads and by Ray: the same rows, whatever breaks, stops or is killed."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from crowdscale.bulk import Job, PhotoRow, ResultFolder, local, run_job
from crowdscale.bulk.local import WAITING, count_local
from crowdscale.counting.predictor import PredictOptions, load
from crowdscale.errors import ImageError, OptionError
from tests.support.bulk_crowds import read_counts, write_crowds
from tests.support.processes import below

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def crowds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crowds")
    return folder, write_crowds(folder, 60, broken=(7, 31))


def job(crowds, label_model, **changes):
    return replace(
        Job((str(crowds[0]),), str(label_model), options=PredictOptions(keep_map=False)), **changes
    )


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_photo_has_its_row_and_broken_ones_their_sentence(crowds, label_model, tmp_path, workers):
    results = ResultFolder(str(tmp_path / "out"), part_rows=25)
    rows = []
    summary = run_job(job(crowds, label_model, workers=workers), results, rows.append)
    assert [Path(row.photo).name for row in rows] == [f"p{number:03}.png" for number in range(60)]
    assert dict(read_counts(tmp_path / "out")) == crowds[1]
    assert (summary.photos, summary.broken, summary.interrupted, summary.added) == (58, 2, False, 60)
    assert summary.count == sum(crowds[1].values())
    names, sentences = zip(*results.broken(), strict=True)
    assert sorted(Path(name).name for name in names) == ["p007.png", "p031.png"]
    assert all("is damaged and cannot be decoded" in sentence and "p0" in sentence for sentence in sentences)


def test_a_second_run_does_nothing_and_a_new_photo_is_added(label_model, tmp_path):
    people = write_crowds(tmp_path / "in", 5)
    wanted = job((tmp_path / "in", people), label_model)
    results = str(tmp_path / "out")
    assert run_job(wanted, ResultFolder(results)).added == 5
    assert run_job(wanted, ResultFolder(results)).added == 0
    more = write_crowds(tmp_path / "in", 7)
    assert run_job(wanted, ResultFolder(results)).added == 2
    assert sorted(read_counts(tmp_path / "out")) == sorted(more.items())


def test_ctrl_c_keeps_what_is_done(crowds, label_model, tmp_path):
    seen = []

    def stop(row: PhotoRow) -> None:
        seen.append(row.photo)
        if len(seen) == 10:
            raise KeyboardInterrupt

    results = str(tmp_path / "out")
    assert run_job(job(crowds, label_model), ResultFolder(results), stop).interrupted
    assert {photo for photo, _ in read_counts(tmp_path / "out")} <= set(seen)
    summary = run_job(job(crowds, label_model), ResultFolder(results))
    assert (summary.photos, summary.added) == (58, 50)
    assert sorted(read_counts(tmp_path / "out")) == sorted(crowds[1].items())


def test_queues_are_bounded(crowds, label_model):
    """A slow consumer does not let the readers run through the folder."""
    listed = []

    def photos():
        for photo in crowds[1]:
            listed.append(photo)
            yield photo

    rows = count_local(load(label_model), photos(), 1)
    next(rows)
    time.sleep(0.7)
    assert len(listed) <= 3 * WAITING + 5 < len(crowds[1])
    rows.close()


def test_a_defect_in_the_middle_ends_the_job_loudly(crowds, label_model, tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("crowdscale.counting.predictor.Predictor.predict_photo", fail)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        run_job(job(crowds, label_model), ResultFolder(str(tmp_path / "out")))


def test_memory_file_system_in_and_out(crowds, label_model, tmp_path):
    import fsspec

    files, name = fsspec.filesystem("memory"), tmp_path.name
    for photo in list(crowds[1])[:4]:
        files.pipe_file(f"/{name}/in/{Path(photo).name}", Path(photo).read_bytes())
    results = ResultFolder(f"memory://{name}/out", "jsonl")
    summary = run_job(replace(job(crowds, label_model), sources=(f"memory://{name}/in",)), results)
    assert (summary.photos, summary.count) == (4, 1 + 2 + 3 + 4)
    assert results.folder.names("counts") == ["part-000000.jsonl"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"runner": "spark"}, "unknown --runner 'spark'. Choose one of local, ray"),
        ({"workers": -1}, "--workers >= 0"),
        ({"address": "auto"}, "--address with --runner ray"),
    ],
    ids=str,
)
def test_what_a_job_cannot_be(crowds, label_model, changes, sentence):
    with pytest.raises(OptionError, match=sentence):
        job(crowds, label_model, **changes)


def test_a_folder_without_photos_is_said(label_model, tmp_path):
    with pytest.raises(ImageError, match="no photos in"):
        run_job(replace(job((tmp_path, {}), label_model)), ResultFolder(str(tmp_path / "out")))


def start(crowds, label_model, out, *more):
    command = [
        sys.executable, "-m", "crowdscale", "count", str(crowds[0]), "--model", str(label_model),
        "--out", str(out), "--part", "7", *more,
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("killing", "afters"),
    [(signal.SIGKILL, (1, 60)), (signal.SIGTERM, (60,))],
    ids=["kill -9", "SIGTERM"],
)
def test_killed_and_restarted_no_row_is_lost_or_doubled(label_model, tmp_path, killing, afters):
    people = write_crowds(tmp_path / "in", 200)
    out, stopped = tmp_path / "out", 0
    for after in afters:
        process = start((tmp_path / "in", people), label_model, out)
        while process.poll() is None and len(list(out.glob("counts/part-*"))) * 7 < after:
            time.sleep(0.005)
        process.send_signal(killing)
        process.communicate(timeout=60)
        stopped += process.returncode != 0
    assert stopped == len(afters)
    assert len(read_counts(out)) < 200
    last = start((tmp_path / "in", people), label_model, out)
    stdout, stderr = last.communicate(timeout=120)
    assert (last.returncode, stderr) == (0, "")
    assert f"200 photos, {sum(people.values()):,} people" in stdout
    assert sorted(read_counts(out)) == sorted(people.items())


def test_the_command_reports_broken_photos_and_exits_1(crowds, label_model, tmp_path):
    process = start(crowds, label_model, tmp_path / "out", "--format", "csv")
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "58 photos, " in stdout
    assert "2 broken; 60 of them now" in stdout
    assert stderr.count("is damaged and cannot be decoded") == 2


@pytest.mark.slow
def test_ray_on_loopback_gives_the_same_rows_also_when_a_worker_is_killed(label_model, tmp_path):
    if find_spec("ray") is None:  # imported here, before the runner does, it would listen on all interfaces
        pytest.skip("needs the extra [ray]")
    people = write_crowds(tmp_path / "in", 120, broken=(11,))
    wanted = job((tmp_path / "in", people), label_model, runner="ray", workers=2)
    killed, listening = [], set()

    def kill_a_worker(row: PhotoRow) -> None:
        if not killed:
            listening.update(_listening())
            killed.append(_kill_one_worker())

    summary = run_job(wanted, ResultFolder(str(tmp_path / "out"), part_rows=50), kill_a_worker)
    assert killed[0], "no worker process was found to kill"
    assert (summary.photos, summary.broken) == (119, 1)
    assert sorted(read_counts(tmp_path / "out")) == sorted(people.items())
    assert sys.platform != "linux" or listening
    assert listening <= LOOPBACK


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""The loopback address as /proc/net writes it: IPv4, the same in IPv6, and IPv6."""


def _listening() -> set[str]:
    """Return the addresses at which this process and those below it listen, as Linux names them."""
    inodes, addresses = set(), set()
    for process in (os.getpid(), *below(os.getpid())):
        for handle in Path(f"/proc/{process}/fd").glob("*"):
            with suppress(OSError):
                inodes.add(os.readlink(handle))  # noqa: PTH115
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            cells = line.split()
            if cells[3] == "0A" and f"socket:[{cells[9]}]" in inodes:
                addresses.add(cells[1].split(":")[0])
    return addresses


def _kill_one_worker() -> int:
    """Kill a Ray actor of this process that holds the model, found by the name that Ray gives it; its number or 0."""
    for number in below(os.getpid()):
        try:
            command = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::") and b"Count" in command:
            os.kill(number, signal.SIGKILL)
            return number
    return 0


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_one_sentence(crowds, label_model, tmp_path):
    if find_spec("ray") is None:  # imported here, before the runner does, it would listen on all interfaces
        pytest.skip("needs the extra [ray]")
    wanted = job(crowds, label_model, runner="ray", address="127.0.0.1:1")
    with pytest.raises(OptionError, match=r"expected a Ray cluster, but got none at 127\.0\.0\.1:1"):
        run_job(wanted, ResultFolder(str(tmp_path / "out")))


def test_rows_come_in_the_order_of_the_photos_though_one_takes_longer(crowds, label_model, monkeypatch):
    counted, predict = [], local._row

    def slow_at_first(name, *more):
        row = predict(name, *more)
        if name.endswith("p000.png"):
            while len(counted) < 5:  # the others overtake it
                time.sleep(0.01)
        counted.append(name)
        return row

    monkeypatch.setattr(local, "_row", slow_at_first)
    photos = sorted(str(path) for path in crowds[0].glob("*.png"))[:12]
    rows = list(count_local(load(label_model, threads=1), photos, workers=2))
    assert counted[0] != photos[0]
    assert [row.photo for row in rows] == photos


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes")
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_names_that_are_no_utf_8_have_rows_like_others(label_model, tmp_path, kind):
    write_crowds(tmp_path / "in", 3, broken=(2,))
    os.rename(tmp_path / "in" / "p001.png", os.fsencode(tmp_path / "in") + b"/caf\xe9.png")  # noqa: PTH104
    os.rename(tmp_path / "in" / "p002.png", os.fsencode(tmp_path / "in") + b"/k\xe4se\r.png")  # noqa: PTH104
    wanted = job((tmp_path / "in", {}), label_model)
    results = ResultFolder(str(tmp_path / "out"), kind)
    summary = run_job(wanted, results)
    assert (summary.photos, summary.broken) == (2, 1)
    assert {Path(name).name for name in results.done} == {"p000.png", "caf\\xe9.png", "k\\xe4se\r.png"}
    assert run_job(wanted, ResultFolder(str(tmp_path / "out"), kind)).added == 0


def test_a_password_in_an_address_is_in_no_file_of_results(label_model, tmp_path):
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = f"http://user:S3cret@127.0.0.1:{server.server_port}/no such photo.jpg"
        summary = run_job(Job((source,), str(label_model)), ResultFolder(str(tmp_path / "out"), "jsonl"))
        server.shutdown()
    assert summary.broken == 1
    texts = [path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not any("S3cret" in text for text in texts)
    assert any("user:***@127.0.0.1" in text for text in texts)
