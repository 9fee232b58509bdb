"""What engines are given, and how ONNX Runtime is set up."""

from __future__ import annotations

import numpy as np
import pytest

import crowdscale
from crowdscale.backends import padded_input
from crowdscale.weights import find_model, read_config


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
