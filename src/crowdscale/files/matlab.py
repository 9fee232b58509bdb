"""MATLAB files from strangers, read in a process of their own: a crash or a bomb costs one file.

SciPy's reader ends the whole process on some damaged files. Considered: mat4py, in plain Python. It loops
over sizes that the file claims. h5py reads version 7.3, where it is installed.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError, MissingExtraError
from crowdscale.files import mat_worker

__all__ = ["Value", "find_field", "read_mat"]

Value: TypeAlias = "NDArray[Any] | str | dict[str, Value] | list[Value]"
"""A variable: an array, text, a struct or a cell; structs and cells of one element are unwrapped."""

MOST_BYTES = 256_000_000
"""Files beyond this are refused: annotations have kilobytes, masks some megabytes."""

PATIENCE = 10.0
"""Seconds for one file, on a busy machine."""

START = 30.0
"""Seconds that a new process may take to start on a busy machine."""


def read_mat(path: Path, what: str = "points") -> dict[str, Value]:
    """Return the variables of a .mat file by name.

    Args:
        path: The file.
        what: Its content, for errors: ``a QNRF annotation``.

    Raises:
        DataError: The file is missing, damaged, too large or too slow to read.
        MissingExtraError: It is of version 7.3, and h5py is not installed.
    """
    if not path.is_file():
        raise DataError(f"expected {what}", f"no file at {path}", "Check that the set was unpacked in full")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"expected {what}, a .mat file of at most {MOST_BYTES / 1e6:.0f} MB", str(path))
    with _LOCK:
        reply = _worker().ask(str(path.absolute()))
    if reply is None:
        raise DataError(
            f"expected {what}, a .mat file", f"{path}, which cannot be read (it is damaged or unpacks without end)",
            "Unpack the set again",
        )  # fmt: skip
    if reply.get("error") == "ImportError":
        raise MissingExtraError(f"{path} is a .mat file of MATLAB's version 7.3, which", "mat")
    if "error" in reply:
        why = f"{reply['error']}: {reply.get('why', '')}".rstrip(": ")
        raise DataError(
            f"expected {what}, a .mat file", f"{path}, which cannot be read ({why})", "Unpack the set again"
        )
    content: dict[str, Value] = {name: _value(value) for name, value in reply["content"].items()}
    return content


def find_field(content: Value, name: str) -> Value | None:
    """Return the first field or variable of this name, searched through structs and cells; None without one."""
    if isinstance(content, dict):
        if name in content:
            return content[name]
        inner = (find_field(value, name) for value in content.values())
        return next((value for value in inner if value is not None), None)
    if isinstance(content, list):
        return next((value for each in content if (value := find_field(each, name)) is not None), None)
    return None


def _value(plain: Any) -> Value:
    if isinstance(plain, dict) and "" in plain:
        kind, shape, data = plain[""]
        return np.frombuffer(data, np.dtype(kind)).reshape(shape)
    if isinstance(plain, dict):
        return {name: _value(each) for name, each in plain.items()}
    if isinstance(plain, list):
        return [_value(each) for each in plain]
    return str(plain)


class _Worker:
    """A process that reads files one after the other, started anew after a file that ends it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        paths = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            [sys.executable, "-P", mat_worker.__file__] if sys.version_info >= (3, 11)
            else [sys.executable, mat_worker.__file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **threads, "PYTHONPATH": paths},
        )  # fmt: skip
        self.replies: SimpleQueue[bytes | None] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.patience = START + PATIENCE

    def _listen(self) -> None:
        """Put each answer into the queue, and None at the end of the process."""
        stream = self.process.stdout
        assert stream is not None  # a pipe was asked for
        while length := stream.read(4):
            self.replies.put(stream.read(int.from_bytes(length, "big")))
        self.replies.put(None)

    def ask(self, path: str) -> dict[str, Any] | None:
        """Return the answer on one file; None where the process ended or took too long."""
        message = msgspec.msgpack.encode(path)
        try:
            stream = self.process.stdin
            assert stream is not None  # a pipe was asked for
            stream.write(len(message).to_bytes(4, "big") + message)
            stream.flush()
            data = self.replies.get(timeout=self.patience)
        except (OSError, Empty):
            data = None
        if data is None:
            self.stop()
            return None
        self.patience = PATIENCE
        reply: dict[str, Any] = msgspec.msgpack.decode(data)
        return reply

    @property
    def alive(self) -> bool:
        """Whether it can be asked: it runs, and was not inherited by a fork."""
        return self.owner == os.getpid() and self.process.poll() is None

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


_LOCK = threading.Lock()
_workers: list[_Worker] = []


def _worker() -> _Worker:
    """Return the process of this session."""
    if not _workers or not _workers[0].alive:
        _workers[:] = [_Worker()]
    return _workers[0]


@atexit.register
def _stop() -> None:
    for worker in _workers:
        if worker.owner == os.getpid():
            worker.stop()
