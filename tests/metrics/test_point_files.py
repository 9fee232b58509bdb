"""The field's point files: each format there and back, pairing by name, number and rank, each damage."""

import numpy as np
import pytest

from crowdscale.errors import DataError, OptionError
from crowdscale.metrics import Entry, pair_entries, read_entries, write_entries
from crowdscale.points import Points

POINTS = {"2": Points([[1.25, 2.5], [3, 4]]), "1": Points(), "IMG_7": Points([[0, 0]])}


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".json"])
def test_points_written_are_points_read(tmp_path, suffix):
    path = tmp_path / f"points{suffix}"
    write_entries(path, {name: Entry(len(points), points) for name, points in POINTS.items()})
    read = read_entries(path)
    assert {name: entry.points for name, entry in read.items()} == POINTS
    assert [entry.count for entry in read.values()] == [2, 0, 1]


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".json"])
def test_counts_written_are_counts_read(tmp_path, suffix):
    path = tmp_path / f"counts{suffix}"
    write_entries(path, {"3": Entry(4.25), "4": Entry(0)})
    read = read_entries(path)
    assert [(entry.count, entry.points) for entry in read.values()] == [(4.25, None), (0, None)]


def test_a_ground_truth_file_has_radii_and_bands(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text("3110 2 5 6 4.0 8.0 2 7 8 1.5 3 0\n3111 0\n")
    read = read_entries(path)
    truth = read["3110"].as_truth("3110")
    assert truth.points == Points([[5, 6], [7, 8]])
    assert truth.radius("small").tolist() == [4.0, 1.5]
    assert truth.radius("large").tolist() == [8.0, 3.0]
    assert np.asarray(truth.bands).tolist() == [2, 0]
    assert len(read["3111"].as_truth("3111")) == 0


def test_a_file_of_empty_images_holds_points_not_counts(tmp_path):
    path = tmp_path / "none.txt"
    path.write_text("1 0\n2 0\n")
    assert [entry.points for entry in read_entries(path).values()] == [Points(), Points()]


def test_the_json_of_count_is_read(tmp_path):
    path = tmp_path / "count.json"
    path.write_text(
        '[{"photo": "a/b.jpg", "count": 1.4, "points": [[1, 2, 0.9]]}, {"photo": "c.jpg", "count": 2, "points": null}]'
    )
    read = read_entries(path)
    assert (read["a/b.jpg"].count, read["a/b.jpg"].points) == (1.4, Points([[1, 2]]))
    assert read["c.jpg"].points is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("7 1 2 3\n1", "n times 2 numbers .* in line 2"),
        ("7 1 2 3\n1 2 3 4 5", "5 words beginning with '1 2 3'"),
        ("one two 1 2", "line 1"),
        ("7 1 2 3\n7 1 2 3", "each image once, but got 7 again in line 2"),
        ("7 1 nan 3", "n times 2 numbers .* in line 1"),
        ("7 5.5\n8 x", "`id count` in line 2"),
        ("7 -2 1", "line 1"),
    ],
    ids=["short", "wrong number", "words", "double", "nan", "count", "negative"],
)
def test_a_damaged_text_file(tmp_path, text, sentence):
    path = tmp_path / "points.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_entries(path)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("p.csv", "a,b\n1,2\n", "the columns image,x,y or image,count"),
        ("p.csv", "image,x,y\na,1,y\n", "expected numbers in line 2"),
        ("p.csv", "", "the columns"),
        ("p.json", '{"a": [[1]]}', r"points as \[x, y\] for a in"),
        ("p.json", "[1]", "is no sound JSON of"),
        ("p.json", "{", "no valid JSON"),
        ("missing.txt", None, "no such file: .*missing.txt"),
    ],
)
def test_other_damage(tmp_path, name, text, sentence):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_entries(tmp_path / name)


@pytest.mark.parametrize(
    ("predicted", "truth", "pairing", "expected"),
    [
        (["b.jpg", "a/x.png"], ["x", "b"], "auto", {"x": "a/x.png", "b": "b.jpg"}),
        (["3110", "3111"], ["3111", "3110"], "auto", {"3111": "3111", "3110": "3110"}),
        (["0007", "12"], ["IMG_12", "IMG_7"], "auto", {"IMG_12": "12", "IMG_7": "0007"}),
        (["1", "2", "3"], ["IMG_1", "IMG_2", "IMG_10"], "rank", {"IMG_1": "1", "IMG_10": "2", "IMG_2": "3"}),
    ],
    ids=["names", "ids", "numbers", "text order"],
)
def test_pairing(predicted, truth, pairing, expected):
    assert pair_entries(predicted, truth, pairing) == expected


@pytest.mark.parametrize(
    ("predicted", "truth", "sentence"),
    [
        (["1"], ["1", "2"], "a prediction for each image, but got 1 without: 2"),
        (["1", "2"], ["1"], "an image for each prediction, but got 1 without: 2"),
        (["a.jpg", "a.png"], ["a"], "names that differ, but got a.jpg and a.png"),
    ],
)
def test_what_cannot_be_paired(predicted, truth, sentence):
    with pytest.raises(DataError, match=sentence):
        pair_entries(predicted, truth)


def test_an_unknown_pairing():
    with pytest.raises(OptionError, match="auto, name, number, rank"):
        pair_entries([], [], "best")
