"""What the service measures of itself, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from crowdscale.serve.gate import App, Message, Receive, Send
from crowdscale.serve.line import Line

__all__ = ["Measured", "Meters"]

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Meters:
    """Counters and gauges of one service; two services in a process do not share them.

    Args:
        line: The queue whose length is shown.
    """

    def __init__(self, line: Line) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "crowdscale_answers", "Answers by path and status.", ("path", "status"), registry=self.registry
        )
        self.photos = Counter("crowdscale_photos", "Photos counted.", registry=self.registry)
        self.people = Counter("crowdscale_people", "People counted in all photos.", registry=self.registry)
        self.seconds = Histogram(
            "crowdscale_photo_seconds", "Seconds that a photo took.", buckets=SECONDS, registry=self.registry
        )
        queue = Gauge("crowdscale_queue", "Photos that are counted or wait.", registry=self.registry)
        queue.set_function(lambda: line.accepted)

    def counted(self, people: float, seconds: float) -> None:
        """Note a counted photo."""
        self.photos.inc()
        self.people.inc(max(0.0, people))
        self.seconds.observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class Measured:
    """Counts the answers of an application by route and status.

    Args:
        app: The application.
        meters: Where they are counted.
    """

    def __init__(self, app: App, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "other")
                self.meters.answers.labels(path, str(message["status"])).inc()
            await send(message)

        await self.app(scope, receive, noting if scope["type"] == "http" else send)
