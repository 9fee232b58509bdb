"""GAME against loops and by hand, at sizes that divide and that do not."""

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.metrics import game_errors
from crowdscale.metrics.game import grid_counts, grid_sums
from crowdscale.points import Points


def test_by_hand():
    truth = Points([[1, 1], [9, 9]])
    moved = Points([[9, 1], [1, 9]])
    assert game_errors(moved, truth, (12, 12), 2).tolist() == [0, 4, 4]
    assert game_errors(Points(), truth, (12, 12), 1).tolist() == [2, 2]
    assert game_errors(truth, truth, (12, 12), 3).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("size", [(640, 480), (641, 479), (7, 5), (3, 900)])
@pytest.mark.parametrize("cells", [1, 2, 8])
def test_every_point_lies_in_one_cell_also_outside_the_photo(size, cells):
    random = np.random.default_rng(0)
    xy = random.uniform(-0.2, 1.2, (200, 2)) * size
    counts = grid_counts(Points(xy), size, cells)
    assert counts.sum() == 200
    loop = np.zeros((cells, cells))
    for x, y in xy:
        column = sum(x + 0.5 >= size[0] * k / cells for k in range(1, cells))
        row = sum(y + 0.5 >= size[1] * k / cells for k in range(1, cells))
        loop[row, column] += 1
    assert np.array_equal(counts, loop)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 5), (30, 41)])
def test_a_density_keeps_its_mass_and_agrees_with_exact_cells(height, width):
    density = np.random.default_rng(1).random((height, width)).astype(np.float32)
    assert grid_sums(density, 4).sum() == pytest.approx(density.sum(), rel=1e-5)
    if height % 4 == 0 and width % 4 == 0:
        blocks = density.reshape(4, height // 4, 4, width // 4).sum((1, 3))
        assert np.allclose(grid_sums(density, 4), blocks)
    one = np.zeros((3, 3), np.float32)
    one[1, 1] = 4
    assert grid_sums(one, 2).tolist() == [[1, 1], [1, 1]]


def test_game_never_falls_with_the_level():
    random = np.random.default_rng(2)
    ours, theirs = (Points(random.uniform(0, 99, (50, 2))) for _ in range(2))
    assert (np.diff(game_errors(ours, theirs, (101, 99), 5)) >= 0).all()


def test_levels_have_limits():
    with pytest.raises(OptionError, match="levels from 0 to 8"):
        game_errors(Points(), Points(), (4, 4), 9)
