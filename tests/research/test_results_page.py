"""The page of results is the one that its files give."""

from __future__ import annotations

import pytest

from research.results_page import PAGE, README, page, readme, scores


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m research.results_page"


def test_each_score_comes_from_one_row_a_photo():
    for score in scores():
        errors = [abs(row["count"] - row["truth"]) for row in score["rows"]]
        assert sum(errors) / len(errors) == pytest.approx(score["refined"]["measures"]["MAE"])


def test_the_readme_has_the_table_of_these_files():
    text = README.read_text(encoding="utf-8")
    assert text == readme(text), "run: python -m research.results_page"
