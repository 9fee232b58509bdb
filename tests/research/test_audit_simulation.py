"""Many audits at once give the numbers of the package's own, one by one."""

from dataclasses import replace

import numpy as np
import pytest

from crowdscale.trust.audit import PeopleMap, estimate, plan_audit
from research.audit_simulation import draw_orders, simulate
from research.audits import BAD, drawn_crowd, photo_row, stopped_row, study_bad, true_counts
from tests.support.audits import audited

SEEDS = 12


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("tiles", [2, 8, 20])
def test_draws_and_estimates_equal_the_package(name: str, tiles: int) -> None:
    plan, truth = audited(BAD[name], drawn_crowd(3, 300, (640, 480)))
    orders = draw_orders(plan, tiles, SEEDS)
    found = simulate(plan, truth, orders)
    for seed in range(SEEDS):
        drawn = replace(plan, seed=str(seed))
        assert drawn.order(tiles) == tuple(orders[seed])
        one = estimate(drawn, [truth[cell] for cell in drawn.order(tiles)])
        mine = [
            float(each[seed]) for each in (found.unbiased, found.count, found.low, found.high, found.counted)
        ]
        assert mine == pytest.approx([one.unbiased, one.count, one.low, one.high, one.counted])


def test_folders_equal_the_package() -> None:
    heads = [drawn_crowd(seed, 90, (640, 480)) for seed in range(6)]
    maps = [PeopleMap.from_points(f"{i}.jpg", (640, 480), xy) for i, xy in enumerate(heads)]
    plan = plan_audit([replace(each, people=each.people / 2) for each in maps], "0")
    truth = true_counts(plan, heads)
    orders = draw_orders(plan, 5, SEEDS)
    found = simulate(plan, truth, orders)
    for seed in range(SEEDS):
        one = estimate(replace(plan, seed=str(seed)), [truth[cell] for cell in orders[seed]])
        assert (found.low[seed], found.high[seed]) == pytest.approx((one.low, one.high))


def test_rows_of_photos_and_of_bad_models() -> None:
    plan, truth = audited(BAD["halved"], drawn_crowd(3, 300, (640, 480)))
    row = photo_row(plan, truth, 8, 200)
    assert row is not None
    assert row["model_error"] == pytest.approx(0.5, abs=0.01)
    assert row["error"] < 0.1
    assert 0.8 < row["coverage"] <= 1
    stopped = stopped_row(plan, truth, 50)
    assert stopped is not None
    assert 8 <= stopped["tiles"] <= len(plan.cells)
    assert photo_row(plan, truth, len(plan.cells), 10) is None
    rows = study_bad(300, 300)
    assert len(rows) == 18
    assert max(abs(each["bias"]) / (each["bias_error"] + 1e-6) for each in rows) < 4


def test_few_people_are_left_out() -> None:
    plan, truth = audited(BAD["right"], np.zeros((0, 2)))
    assert photo_row(plan, truth, 8, 5) is None
    assert stopped_row(plan, truth, 5) is None
