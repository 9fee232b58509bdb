"""The text of ``/metrics`` is what Prometheus reads: by its own parser, and by the strict one of OpenMetrics."""

from __future__ import annotations

import math
from collections import Counter as Tally

from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strictly
from prometheus_client.parser import text_string_to_metric_families

from crowdscale.serve.camera_meters import CameraCollector
from crowdscale.serve.line import Line
from crowdscale.serve.meters import Meters
from crowdscale.video.camera_state import Camera, Watching
from crowdscale.video.frame import Source
from crowdscale.video.watch import Watched, WatchRow
from crowdscale.zones.alarms import AlarmRule
from crowdscale.zones.zone import Zone, ZoneCount, Zones

AREA = ((0, 0), (9, 0), (9, 9))
ODD = 'hall "B"\\ {x="1"} # é'
ROW = WatchRow(
    1.0, 25, 4.0, None, (ZoneCount(ODD, 4, 4), ZoneCount("rope", 1, 1)), {"rope": (3, 2)}, (f"{ODD} raised",), 0.1, 7,
    interval=(3, 5), raised=(ODD,),
)  # fmt: skip


def states():
    zones = Zones((Zone(ODD, AREA, alarm=AlarmRule(2)), Zone("rope", AREA[:2], "line")))
    counting, off = Watching(Camera(ODD, "x", zones=zones)), Watching(Camera("off", "y"))
    counting.source = Source("x", lambda _: iter(()), live=True)
    counting.status = "counting"
    counting.take(Watched(ROW, None, None), frozenset({ODD}))
    return [counting, off]


def test_both_parsers_read_all_and_nothing_comes_twice():
    meters = Meters(Line(4))
    meters.registry.register(CameraCollector(states()))
    meters.answers.labels("/count", "200").inc()
    meters.counted(4.0, 0.2)
    usual = list(text_string_to_metric_families(meters.text().decode()))
    strict = list(strictly(generate_latest(meters.registry).decode()))
    for families in (usual, strict):
        assert max(Tally(family.name for family in families).values()) == 1
        assert all(family.documentation and family.type != "unknown" for family in families)
        samples = [sample for family in families for sample in family.samples]
        assert max(Tally((each.name, *sorted(each.labels.items())) for each in samples).values()) == 1
        assert all(math.isfinite(each.value) for each in samples)
        found = {
            (each.name, *(value for _, value in sorted(each.labels.items()))): each.value for each in samples
        }
        assert found["crowdscale_camera_people", ODD] == 4
        assert found["crowdscale_camera_zone_people", ODD, ODD] == 4
        assert found["crowdscale_camera_alarms_total", ODD, ODD] == 1
        assert found["crowdscale_camera_crossings_total", ODD, "forward", "rope"] == 3
        assert found["crowdscale_camera_up", "off"] == 0
        assert ("crowdscale_camera_people", "off") not in found


def test_no_camera_is_no_metric_of_one():
    registry = CollectorRegistry()
    registry.register(CameraCollector([]))
    assert not [
        sample for family in strictly(generate_latest(registry).decode()) for sample in family.samples
    ]
