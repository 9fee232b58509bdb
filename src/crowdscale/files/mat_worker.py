"""Process that reads MATLAB files for another: a damaged or hostile file ends this one alone.

Started by ``crowdscale.files.matlab`` as a script; it imports nothing of the package. It reads a path in
MessagePack a request and answers with the file's variables as plain values: arrays as dtype, shape and bytes,
structs as dictionaries, cells and arrays of structs as lists.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

MEMORY = 2_000_000_000
"""Bytes of address space of this process: files that unpack to more are refused."""

MOST_VALUES = 50_000_000
"""Numbers in one array."""

DEEPEST = 20
"""Levels of structs and cells."""

HDF5 = b"\x89HDF\r\n\x1a\n"
"""Beginning of an HDF5 block, which version 7.3 puts behind a header of 512 bytes."""


def read(path: str) -> dict[str, Any]:
    """Return the variables of a .mat file as plain values."""
    with Path(path).open("rb") as stream:
        start = stream.read(520)
    if HDF5 in (start[:8], start[512:520]):
        return _read_hdf5(path)
    from scipy.io import loadmat

    content = loadmat(path)
    return {name: _plain(value, 0) for name, value in content.items() if not name.startswith("__")}


def _plain(value: Any, depth: int) -> Any:
    """Return a SciPy value as plain values; cells and structs of one element are unwrapped."""
    if depth > DEEPEST:
        raise ValueError("structs nested too deeply")
    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    if array.dtype.names:
        elements = [
            {name: _plain(each[name], depth + 1) for name in array.dtype.names} for each in array.ravel()
        ]
        return elements[0] if len(elements) == 1 else elements
    if array.dtype == object:
        elements = [_plain(each, depth + 1) for each in array.ravel()]
        return elements[0] if len(elements) == 1 else elements
    return _numbers(array)


def _numbers(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind in "US":
        return "".join(str(each) for each in array.ravel())
    if array.dtype.kind not in "biuf":
        raise ValueError(f"values of the kind {array.dtype}")
    if array.size > MOST_VALUES:
        raise MemoryError
    kind = np.dtype(array.dtype.kind + str(array.dtype.itemsize)).newbyteorder("<")
    return {"": [kind.str, list(array.shape), np.ascontiguousarray(array, kind).tobytes()]}


def _read_hdf5(path: str) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:
        raise ImportError("h5py") from None
    with h5py.File(path, "r") as file:
        names = _hard_links(file)
        return {name: _plain_hdf5(file[name], file, 0) for name in names if not name.startswith("#")}


def _hard_links(group: Any) -> list[str]:
    """Return the names in a group of HDF5 that lead to no other file and no other place."""
    import h5py

    return [name for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]


def _check_data(node: Any) -> None:
    """Raise ValueError for data in another file, MemoryError for too many numbers."""
    if node.external:
        raise ValueError("data in another file")
    if node.size is not None and node.size > MOST_VALUES:
        raise MemoryError


def _empty(shape: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array without values of a stored shape; 0×0 where the shape would hold some."""
    return np.zeros([int(side) for side in shape.ravel()[:8]]) if not shape.prod() else np.zeros((0, 0))


def _plain_hdf5(node: Any, file: Any, depth: int) -> Any:
    """Return a node as plain values: groups are structs, references cells; axes are in MATLAB's order."""
    import h5py

    if depth > DEEPEST:
        raise ValueError("structs nested too deeply")
    if isinstance(node, h5py.Group):
        return {name: _plain_hdf5(node[name], file, depth + 1) for name in _hard_links(node)}
    _check_data(node)
    array = np.asarray(node[()])
    if array.dtype == object:
        elements = [_plain_hdf5(file[each], file, depth + 1) for each in array.T.ravel(order="F")]
        return elements[0] if len(elements) == 1 else elements
    if node.attrs.get("MATLAB_empty", 0):  # the data are then the array's shape
        return _numbers(_empty(array))
    if node.attrs.get("MATLAB_class", b"") == b"char":
        return "".join(map(chr, array.T.ravel(order="F")))
    return _numbers(array.T)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def serve(answer: Callable[[str], Any]) -> None:
    """Answer requests from standard input until it ends: each is 4 bytes of length and a message."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    while length := source.read(4):
        path = msgspec.msgpack.decode(source.read(int.from_bytes(length, "big")), type=str)
        try:
            reply = {"content": answer(path)}
        except Exception as error:  # loadmat raises a dozen kinds for damaged bytes; each is one broken file
            reply = {"error": type(error).__name__, "why": str(error)[:300]}
        data = msgspec.msgpack.encode(reply)
        sink.write(len(data).to_bytes(4, "big") + data)
        sink.flush()


if __name__ == "__main__":
    _limit_memory()
    serve(read)
