"""Cameras without a camera: MJPEG on the loopback address, and states that a test sets by hand."""

from __future__ import annotations

import http.server
import io
import threading
import time
from collections.abc import Iterable

import numpy as np
from PIL import Image

from crowdscale.video.camera_state import Camera, Watching
from crowdscale.video.several import Cameras
from crowdscale.video.watch import watch
from crowdscale.zones.alarms import Alarms
from tests.support.web import Answer

HEAD = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"


def mjpeg(photos: Iterable[np.ndarray], silent: threading.Event | None = None, rate: float = 50.0) -> Answer:
    """Return an answer of JPEGs; then it closes the connection, or waits for the event in silence."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        try:
            for photo in photos:
                stream = io.BytesIO()
                Image.fromarray(photo).save(stream, "JPEG", quality=95)
                data = stream.getvalue()
                handler.wfile.write(HEAD.format(len(data)).encode() + data + b"\r\n")
                time.sleep(1 / rate)
        except OSError:
            return
        if silent is not None:
            silent.wait(60)

    return answer


class StillCameras(Cameras):
    """Cameras whose frames come when a test says so, on its own thread."""

    def start(self) -> None:
        """Start no thread."""

    def stop(self, timeout: float = 10.0) -> None:
        """There is none to stop."""

    def show(self, state: Watching, source, alarms: Alarms | None = None) -> None:
        """Count all frames of a source."""
        state.source = source
        for watched in watch(source, self.predictor, state.camera.options, state.camera.zones, alarms):
            state.status = "counting"
            state.take(watched, frozenset(alarms.raised if alarms is not None else ()))


def still(counter, *cameras: Camera) -> StillCameras:
    """Return cameras for a counter of the service."""
    return StillCameras(cameras, counter.for_cameras(), lambda *_: None)
