"""Counts over MQTT, with the messages by which Home Assistant finds each camera as a device."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from crowdscale import __version__
from crowdscale.errors import MissingExtraError, OptionError, without_password
from crowdscale.video.watch import WatchRow

__all__ = ["Publisher"]

DISCOVERY = "homeassistant"
"""Home Assistant's own prefix of announcements."""
PREFIX = "crowdscale"
PORTS = {"mqtt": 1883, "mqtts": 8883}
KEEP_ALIVE = 30
LONGEST_WAIT = 30
"""Seconds between two attempts to reach the broker, at most."""


class Publisher:
    """Publishes counts of cameras; a broker that is away costs messages, never counts.

    Topics: ``PREFIX/CAMERA/state`` (JSON, retained), ``PREFIX/CAMERA/status`` and ``PREFIX/status`` (``online`` or
    ``offline``; the broker itself sets the last one where the program dies). Discovery is that of Home Assistant:
    https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery

    Args:
        address: ``mqtt://user:password@broker:1883/prefix``; ``mqtts`` is encrypted.
        report: Called with a sentence where the broker is lost, refuses, or is back.

    Raises:
        MissingExtraError: paho-mqtt is not installed.
        OptionError: It is no such address.
    """

    def __init__(self, address: str, report: Callable[[str], object]) -> None:
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise MissingExtraError("MQTT", "mqtt") from error
        scheme, host, port, user, password, self.prefix = _parts(address)
        self.shown, self._report = f"{scheme}://{host}:{port}", report
        self._announced: dict[str, dict[str, Any]] = {}
        self._status: dict[str, str] = {}
        self._lost = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if user:
            self._client.username_pw_set(user, password)
        if scheme == "mqtts":
            self._client.tls_set()
        self._client.will_set(f"{self.prefix}/status", "offline", 1, retain=True)
        self._client.reconnect_delay_set(1, LONGEST_WAIT)
        self._client.on_connect = self._connected
        self._client.on_connect_fail = lambda *_: self._away("no answer")
        self._client.on_disconnect = self._disconnected
        self._closing = False
        self._client.connect_async(host, port, KEEP_ALIVE)
        self._client.loop_start()

    def announce(self, camera: str, zones: Iterable[str] = (), alarmed: Iterable[str] = ()) -> None:
        """Let Home Assistant find a camera: its people, those of each zone, and each alarm."""
        self._announced |= announcements(self.prefix, camera, list(zones), list(alarmed))
        self.status(camera, True)
        self._send_announcements()

    def status(self, camera: str, online: bool) -> None:
        """Publish whether a camera is there, where that changes."""
        topic, text = f"{self.prefix}/{slug(camera)}/status", "online" if online else "offline"
        if self._status.get(topic) != text:
            self._status[topic] = text
            self._client.publish(topic, text, retain=True)

    def publish(self, camera: str, row: WatchRow, raised: Iterable[str] = ()) -> None:
        """Publish a count; it waits for nothing."""
        self.status(camera, True)
        self._client.publish(
            f"{self.prefix}/{slug(camera)}/state", json.dumps(state(row, raised)), retain=True
        )

    def close(self) -> None:
        """Say that all cameras are off, and leave."""
        self._closing = True
        for topic in self._status:
            self._client.publish(topic, "offline", retain=True)
        last = self._client.publish(f"{self.prefix}/status", "offline", retain=True)
        if self._client.is_connected():
            last.wait_for_publish(2.0)
        self._client.disconnect()
        self._client.loop_stop()

    def _send_announcements(self) -> None:
        if self._client.is_connected():
            for topic, content in self._announced.items():
                self._client.publish(topic, json.dumps(content), retain=True)
            for topic, text in self._status.items():
                self._client.publish(topic, text, retain=True)

    def _connected(self, client: Any, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if reason.is_failure:
            self._away(str(reason))
            return
        client.publish(f"{self.prefix}/status", "online", retain=True)
        self._send_announcements()
        if self._lost:
            self._lost = False
            self._report(f"{self.shown} is back.")

    def _disconnected(self, _: Any, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        if not self._closing:
            self._away(str(reason))

    def _away(self, why: str) -> None:
        """Say once that the broker is away."""
        if not self._lost:
            self._lost = True
            self._report(
                f"expected {self.shown} to take counts, but got {why}: it is tried again. Counting continues."
            )


def _parts(address: str) -> tuple[str, str, int, str, str, str]:
    """Return scheme, host, port, user, password and prefix of an address. Raises OptionError."""
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    prefix = parts.path.strip("/") or PREFIX
    odd = re.search(r"[?#]", address) or re.search(r"[#+\s\x00]", prefix)
    if odd or parts.scheme not in PORTS or not parts.hostname:
        raise OptionError(
            "expected a broker such as mqtt://user:${MQTT_PASSWORD}@broker:1883", without_password(address)
        )
    return (
        parts.scheme,
        parts.hostname,
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        prefix,
    )


def slug(name: str) -> str:
    """Return a name as a part of a topic; names that would become the same differ by a few signs."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_")
    if plain == name:
        return plain
    return f"{plain or 'camera'}_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"


def state(row: WatchRow, raised: Iterable[str] = ()) -> dict[str, Any]:
    """Return the content of a camera's state."""
    low, high = row.interval or (None, None)
    return {
        "time": round(row.time, 3),
        "clock": None if row.clock is None else row.clock.isoformat(timespec="milliseconds"),
        "count": round(row.count, 2),
        "count_low": low,
        "count_high": high,
        "zones": {zone.name: round(zone.people, 2) for zone in row.zones},
        "crossed": {name: list(ways) for name, ways in row.crossed.items()},
        "alarms": sorted(raised),
        "warnings": list(row.warnings),
    }


def announcements(
    prefix: str, camera: str, zones: list[str], alarmed: list[str]
) -> dict[str, dict[str, Any]]:
    """Return the messages by which Home Assistant finds a camera, by topic."""
    name = slug(camera)
    device = f"{prefix.replace('/', '_')}_{name}"
    common = {
        "state_topic": f"{prefix}/{name}/state",
        "json_attributes_topic": f"{prefix}/{name}/state",
        "availability": [{"topic": f"{prefix}/status"}, {"topic": f"{prefix}/{name}/status"}],
        "availability_mode": "all",
        "device": {
            "identifiers": [device],
            "name": camera,
            "manufacturer": "crowdscale",
            "model": "people counter",
            "sw_version": __version__,
        },
    }
    measured = {
        "unit_of_measurement": "people",
        "state_class": "measurement",
        "suggested_display_precision": 0,
    }
    messages: dict[str, dict[str, Any]] = {}

    def add(kind: str, key: str, **content: Any) -> None:
        content["unique_id"] = f"{device}_{key}"
        messages[f"{DISCOVERY}/{kind}/{device}/{key}/config"] = {**common, **content}

    add(
        "sensor",
        "count",
        name="People",
        value_template="{{ value_json.count }}",
        icon="mdi:account-group",
        **measured,
    )
    for zone in zones:
        template = f"{{{{ value_json.zones[{json.dumps(zone)}] }}}}"
        add(
            "sensor",
            f"zone_{slug(zone)}",
            name=zone,
            value_template=template,
            icon="mdi:vector-square",
            **measured,
        )
    for zone in alarmed:
        template = f"{{{{ 'ON' if {json.dumps(zone)} in value_json.alarms else 'OFF' }}}}"
        add(
            "binary_sensor",
            f"alarm_{slug(zone)}",
            name=f"{zone} alarm",
            value_template=template,
            device_class="problem",
        )
    return messages
