"""A service over a tiny model, in process and on a port; photos that the model reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from crowdscale.points import Points
from tests.support.fakes import encoded, label_photo
from tests.support.pages import Page, chromium

if (
    find_spec("fastapi") is None
):  # without the extra [serve] the zone editor, the engine and the export remain
    collect_ignore = [
        f"test_{name}.py" for name in ("annotations", "auditing", "cameras", "connections", "dashboard", "folder", "line", "metrics", "teaching", "openapi", "page", "page_troubles", "page_ways", "page_zones", "process", "service", "site", "watching")
    ]  # fmt: skip

HEADS = Points(np.array([(20.0, 30.0), (60.0, 32.0), (100.0, 90.0), (150.0, 60.0), (200.0, 120.0)]))


@pytest.fixture(scope="session")
def crowd() -> bytes:
    """A PNG of 240×160 pixels with five heads for the tiny model."""
    return encoded(label_photo(HEADS, 240, 160))


@pytest.fixture
def client(label_model: Path):
    """A client of a fresh service."""
    from fastapi.testclient import TestClient

    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions

    options = ServeOptions(max_bytes=200_000, max_pixels=1_000_000, batch=3)
    app = create_app(Counter.open(str(label_model), options.max_pixels), options)
    with TestClient(app, base_url="http://127.0.0.1") as made:
        yield made


class Running(NamedTuple):
    address: str
    folder: Path | None


@contextmanager
def served(model: Path, corrections: Path | None, folder: Path | None = None) -> Iterator[Running]:
    """A service on a free port of this machine, in a thread."""
    import uvicorn

    from crowdscale.serve.app import create_app
    from crowdscale.serve.counter import Counter
    from crowdscale.serve.options import ServeOptions

    options = ServeOptions(port=0, corrections=corrections, folder=folder)
    app = create_app(Counter.open(str(model), options.max_pixels, threads=1), options)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Running(f"http://127.0.0.1:{port}/", corrections)
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="session")
def running(label_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with a folder of corrections."""
    with served(label_model, tmp_path_factory.mktemp("corrections")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A headless Chromium of a file: its loop would stop others that begin their own in this thread."""
    with chromium() as made:
        yield made


@pytest.fixture
def opened(browser, running):
    pages: list[Page] = []

    def open_page(**options) -> Page:
        pages.append(Page(browser, running.address, **options))
        return pages[-1]

    yield open_page
    for each in pages:
        assert not each.problems
        assert all(url.startswith((running.address, "blob:", "data:")) for url in each.asked)
        each.context.close()
