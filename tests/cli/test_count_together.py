"""Several photos at a time: at once indeed, and what is done is kept whatever happens."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crowdscale.backends import share_cores
from crowdscale.cli import count


def test_several_photos_are_under_way_at_once(monkeypatch):
    together = threading.Barrier(2, timeout=30)

    def slow(path, *_):
        together.wait()
        return count.Outcome(path)

    monkeypatch.setattr(count, "_count_one", slow)
    outcomes = []
    names = [Path(f"{number}.png") for number in range(6)]
    assert not count._count_all(names, None, None, True, outcomes, None, workers=2)
    assert [outcome.photo for outcome in outcomes] == names


def test_what_nobody_foresaw_ends_the_run(monkeypatch):
    begun = []

    def fail(path, *_):
        begun.append(path)
        time.sleep(0.01)  # 500 of them take seconds, unless those that wait are given up
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(count, "_count_one", fail)
    with pytest.raises(RuntimeError, match="unforeseen"):
        count._count_all([Path(f"{n}.png") for n in range(500)], None, None, True, [], None, workers=2)
    assert len(begun) < 500


def test_told_twice_it_reports_what_is_done_without_waiting(monkeypatch):
    """The second Ctrl-C comes while a photo is under way that takes for ever."""
    stuck = threading.Event()

    def count_one(path, *_):
        if path.name == "0.png":
            return count.Outcome(path)
        stuck.wait(30)
        return count.Outcome(path)

    def told(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(count, "_count_one", count_one)
    monkeypatch.setattr(count, "as_completed", told)
    shutdown = ThreadPoolExecutor.shutdown
    monkeypatch.setattr(
        ThreadPoolExecutor,
        "shutdown",
        lambda pool, wait=True, **more: told() if wait else shutdown(pool, wait, **more),
    )
    submit = ThreadPoolExecutor.submit

    def submit_and_do_the_first(pool, *arguments):
        begun = submit(pool, *arguments)
        if arguments[1].name == "0.png":
            begun.result()
        return begun

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_and_do_the_first)
    outcomes = []
    names = [Path(f"{number}.png") for number in range(9)]
    assert count._count_all(names, None, None, True, outcomes, None, workers=1)
    stuck.set()
    assert [outcome.photo.name for outcome in outcomes] == ["0.png"]


def test_cores_are_shared_out(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert share_cores("onnx") == (4, 2)
    assert share_cores("onnx", photos=2) == (2, 4)
    assert share_cores("onnx", workers=8) == (8, 1)
    assert share_cores("onnx", threads=3) == (4, 3)
    assert share_cores("openvino-bf16") == share_cores("torch", "cuda") == (1, 8)
    assert share_cores("openvino", workers=2) == (2, 4)
