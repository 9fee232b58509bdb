"""The Ray runner: the same rows from actors that each hold the model, here or on a cluster."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from crowdscale.bulk.rows import PhotoRow, count_photo
from crowdscale.counting.predictor import PredictOptions, Predictor, load
from crowdscale.errors import MissingExtraError, OptionError
from crowdscale.zones.zone import Zones

__all__ = ["count_ray"]

BLOCK = 16
"""Photos of an actor's batch, which is counted again if the actor dies."""
ROUND = 20_000
"""Photos of one Ray data set; a longer stream is a sequence of data sets."""
STORE = 256 * 1024**2
"""Bytes of a local object store: it holds rows, never photos."""


class CountPhotos:
    """An actor: loads the model once, then counts batches of photos."""

    def __init__(
        self, model: str, backend: str, threads: int, options: PredictOptions, zones: Zones | None
    ) -> None:
        self.zones = zones
        self.predictor: Predictor = load(model, backend=backend, threads=threads, options=options)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the rows of a batch of photos."""
        rows = [count_photo(self.predictor, str(photo), self.zones) for photo in batch["photo"]]
        return {"row": [json.dumps(row.to_dict()) for row in rows]}


def count_ray(
    photos: Iterable[str],
    model: str,
    backend: str,
    options: PredictOptions,
    zones: Zones | None = None,
    workers: int = 1,
    address: str | None = None,
) -> Iterator[PhotoRow]:
    """Yield a row for each photo, in any order.

    Args:
        photos: Paths or addresses that every node can read.
        model: A bundled model's name, or a folder that every node can read.
        backend: Name of the backend.
        options: How photos are predicted.
        zones: Zones to count in.
        workers: Actors, each on one core.
        address: Address of a running cluster (``auto`` or ``ray://host:10001``); None starts Ray on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        OptionError: The cluster cannot be reached.
    """
    ray = _start(workers, address)
    try:
        for some in _rounds(photos):
            yield from _count(ray, some, (model, backend, 1, options, zones), workers)
    finally:
        ray.shutdown()


def _start(workers: int, address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if address is None:  # by this switch Ray's processes listen on the loopback address alone
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("--runner ray", "ray") from error
    try:
        _check_reachable(address)
        arguments: dict[str, Any] = {"address": address}
        if address is None:
            arguments = {
                "num_cpus": workers + 1,
                "object_store_memory": STORE,
                "include_dashboard": False,
            }
        with _no_remarks():
            ray.init(**arguments, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise OptionError(
            "expected a Ray cluster", f"none at {address or 'this machine'} ({error})", "Check --address"
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray


@contextmanager
def _no_remarks() -> Iterator[None]:
    """Keep what Ray's own core writes past Python while it starts off stderr: what goes wrong is raised."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _check_reachable(address: str | None) -> None:
    """Open a connection to the cluster first: Ray itself retries for minutes. Raises OSError."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()


def _rounds(photos: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    for photo in photos:
        some.append(photo)
        if len(some) == ROUND:
            yield some
            some = []
    if some:
        yield some


def _count(ray: Any, photos: list[str], arguments: tuple[Any, ...], workers: int) -> Iterator[PhotoRow]:
    blocks = max(1, min(len(photos) // BLOCK, 4096), min(len(photos), 2 * workers))
    dataset = ray.data.from_items([{"photo": photo} for photo in photos], override_num_blocks=blocks)
    counted = dataset.map_batches(
        CountPhotos,
        batch_size=BLOCK,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=workers),
        fn_constructor_args=arguments,
        num_cpus=1,
    )
    for batch in counted.iter_batches(batch_size=None, batch_format="pyarrow"):
        yield from (PhotoRow.from_dict(json.loads(row)) for row in batch.column("row").to_pylist())
