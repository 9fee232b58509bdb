"""What readers share: .mat and text files, pairs, boxes, XML of strangers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crowdscale.data.formats.vocxml import read_voc_boxes
from crowdscale.data.sets.layout import boxes_to_points, load_mat, natural_key, read_rows
from crowdscale.errors import DataError
from crowdscale.files.documents import read_xml


def test_a_missing_mat(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a mask, but got no file at .*a\.mat\. Check that the set"):
        load_mat(tmp_path / "a.mat", "BW", "a mask")


@pytest.mark.parametrize(
    ("text", "rows"),
    [("", []), ("\n\n", []), ("1 2\n", [[1, 2]]), ("1,2\n3,4", [[1, 2], [3, 4]]), ("1\t2 \n", [[1, 2]])],
)
def test_rows(tmp_path: Path, text: str, rows: list[list[float]]) -> None:
    (tmp_path / "a.txt").write_text(text)
    found = read_rows(tmp_path / "a.txt", 2)
    assert found.tolist() == rows
    assert found.shape[1] == 2


def test_natural_order() -> None:
    assert sorted(["img_10", "img_9", "a", "img_010b"], key=natural_key) == [
        "a",
        "img_9",
        "img_10",
        "img_010b",
    ]


def test_boxes_without_numbers_are_named() -> None:
    with pytest.raises(DataError, match=r"expected numbers in box 2 of a\.xml, but got NaN"):
        boxes_to_points(np.array([[1, 1, 2, 2], [1, 1, np.nan, 2]]), "a.xml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = '<?xml version="1.0" encoding="%s"?><!DOCTYPE a [<!ENTITY e "boom">]><a>&e;</a>'.replace(
        "%s", encoding
    )
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    with pytest.raises(DataError, match="without a DOCTYPE"):
        read_xml(tmp_path / "a.xml")


def test_voc_counted_from_one(tmp_path: Path) -> None:
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>4</ymax></bndbox>"
    (tmp_path / "a.xml").write_text(f"<annotation><object>{box}</object></annotation>")
    assert read_voc_boxes(tmp_path / "a.xml").tolist() == [[1, 1, 4, 3]]
    assert read_voc_boxes(tmp_path / "a.xml", one_based=True).tolist() == [[0, 0, 4, 3]]
