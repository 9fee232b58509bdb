"""Opening by short name: what each public reader says of itself, and of a folder that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdscale.data import DATASETS, describe_datasets, open_dataset
from crowdscale.data.opening import reader_class
from crowdscale.errors import DataError


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in ("sha", "shb")])
def test_each_reader_says_what_it_looked_for_and_shows_the_tree(tmp_path: Path, name: str) -> None:
    (tmp_path / "holiday").mkdir()
    with pytest.raises(DataError, match=r"(?s)but got holiday\. The set unpacks to:\n.+") as caught:
        open_dataset(f"{name}:{tmp_path}")
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", DATASETS)
def test_each_reader_says_what_it_is(name: str) -> None:
    card, protocol = describe_datasets()[name]
    assert all((card.title, card.what, card.annotation, card.licence, card.citation))
    assert card.source.startswith("http")
    assert protocol.splits
    text = reader_class(name).__doc__ or ""
    assert card.source in text
    assert ("Unverified" in text) == (not card.verified)


def test_what_was_confirmed_on_real_files() -> None:
    confirmed = {name: card.confirmed for name, (card, _) in describe_datasets().items() if card.verified}
    assert confirmed == {
        "sha": "all files", "shb": "all files", "cc50": "all files", "mall": "the train split",
        "scuthead": "the annotations", "qnrf": "one annotation",
    }  # fmt: skip
