"""The draw: cells cover photos once, every beginning of the order has the inclusion probabilities that it claims."""

from dataclasses import replace

import numpy as np
import pytest

from crowdscale.errors import DataError, OptionError
from crowdscale.points import Box
from crowdscale.trust.audit import AuditOptions, AuditPhoto, AuditPlan, Cell, PeopleMap, plan_audit
from crowdscale.trust.audit.design import uniform
from tests.support.audits import crowd


def plan_of(
    xy: np.ndarray, seed: str = "0", size: tuple[int, int] = (640, 480), **options: float
) -> AuditPlan:
    return plan_audit([PeopleMap.from_points("photo.jpg", size, xy)], seed, AuditOptions(**options))


def flat_plan(sizes: list[int], paths: list[str]) -> AuditPlan:
    cells = tuple(
        Cell(0, Box(i, 0, i + 1, 1), 1.0, s, p) for i, (s, p) in enumerate(zip(sizes, paths, strict=True))
    )
    return AuditPlan((AuditPhoto("a", len(sizes), 1, float(len(sizes))),), cells, "0")


def test_cells_cover_each_photo_once() -> None:
    maps = [
        PeopleMap.from_points(f"{i}.jpg", (320 + 7 * i, 240), crowd(i, 200 * i, (320, 240))) for i in range(3)
    ]
    plan = plan_audit(maps, "0")
    for index, photo in enumerate(plan.photos):
        covered = np.zeros((photo.height, photo.width), int)
        for cell in plan.cells:
            if cell.photo == index:
                covered[cell.box.slices] += 1
        assert (covered == 1).all()
    assert plan.predicted == pytest.approx(600, abs=0.01)


def test_each_head_belongs_to_one_cell_even_on_edges() -> None:
    plan = plan_of(crowd())
    edges = np.array([(c.box.left, c.box.top) for c in plan.cells], float)
    xy = np.concatenate([crowd(), edges, edges - 0.5])
    owners = sum(cell.box.contains(xy).astype(int) for cell in plan.cells)
    assert (owners == 1).all()


@pytest.mark.parametrize("people", [300, 2000, 8000])
def test_cells_hold_5_to_40_predicted_people_where_there_are_people(people: int) -> None:
    plan = plan_of(crowd(people=people, size=(1600, 1200)), size=(1600, 1200))
    predicted = np.array([cell.predicted for cell in plan.cells])
    assert predicted.max() <= 40
    assert np.median(predicted) >= 5


def test_sizes_are_about_equal_and_an_area_without_people_keeps_a_chance() -> None:
    plan = plan_of(np.clip(crowd(people=2000), (320, 0), None))
    sizes = np.array([cell.size for cell in plan.cells])
    assert sizes.max() < 1.5 * np.median(sizes)
    assert any(cell.predicted == 0 and cell.box.right <= 330 for cell in plan.cells)
    assert (plan.inclusion(5) > 0).all()


def test_no_people_at_all_still_gives_cells() -> None:
    plan = plan_of(np.zeros((0, 2)))
    assert len(plan.cells) == 24
    assert plan.predicted == 0


def test_a_photo_of_a_few_pixels_is_one_cell() -> None:
    plan = plan_of(np.array([(1.0, 1.0)]), size=(9, 7))
    assert [cell.box for cell in plan.cells] == [Box(0, 0, 9, 7)]
    assert plan.order() == (0,)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 9, 16, 23, 24])
def test_inclusion_probabilities_sum_to_the_sample_size(count: int) -> None:
    plan = plan_of(crowd(people=100))
    chances = plan.inclusion(count)
    assert chances.sum() == pytest.approx(count)
    assert (chances <= 1 + 1e-12).all()


def test_small_samples_are_in_proportion_to_size() -> None:
    plan = plan_of(crowd(people=1000))
    sizes = np.array([cell.size for cell in plan.cells], float)
    assert plan.inclusion(6) == pytest.approx(6 * sizes / sizes.sum(), rel=1e-4)


