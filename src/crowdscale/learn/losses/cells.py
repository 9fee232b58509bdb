"""Heads and the cells of a coarse map: centres of cells, heads in the frame, heads per cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Cells", "cell_centres", "cell_numbers", "each_image", "heads_in_cells", "squared_distances"]


def cell_centres(rows: int, columns: int, stride: int, like: Tensor) -> Tensor:
    """Return the (rows·columns, 2) centres x, y in pixels of cells of ``stride`` pixels, row by row."""
    x, y = (
        (torch.arange(n, device=like.device, dtype=like.dtype) + 0.5) * stride - 0.5 for n in (columns, rows)
    )
    return torch.stack([x.repeat(rows), y.repeat_interleave(columns)], 1)


class Cells(NamedTuple):
    """The cells of one image that take part, and the heads in them."""

    people: Tensor
    """(m,) predicted people."""
    heads: Tensor
    """(n, 2) heads in pixels."""
    places: Tensor | slice
    """Numbers of the m cells among all of the map, row by row."""


def each_image(
    people: Tensor, points: Sequence[NDArray[Any] | Tensor], stride: int, certain: Tensor | None = None
) -> Iterator[Cells]:
    """Yield the cells and the heads in the frame of each image of (b, 1, rows, columns) people.

    Args:
        people: Predicted people in each cell.
        points: For each image its (n, 2) heads.
        stride: Side of a cell in pixels.
        certain: (b, 1, rows, columns) cells that take part; None for all. Heads in other cells are left out.
    """
    rows, columns = people.shape[-2:]
    for number, (cells, xy) in enumerate(zip(people.flatten(1), points, strict=True)):
        heads = _heads_in_frame(xy, rows, columns, stride, people)
        if certain is None:
            yield Cells(cells, heads, slice(None))
            continue
        kept = certain[number].flatten()
        places = kept.nonzero()[:, 0]
        yield Cells(cells[places], heads[kept[cell_numbers(heads, columns, stride)]], places)


def cell_numbers(heads: Tensor, columns: int, stride: int) -> Tensor:
    """Return the (n,) number of each head's cell, row by row; all heads lie in the frame."""
    cell = ((heads + 0.5).floor() / stride).floor().long()
    return cell[:, 1] * columns + cell[:, 0]


def _heads_in_frame(xy: NDArray[Any] | Tensor, rows: int, columns: int, stride: int, like: Tensor) -> Tensor:
    """Return the (n, 2) heads whose pixel lies in the frame."""
    # A copy: points are read-only arrays, of which torch warns.
    values = xy if isinstance(xy, Tensor) else torch.from_numpy(np.array(xy, np.float64))
    heads = values.to(like.device, like.dtype).reshape(-1, 2)
    size = heads.new_tensor([columns * stride, rows * stride])
    pixel = (heads + 0.5).floor()
    return heads[((pixel >= 0) & (pixel < size)).all(1)]


def heads_in_cells(heads: Tensor, rows: int, columns: int, stride: int) -> Tensor:
    """Return the (rows·columns,) number of heads in each cell; all heads lie in the frame."""
    numbers = cell_numbers(heads, columns, stride)
    return torch.bincount(numbers, minlength=rows * columns).to(heads.dtype)


def squared_distances(heads: Tensor, places: Tensor) -> Tensor:
    """Return the (n, m) squared distances in pixels² between heads and places."""
    return (heads[:, None] - places[None]).square().sum(-1)
