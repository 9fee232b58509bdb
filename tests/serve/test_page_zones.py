"""Zones on the page: parts, holes, excluded areas and shares of the picture are drawn, counted, moved and saved without loss."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from crowdscale.counting.prediction import Prediction
from crowdscale.points import Points
from crowdscale.serve.page import find_page
from crowdscale.serve.zone_editor import ZoneEditor
from crowdscale.zones.files import read_zones, zones_from_json
from tests.support.fakes import encoded
from tests.support.pages import BROWSER, Page

NODE = shutil.which("node")
SIZE = (200, 120)
SQUARE = [[10, 10], [90, 10], [90, 60], [10, 60]]
ZONES = {
    "format": 1, "size": [200, 120],
    "zones": [
        {"name": "both sides", "points": SQUARE, "more": [[[110, 10], [190, 10], [190, 60]]],
         "holes": [[[30, 20], [50, 20], [50, 40], [30, 40]]], "capacity": 40, "alarm": {"above": 5, "command": ["true"]}},
        {"name": "shares", "relative": True, "points": [[0.05, 0.55], [0.9, 0.55], [0.9, 0.95], [0.05, 0.95]]},
        {"name": "tree", "relative": True, "points": [[0.1, 0.6], [0.3, 0.6], [0.3, 0.9], [0.1, 0.9]], "exclude": True},
        {"name": "stage", "points": [[0, 0], [200, 0], [200, 118], [0, 118]], "roi": True},
        {"name": "rope", "kind": "line", "relative": True, "points": [[0.5, 0.1], [0.5, 0.9]], "width": 0.05},
    ],
    "ground": {"points": [[0, 0], [200, 0], [200, 120], [0, 120]], "metres": [[0, 0], [20, 0], [20, 12], [0, 12]]},
}  # fmt: skip
FLAT = {"zones": [{"name": "row", "points": "10,10,90,10,90,60", "more": [[110, 10, 190, 10, 190, 60]]}]}


def by_page(tmp_path, content, size=SIZE, heads=()):
    if NODE is None:
        pytest.skip("Node is not installed")
    (tmp_path / "job").write_text(
        json.dumps({"content": content, "size": {"width": size[0], "height": size[1]}, "heads": heads})
    )
    command = [NODE, Path(__file__).with_name("zone_counts.mjs"), find_page(), tmp_path / "job"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("content", "size"),
    [(ZONES, SIZE), (ZONES, (400, 240)), (FLAT, SIZE)],
    ids=["same size", "enlarged", "flat"],
)
def test_the_page_reads_and_counts_as_the_package_does(tmp_path, content, size):
    heads = np.random.default_rng(3).uniform((0, 0), (size[0] - 1, size[1] - 1), (300, 2)).round(2)
    zones = zones_from_json(content, "zones").fit(size)
    done = by_page(tmp_path, content, size, heads.tolist())
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    counted = zones.count(Prediction(300.0, Points(heads), None, (), 300.0, None, size, "drawn"))
    areas = {each.name for each in zones.counted if each.kind == "area"}
    assert {name: n for name, n in found["counts"] if name in areas} == {
        each.name: each.dots for each in counted if each.name in areas
    }
    again = {"zones": found["zones"], "ground": found["ground"], "size": size}
    assert zones_from_json(again, "the page").zones == zones.zones


@pytest.mark.parametrize(
    ("content", "size", "sentence"),
    [
        (ZONES, (120, 200), "drawn on a picture of 200×120. This one has 120×200."),
        ({"zones": [{"name": "a", "points": "1,2,x"}]}, SIZE, "expected corners"),
        ({"type": "FeatureCollection"}, SIZE, "expected zones"),
    ],
    ids=["another shape", "no numbers", "no zones"],
)
def test_the_page_refuses_what_does_not_fit(tmp_path, content, size, sentence):
    assert sentence in by_page(tmp_path, content, size).stderr


@pytest.fixture
def edited(browser, tmp_path):
    """The page of ``zones edit`` with zones of each kind, and its file."""
    if BROWSER is None:
        pytest.skip("Chromium is not installed")
    out = tmp_path / "zones.json"
    out.write_text(json.dumps(ZONES))
    editor = ZoneEditor(encoded(np.full((120, 200, 3), 90, np.uint8), "JPEG"), SIZE, out)
    editor.start()
    page = Page(browser, editor.address)
    yield page, out
    page.context.close()
    editor.close()
    assert not page.problems


def saved(page, out):
    """What the file holds once the page has said anew that it is saved."""
    page.page.evaluate(
        "document.querySelector('#say').textContent = ''"
    )  # what an earlier save said may still stand
    page.page.click("#save-zones")
    page.page.wait_for_selector("#say:has-text('Saved 5 zones.')")
    return read_zones(out)


PLACE = """([x, y]) => {
  const canvas = document.querySelector("#view"), box = canvas.getBoundingClientRect();
  const scale = 0.97 * Math.min(canvas.width / 200, canvas.height / 120) / (canvas.width / canvas.clientWidth);
  return [box.x + box.width / 2 + (x - 100) * scale, box.y + box.height / 2 + (y - 60) * scale];
}"""


def drag(tab, begin, end):
    """Drag a corner from a place of the picture to another one."""
    tab.mouse.move(*tab.evaluate(PLACE, begin))
    tab.mouse.down()
    tab.mouse.move(*tab.evaluate(PLACE, end), steps=3)
    tab.mouse.up()


def test_zones_of_each_kind_are_edited_and_saved_without_loss(edited):
    page, out = edited
    before = read_zones(out)
    assert saved(page, out) == before  # nothing was changed
    page.page.locator(".card input[type=checkbox]").nth(1).wait_for()
    for begin, end in (((30, 20), (26, 16)), ((190, 60), (180, 70)), ((10, 66), (16, 72))):
        drag(page.page, begin, end)  # a corner of the hole, one of the second part, one of the shares
    after = saved(page, out)
    area, shares = after.zones[:2]
    assert area.holes[0][0] == pytest.approx((26, 16), abs=1)
    assert area.holes[0][1:] == before.zones[0].holes[0][1:]
    assert area.more[0][2] == pytest.approx((180, 70), abs=1)
    assert (area.points, area.alarm, area.capacity) == (before.zones[0].points, before.zones[0].alarm, 40)
    assert shares.relative
    assert shares.points[0] == pytest.approx((0.08, 0.6), abs=0.006)
    assert shares.points[1:] == before.zones[1].points[1:]
    assert after.zones[2:] == before.zones[2:]
    assert after.ground == before.ground
