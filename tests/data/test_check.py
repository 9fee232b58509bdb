"""The report of a data set: each fault in it, and all of them in one go."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crowdscale.data.check import check_dataset, spread_over_counts
from crowdscale.data.sheets import contact_sheet, heads_histogram
from crowdscale.files.images import write_image
from tests.support.layouts import SIZE, write_photo, write_shanghaitech


def kinds(root: Path) -> list[tuple[str, str, bool]]:
    return [(problem.photo, problem.kind, problem.broken) for problem in check_dataset(str(root)).problems]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    for name, text in (("a", "x,y\n1.5,2\n10,20\n"), ("b", ""), ("deep/c", "x,y\n7,8\n")):
        write_photo(tmp_path / f"{name}.jpg").with_suffix(".csv").write_text(text)
    return tmp_path


def test_a_sound_set(sound: Path) -> None:
    report = check_dataset(str(sound))
    assert report.problems == ()
    assert report.counts == [2, 0, 1]
    assert {k: v for k, v in report.levels().items() if v} == {"0": 1, "1–10": 2}
    assert report.photos[0].size == SIZE


def test_everything_wrong_is_listed_in_one_go(sound: Path) -> None:
    (sound / "b.jpg").write_bytes(b"damaged")
    (sound / "deep" / "c.csv").write_text("99,1\n")
    write_photo(sound / "new.jpg")
    (sound / "deep" / "gone.csv").write_text("1,1\n")
    (sound / "a.csv").write_text("1.5,2\n1.5,2.5\n")
    write_photo(sound / "bad.jpg").with_suffix(".csv").write_text("x,y\n1,two\n")
    assert sorted(kinds(sound)) == [
        ("a", "double", False),
        ("b", "unreadable", True),
        ("bad", "annotation", True),
        ("deep/c", "outside", True),
        ("deep/gone", "orphan", True),
        ("new", "unlabelled", True),
    ]
    assert check_dataset(str(sound)).problems[-1].kind == "double", "what must be mended comes first"


def test_a_name_twice(sound: Path) -> None:
    write_photo(sound / "a.png")
    assert ("a", "annotation", True) in kinds(sound)


@pytest.mark.parametrize(
    ("text", "suspected"),
    [
        (f"1,1\n{SIZE[0]},{SIZE[1]}\n", True),
        (f"0,1\n{SIZE[0]},3\n", False),
        ("1,1\n5,5\n", False),
        ("1.5,1\n64,48\n", False),
    ],
    ids=["from 1", "a zero", "none at the border", "fractions"],
)
def test_coordinates_from_one_are_suspected(tmp_path: Path, text: str, suspected: bool) -> None:
    write_photo(tmp_path / "a.jpg").with_suffix(".csv").write_text(text)
    assert (("a", "one-based", False) in kinds(tmp_path)) == suspected


def test_a_public_set_is_checked_photo_by_photo(tmp_path: Path) -> None:
    base = write_shanghaitech(tmp_path, {1: [(1.0, 2.0)], 3: [(500.0, 1.0)]})
    (base / "images" / "IMG_1.jpg").write_bytes(b"x")
    report = check_dataset(f"sha:{tmp_path}")
    assert [(p.photo, p.kind) for p in report.problems] == [("IMG_1", "unreadable"), ("IMG_3", "outside")]


def test_the_report_as_json(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("out") / "report.json"
    check_dataset(str(sound)).write_json(out)
    saved = json.loads(out.read_text())
    assert (saved["photos"], saved["heads"], saved["rows"][0]["heads"]) == (3, 3, 2)


def test_the_sheet_spreads_over_the_counts(tmp_path: Path) -> None:
    for heads in range(12):
        text = "".join(f"{5 + 4 * k},20\n" for k in range(heads))
        write_photo(tmp_path / f"p{heads:02}.jpg").with_suffix(".csv").write_text(text)
    photos = check_dataset(str(tmp_path)).photos
    chosen = spread_over_counts(photos, 4)
    assert [len(photo.points or ()) for photo in chosen] == [0, 4, 7, 11]
    sheet = contact_sheet(chosen)
    assert sheet.shape == (358, 1660, 3)
    white = np.full((40, 60, 3), 255, np.uint8)
    write_image(tmp_path / "p00.jpg", white)
    assert not np.array_equal(contact_sheet(chosen), sheet), "the photos are on it"


def test_the_histogram_has_a_bar_for_each_bin() -> None:
    picture = heads_histogram([0, 3, 3, 4000], "mine")
    blue = (picture == (38, 110, 190)).all(axis=2)
    starts = np.flatnonzero(np.diff(blue[398].astype(int)) == 1)
    assert len(starts) == 3
    tallest = blue.sum(axis=0).max()
    assert tallest == pytest.approx(2 * blue[:, starts[0] + 20].sum(), abs=3), (
        "two photos are twice as tall as one"
    )
    assert heads_histogram([], "none").shape[2] == 3
