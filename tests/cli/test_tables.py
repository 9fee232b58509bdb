"""Tables and text for a terminal of 80 columns."""

from __future__ import annotations

from crowdscale.cli.tables import print_filled, wrapped


def test_empty_columns_are_left_out(capsys):
    print_filled({"zone": "left", "people": "right", "m2": "right"}, [["[a]", "5", ""], ["b", "", ""]])
    header, _, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["zone", "people"]
    assert first.split() == ["[a]", "5"]
    assert second.split() == ["b"]


def test_text_is_wrapped_but_no_address_is_broken():
    address = "https://example.org/" + "a" * 90
    lines = wrapped(f"{'word ' * 30}{address}", "  ", "    ").splitlines()
    assert lines[-1] == f"    {address}"
    assert max(map(len, lines[:-1])) <= 80
