"""GAME (AutoScale Eq. 10): the grid average mean absolute error, of points or of a density, at any size."""

from __future__ import annotations

import numpy as np

from crowdscale.arrays import Floats, Maps
from crowdscale.errors import OptionError
from crowdscale.maps.overlaps import overlap_matrix
from crowdscale.points import Points

__all__ = ["game_errors", "grid_counts", "grid_sums"]


def game_errors(predicted: Points | Maps, truth: Points, size: tuple[int, int], levels: int) -> Floats:
    """Return the (levels + 1,) sums over 4^L equal cells of |predicted − true people|, for L = 0….

    The borders of cells divide the photo's sides by 2^L exactly, also between pixels, so every person counts once.
    GAME(L) is the mean of these sums over photos.

    Args:
        predicted: Points in pixels, or a density map (people a cell) over the whole photo at any resolution.
        truth: The true heads; those outside the photo belong to its border cells.
        size: (width, height) of the photo.
        levels: The highest L.
    """
    if levels < 0 or levels > 8:
        raise OptionError("expected GAME levels from 0 to 8", str(levels))
    errors = np.empty(levels + 1)
    for level in range(levels + 1):
        cells = 2**level
        if isinstance(predicted, Points):
            counts = grid_counts(predicted, size, cells)
        else:
            counts = grid_sums(predicted, cells)
        errors[level] = np.abs(counts - grid_counts(truth, size, cells)).sum()
    return errors


def grid_counts(points: Points, size: tuple[int, int], cells: int) -> Floats:
    """Return the (cells, cells) number of points in each cell of the photo of (width, height) ``size``."""
    columns, rows = np.floor((points.xy + 0.5) * cells / np.asarray(size)).astype(np.int64).T
    counts = np.zeros((cells, cells))
    np.add.at(counts, (np.clip(rows, 0, cells - 1), np.clip(columns, 0, cells - 1)), 1)
    return counts


def grid_sums(density: Maps, cells: int) -> Floats:
    """Return the (cells, cells) sums of an (h, w) map; a cell of the map on a border is shared by area."""
    height, width = density.shape
    rows = overlap_matrix(0, height, height, cells).astype(np.float64)
    columns = overlap_matrix(0, width, width, cells).astype(np.float64)
    return np.asarray(rows @ density.astype(np.float64) @ columns.T)
