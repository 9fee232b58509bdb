"""Work in parallel threads: several items at once, and results survive any stop."""

from __future__ import annotations

import threading
import time

import pytest

from crowdscale.cli.parallel import in_parallel


def nothing():
    pass


def interrupt():
    raise KeyboardInterrupt


def test_several_items_are_in_work_at_once_and_results_keep_their_order():
    together = threading.Barrier(2, timeout=30)

    def work(number):
        together.wait()
        return number

    assert in_parallel(range(6), work, 2, nothing, nothing) == (list(range(6)), False)


def test_an_unexpected_error_ends_the_work():
    begun = []

    def fail(number):
        begun.append(number)
        time.sleep(0.01)  # 500 of them take seconds, unless the waiting ones are cancelled
        raise RuntimeError("unexpected")

    with pytest.raises(RuntimeError, match="unexpected"):
        in_parallel(range(500), fail, 2, nothing, nothing)
    assert len(begun) < 500


def test_ctrl_c_lets_the_items_in_work_finish():
    results, stopped = in_parallel(
        range(100), lambda number: time.sleep(0.01) or number, 2, interrupt, nothing
    )
    assert stopped
    assert results == list(range(len(results)))
    assert 1 <= len(results) < 100


def test_a_second_ctrl_c_returns_without_the_items_in_work():
    stuck = threading.Event()

    def work(number):
        if number:
            stuck.wait(30)
        return number

    results = in_parallel(range(9), work, 1, interrupt, interrupt)
    stuck.set()
    assert results == ([0], True)
