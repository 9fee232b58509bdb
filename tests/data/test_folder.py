"""A folder of one's own photos: each way to give points, and each error."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdscale.data import Folder, Sample
from crowdscale.errors import CrowdscaleError, DataError, ImageError, OptionError
from tests.support.layouts import write_photo


def rows(sample: Sample) -> list[list[float]]:
    assert sample.points is not None
    return sample.points.xy.tolist()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "1,2\n3.5,4\n", [[1, 2], [3.5, 4]]),
        ("a.csv", "x,y\n1,2\n", [[1, 2]]),
        ("a.csv", "Y, X ,confidence\r\n2,1,0.9\r\n", [[1, 2]]),
        ("a.csv", "\ufeffx;y\n1;2\n", [[1, 2]]),
        ("a.csv", "x\ty\n1\t2", [[1, 2]]),
        ("a.csv", ",x,y\n0,1,2\n\n1,3,4\n", [[1, 2], [3, 4]]),
        ("a.csv", "", []),
        ("a.csv", "x,y\n", []),
        ("a.csv", "7,8", [[7, 8]]),
        ("a.json", "[[1, 2], [3.5, 4]]", [[1, 2], [3.5, 4]]),
        ("a.json", '{"points": [[1, 2]], "size": 3}', [[1, 2]]),
        ("a.json", "[]", []),
        ("points.csv", "image,x,y\na.jpg,1,2\na.jpg,3,4\n", [[1, 2], [3, 4]]),
        ("points.csv", "x,y,image\n1,2,a\n", [[1, 2]]),
        ("points.csv", "image,x,y\na.jpg,,\n", []),
        ("points.csv", "image,x,y\na.jpg\n", []),
    ],
)
def test_reads_points(tmp_path: Path, name: str, text: str, expected: list[list[float]]) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / name).write_text(text, encoding="utf-8")
    folder = Folder(tmp_path)
    assert len(folder) == 1
    assert rows(folder[0]) == expected
    assert (folder[0].name, folder[0].attributes) == ("a", {"set": "folder", "folder": tmp_path.name})


def test_reads_sub_folders_and_mixed_sources_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "trip/a.v2.jpg"):
        write_photo(tmp_path / name)
    (tmp_path / "a.csv").write_text("1,1\n")
    (tmp_path / "points.csv").write_text("image,x,y\ntrip\\a.v2.jpg,3,3\n")
    (tmp_path / "b.json").write_text("[[2, 2]]")
    folder = Folder(tmp_path)
    assert [(sample.name, rows(sample)) for sample in folder] == [
        ("a", [[1, 1]]),
        ("b", [[2, 2]]),
        ("trip/a.v2", [[3, 3]]),
    ]


def test_skips_unlabelled_where_asked_to(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    write_photo(tmp_path / "b.jpg").with_suffix(".csv").write_text("1,1\n")
    assert [sample.name for sample in Folder(tmp_path, unlabelled="skip")] == ["b"]


@pytest.mark.parametrize(("outside", "left"), [("drop", 1), ("keep", 2)])
def test_points_outside_where_allowed(tmp_path: Path, outside: str, left: int) -> None:
    write_photo(tmp_path / "a.jpg").with_suffix(".csv").write_text("1,1\n100,1\n")
    assert len(Folder(tmp_path, outside=outside)[0].points or []) == left  # type: ignore[arg-type]


def test_points_are_checked_against_the_upright_photo(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (64, 48), orientation=6).with_suffix(".csv").write_text("47,63\n")
    assert Folder(tmp_path)[0].read().shape == (64, 48, 3)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "x,y\n1,2\n3,four\n", r"two numbers x,y in .*a\.csv, line 3, but got '3,four'"),
        ("a.csv", "1\n", r"two numbers x,y in .*a\.csv, line 1"),
        ("a.csv", "left,top\n1,2\n", r"columns x,y in .*a\.csv, but got the first line 'left,top'"),
        ("a.csv", "1,nan\n", r"finite coordinates in .*a\.csv"),
        ("a.csv", "1,2\n64.5,2\n", r"a\.csv has 1 of 2 heads outside its 64×48 photo"),
        ("a.json", "[[1, 2], [3]]", r"a\.json is no sound JSON \[\[x, y\], …\]: Expected array of length 2"),
        ("a.json", '{"dots": []}', "an object without 'points'"),
        ("a.json", "{", r"a\.json is no valid JSON"),
        ("a.json", "7", r"a\.json, but got something else"),
        ("points.csv", "a.jpg,1,2\n", r"columns image,x,y in .*points\.csv"),
        ("points.csv", "", r"columns image,x,y in .*points\.csv"),
        ("points.csv", "image,x,y\nb.jpg,1,2\n", r"photo's name in .*points\.csv, line 2, but got 'b\.jpg'"),
        ("points.csv", "image,x,y\na.jpg,1,\n", r"two numbers x,y in .*points\.csv, line 2"),
        (
            "points.csv",
            "image,x,y\na.jpg,1,99\n",
            r"points\.csv for a\.jpg has 1 of 1 heads outside its 64×48 photo",
        ),
    ],
)
def test_unsound_points(tmp_path: Path, name: str, text: str, message: str) -> None:
    write_photo(tmp_path / "a.jpg")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        Folder(tmp_path)


def test_file_that_is_no_text(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg").with_suffix(".csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"a\.csv .* Save it as UTF-8"):
        Folder(tmp_path)


def test_unlabelled_photos_are_counted_and_the_first_named(tmp_path: Path) -> None:
    for number in range(7):
        write_photo(tmp_path / f"p{number}.jpg")
    (tmp_path / "p3.csv").write_text("1,1\n")
    with pytest.raises(DataError, match=r"6 of 7 without: p0, p1, p2, p4, p5 …\. Put the points"):
        Folder(tmp_path)


def test_points_in_two_places(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg").with_suffix(".csv").write_text("1,1\n")
    (tmp_path / "points.csv").write_text("image,x,y\na.jpg,1,1\n")
    with pytest.raises(DataError, match=r"in one place, but got a\.csv and points\.csv"):
        Folder(tmp_path)


def test_two_photos_of_one_name(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    write_photo(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"once .* a\.jpg and a\.png"):
        Folder(tmp_path)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder: .*nowhere"):
        Folder(tmp_path / "nowhere")


def test_folder_without_photos(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no photos in"):
        Folder(tmp_path)


@pytest.mark.parametrize("options", [{"unlabelled": "keep"}, {"outside": "clip"}])
def test_unknown_choices(tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(OptionError, match=r"unknown choice for .* Choose one of"):
        Folder(tmp_path, **options)  # type: ignore[arg-type]


def test_damaged_photo(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    (tmp_path / "a.csv").write_text("1,1\n")
    with pytest.raises(CrowdscaleError, match=r"a\.jpg"):
        Folder(tmp_path)
