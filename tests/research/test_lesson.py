"""Lessons: which photos are learned from and judged, and the table of what they brought."""

import json

import pytest

from research.lesson import HELD_OUT, LESSONS, PAGE, comparison, halves, read_results, table, ten


def result(shift: float, learned: int = 10, scene: str = "hall") -> dict:
    rows = [
        {"name": f"{learned}-{i}", "truth": 10 * i, "before": 10 * i + 8.0, "after": 10 * i + 8 + shift}
        for i in range(1, 13)
    ]
    return {"scene": scene, "start": "lite", "learned": ["hall/x"] * learned, "rows": rows}


def test_no_photo_is_learned_from_and_judged(tmp_path):
    for name, lesson in LESSONS.items():
        (tmp_path / lesson.folder).mkdir(exist_ok=True)
        for number in range(30):
            (tmp_path / lesson.folder / f"{number}.jpg").touch()
        learned, judged = lesson.photos(tmp_path)
        assert learned, name
        assert judged, name
        assert not set(learned) & set(judged)


def test_held_out_photos_are_never_learned_from_by_a_model_that_did_not_train_on_the_scene(tmp_path):
    held = [line for line in HELD_OUT.read_text().splitlines() if line.startswith("brt/")]
    (tmp_path / "brt").mkdir()
    for name in [*held, *(f"brt/new{i}" for i in range(12))]:
        (tmp_path / f"{name}.jpg").touch()
    learned, judged = LESSONS["brt"].photos(tmp_path)
    assert len(learned) == 10
    assert not set(learned) & set(held)
    assert judged == held


def test_ten_do_not_depend_on_the_order_and_halves_share_none():
    names = [f"a/{i}" for i in range(40)]
    assert ten(names) == ten(names[::-1])
    assert halves(names[:5]) == (["a/0", "a/2", "a/4"], ["a/1", "a/3"])


@pytest.mark.parametrize(("shift", "sign"), [(-6.0, -1), (6.0, 1)])
def test_the_difference_is_paired(shift, sign):
    found = comparison([result(shift)])
    assert (found.first, found.second) == (8, 8 + shift)
    assert sign * found.low > 0
    assert sign * found.high > 0


def test_both_halves_are_one_row():
    text = table([result(-6), result(-6, 7), result(-4, 6)])
    lines = text.splitlines()
    assert len(lines) == 4
    assert "| 7 and 6 | 24 |" in lines[3]
    assert "24 of 24" in lines[3]


def test_the_guide_has_the_table_of_the_results():
    results = read_results()
    assert results
    assert table(results) in PAGE.read_text(encoding="utf-8")
    assert json.dumps(results).count("/work/") == 0
