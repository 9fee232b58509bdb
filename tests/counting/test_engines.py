"""What engines are given, and how ONNX Runtime is set up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import crowdscale
from crowdscale.backends.graphs import (
    LABELS,
    LIKELIEST,
    PIXELS,
    map_outputs,
    network_input,
    padded_input,
    read_maps,
)
from crowdscale.errors import ModelError
from crowdscale.files.images import read_image
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model


@pytest.mark.parametrize("size", [(1, 1), (5, 1), (1, 5), (33, 1), (32, 64), (31, 65)])
def test_input_is_planar_in_0_to_1_and_padded_with_the_mean_colour(size):
    config = read_config(find_model("lite"))
    views = [np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8) for seed in (0, 1)]
    images = padded_input(views, config)
    assert images.shape == (2, 3, *(side + -side % config.stride for side in size))
    for image, pixels in zip(images, views, strict=True):
        assert np.array_equal(image[:, : size[0], : size[1]].transpose(1, 2, 0), pixels * np.float32(1 / 255))
        for beyond in (image[:, size[0] :], image[:, :, size[1] :]):
            assert np.allclose(beyond.transpose(1, 2, 0), config.mean)


def test_scale_net_has_no_threads_that_wait_beside_the_network():
    backend = crowdscale.load("lite", threads=2).backend
    assert backend.network.get_session_options().intra_op_num_threads == 2
    assert backend.scale.get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize("size", [(1, 1), (33, 1), (32, 64), (31, 65)])
def test_bytes_are_as_they_are_and_padded_with_the_mean_colour(size):
    config = read_config(find_model("lite"))
    views = [np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8) for seed in (0, 1)]
    for given in (views, views[:1]):
        padded = network_input(PIXELS, given, config)
        assert padded.dtype == np.uint8
        assert np.allclose(padded.transpose(0, 3, 1, 2) / 255, padded_input(given, config), atol=1e-6)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_small_maps_are_joined_in_the_cells_of_the_finer_and_cut_to_the_photo(times):
    random = np.random.default_rng(times)
    labels = random.random((2, 1, 16, 32)).astype(np.float32)
    likeliest = random.integers(0, 11, (2, 1, 16 // times, 32 // times)).astype(np.float32)
    features, blocks = np.zeros((2, 3, 4, 8), np.float32), random.random((2, 2, 4)).astype(np.float32)
    assert map_outputs([LABELS, LIKELIEST, "features"]) == [LABELS, LIKELIEST]
    assert map_outputs(["output", "features", "blocks"]) == ["output"]
    config = replace(read_config(find_model("lite")), feature_channels=3, feature_stride=8)
    found = read_maps([labels, likeliest], features, blocks, (31, 59), 64, config)
    for number, seen in enumerate(found):
        assert (seen.cell, seen.size, seen.output.shape) == (2, (31, 59), (2, 16, 30))
        assert np.array_equal(seen.output[0], labels[number, 0, :, :30])
        for row, column in ((0, 0), (15, 29), (7, 13)):
            assert seen.output[1, row, column] == likeliest[number, 0, row // times, column // times]
        assert np.array_equal(seen.blocks, blocks[number])
        part = seen.cut(9, 12)
        assert (part.size, part.output.shape, part.enlarged().output.shape) == (
            (9, 12),
            (2, 5, 6),
            (2, 9, 12),
        )
    (plain, _) = read_maps([np.zeros((2, 1, 32, 64), np.float32)], features, None, (31, 59), 64, config)
    assert (plain.cell, plain.size, plain.blocks) == (1, (31, 59), None)
    assert plain.enlarged() is plain
    with pytest.raises(
        ModelError, match="expected features of 5 channels at stride 8 from lite, but got 3 channels"
    ):
        read_maps([labels, likeliest], features, blocks, (31, 59), 64, replace(config, feature_channels=5))


def test_bundled_model_in_8_bits_reads_bytes_and_counts_and_locates_like_its_original():
    photo = read_image(Path(__file__).parents[2] / "examples" / "auditorium.jpg").pixels
    predictors = [crowdscale.load(name, threads=2) for name in ("lite-int8", "lite")]
    assert [each.backend.input.name for each in predictors] == [PIXELS, "images"]
    assert predictors[0].backend.input.type == "tensor(uint8)"
    eight, full = (each.predict(photo) for each in predictors)
    assert eight.count == pytest.approx(full.count, rel=0.03)
    assert len(eight.points) == pytest.approx(len(full.points), rel=0.05)
    assert eight.interval(0.9) is not None
    assert not eight.warnings
