"""Counts over MQTT: announced to Home Assistant, retained, with a last will; a broker that is away ends nothing."""

from __future__ import annotations

import json

import pytest

from crowdscale.errors import OptionError
from crowdscale.video.mqtt import Publisher, announcements, slug
from crowdscale.video.watch import WatchRow
from crowdscale.zones.zone import ZoneCount
from tests.support.broker import broker

pytest.importorskip("paho.mqtt")

ROW = WatchRow(
    3.0,
    7,
    41.26,
    None,
    (ZoneCount("west 'gate'", 12.3, 12),),
    {"rope": (2, 1)},
    (),
    0.2,
    0,
    interval=(36, 47),
)


def contents(published):
    return {topic: content.decode() for topic, content, _ in published}


def test_counts_are_published_and_announced():
    with broker() as (kept, port):
        said = []
        publisher = Publisher(f"mqtt://me:S3%2Fcret@127.0.0.1:{port}/hall", said.append)
        publisher.announce("Front Door", ["west 'gate'"], ["west 'gate'"])
        assert kept.wait_for(lambda found: ("hall/status", b"online", True) in found)
        publisher.publish("Front Door", ROW, ["west 'gate'"])
        name = slug("Front Door")
        assert kept.wait_for(lambda found: any(topic == f"hall/{name}/state" for topic, _, _ in found))
        publisher.close()
        assert kept.wait_for(lambda found: ("hall/status", b"offline", True) in found)
    found = contents(kept.published)
    state = json.loads(found[f"hall/{name}/state"])
    assert (state["count"], state["count_low"], state["count_high"]) == (41.26, 36, 47)
    assert (state["zones"], state["crossed"], state["alarms"]) == (
        {"west 'gate'": 12.3},
        {"rope": [2, 1]},
        ["west 'gate'"],
    )
    sensor = json.loads(found[f"homeassistant/sensor/hall_{name}/count/config"])
    assert sensor["state_topic"] == f"hall/{name}/state"
    assert {each["topic"] for each in sensor["availability"]} == {"hall/status", f"hall/{name}/status"}
    assert all(retained for _, _, retained in kept.published)
    assert b"S3/cret" in kept.logins[0]
    assert b"hall/status" in kept.logins[0]  # the last will
    assert said == []


def test_templates_give_the_values_of_a_state():
    jinja2 = pytest.importorskip("jinja2")
    found = announcements("crowdscale", "cam", ["west 'gate'"], ["west 'gate'"])
    state = {"count": 4, "zones": {"west 'gate'": 3}, "alarms": ["west 'gate'"]}
    values = [jinja2.Template(each["value_template"]).render(value_json=state) for each in found.values()]
    assert values == ["4", "3", "ON"]
    assert len({each["unique_id"] for each in found.values()}) == 3
    assert all(" " not in topic and "'" not in topic for topic in found)


def test_a_broker_that_refuses_is_said_once_without_its_password():
    with broker(refuse=5) as (kept, port):
        said = []
        publisher = Publisher(f"mqtt://me:S3cret@127.0.0.1:{port}", said.append)
        assert kept.wait_for(lambda _: bool(kept.logins))
        for _ in range(100):
            if said:
                break
            kept.wait_for(lambda _: False, 0.05)
        publisher.publish("cam", ROW)
        publisher.close()
    assert len(said) == 1
    assert "Not authorized" in said[0]
    assert "S3cret" not in said[0]


def test_a_broker_that_comes_back_gets_everything_again():
    said = []
    with broker() as (kept, port):
        publisher = Publisher(f"mqtt://127.0.0.1:{port}", said.append)
        publisher.announce("cam")
        assert kept.wait_for(lambda found: len(found) >= 3)
    publisher.publish("cam", ROW)  # nobody is there
    with broker(port) as (kept, _):
        assert kept.wait_for(
            lambda found: "homeassistant/sensor/crowdscale_cam/count/config" in contents(found), 20
        )
        publisher.publish("cam", ROW)
        assert kept.wait_for(lambda found: "crowdscale/cam/state" in contents(found))
        publisher.close()
    assert ["Counting continues" in each for each in said] == [True, False]
    assert said[1] == f"mqtt://127.0.0.1:{port} is back."


@pytest.mark.parametrize(
    "address", ["broker", "http://broker", "mqtt://", "mqtt://h:x", "mqtt://h/a#", "mqtt://u:S3cret@/x"]
)
def test_no_brokers(address):
    with pytest.raises(OptionError, match="expected a broker such as mqtt://") as caught:
        Publisher(address, print)
    assert "S3cret" not in str(caught.value)


def test_names_stay_apart():
    names = ["gate", "Gate", "gate 1", "gate_1", "Ä", "ß", "///"]
    assert len({slug(name) for name in names}) == len(names)
    assert slug("gate") == "gate"
