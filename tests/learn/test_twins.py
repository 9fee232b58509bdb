"""Pairs of crops: the same window twice, and the loss of the difference between their counts."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from crowdscale.errors import OptionError  # noqa: E402
from crowdscale.learn.crops.transforms import CropOptions, Crops  # noqa: E402
from crowdscale.learn.losses import expected_blocks, twin_loss  # noqa: E402
from crowdscale.learn.training.settings import choose_settings  # noqa: E402
from tests.support.learn_crowds import write_folder  # noqa: E402


def test_twins_have_the_same_heads_and_other_pixels(tmp_path):
    samples = write_folder(tmp_path, [30, 25])
    options = CropOptions(crop=96, twins=True, journeys=1.0, variety=0.5, mosaic=0.3)
    crops = Crops(samples, [1, 1], options, 20, seed=4)
    windows = set()
    for number in range(0, 20, 2):
        (a, p, _), (b, q, _) = crops[number], crops[number + 1]
        assert (p.xy == q.xy).all()
        assert (a != b).any()
        windows.add(p.xy.tobytes())
    assert len(windows) > 8
    assert (Crops(samples, [1, 1], options, 20, seed=4)[7].pixels == crops[7].pixels).all()


def test_without_jitter_and_journeys_twins_are_equal(tmp_path):
    crops = Crops(write_folder(tmp_path, [30]), [1], CropOptions(crop=96, twins=True, jitter=0), 8, 1)
    assert all((crops[n].pixels == crops[n + 1].pixels).all() for n in range(0, 8, 2))


def test_the_loss_is_the_difference_of_squares_and_of_the_whole():
    rates = torch.log(torch.tensor([0.5, 0.25]))
    blocks = torch.full((2, 2, 8, 8), -30.0)  # certainly not empty
    blocks[:, 1] = rates[:, None, None]
    assert torch.allclose(expected_blocks(blocks).sum((1, 2)), torch.tensor([32.0, 16.0]))
    # 0.25 people a block: in squares of 4 and 8 blocks and in the whole of 64
    assert float(twin_loss(blocks)) == pytest.approx(0.25 * (4 + 8 + 8))
    assert float(twin_loss(blocks[[0, 0, 1, 1]])) == 0
    with pytest.raises(OptionError, match="even number"):
        twin_loss(blocks[:1])


def test_its_gradient_moves_both_counts_towards_each_other():
    blocks = torch.randn((4, 2, 8, 8), generator=torch.Generator().manual_seed(1)).requires_grad_()
    before = twin_loss(blocks)
    before.backward()
    with torch.no_grad():
        after = twin_loss(blocks - 0.005 * blocks.grad)
    assert float(after) < float(before.detach())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"consistency": -1.0, "twins": True}, "--consistency"),
        ({"consistency": 0.5}, "--twins"),
        ({"consistency": 0.5, "twins": True, "l2s_batch": 3}, "--l2s-batch"),
        ({"consistency": 0.5, "twins": True, "blocks": False}, "--blocks"),
    ],
)
def test_what_cannot_be_compared_is_refused(options, named):
    with pytest.raises(OptionError, match=named):
        choose_settings(**options)


def test_the_weighted_difference_is_part_of_the_losses(tmp_path):
    from crowdscale.learn.crops.batches import collate
    from crowdscale.learn.training.preparation import gather, start_model

    write_folder(tmp_path, [30, 20, 25])
    with_term = choose_settings(consistency=3.0, twins=True, backbone_weights="none", jitter=0.0)
    gathered = gather([f"folder:{tmp_path}"], [1.0], None, 0.3, 0, borders=[0.0])
    model, _ = start_model(with_term.start, gathered, with_term.centre, with_term.losses)
    model.eval()
    crops = Crops(gathered.samples, gathered.weights, CropOptions(crop=128, twins=True, jitter=0), 2, 1)
    batch = collate(model.codec)([crops[0], crops[1]])
    images = batch["images"].float() / 255
    for second in (images[1], 1 - images[1]):
        images[1] = second
        with torch.no_grad():
            blocks = model.network(images).blocks
            plain = model._block_loss(blocks, batch["blocks"], batch["counted"])
            found = model.losses(images, batch, refine=False).blocks
        assert float(found) == pytest.approx(float(plain + 3.0 * twin_loss(blocks)), rel=1e-5)