@pytest.mark.parametrize(
    ("sizes", "paths"),
    [
        ([1, 1, 1, 1], ["00", "01", "10", "11"]),
        ([5, 1, 2, 9], ["00", "01", "10", "11"]),  # 9 of 17 is certain from two draws on
        ([1, 3, 4], ["0", "10", "11"]),
        ([100, 1, 1, 1, 1], ["0", "100", "101", "110", "111"]),
    ],
)
def test_drawn_shares_equal_inclusion_probabilities(sizes: list[int], paths: list[str]) -> None:
    plan, draws = flat_plan(sizes, paths), 4000
    orders = np.array([replace(plan, seed=str(seed)).order() for seed in range(draws)])
    assert (np.sort(orders, axis=1) == np.arange(len(sizes))).all()
    for count in range(1, len(sizes)):
        drawn = np.bincount(orders[:, :count].ravel(), minlength=len(sizes)) / draws
        assert drawn == pytest.approx(plan.inclusion(count), abs=4 * 0.5 / draws**0.5)


def test_the_order_is_a_permutation_and_each_beginning_the_same() -> None:
    plan = plan_of(crowd())
    whole = plan.order()
    assert sorted(whole) == list(range(len(plan.cells)))
    assert all(plan.order(n) == whole[:n] for n in range(len(whole)))


def test_the_draw_is_spread_over_the_photo() -> None:
    quarters = np.arange(16) // 4
    plan = flat_plan([1] * 16, [f"{i:04b}" for i in range(16)])
    for seed in range(50):
        order = np.array(replace(plan, seed=str(seed)).order(8))
        assert sorted(quarters[order[:4]]) == [0, 1, 2, 3]
        assert (np.bincount(quarters[order]) == 2).all()


def test_uniform_numbers_are_those_of_sha256() -> None:
    assert uniform("7", "01") == int("dfaeb8482af2", 16) / 2**48
    numbers = np.array([uniform("s", str(i)) for i in range(2000)])
    assert abs(numbers.mean() - 0.5) < 0.02


def test_another_seed_draws_otherwise_and_the_same_seed_alike() -> None:
    assert plan_of(crowd(), "a").order(8) == plan_of(crowd(), "a").order(8)
    assert plan_of(crowd(), "a").order(8) != plan_of(crowd(), "b").order(8)


def test_many_photos_have_a_cell_each_and_share_one_draw() -> None:
    maps = [PeopleMap.from_points(f"{i}.jpg", (64, 48), crowd(i, i % 5, (64, 48))) for i in range(200)]
    plan = plan_audit(maps, "0")
    assert {cell.photo for cell in plan.cells} == set(range(200))
    photos = [plan.cells[index].photo for index in plan.order(20)]
    assert len({photo // 20 for photo in photos}) >= 8


def test_a_plan_goes_through_plain_values() -> None:
    plan = plan_of(crowd())
    assert AuditPlan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize(
    ("paths", "sizes"),
    [
        (["0", "0"], [1, 1]),
        (["0", "10"], [1, 1]),
        (["0", "01"], [1, 1]),
        (["0", "2"], [1, 1]),
        (["0", "1"], [0, 1]),
    ],
)
def test_cells_that_are_no_tree_are_refused(paths: list[str], sizes: list[int]) -> None:
    with pytest.raises(DataError, match="expected"):
        flat_plan(sizes, paths)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="photo to audit"):
        plan_audit([], "0")
    with pytest.raises(OptionError, match="area share"):
        AuditOptions(area_share=0)
    with pytest.raises(OptionError, match="fewest"):
        AuditOptions(heads=2, fewest=3)
    with pytest.raises(OptionError, match="cells"):
        plan_of(crowd()).order(10_000)
    with pytest.raises(DataError, match="0 or more"):
        PeopleMap("a", (2, 2), np.full((1, 1), np.nan), np.array([0, 2]), np.array([0, 2]))
    with pytest.raises(DataError, match="plan of an audit"):
        AuditPlan.from_dict({"seed": "0"})
