"""A watch yields a row a sampled frame."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from crowdscale.counting.predictor import Predictor, load
from crowdscale.errors import OptionError
from crowdscale.points import Points
from crowdscale.trust.appearance import FeatureCloud
from crowdscale.trust.profile import TURNED, Profile
from crowdscale.trust.upright import Uprightness
from crowdscale.video.sources import Frame, Source
from crowdscale.video.watch import WatchOptions, watch
from crowdscale.video.windows import Windows
from crowdscale.zones.alarms import Alarms
from crowdscale.zones.ground import Ground
from crowdscale.zones.zone import Zone, Zones
from tests.support.fakes import label_photo
from tests.support.watches import LEFT, film, heads, rows

ROPE = Zone("rope", ((120, 0), (120, 200)), "line", width=30)


def test_rows_come_at_their_times_with_their_people(label_model):
    found = rows(label_model, [1, 2, 3, 4, 5, 6, 7], every=1.0)
    assert [(row.time, row.frame, row.count) for row in found] == [
        (0, 0, 1),
        (1, 2, 3),
        (2, 4, 5),
        (3, 6, 7),
    ]
    assert found[0].smoothed is None


@pytest.mark.parametrize(
    ("options", "times"),
    [({"every": 0, "frames": 3}, [0, 0.5, 1]), ({"every": 0, "duration": 1.2}, [0, 0.5, 1.0])],
    ids=str,
)
def test_a_watch_ends_when_asked(label_model, options, times):
    assert [row.time for row in rows(label_model, [1] * 9, **options)] == times


def test_smoothing_follows(label_model):
    found = rows(label_model, [4] * 8 + [12] * 4, every=0, smooth=True)
    assert [row.smoothed for row in found] == [4] * 9 + [12] * 3


def test_zones_limits_alarms_and_crossings_are_in_the_rows(label_model):
    counts = [(1, 2), (5, 2), (5, 0), (1, 1)]
    zones = Zones((LEFT, ROPE))
    alarms = Alarms(zones.alarms)
    found = rows(label_model, counts, zones, alarms, every=0)
    alarms.close()
    assert [[zone.people for zone in row.zones] for row in found] == [[1, 0], [5, 0], [5, 0], [1, 0]]
    assert [row.alarms for row in found] == [(), ("left raised",), (), ("left cleared",)]
    assert found[0].crossed == {"rope": (0, 0)}
    here = Zones((Zone("here", LEFT.points, roi=True),))
    assert [row.count for row in rows(label_model, counts, here, every=0)] == [1, 5, 5, 1]


@pytest.mark.parametrize("wrong", [{"every": -1}, {"duration": 0}, {"frames": 0}], ids=str)
def test_options(wrong):
    with pytest.raises(OptionError, match="expected"):
        WatchOptions(**wrong)


def test_the_base_scale_is_kept_for_a_while(label_model, monkeypatch):
    """Chosen for each frame, it would jump between two and the counts with it."""
    chosen = []

    def choose(*_):
        chosen.append(1)
        return 1.0 if len(chosen) % 2 else 0.5

    monkeypatch.setattr("crowdscale.counting.predictor.choose_read_scale", choose)
    rows(label_model, [1] * 9, every=0, rescale=2.0)  # frames 0 to 4 s
    assert len(chosen) == 3
    rows(label_model, [1] * 9, every=0, rescale=0)
    assert len(chosen) == 3 + 9


def test_zones_follow_a_film_that_changes_its_size(label_model):
    def frames(source):
        yield Frame(0, 0, label_photo(heads(3), 240, 200))
        yield Frame(1, 1, label_photo(Points([[60, 80], [100, 80]]), 480, 400))
        yield Frame(2, 2, label_photo(Points([[60, 40], [200, 40]]), 300, 200))  # another shape

    source = Source("film", frames)
    seen = list(watch(source, load(label_model), WatchOptions(every=0), Zones((LEFT,))))
    assert [each.row.zones[0].people for each in seen] == [3, 2, 1]
    assert source.notes == [
        "The frames of film change from 240×200 to 480×400.",
        "The frames of film change from 240×200 to 300×200.",
    ]


def test_a_zone_named_like_a_column_takes_nothing_away(label_model):
    (row,) = rows(label_model, [3], Zones((Zone("time", LEFT.points), Zone("count", LEFT.points))))
    assert {key: row.to_dict()[key] for key in ("time", "count", "zone time", "zone count")} == {
        "time": 0,
        "count": 3,
        "zone time": 3,
        "zone count": 3,
    }


def test_followed_heads_have_tracks_and_stays(label_model):
    zones = Zones((Zone("middle", ((40, 0), (200, 0), (200, 200), (40, 200))),))
    places = [Points([[20 + 10 * step, 100], [100, 40]]) for step in range(5)]
    source = Source(
        "film", lambda _: (Frame(i, 0.2 * i, label_photo(each, 240, 200)) for i, each in enumerate(places))
    )
    seen = list(watch(source, load(label_model), WatchOptions(every=0, follow=True), zones))
    assert [sorted(each.tracks.tolist()) for each in seen] == [[0, 1]] * 5
    row = seen[-1].row.to_dict()
    assert (row["middle different"], row["middle entered"], row["middle left"]) == (2, 1, 0)
    assert row["middle median stay"] is None


def test_rows_have_the_warnings_of_their_frames(label_model):
    def frames(source):
        yield Frame(0, 0, label_photo(heads(3), 240, 200))
        yield Frame(1, 1, label_photo(heads(3), 240, 200), damaged=True, notes=("Page 1 was counted.",))

    seen = list(watch(Source("film", frames), load(label_model), WatchOptions(every=0)))
    assert [each.row.warnings for each in seen] == [
        (),
        ("Page 1 was counted.", "The film is damaged here: the frame may be incomplete."),
    ]
    assert seen[1].prediction.warnings == seen[1].row.warnings  # drawn in the film, too


def test_a_frame_that_is_unlike_all_training_photos_is_marked(label_model):
    class Unlike(Predictor):
        def predict(self, source):
            return replace(super().predict(source), warnings=("Unlike.", "Too dark."), usable=False)

    one = load(label_model)
    frame = Frame(0, 0, label_photo(heads(3), 240, 200), damaged=True)
    source = Source("film", lambda _: iter([frame]))
    (seen,) = watch(source, Unlike(one.backend, one.config), WatchOptions(every=0))
    assert seen.row.to_dict()["usable"] is False
    assert seen.row.warnings[0] == "Unlike."  # before the remark on the damage
    assert len(seen.row.warnings) == 3


def test_rows_have_the_interval_of_the_count(label_model):
    from crowdscale.trust.intervals import Calibration

    predictor = load(label_model)
    known = rows(label_model, [3], every=0)[0]
    assert (known.interval, known.to_dict()["count_low"]) == (None, None)

    class Sure(Calibration):
        def __init__(self):
            pass

        def interval(self, count, level):
            return (int(count) - 1, int(count) + 1)

    predict = predictor.predict
    predictor.predict = lambda pixels: dataclasses.replace(predict(pixels), calibration=Sure())
    (row,) = [each.row for each in watch(film([3]), predictor, WatchOptions(every=0))]
    assert (row.to_dict()["count_low"], row.to_dict()["count_high"]) == (2, 4)


def test_tracks_follow_a_film_that_changes_its_size(label_model):
    """One person walks over the rope while the film halves its size."""

    def frames(source):
        for index in range(12):
            x = 60 + 11 * index
            if index < 6:
                yield Frame(index, index / 5, label_photo(Points([[x, 60]]), 240, 200))
            else:
                yield Frame(index, index / 5, label_photo(Points([[x / 2, 30]]), 120, 100))

    zones = Zones((ROPE,))
    seen = list(watch(Source("film", frames), load(label_model), WatchOptions(every=0), zones))
    assert sum(seen[-1].row.crossed["rope"]) == 1


def test_followed_heads_on_the_ground_add_their_columns(label_model):
    ground = Ground(LEFT.points, ((0, 0), (6, 0), (6, 10), (0, 10)))
    zones = Zones((dataclasses.replace(LEFT, alarm=None), ROPE), ground)
    *_, row = rows(label_model, [4] * 24, zones, every=0, follow=True)
    found = row.to_dict()
    assert {key: found[key] for key in found if key.startswith("rope ")} == {
        "rope per m2": 0, "rope level": "A", "rope forward": 0, "rope backward": 0, "rope net": 0,
        "rope forward per minute": 0, "rope backward per minute": 0,
    }  # fmt: skip
    own = {key.removeprefix("left ") for key in found if key.startswith("left ")}
    assert own == {
        "per m2", "level", "different", "entered", "left", "median stay", "stay 90th percentile",
        "voronoi per m2", "speed", "specific flow", "pressure",
    }  # fmt: skip
    assert found["left different"] == 4
    assert found["left speed"] == pytest.approx(0, abs=0.02)
    assert 0.02 < found["left voronoi per m2"] < 4 / 60  # their cells reach beyond the zone


def test_the_turn_of_the_camera_is_checked_once_a_while_and_kept(label_model):
    """A frame in doubt is read in all four orientations; the next ones of the same camera are not."""
    cloud = FeatureCloud(np.zeros(1), np.zeros((1, 1)), 0.0).to_text()
    doubtful = Uprightness(np.zeros(1), 0.3).to_text()  # beyond doubt, 0, and not beyond use, 0.7
    familiar = Profile({}, 100, 1, 0.0, cloud, (), doubtful, 0.0)
    plain = load(label_model)
    calls = []

    class Counted:
        def predict(self, pixels):
            calls.append(pixels.shape)
            return plain.backend.predict(pixels)

    predictor = plain.with_options(
        config=dataclasses.replace(plain.config, familiar=familiar), backend=Counted(), refine=False
    )
    seen = list(watch(film([4] * 6, step=20.0), predictor, WatchOptions(every=0)))
    assert len(seen) == 6
    assert len(calls) == 6 + 2 * 4  # at 0 and at 60 seconds
    lying = predictor.with_options(held_turn=3).predict(label_photo(heads(4), 240, 200))
    assert lying.warnings == (f"{TURNED[3]}.",)


def test_sampled_watching_counts_its_windows_alone(label_model):
    counted = rows(label_model, [1] * 120, every=0, windows=Windows(5, 20, 8))
    assert [row.time for row in counted] == [
        *np.arange(8, 13, 0.5),
        *np.arange(28, 33, 0.5),
        *np.arange(48, 53, 0.5),
    ]
    assert len(rows(label_model, [1] * 120, every=0, windows=Windows(5, 20, 8), frames=12)) == 12


def test_tracks_are_there_when_a_window_begins(label_model):
    """A person who stood in the zone before a window begins has not entered it then; a new one has."""
    zones = Zones((dataclasses.replace(LEFT, alarm=None),))

    def frames(source):
        for index in range(40):
            xy = [[200 - 5 * max(0, index - 12), 60], [30, 40]]  # one of them walks in from the right
            yield Frame(index, index * 0.5, label_photo(Points(xy), 240, 200))

    options = WatchOptions(every=0, windows=Windows(10, 40, 8), follow=True)
    seen = [each.row for each in watch(Source("film", frames), load(label_model), options, zones)]
    assert seen[0].time == 8
    assert (seen[0].stays[0].different, seen[0].stays[0].entered) == (1, 0)
    assert (seen[-1].stays[0].different, seen[-1].stays[0].entered) == (2, 1)
