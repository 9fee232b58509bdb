"""VisDrone-CC: sequences of a list, a head a line, frames without anyone, what is missing or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crowdscale.data.sets.visdrone import VisDroneCC
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points
from tests.support.fake_camera_sets import write_visdrone

DRONE = {"00011": {1: [(3.0, 4.0), (63.0, 0.0)], 2: [], 3: [(8.0, 9.0)]}, "00002": {1: [(5.0, 6.0)]}}


def test_items_keep_the_order_of_the_list(tmp_path: Path) -> None:
    base = write_visdrone(tmp_path, DRONE, "test")
    opened = VisDroneCC(tmp_path, "test")
    assert [sample.name for sample in opened] == ["00011/00001", "00011/00002", "00011/00003", "00002/00001"]
    heads = [[[3, 4], [63, 0]], [], [[8, 9]], [[5, 6]]]
    assert [sample.points for sample in opened] == [Points(np.reshape(xy, (-1, 2))) for xy in heads]
    assert opened[1].image_path == base / "sequences" / "00011" / "00002.jpg"
    assert opened[1].attributes == {"set": "visdrone", "split": "test", "sequence": "00011"}
    assert len(VisDroneCC(base, "test")) == 4, "the folder itself"


@pytest.mark.parametrize("lists", ["00002\n00011\n", "00002 00011", "00002\r\n00011\r\n\r\n"])
def test_the_list_may_end_its_lines_in_any_way(tmp_path: Path, lists: str) -> None:
    (write_visdrone(tmp_path, DRONE) / "trainlist.txt").write_bytes(lists.encode())
    assert [sample.attributes["sequence"] for sample in VisDroneCC(tmp_path)] == ["00002", *["00011"] * 3]


def test_a_sequence_without_anyone(tmp_path: Path) -> None:
    (write_visdrone(tmp_path, DRONE) / "annotations" / "00011.txt").write_text("")
    assert [sample.points for sample in VisDroneCC(tmp_path)][:3] == [Points()] * 3


def test_a_test_sequence_without_annotation_has_no_labels(tmp_path: Path) -> None:
    base = write_visdrone(tmp_path, DRONE, "test")
    (base / "annotations" / "00011.txt").unlink()
    assert [sample.points for sample in VisDroneCC(tmp_path, "test")] == [None, None, None, Points([[5, 6]])]


def test_opening_decodes_no_photo(tmp_path: Path) -> None:
    (write_visdrone(tmp_path, DRONE) / "sequences" / "00011" / "00001.jpg").write_bytes(b"no photo")
    assert len(VisDroneCC(tmp_path)) == 4


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ("sequences/00011/00001.jpg", r"a frame for each line of .*00011\.txt, but got no frame 1"),
        ("sequences/00002/00001.jpg", r"expected frames NNNNN\.jpg in .*00002, but got none"),
        ("annotations/00002.txt", r"expected 00002\.txt in .*annotations, but got no such file"),
    ],
    ids=["one frame", "every frame", "annotation"],
)
def test_a_missing_file_is_named(tmp_path: Path, lost: str, sentence: str) -> None:
    (write_visdrone(tmp_path, DRONE) / lost).unlink()
    with pytest.raises(DataError, match=sentence):
        VisDroneCC(tmp_path)


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("annotations/00011.txt", "1,2,3\n1,2\n", r"expected 3 numbers in line 2 of .*00011\.txt"),
        ("annotations/00011.txt", "1,2,x\n", r"expected 3 numbers in line 1 of .*00011\.txt"),
        (
            "annotations/00011.txt",
            "1,0,5,6,9,9,1,1,0,0\n",
            r"expected frame,x,y a line in .*, but got 10 numbers",
        ),
        ("annotations/00011.txt", "1.5,2,3\n", r"but got no frame 1\.5"),
        ("annotations/00011.txt", "nan,2,3\n", "but got no frame nan"),
        ("annotations/00011.txt", "1,nan,3\n", r"finite coordinates in .*00011\.txt"),
        ("trainlist.txt", "\n", r"a list of sequences, but got the empty file .*trainlist\.txt"),
    ],
    ids=["short line", "word", "tracks", "half a frame", "nan frame", "nan point", "empty list"],
)
def test_damage(tmp_path: Path, file: str, text: str, sentence: str) -> None:
    (write_visdrone(tmp_path, DRONE) / file).write_text(text)
    with pytest.raises(DataError, match=sentence):
        VisDroneCC(tmp_path)


def test_a_wrong_root_shows_the_tree(tmp_path: Path) -> None:
    (tmp_path / "sequences").mkdir()
    with pytest.raises(
        DataError, match=r"expected trainlist\.txt in .* but got sequences\. The set unpacks to:\nVis"
    ):
        VisDroneCC(tmp_path)
    with pytest.raises(OptionError, match="out of train, test, but got 'val'"):
        VisDroneCC(tmp_path, "val")
