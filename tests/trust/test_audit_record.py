"""The record: answers in the order of the draw, heads inside their cells, JSON there and back."""

import json

import numpy as np
import pytest

from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.trust.audit import AuditModel, AuditRecord, PeopleMap, estimate, plan_audit
from tests.support.audits import crowd


def started() -> AuditRecord:
    xy = crowd()
    plan = plan_audit([PeopleMap.from_points("photo.jpg", (640, 480), xy, "ab")], "seed")
    heads = tuple((round(x, 2), round(y, 2)) for x, y in xy.tolist())
    return AuditRecord(plan, model=AuditModel("lite", "cd", "0.1.0", {"refine": False}), model_heads=(heads,))


def heads_in(record: AuditRecord, cell: int) -> list[list[float]]:
    xy = np.array(record.model_heads[0])
    return xy[record.plan.cells[cell].box.contains(xy)].tolist()


def test_answers_follow_the_draw_and_can_be_undone() -> None:
    record = started()
    for cell in record.plan.order(5):
        assert record.next_cell == cell
        record = record.answered(heads=heads_in(record, cell), by="Ada", at="2026-05-01 12:00")
    assert [step.audited for step in record.estimates()] == [0, 1, 2, 3, 4, 5]
    truth = [len(heads_in(record, cell)) for cell in record.plan.order(5)]
    assert record.estimate() == estimate(record.plan, truth)
    assert record.estimate().count == pytest.approx(600, rel=0.11)
    assert record.undone().counts == record.counts[:-1]


def test_json_there_and_back() -> None:
    record = started()
    record = record.answered(heads=heads_in(record, record.plan.order(1)[0])).answered(count=7)
    assert AuditRecord.from_json(record.to_json()) == record
    values = json.loads(record.to_json())
    assert values["draw"] == list(record.plan.order(2))
    assert values["estimate"]["audited"] == 2


def test_all_answered_ends() -> None:
    record = started()
    for cell in record.plan.order():
        record = record.answered(count=len(heads_in(record, cell)))
    assert record.next_cell is None
    assert record.estimate().count == 600
    with pytest.raises(DataError, match="not counted yet"):
        record.answered(count=1)


def test_answers_that_do_not_fit_are_refused() -> None:
    record = started()
    cell = record.plan.cells[record.plan.order(1)[0]]
    with pytest.raises(DataError, match="inside cell"):
        record.answered(heads=[[cell.box.right + 0.5, cell.box.top]])
    with pytest.raises(DataError, match="expected 2 heads"):
        record.answered(count=2, heads=[[cell.box.left, cell.box.top]])
    with pytest.raises(DataError, match="count or heads"):
        record.answered()
    with pytest.raises(DataError, match="0 people or more"):
        record.answered(count=-1)


def test_a_cell_passed_over_is_refused() -> None:
    values = started().answered(count=1).answered(count=2).to_dict()
    values["answers"].reverse()
    with pytest.raises(DataError, match="the next of the draw"):
        AuditRecord.from_dict(values)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "no", '{"format": "crowdscale-audit/1"}', '{"format": "other"}']
)
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="expected a"):
        AuditRecord.from_json(text)


def changed(*steps: object, value: object) -> str:
    """Return the JSON of a record with one value replaced."""
    values = started().answered(count=3).to_dict()
    part = values
    for step in steps[:-1]:
        part = part[step]  # type: ignore[index]
    part[steps[-1]] = value  # type: ignore[index]
    return json.dumps(values)


@pytest.mark.parametrize(
    ("steps", "value"),
    [
        (("plan", "cells", 0, "size"), float("nan")),
        (("plan", "cells", 0, "size"), "9"),
        (("plan", "cells", 0, "size"), 0),
        (("plan", "cells", 0, "predicted"), float("nan")),
        (("plan", "cells", 0, "predicted"), -1),
        (("plan", "cells", 0, "box"), [0, 0, 9999, 9]),
        (("plan", "cells", 0, "box"), [9, 0, 0, 9]),
        (("plan", "cells", 0, "box"), [0, 0, 9.5, 9]),
        (("plan", "cells", 0, "photo"), 3),
        (("plan", "cells", 0, "path"), "01" * 100_000),
        (("plan", "cells", 0, "path"), None),
        (("plan", "cells", 0, "other"), 1),
        (("plan", "cells"), []),
        (("plan", "photos", 0, "width"), 0),
        (("plan", "photos", 0, "predicted"), float("inf")),
        (("plan", "options", "area_share"), 2),
        (("plan", "options"), None),
        (("answers", 0, "count"), 2.5),
        (("answers", 0, "count"), "3"),
        (("answers", 0, "heads"), [[1]]),
        (("answers", 0, "heads"), [[float("nan"), 1], [1, 1], [1, 1]]),
        (("answers",), None),
        (("model",), {"nome": 1}),
        (("model_heads",), [[[1, "x"]]]),
        (("level",), "high"),
        (("level",), 7),
    ],
)
def test_values_that_cannot_be_are_refused(steps: tuple[object, ...], value: object) -> None:
    with pytest.raises(CrowdscaleError, match="expected"):
        AuditRecord.from_json(changed(*steps, value=value)).estimate()


@pytest.mark.parametrize(
    "path",
    [
        ("plan", "cells", 3, "predicted"),
        ("plan", "cells", 3, "size"),
        ("plan", "photos", 0, "predicted"),
        ("plan", "photos", 0, "width"),
        ("answers", 0, "count"),
    ],
    ids=lambda path: " ".join(map(str, path)),
)
def test_numbers_beyond_any_float_are_refused(path: tuple[str | int, ...]) -> None:
    values = json.loads(started().answered(count=2).to_json())
    place = values
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = 10**400
    with pytest.raises(DataError, match="expected"):
        AuditRecord.from_json(json.dumps(values))
