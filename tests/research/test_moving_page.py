"""The page of moving crowds is what its files say."""

from __future__ import annotations

from research.moving_page import PAGE, page


def test_the_page_is_written_from_the_files():
    assert PAGE.read_text(encoding="utf-8") == page()
