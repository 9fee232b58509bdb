"""The hybrid reading: exact sums over boxes, views placed and merged without loss, dots that agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.errors import ModelError, OptionError
from crowdscale.maps import DistanceLabels, HybridLabels
from crowdscale.maps.blocks import BLOCK, BlockEstimate
from crowdscale.points import Box, Points

RANDOM = np.random.default_rng(0)


def reading(width, height, seed=0):
    shape = (-(-height // BLOCK) + 1, -(-width // BLOCK) + 1)  # as a padded photo's blocks
    blocks = np.random.default_rng(seed).random(shape).astype(np.float32)
    return BlockEstimate.over(blocks, width, height)


sides = st.integers(1, 90)


@settings(max_examples=200, deadline=None)
@given(sides, sides, st.data())
def test_a_box_and_what_surrounds_it_are_the_whole(width, height, data):
    whole = reading(width, height)
    x = sorted(data.draw(st.tuples(st.integers(0, width), st.integers(0, width))))
    y = sorted(data.draw(st.tuples(st.integers(0, height), st.integers(0, height))))
    inner = whole.count_in(Box(x[0], y[0], x[1], y[1]))
    parts = whole.resample(np.array([0, *x, width], float), np.array([0, *y, height], float))
    assert parts.sum() == pytest.approx(whole.count)
    assert parts[1, 1] == pytest.approx(inner)


def test_blocks_beyond_the_photo_do_not_count_and_none_is_negative():
    assert reading(20, 40).people.shape == (3, 2)
    assert reading(20, 40).x_edges.tolist() == [0, 16, 20]
    assert BlockEstimate.over(np.full((1, 1), -2, np.float32), 9, 9).count == 0


def test_a_loop_over_pixels_says_the_same():
    whole, box = reading(50, 35), Box(3, 7, 41, 30)
    pixels = np.zeros((35, 50))
    for y in range(35):
        for x in range(50):
            row, column = y // BLOCK, x // BLOCK
            area = np.diff(whole.x_edges)[column] * np.diff(whole.y_edges)[row]
            pixels[y, x] = whole.people[row, column] / area
    assert whole.count_in(box) == pytest.approx(pixels[7:30, 3:41].sum())


@settings(max_examples=60, deadline=None)
@given(st.floats(0.7, 3), st.integers(0, 40), st.integers(0, 30))
def test_a_merge_loses_nobody(factor, left, top):
    first, box = reading(90, 70), Box(left, top, left + 37, top + 29)
    context = box.grow(5, (70, 90))
    width, height = round(context.width * factor), round(context.height * factor)
    second = reading(width, height, seed=1).place(context, width, height)
    merged = first.replace(box, second)
    assert second.count_in(context) == pytest.approx(second.count)
    assert merged.count == pytest.approx(first.count - first.count_in(box) + second.count_in(box))
    outside = Box(0, 0, 90, top - top % BLOCK)
    assert merged.count_in(outside) == pytest.approx(first.count_in(outside))


def test_dots_agree_with_the_blocks():
    codec = HybridLabels()
    points = Points([[20, 20], [50, 20], [20, 100], [100, 100]])
    expected = codec.encode(points, 128, 128).astype(np.float32)
    blocks = np.zeros((8, 8), np.float32)
    blocks[1, 1] = blocks[1, 3] = 0.6  # a person each in the upper left part, rounded together
    blocks[6, 6] = 1.2
    found = codec.read(np.stack([expected, expected]), blocks)
    assert found.count == pytest.approx(2.4)
    assert len(found.candidates) == 4
    assert len(found.points) == 2
    assert [100, 100] in found.points.xy.round().tolist()
    nobody = codec.read(np.stack([expected, expected]), np.zeros((8, 8), np.float32))
    assert (nobody.count, len(nobody.points)) == (0, 0)


def test_a_hybrid_without_blocks_says_so():
    with pytest.raises(ModelError, match=r"block counts for a hybrid model, but got none\. Export"):
        HybridLabels().read(np.zeros((2, 8, 8), np.float32))
    with pytest.raises(OptionError, match="part of at least 16"):
        HybridLabels(part=8)


def test_targets_are_those_of_the_labels():
    points = Points(RANDOM.uniform(0, 60, (9, 2)))
    assert np.array_equal(HybridLabels().encode(points, 64, 60), DistanceLabels().encode(points, 64, 60))


@pytest.mark.parametrize(("height", "width"), [(96, 128), (97, 127)])
def test_labels_in_cells_have_their_candidates_where_those_in_pixels_do(height, width):
    heads = np.array([[20.0, 31.5], [60.4, 40.2], [90.5, 70.5], [width - 1.0, height - 1.0], [0.0, 50.0]])
    blocks = np.full((-(-height // BLOCK), -(-width // BLOCK)), len(heads) / 48, np.float32)
    codec = HybridLabels()
    found = []
    for cell in (1, 2):
        rows, columns = np.mgrid[: -(-height // cell), : -(-width // cell)]
        x, y = (columns + 0.5) * cell - 0.5, (rows + 0.5) * cell - 0.5  # centres of cells
        near = np.min([np.hypot(x - a, y - b) for a, b in heads], axis=0)
        output = np.stack([np.minimum(near**2 / 16, 10), np.minimum(near, 10)]).astype(np.float32)
        read = codec.read(output, blocks, cell, (height, width))
        assert (read.blocks.x_edges[-1], read.blocks.y_edges[-1]) == (width, height)
        xy = read.candidates.xy
        assert len(xy) == len(heads)
        assert (xy >= 0).all()
        assert (xy <= (width - 1, height - 1)).all()
        nearest = np.hypot(*(heads[:, None] - xy).transpose(2, 0, 1)).min(1)
        assert nearest.max() < 0.75
        found.append(read)
    assert found[0].count == found[1].count
