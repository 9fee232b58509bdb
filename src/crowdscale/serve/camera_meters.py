"""Gauges and counters of each watched camera, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from crowdscale.counting.camera_table import CameraRow
from crowdscale.video.camera_state import Watching

__all__ = ["CameraCollector"]

Sample = tuple[Sequence[str], float]


class CameraCollector(Collector):
    """Reads the states of cameras whenever Prometheus asks.

    People are left out while a camera is away or its count must not be used: an old number would look like a new one.

    Args:
        states: Of the cameras.
    """

    def __init__(self, states: Sequence[Watching]) -> None:
        self.states = states

    def collect(self) -> Iterator[Metric]:
        """Yield the families of metrics."""
        rows = [state.row() for state in self.states]
        alarmed = {state.camera.name: dict(state.alarmed) for state in self.states}
        ruled = {
            state.camera.name: list(state.camera.zones.alarms) if state.camera.zones else []
            for state in self.states
        }
        current = [row for row in rows if row.status == "counting" and row.usable and row.count is not None]
        yield from _gauges(rows, current)
        yield from _counters(rows)
        yield _family(
            GaugeMetricFamily(
                "crowdscale_camera_alarm", "1: the alarm of the zone stands.", labels=("camera", "zone")
            ),
            (((row.camera, zone), float(zone in row.raised)) for row in rows for zone in ruled[row.camera]),
        )
        yield _family(
            CounterMetricFamily(
                "crowdscale_camera_alarms", "Alarms that were raised.", labels=("camera", "zone")
            ),
            (
                ((row.camera, zone), alarmed[row.camera].get(zone, 0))
                for row in rows
                for zone in ruled[row.camera]
            ),
        )


def _gauges(rows: list[CameraRow], current: list[CameraRow]) -> Iterator[Metric]:
    """Yield what goes up and down."""

    def gauge(name: str, text: str, samples: Iterable[tuple[str, float | None]]) -> Metric:
        present = (((camera,), value) for camera, value in samples if value is not None)
        return _family(GaugeMetricFamily(f"crowdscale_camera_{name}", text, labels=("camera",)), present)

    yield gauge(
        "up", "1: frames of the camera are counted.", ((r.camera, r.status == "counting") for r in rows)
    )
    yield gauge("people", "People in the last frame.", ((r.camera, r.count) for r in current))
    yield gauge("people_low", "Low end of the 90 % interval.", ((r.camera, r.count_low) for r in current))
    yield gauge("people_high", "High end of the 90 % interval.", ((r.camera, r.count_high) for r in current))
    yield gauge("usable", "0: do not use the last count.", ((r.camera, r.usable) for r in rows if r.counts))
    yield gauge(
        "seconds_since_frame", "Seconds since the last counted frame.", ((r.camera, r.age) for r in rows)
    )
    yield gauge("count_seconds", "Seconds that the last count took.", ((r.camera, r.seconds) for r in rows))
    zones = [((row.camera, zone.name), zone.count) for row in current for zone in row.zones]
    family = GaugeMetricFamily(
        "crowdscale_camera_zone_people", "People in a zone.", labels=("camera", "zone")
    )
    yield _family(family, zones)


def _counters(rows: list[CameraRow]) -> Iterator[Metric]:
    """Yield what only grows, from the start of the service."""

    def counter(name: str, text: str, samples: Iterable[tuple[str, int]]) -> Metric:
        family = CounterMetricFamily(f"crowdscale_camera_{name}", text, labels=("camera",))
        return _family(family, (((camera,), value) for camera, value in samples))

    yield counter("frames", "Frames counted.", ((row.camera, row.counts) for row in rows))
    yield counter(
        "frames_dropped", "Frames that passed uncounted.", ((row.camera, row.dropped) for row in rows)
    )
    yield counter(
        "reconnects", "Times that a lost camera was reached again.", ((r.camera, r.reconnects) for r in rows)
    )
    labels = ("camera", "line", "direction")
    crossings = CounterMetricFamily(
        "crowdscale_camera_crossings", "People who crossed a line.", labels=labels
    )
    ways = (
        ((row.camera, line.name, way), people)
        for row in rows
        for line in row.lines
        for way, people in (("forward", line.forward), ("backward", line.backward))
    )
    yield _family(crossings, ways)


def _family(family: GaugeMetricFamily | CounterMetricFamily, samples: Iterable[Sample]) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, float(value))
    return family
