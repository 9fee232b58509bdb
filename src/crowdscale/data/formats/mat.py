"""MATLAB: a .mat of points a photo, as ShanghaiTech, UCF-QNRF and many tools write it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from crowdscale.data.formats.label import Entry, Format, Label, Mark, Size
from crowdscale.errors import DataError
from crowdscale.files.matlab import Value, find_field, read_mat

__all__ = ["MAT", "points_of_mat", "truth_name"]

NAMES = ("location", "annPoints", "loc", "points", "gt", "annotations", "dots")
"""Fields and variables that hold points, the more certain first."""


def read_points_mat(path: Path, photo_size: Callable[[], Size] | None = None) -> Entry:
    """Return the entry of NAME.mat. Raises DataError where it holds no points."""
    del photo_size
    return Entry([Mark(x, y) for x, y in points_of_mat(read_mat(path), path).tolist()])


def points_of_mat(content: Value, path: Path, strict: bool = False) -> NDArray[np.float64]:
    """Return the (n, 2) points x, y that a .mat holds.

    They lie in a field or variable of a known name, however deep, or in the only array of two columns. An array
    of more columns is refused: they may be boxes, or numbers before x and y.
    ``number``, the number of heads beside them, reveals transposed points.

    Args:
        content: The variables.
        path: The file, for errors.
        strict: Take no array without a known name.

    Raises:
        DataError: There are none, or an array may be read in two ways.
    """
    points = _named_points(content)
    if points is None and isinstance(content, dict) and not strict:
        points = _only_table(content)
    if not isinstance(points, np.ndarray):
        names = ", ".join(content) if isinstance(content, dict) and content else "nothing"
        raise DataError(f"expected points in {path}", names, f"Name the variable {NAMES[1]}, (n, 2) x, y")
    return _columns(np.asarray(points, dtype=np.float64), find_field(content, "number"), path)


def _named_points(content: Value) -> Value | None:
    """Return the first field or variable of a known name; None without one, or where it is a struct or cell."""
    points = next((value for name in NAMES if (value := find_field(content, name)) is not None), None)
    return None if isinstance(points, (dict, list)) else points


def _only_table(content: dict[str, Value]) -> Value | None:
    """Return the only variable that is an array of two columns; None where there are none or several."""
    tables = [each for each in content.values() if isinstance(each, np.ndarray) and each.shape[-1:] == (2,)]
    return tables[0] if len(tables) == 1 else None


def _columns(array: NDArray[np.float64], number: Value | None, path: Path) -> NDArray[np.float64]:
    heads = _head_count(number)
    if array.size == 0:
        return np.zeros((0, 2))
    if array.ndim != 2 or array.shape[1] < 2:
        raise DataError(f"expected (n, 2) points in {path}", f"shape {array.shape}")
    array = _upright(array, heads, path)
    if array.shape[1] > 2:
        raise DataError(f"expected (n, 2) points in {path}", f"shape {array.shape}", "Save x and y alone")
    return np.ascontiguousarray(array)


def _head_count(number: Value | None) -> int | None:
    """Return the number of heads that a .mat states; None where it is not one finite number."""
    if isinstance(number, np.ndarray) and number.size == 1 and np.isfinite(number).all():
        return int(number.ravel()[0])
    return None


def _upright(array: NDArray[np.float64], heads: int | None, path: Path) -> NDArray[np.float64]:
    """Return the points with a row a head. Raises DataError where two rows may be heads or coordinates."""
    if array.shape[0] != 2 or array.shape[1] <= 2 or heads == 2:
        return array
    if heads != array.shape[1]:
        raise DataError(
            f"{path} holds 2 rows of {array.shape[1]} numbers: 2 heads, or {array.shape[1]} in columns", "",
            "Save the points as (n, 2)",
        )  # fmt: skip
    return array.T


def truth_name(photo: str) -> str:
    """Return the path of a photo's .mat in ShanghaiTech's layout: images/IMG_1.jpg → ground_truth/GT_IMG_1.mat."""
    path = PurePosixPath(photo)
    folders = list(path.parent.parts)
    if folders and folders[-1] == "images":
        folders[-1] = "ground_truth"
    return str(PurePosixPath(*folders, f"GT_{path.stem}.mat"))


def _write(name: str, label: Label) -> bytes:
    """Return a .mat as ShanghaiTech nests it: a cell of a struct with location and number."""
    from scipy.io import savemat

    del name
    inner = np.empty((1, 1), dtype=[("location", "O"), ("number", "O")])
    inner[0, 0] = (
        label.points.xy.copy(),
        np.array([[len(label.points)]], dtype=np.uint16 if len(label.points) < 65536 else np.uint32),
    )
    outer = np.empty((1, 1), dtype=object)
    outer[0, 0] = inner
    stream = io.BytesIO()
    savemat(stream, {"image_info": outer})  # type: ignore[arg-type]
    return stream.getvalue()


MAT = Format(
    "mat", "GT_NAME.mat a photo (ShanghaiTech; also NAME.mat, NAME_ann.mat): points", ".mat", False, True, False,
    read_one=read_points_mat, write_one=_write, target=truth_name,
)  # fmt: skip
