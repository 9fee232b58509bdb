"""Exports whose check against torch is quick."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

FEW_SIZES = ((97, 131), (1, 1))
"""An odd size and the smallest: all six of an export are compared in test_training.py, once."""


@pytest.fixture(scope="session", autouse=True)
def few_sizes() -> Iterator[None]:
    """Compare each exported graph with torch at two small sizes instead of six."""
    if find_spec("torch") is None:
        yield
        return
    from crowdscale.learn.export import onnx

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx, "CHECK_SIZES", FEW_SIZES)
        yield
