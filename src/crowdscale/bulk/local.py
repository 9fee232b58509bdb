"""The local runner: photos are read and decoded by threads beside inference, through bounded queues."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import Empty, Full, Queue
from typing import Any

from crowdscale.bulk.rows import PhotoRow, row_of
from crowdscale.counting.attempts import attempt, read_file
from crowdscale.counting.predictor import Predictor
from crowdscale.files.images import Photo
from crowdscale.zones.zone import Zones

__all__ = ["count_local"]

WAITING = 4
"""Most decoded photos per worker that wait, so that memory does not grow with the folder."""
LEFT_ALONE = 5.0
"""Seconds that an ended job waits for a thread."""
PATIENCE = 0.1
"""Seconds between two checks for a stop by a waiting thread."""


@dataclass
class _Line:
    """The queues between the stages, and the signal to stop."""

    names: Queue[tuple[int, str] | None]
    photos: Queue[tuple[int, str, Photo | str] | None]
    rows: Queue[tuple[int, PhotoRow] | BaseException | None]
    stop: threading.Event

    def put(self, queue: Queue[Any], item: Any) -> None:
        """Put an item; a stopped job drops it."""
        while not self.stop.is_set():
            try:
                queue.put(item, timeout=PATIENCE)
                return
            except Full:
                continue

    def get(self, queue: Queue[Any]) -> Any:
        """Return the next item; None after a stop."""
        while not self.stop.is_set():
            try:
                return queue.get(timeout=PATIENCE)
            except Empty:
                continue
        return None


def count_local(
    predictor: Predictor, photos: Iterable[str], workers: int = 1, zones: Zones | None = None
) -> Iterator[PhotoRow]:
    """Yield a row for each photo, in their order.

    Args:
        predictor: Shared by the threads.
        photos: Paths or addresses; read as a stream.
        workers: Threads that predict; as many read and decode.
        zones: Areas to count in.
    """
    waiting = WAITING * workers
    line = _Line(Queue(waiting), Queue(waiting), Queue(waiting), threading.Event())
    stages = [
        threading.Thread(target=_list, args=(line, photos, workers), daemon=True),
        *(threading.Thread(target=_decode, args=(line, predictor), daemon=True) for _ in range(workers)),
        *(
            threading.Thread(target=_predict, args=(line, predictor, zones), daemon=True)
            for _ in range(workers)
        ),
    ]
    for stage in stages:
        stage.start()
    try:
        ended = next_number = 0
        done: dict[int, PhotoRow] = {}
        while ended < workers:
            item = line.get(line.rows)
            if isinstance(item, BaseException):
                raise item
            if item is None:
                ended += 1
                continue
            number, row = item
            done[number] = row
            while next_number in done:
                yield done.pop(next_number)
                next_number += 1
    finally:
        line.stop.set()
        for stage in stages:
            stage.join(LEFT_ALONE)  # one that waits for a silent server ends with the process


def _list(line: _Line, photos: Iterable[str], workers: int) -> None:
    try:
        for numbered in enumerate(photos):
            line.put(line.names, numbered)
            if line.stop.is_set():
                return
    except Exception as error:  # handed to the caller's thread
        line.put(line.rows, error)
        return
    for _ in range(workers):
        line.put(line.names, None)


def _decode(line: _Line, predictor: Predictor) -> None:
    while (item := line.get(line.names)) is not None:
        number, name = item
        line.put(line.photos, (number, name, _open(name, predictor)))
    line.put(line.photos, None)


def _open(name: str, predictor: Predictor) -> Photo | str:
    photo, sentence = attempt(name, partial(read_file, name, predictor.options.max_pixels), "read")
    return photo or sentence


def _predict(line: _Line, predictor: Predictor, zones: Zones | None) -> None:
    try:
        while (item := line.get(line.photos)) is not None:
            number, name, photo = item
            line.put(line.rows, (number, _row(name, photo, predictor, zones)))
    except Exception as error:  # a defect: it ends the job with its trace
        line.put(line.rows, error)
        return
    line.put(line.rows, None)


def _row(name: str, photo: Photo | str, predictor: Predictor, zones: Zones | None) -> PhotoRow:
    if isinstance(photo, str):
        return PhotoRow(name, error=photo)
    row, sentence = attempt(name, lambda: row_of(name, predictor.predict_photo(photo), zones))
    return row or PhotoRow(name, error=sentence)
