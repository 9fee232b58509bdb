"""Tiles as people see them: positions there and back, what counts is bright, the worksheet keeps what was written."""

from pathlib import Path

import numpy as np
import pytest

from crowdscale.errors import DataError
from crowdscale.files.images import read_image
from crowdscale.points import Box
from crowdscale.trust.audit import AuditRecord
from crowdscale.trust.audit.tiles import TileView
from crowdscale.trust.audit.worksheet import Worksheet
from tests.trust.test_audit_record import heads_in, started


@pytest.mark.parametrize(
    "box", [Box(0, 0, 40, 30), Box(600, 440, 640, 480), Box(100, 100, 420, 130), Box(0, 0, 640, 480)]
)
def test_positions_go_to_the_picture_and_back(box: Box) -> None:
    view = TileView.of(box, (640, 480))
    xy = np.array([(box.left, box.top), (box.right - 1, box.bottom - 1), (box.left + 3.25, box.top + 7.5)])
    assert view.to_photo(view.to_picture(xy)) == pytest.approx(xy)
    assert max(view.size) <= 1600
    assert view.zoom <= 8


def test_a_pixel_of_the_photo_is_where_the_picture_says() -> None:
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[110, 130] = 255
    view = TileView.of(Box(100, 100, 150, 140), (640, 480))
    picture = view.picture(pixels, marked=False).astype(float).sum(axis=2)
    rows, columns = np.nonzero(picture > picture.max() / 2)
    xy = view.to_photo(np.array([(columns.mean(), rows.mean())]))
    assert xy[0] == pytest.approx((130, 110), abs=0.2)


def test_the_margin_is_dark_and_the_cell_bright() -> None:
    view = TileView.of(Box(100, 100, 150, 140), (640, 480))
    picture = view.picture(np.full((480, 640, 3), 200, np.uint8))
    left, top, right, bottom = view.frame()
    assert (picture[top + 3 : bottom - 3, left + 3 : right - 3] == 200).all()
    assert (picture[: top - 4] == 80).all()
    assert picture.shape[:2] == view.size[::-1]


def photo(index: int) -> np.ndarray:
    assert index == 0
    return np.full((480, 640, 3), 120, np.uint8)


def fill(sheet: Worksheet, people: dict[int, str], sign: str = ",") -> None:
    lines = [f"{tile}{sign}{number}{sign}Ada" for tile, number in people.items()]
    sheet.table_file.write_text("\n".join([sign.join(("tile", "people", "by")), *lines]) + "\n")


@pytest.fixture
def sheet(tmp_path: Path) -> Worksheet:
    sheet, record = Worksheet(tmp_path / "audit"), started()
    sheet.prepare(record, 4, photo)
    sheet.save(record)
    return sheet


def test_a_worksheet_has_a_picture_and_a_line_for_each_tile(sheet: Worksheet) -> None:
    assert [file.name for file in sorted(sheet.tiles.iterdir())] == [f"tile_00{i}.png" for i in (1, 2, 3, 4)]
    assert read_image(sheet.picture(1)).pixels.max() > 100
    assert len(sheet.table_file.read_text("utf-8-sig").splitlines()) == 5
    assert sheet.load() == started()
    assert sheet.answered(sheet.load(), {}).counts == ()


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_answers_come_from_the_table_up_to_the_first_gap(sheet: Worksheet, sign: str) -> None:
    fill(sheet, {1: "12", 2: "0", 3: "", 4: "7"}, sign)
    record = sheet.answered(sheet.load(), {})
    assert record.counts == (12, 0)
    assert [answer.by for answer in record.answers] == ["Ada", "Ada"]
    assert sheet.unused(record) == [4]


def test_more_tiles_keep_what_was_written(sheet: Worksheet) -> None:
    fill(sheet, {1: "12", 2: "3"})
    sheet.prepare(sheet.load(), 6, photo)
    assert sheet.picture(6).is_file()
    assert sheet.answered(sheet.load(), {}).counts == (12, 3)


def test_marked_heads_stay_without_a_number_and_a_number_taken_away_goes(sheet: Worksheet) -> None:
    record = sheet.load()
    first, second = record.plan.order(2)
    heads = tuple((x, y) for x, y in heads_in(record, first))
    record = sheet.answered(record, {1: heads})
    assert record.answers[0].heads == heads
    fill(sheet, {1: "", 2: "5"})
    record = sheet.answered(record, {})
    assert record.counts == (len(heads), 5)
    fill(sheet, {1: "", 2: ""})
    assert sheet.answered(record, {}).counts == (len(heads),)
    assert second == record.next_cell or record.answers[1].cell == second


def test_a_record_from_elsewhere_fills_the_table(tmp_path: Path) -> None:
    sheet, record = Worksheet(tmp_path), started().answered(count=9, by="Bob")
    sheet.prepare(record, 3, photo)
    assert sheet.answered(record, {}) == record


@pytest.mark.parametrize("people", ["x", "-1", "2.5"])
def test_a_number_that_is_none_is_refused(sheet: Worksheet, people: str) -> None:
    fill(sheet, {1: people})
    with pytest.raises(DataError, match="whole number of people for tile 1"):
        sheet.answered(sheet.load(), {})


def test_a_number_that_differs_from_marks_is_refused(sheet: Worksheet) -> None:
    record = sheet.load()
    fill(sheet, {1: "1000"})
    heads = tuple((x, y) for x, y in heads_in(record, record.plan.order(1)[0]))
    with pytest.raises(DataError, match="one number for tile 1"):
        sheet.answered(record, {1: heads})


def test_another_table_and_another_record_are_refused(sheet: Worksheet) -> None:
    sheet.table_file.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns tile and people"):
        sheet.answered(sheet.load(), {})
    sheet.record_file.write_text("{")
    with pytest.raises(DataError, match=r"audit\.json, but got a file that is damaged"):
        sheet.load()


def test_the_record_of_a_worksheet_is_whole(sheet: Worksheet) -> None:
    assert AuditRecord.from_json(sheet.record_file.read_text()) == started()
