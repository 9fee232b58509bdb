"""The estimate: unbiased whatever the model predicts, exact when all is counted, an interval that holds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.errors import DataError, OptionError
from crowdscale.trust.audit import AuditOptions, AuditPlan, PeopleMap, estimate, estimates, plan_audit
from tests.support.audits import audited, crowd

SIZE = (640, 480)
PEOPLE = 600
DRAWS = 2000
INTERVALS = 300
"""Draws whose number is that of the formula in the test, and whose intervals are judged."""

Map = np.ndarray

MODELS: dict[str, Callable[[Map], Map]] = {
    "right": lambda people: people,
    "halved": lambda people: people / 2,
    "doubled": lambda people: people * 2,
    "blind in one half": lambda people: people * (np.arange(people.shape[1]) >= people.shape[1] // 2),
    "constant": lambda people: np.full_like(people, PEOPLE / people.size),
    "nobody": np.zeros_like,
}


@pytest.mark.parametrize("name", MODELS)
def test_unbiased_over_2000_draws_and_interval_holds(name: str) -> None:
    plan, truth = audited(MODELS[name], crowd(people=PEOPLE))
    errors = np.array(truth) - [cell.predicted for cell in plan.cells]
    weighted, numbers, results = errors / plan.inclusion(16), [], []
    for seed in range(DRAWS):
        drawn = replace(plan, seed=str(seed))
        order = list(drawn.order(16))
        numbers.append(plan.predicted + weighted[order].sum())
        if seed < INTERVALS:
            results.append(estimate(drawn, [truth[index] for index in order]))
    np.testing.assert_allclose([each.unbiased for each in results], numbers[:INTERVALS])
    assert np.mean(numbers) == pytest.approx(PEOPLE, rel=0.01)
    assert np.mean([each.low <= PEOPLE <= each.high for each in results]) > 0.85  # type: ignore[operator]


def test_all_cells_give_the_exact_number() -> None:
    plan, truth = audited(MODELS["blind in one half"], crowd(people=PEOPLE))
    whole = estimate(plan, [truth[index] for index in plan.order()])
    assert (whole.count, whole.low, whole.high, whole.exact, whole.remaining) == (600, 600, 600, True, 0)


def test_one_cell_is_exact_and_none_is_the_model() -> None:
    true = PeopleMap.from_points("a.jpg", (10, 10), np.array([(2.0, 3.0), (5.0, 5.0)]))
    plan = plan_audit([true], "0")
    model = estimate(plan, [])
    assert (model.count, model.low, model.high, model.remaining) == (2, None, None, None)
    whole = estimate(plan, [3])
    assert (whole.count, whole.low, whole.high) == (3, 3, 3)


def test_the_first_of_several_cells_gives_a_number_without_interval() -> None:
    plan, truth = audited(MODELS["halved"], crowd(people=PEOPLE))
    first = estimate(plan, [truth[plan.order(1)[0]]])
    assert first.low is None
    assert first.half_width is None
    assert first.count > 0


def test_nobody_anywhere_leaves_room_for_some() -> None:
    plan, truth = audited(MODELS["right"], np.zeros((0, 2)))
    empty = estimate(plan, [truth[index] for index in plan.order(10)])
    assert (empty.count, empty.low) == (0, 0)
    assert 1 < empty.high < 10  # type: ignore[operator]
    assert empty.half_width is None


def test_people_in_cells_without_prediction_are_counted() -> None:
    plan, _ = audited(MODELS["nobody"], crowd(people=PEOPLE))
    result = estimate(plan, [10] * 8)
    assert result.count == pytest.approx(10 * len(plan.cells), rel=0.2)


def test_number_and_interval_never_fall_below_people_counted() -> None:
    plan, _ = audited(MODELS["doubled"], crowd(people=PEOPLE))
    result = estimate(plan, [0] * 9 + [3])
    assert result.unbiased < 3
    assert (result.count, result.low) == (3, 3)
    assert result.high > 4  # type: ignore[operator]


def test_a_model_that_sees_people_where_nobody_is_leaves_room_for_some() -> None:
    plan, _ = audited(MODELS["right"], crowd(people=PEOPLE))
    result = estimate(plan, [0] * 5)
    assert (result.count, result.low) == (0, 0)
    assert result.high > 5  # type: ignore[operator]


def test_intervals_narrow_and_remaining_cells_follow() -> None:
    plan, truth = audited(MODELS["constant"], crowd(people=PEOPLE))
    steps = estimates(plan, [truth[index] for index in plan.order()])
    assert [step.audited for step in steps] == list(range(len(plan.cells) + 1))
    assert steps[20].half_width < steps[5].half_width  # type: ignore[operator]
    assert steps[3].remaining > 0  # type: ignore[operator]
    reached = next(step for step in steps[5:] if step.remaining == 0)
    assert (reached.high - reached.count) / reached.count <= 0.1  # type: ignore[operator]
    assert all(step.remaining <= step.cells - step.audited for step in steps[2:])  # type: ignore[operator]


def test_a_higher_level_gives_a_wider_interval() -> None:
    plan, truth = audited(MODELS["halved"], crowd(people=PEOPLE))
    counts = [truth[index] for index in plan.order(8)]
    narrow, wide = (estimate(plan, counts, level) for level in (0.8, 0.95))
    assert wide.high > narrow.high  # type: ignore[operator]


def test_a_folder_is_unbiased_across_photos() -> None:
    heads = [crowd(seed, 40 * seed, SIZE) for seed in range(6)]
    true = [PeopleMap.from_points(f"{i}.jpg", SIZE, xy) for i, xy in enumerate(heads)]
    plan = plan_audit([replace(each, people=each.people / 2) for each in true], "0")
    truth = [int(cell.box.contains(heads[cell.photo]).sum()) for cell in plan.cells]
    numbers = []
    for seed in range(500):
        drawn = replace(plan, seed=str(seed))
        numbers.append(estimate(drawn, [truth[index] for index in drawn.order(12)]).unbiased)
    assert np.mean(numbers) == pytest.approx(600, rel=0.01)


def halves_of_photos(blind: int, **options: bool) -> tuple[AuditPlan, list[int]]:
    """Twenty photos of 100 people by a model that finds all, but none in the last ``blind`` photos."""
    heads = [crowd(seed, 100, SIZE) for seed in range(20)]
    true = [PeopleMap.from_points(f"{i}.jpg", SIZE, xy) for i, xy in enumerate(heads)]
    maps = [replace(each, people=each.people * (i < 20 - blind)) for i, each in enumerate(true)]
    plan = plan_audit(maps, "0", AuditOptions(**options))  # type: ignore[arg-type]
    return plan, [int(cell.box.contains(heads[cell.photo]).sum()) for cell in plan.cells]


def test_photos_that_nobody_looked_at_leave_room_above() -> None:
    plan, truth = halves_of_photos(blind=1)
    before, _ = halves_of_photos(blind=1, unseen_photos=False)
    held = {True: 0, False: 0}
    for seed in range(100):
        for each in (plan, before):
            drawn = replace(each, seed=str(seed))
            result = estimate(drawn, [truth[index] for index in drawn.order(8)])
            held[each is plan] += result.low <= sum(truth) <= result.high  # type: ignore[operator]
    assert held[False] < 50
    assert held[True] >= 90


def test_a_single_photo_and_a_folder_seen_whole_leave_no_more_room() -> None:
    plan, truth = audited(MODELS["halved"], crowd(people=PEOPLE))
    old = replace(plan, options=replace(plan.options, unseen_photos=False))
    counts = [truth[index] for index in plan.order(8)]
    assert estimate(plan, counts) == estimate(old, counts)
    several, truth = halves_of_photos(blind=1)
    counts = [truth[index] for index in several.order()]
    seen = next(n for n in range(2, len(counts)) if photos_seen(several, n) == 20)
    old = replace(several, options=replace(several.options, unseen_photos=False))
    assert estimate(several, counts[:seen]) == estimate(old, counts[:seen])
    assert estimate(several, counts[:5]).high > estimate(old, counts[:5]).high  # type: ignore[operator]
    assert estimate(several, counts[:5]).low == estimate(old, counts[:5]).low


def photos_seen(plan: AuditPlan, tiles: int) -> int:
    return len({plan.cells[index].photo for index in plan.order(tiles)})


def test_an_audit_of_an_earlier_version_keeps_its_interval() -> None:
    plan, truth = halves_of_photos(blind=3)
    values = plan.to_dict()
    del values["options"]["unseen_photos"]
    old = AuditPlan.from_dict(values)
    assert not old.options.unseen_photos
    counts = [truth[index] for index in plan.order(8)]
    assert estimate(old, counts).high < estimate(plan, counts).high  # type: ignore[operator]


def test_bad_counts_and_levels_are_refused() -> None:
    plan, _ = audited(MODELS["right"], crowd(people=PEOPLE))
    with pytest.raises(DataError, match="counts of 0 or more"):
        estimate(plan, [1, -1])
    with pytest.raises(DataError, match="at most"):
        estimate(plan, [1] * (len(plan.cells) + 1))
    with pytest.raises(OptionError, match="level"):
        estimate(plan, [1], 1.0)
