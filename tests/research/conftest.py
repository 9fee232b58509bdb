"""The laboratory's slow tests run only when they are asked for: ``pytest tests/research -m slow``."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "slow" in config.getoption("markexpr"):
        return
    skip = pytest.mark.skip(reason="slow: run pytest tests/research -m slow")
    for item in items:
        if "tests/research/" in item.path.as_posix() and item.get_closest_marker("slow"):
            item.add_marker(skip)
