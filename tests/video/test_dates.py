"""Rows have the date and clock of their frames: of the film's record, of a camera's arrival, or as the user says."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from crowdscale.errors import OptionError
from crowdscale.video.dates import Calendar, read_start, recorded_start, time_zone
from crowdscale.video.frame import Frame, Source
from crowdscale.video.sources import open_source
from tests.support.films import grey_frame, write_packets

BERLIN = ZoneInfo("Europe/Berlin")
NOTHING = np.zeros((2, 2, 3), np.uint8)


def film(recorded=None):
    source = Source("film", lambda _: iter(()))
    source.recorded = recorded
    return source


def clocks(calendar, source, *times):
    return [calendar.of(Frame(0, each, NOTHING), source).isoformat() for each in times]


@pytest.mark.parametrize(
    ("text", "zone", "iso"),
    [
        ("2026-05-01 14:00", BERLIN, "2026-05-01T14:00:00+02:00"),
        ("2026-01-01T14:00:30.5", BERLIN, "2026-01-01T14:00:30.500000+01:00"),
        ("2026-05-01 14:00Z", BERLIN, "2026-05-01T14:00:00+00:00"),
        ("2026-05-01 14:00-0330", BERLIN, "2026-05-01T14:00:00-03:30"),
        ("2026-10-25 01:59", BERLIN, "2026-10-25T01:59:00+02:00"),
        ("2026-10-25 02:30", BERLIN, "2026-10-25T02:30:00+02:00"),  # the first of two
    ],
)
def test_starts(text, zone, iso):
    start, remark = read_start(text, zone)
    assert start.isoformat() == iso
    assert ("comes twice in Europe/Berlin" in remark) == (text == "2026-10-25 02:30")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-03-29 02:30", "which summer time leaves out"),
        ("2026-05-01", 'expected --start such as "2026-05-01 14:00"'),
        ("14:00", "expected --start such as"),
        ("2026-13-01 14:00", "expected --start such as"),
        ("", "expected --start such as"),
    ],
)
def test_starts_that_cannot_be(text, sentence):
    with pytest.raises(OptionError, match=sentence):
        read_start(text, BERLIN)


@pytest.mark.parametrize(
    ("start", "clocks_then"),
    [
        ("2026-03-29 01:59:59", ["2026-03-29T01:59:59+01:00", "2026-03-29T03:00:00+02:00"]),
        ("2026-10-25 02:59:59", ["2026-10-25T02:59:59+02:00", "2026-10-25T02:00:00+01:00"]),
    ],
)
def test_rows_follow_the_change_of_summer_time(start, clocks_then):
    begun, _ = read_start(start, BERLIN)
    assert clocks(Calendar(BERLIN, begun), film(), 0, 1) == clocks_then


def test_the_offset_is_that_of_the_zone_and_of_the_system_by_default(monkeypatch):
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
    assert clocks(Calendar(ZoneInfo("Asia/Kathmandu")), film(noon), 0) == ["2026-07-01T17:45:00+05:45"]
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert clocks(Calendar(), film(noon), 0) == ["2026-07-01T08:00:00-04:00"]
        assert read_start("2026-01-01 08:00", None)[0].isoformat() == "2026-01-01T08:00:00-05:00"
        with pytest.raises(OptionError, match="summer time leaves out"):
            read_start("2026-03-08 02:30", None)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nobody_knows_the_clock_of_a_film_without_record():
    assert Calendar(BERLIN).of(Frame(0, 0, NOTHING), film()) is None
    assert Calendar(BERLIN).of(Frame(0, 1e12, NOTHING), film(0.0)) is None  # beyond the year 9999


def test_a_camera_has_the_clock_of_its_arrival():
    frame = Frame(0, 5.0, NOTHING, arrived=datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp())
    assert Calendar(BERLIN).of(frame, film()).isoformat() == "2026-05-01T14:00:00+02:00"


@pytest.mark.parametrize("name", ["Mars/Base", "", "../../etc/passwd", "Europe/Berlin\0"])
def test_no_time_zones(name):
    with pytest.raises(OptionError, match="expected a time zone such as Europe/Berlin"):
        time_zone(name)


@pytest.mark.parametrize(
    ("records", "utc"),
    [
        ({"creation_time": "2026-05-01T12:00:00.000000Z"}, "2026-05-01T12:00:00+00:00"),
        ({"creation_time": "2026-05-01 12:00:00"}, "2026-05-01T12:00:00+00:00"),
        ({"creation_time": "2026-05-01T12:00:00Z", "com.apple.quicktime.creationdate": "2026-05-01T10:00:00+0200"}, "2026-05-01T08:00:00+00:00"),
        ({"creation_time": "1904-01-01T00:00:00Z"}, None),
        ({"creation_time": "1970-01-01T00:00:00Z", "date": "2026-05-01 07:00:00"}, "2026-05-01T07:00:00+00:00"),
        ({"date": "2026"}, None),
        ({"creation_time": "soon"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_records_of_films(records, utc):
    found = recorded_start({}, records)
    assert (None if found is None else datetime.fromtimestamp(found, UTC).isoformat()) == utc


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_film_s_own_record_is_read(tmp_path, suffix):
    path = write_packets(
        tmp_path / f"a{suffix}",
        [grey_frame(9, 128, 96)] * 3,
        metadata={"creation_time": "2026-05-01T12:00:00Z"},
    )
    source = open_source(str(path))
    frames = list(source)
    moment = Calendar(BERLIN).of(frames[-1], source)
    assert moment.isoformat() == "2026-05-01T14:00:00.200000+02:00"
