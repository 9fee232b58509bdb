"""L2S: closeness, zoom, centre loss and update, pooling; each against the paper's formula."""

import numpy as np
import pytest
import torch

from crowdscale.errors import OptionError
from crowdscale.learn.scaling import (
    Centre,
    CentreOptions,
    ScaleNet,
    centre_loss,
    closeness,
    pool_regions,
    start_centre,
    zoom,
)
from crowdscale.maps.regions import pool_region
from crowdscale.points import Box, Points


def test_closeness_is_the_mean_distance_to_the_nearest_head_in_the_region():
    points = Points([[0, 0], [3, 0], [3, 4], [50, 50]])
    assert closeness(points, Box(0, 0, 10, 10)) == pytest.approx((3 + 3 + 4) / 3)


@pytest.mark.parametrize("xy", [np.zeros((0, 2)), [[1, 1]]], ids=["nobody", "one person"])
def test_closeness_of_fewer_than_two_is_nan(xy):
    assert np.isnan(closeness(Points(xy), Box(0, 0, 10, 10)))


def test_zoom_gradient_equals_finite_differences_and_is_not_zero():
    torch.manual_seed(0)
    image = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 60, 70, dtype=torch.float64), 5, 1, 2)
    centres = torch.tensor([[33.3, 28.7]], dtype=torch.float64)
    weights = torch.rand(1, 3, 24, 24, dtype=torch.float64)

    def seen(r):
        return (zoom(image, centres, r, 24) * weights).sum()

    factor = torch.tensor([1.37], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(seen(factor), factor)
    step = 1e-6
    difference = (seen(factor.detach() + step) - seen(factor.detach() - step)) / (2 * step)
    assert abs(slope.item()) > 1e-2
    assert slope.item() == pytest.approx(difference.item(), rel=1e-4)
    assert torch.autograd.gradcheck(lambda r: zoom(image, centres, r, 8), factor, atol=1e-4)


def test_zoom_by_one_is_the_crop_itself():
    image = torch.rand(1, 3, 40, 50)
    view = zoom(image, torch.tensor([[20.5, 17.5]]), torch.tensor([1.0]), 10)
    assert torch.allclose(view, image[..., 13:23, 16:26], atol=1e-5)


def test_zoom_places_points_where_the_model_puts_them():
    image = torch.zeros(1, 1, 64, 64)
    image[0, 0, 30, 34] = 1.0
    view = zoom(image, torch.tensor([[31.5, 31.5]]), torch.tensor([2.0]), 33)[0, 0]
    row, column = divmod(int(view.argmax()), 33)
    assert (column, row) == ((34 - 31.5) * 2 + 16, (30 - 31.5) * 2 + 16)


def test_centre_loss_gradient_is_equation_3():
    spacing, centre = torch.tensor([4.0, 9.0], dtype=torch.float64), 12.0
    r = torch.tensor([1.3, 0.9], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(centre_loss(spacing, r**2, centre, "paper"), r)
    assert torch.allclose(slope, 2 * spacing * (spacing * r**3 - centre * r))


def test_centre_loss_of_both_laws_vanishes_at_its_target():
    spacing = torch.tensor([4.0, 9.0])
    assert centre_loss(spacing, 12 / spacing, 12.0, "paper").item() == pytest.approx(0, abs=1e-9)
    assert centre_loss(spacing, (12 / spacing) ** 2, 12.0, "spacing").item() == pytest.approx(0, abs=1e-9)


def test_centre_update_is_equation_4():
    centre = Centre(12.0, rate=0.1)
    centre.observe(torch.tensor([5.0]), torch.tensor([2.0]), "paper")
    centre.observe(torch.tensor([6.0, 7.0]), torch.tensor([1.5, 3.0]), "paper")
    pulled = (12 - 10) + (12 - 9) + (12 - 21)
    centre.update()
    assert centre.value.item() == pytest.approx(12 - 0.1 * pulled / (1 + 3))
    assert centre.regions.item() == 0


def test_centre_without_regions_stays():
    centre = Centre(12.0)
    centre.update()
    assert centre.value.item() == 12.0


@pytest.mark.parametrize(("law", "power"), [("paper", 2), ("spacing", 1)])
def test_start_of_the_centre_gives_the_wanted_median_factor(law, power):
    spacings = [5.0, 8.0, 20.0, float("nan")]
    assert start_centre(spacings, 1.5, law) == pytest.approx(8 * 1.5**power)


def test_start_of_the_centre_needs_regions():
    with pytest.raises(OptionError, match="at least two heads"):
        start_centre([float("nan")], 1.5, "spacing")


@pytest.mark.parametrize("box", [Box(0, 0, 64, 48), Box(7, 3, 9, 40), Box(13, 5, 61, 6)])
def test_pooling_of_torch_is_that_of_numpy(box):
    features = np.random.default_rng(0).random((5, 6, 8)).astype(np.float32)
    ours = pool_regions(torch.from_numpy(features)[None], [(0, box)], 8)[0].numpy()
    np.testing.assert_allclose(ours, pool_region(features, box, 8), atol=1e-5)


def test_scale_net_is_positive_starts_where_told_and_learns():
    torch.manual_seed(0)
    net = ScaleNet(12, start=2.0)
    pooled = torch.rand(3, 12, 14, 14)
    area = net(pooled)
    assert (area > 0).all()
    assert area.mean().item() == pytest.approx(2.0, rel=0.2)
    area.sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.linear[-1].parameters())


def test_options_name_the_flag():
    with pytest.raises(OptionError, match="--law"):
        CentreOptions(law="cubic")


def test_centre_loss_is_equation_2_by_hand():
    spacing, area = torch.tensor([4.0, 9.0]), torch.tensor([2.25, 1.0])  # r = 1.5 and 1
    assert centre_loss(spacing, area, 12.0, "paper").item() == 0.5 * ((9 - 12) ** 2 + (9 - 12) ** 2)
    assert centre_loss(spacing, area, 12.0, "spacing").item() == 0.5 * ((6 - 12) ** 2 + (9 - 12) ** 2)


@pytest.mark.parametrize("law", ["paper", "spacing"])
def test_centre_loss_gradient_in_float64(law):
    spacing = torch.tensor([4.0, 9.0, 2.5], dtype=torch.float64)
    area = torch.tensor([1.3, 0.9, 4.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda q: centre_loss(spacing, q, 11.0, law), area)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_closeness_is_that_of_brute_force(seed):
    random = np.random.default_rng(seed)
    xy, box = random.uniform(0, 60, (40, 2)), Box(10, 15, 50, 45)
    inside = [(x, y) for x, y in xy if 9.5 <= x < 49.5 and 14.5 <= y < 44.5]
    nearest = [min(np.hypot(x - a, y - b) for j, (a, b) in enumerate(inside) if j != i)
               for i, (x, y) in enumerate(inside)]  # fmt: skip
    assert closeness(Points(xy), box) == pytest.approx(sum(nearest) / len(inside))
    assert closeness(Points(xy), box, "density") == pytest.approx((40 * 30 / len(inside)) ** 0.5)


@pytest.mark.parametrize("measure", ["distance", "density"])
@pytest.mark.parametrize("zoom_by", [0.5, 3.0])
def test_both_measures_are_lengths_that_grow_with_the_zoom(measure, zoom_by):
    lattice = Points(np.stack(np.meshgrid(np.arange(3, 33, 6.0), np.arange(3, 33, 6.0)), -1).reshape(-1, 2))
    near = closeness(lattice, Box(0, 0, 30, 30), measure)
    side = round(30 * zoom_by)
    far = closeness(Points(lattice.xy * zoom_by), Box(0, 0, side, side), measure)
    assert near == pytest.approx(6.0)
    assert far == pytest.approx(near * zoom_by)


@pytest.mark.parametrize("measure", ["distance", "density"])
@pytest.mark.parametrize("xy", [np.zeros((0, 2)), [[1, 1]]], ids=["nobody", "one person"])
def test_neither_measure_knows_fewer_than_two(measure, xy):
    assert np.isnan(closeness(Points(xy), Box(0, 0, 10, 10), measure))


def test_a_canvas_need_not_be_square():
    image = torch.rand(1, 3, 40, 50)
    view = zoom(image, torch.tensor([[20.5, 17.5]]), torch.tensor([1.0]), (6, 10))
    assert torch.allclose(view, image[..., 15:21, 16:26], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "flag"),
    [({"closeness": "area"}, "--closeness"), ({"keep_low": 3.0, "keep_high": 2.0}, "--keep-low")],
    ids=["closeness", "range"],
)
def test_closeness_and_range_name_the_flag(options, flag):
    with pytest.raises(OptionError, match=flag):
        CentreOptions(**options)
