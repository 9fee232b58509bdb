"""Shares of intervals: the sparse matrix is the dense one, and memory follows the length of a line."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdscale.maps.blocks import BLOCK, BlockEstimate
from crowdscale.maps.estimates import DensityEstimate
from crowdscale.maps.overlaps import interval_shares
from crowdscale.points import Box

BORDERS = st.lists(st.integers(0, 40), min_size=2, max_size=12)


@given(BORDERS, st.sets(st.integers(0, 40), min_size=2, max_size=12))
def test_sparse_equals_dense(ours: list[int], theirs: set[int]) -> None:
    lines = np.sort(ours) / 3, np.sort(list(theirs)) / 4
    dense, sparse = interval_shares(*lines), interval_shares(*lines, dense=0)
    assert np.array_equal(sparse.toarray(), dense)
    assert (dense.sum(axis=0) <= 1 + 1e-12).all()


def test_a_long_line_takes_memory_by_its_length() -> None:
    cells = 8192  # a photo of 131,072 pixels in one row; dense matrices take 500 MB
    people = np.random.default_rng(0).random((1, cells))
    estimate = BlockEstimate(people, np.arange(cells + 1.0) * BLOCK, np.array([0.0, BLOCK]))
    tracemalloc.start()
    halved = estimate.resample(np.arange(cells // 4 + 1.0) * 4 * BLOCK, estimate.y_edges)
    placed = DensityEstimate(np.ones((1, 40_000), np.float32), Box(0, 0, 40_000, 1)).place(
        Box(0, 0, 20_000, 1), 40_000, 1
    )
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8_000_000
    assert halved[0] == pytest.approx(people.reshape(-1, 4).sum(axis=1))
    assert placed.count == pytest.approx(40_000)
