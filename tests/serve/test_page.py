"""The page in a headless browser over a real service: count, correct, save, keys alone, narrow, dark, no outside request."""

from __future__ import annotations

import csv
import io
import json
import shutil

import numpy as np
import pytest
from scipy.io import loadmat

from crowdscale.serve import teaching
from crowdscale.serve.counter import Counter
from crowdscale.serve.teacher import Teacher
from crowdscale.serve.zone_editor import ZoneEditor
from crowdscale.trust.audit import AuditRecord
from crowdscale.trust.audit.report import read_report
from crowdscale.trust.audit.worksheet import Worksheet
from crowdscale.zones.files import read_zones
from tests.serve.conftest import HEADS, served
from tests.support.commands import crowdscale
from tests.support.fakes import encoded, label_photo
from tests.support.lessons import FAKE, correct, plan
from tests.support.pages import BROWSER, Page

pytestmark = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
KEPT_TILES = """() => new Promise((resolve) => {
  const opening = indexedDB.open("crowdscale", 1);
  opening.onsuccess = () => {
    const asked = opening.result.transaction("work").objectStore("work").getAll(IDBKeyRange.bound("tile", "tile\\uffff"));
    asked.onsuccess = () => resolve(asked.result);
  };
})"""
"""What the browser keeps of tiles that are not done."""


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def shown(page: Page, crowd: bytes, tab: str) -> Page:
    """Return the page with a photo, at one of its tabs."""
    page.add(("a.png", crowd))
    page.page.click(f"#tab-{tab}")
    return page


def test_count_good_and_bad_photos_and_save_a_table(opened, crowd):
    page = opened()
    page.add(("a.png", crowd), ("b.png", b"no photo"), ("c.png", crowd))
    assert page.page.inner_text("#people").split() == [str(len(HEADS)), "people"]
    assert page.page.locator("#list tbody tr").count() == 3
    assert "failed" in page.page.inner_text("#list tbody tr:nth-child(2)")
    table = rows(page.saved("#save"))
    assert [row[0] for row in table] == ["photo", "a.png", "b.png", "c.png"]
    assert float(table[1][1]) == len(HEADS)
    assert (table[2][1], table[2][-1]) == (
        "",
        page.page.get_attribute("#list tbody tr:nth-child(2)", "title"),
    )
    page.page.click("#list tbody tr:nth-child(2) .name")
    page.page.wait_for_selector("#warnings li:has-text('this file')")


def test_correct_by_keys_undo_keep_and_send(opened, crowd, running):
    page = opened()
    page.add(("a.png", crowd))
    tab = page.page
    tab.focus("#tab-count")
    tab.keyboard.press("ArrowRight")
    tab.wait_for_selector("#panel-correct .number:has-text('5 heads')")
    tab.focus("#view")
    for key in ["ArrowRight", "Enter", "Shift+ArrowDown", "Enter"]:
        tab.keyboard.press(key)
    tab.wait_for_selector("#panel-correct .number:has-text('7 heads')")
    tab.keyboard.press("Control+z")
    tab.wait_for_selector("#panel-correct .number:has-text('6 heads')")
    assert len(rows(page.saved("#save-heads"))) == 7  # a head line and six heads
    tab.select_option("#heads-format", "mat")
    located = loadmat(io.BytesIO(page.saved("#save-heads")))["image_info"][0, 0][0, 0][0]
    assert located.shape == (6, 2)
    tab.click("#save-correction")
    tab.wait_for_selector("#say:text('corrected photo')")
    (written,) = running.folder.glob("a-*.json")
    assert len(json.loads(written.read_text())["points"]) == 6


def test_correct_with_the_mouse_and_ignore_an_area(opened, crowd):
    tab = shown(opened(), crowd, "correct").page
    tab.wait_for_selector("#panel-correct .number:has-text('5 heads')")
    box = tab.locator("#view").bounding_box()
    at = lambda x, y: (box["x"] + box["width"] * x, box["y"] + box["height"] * y)  # noqa: E731
    tab.mouse.click(*at(0.5, 0.72))
    tab.wait_for_selector("#panel-correct .number:has-text('6 heads')")
    tab.click("#mode-ignore")
    tab.mouse.move(*at(0.4, 0.65))
    tab.mouse.down()
    tab.mouse.move(*at(0.6, 0.8), steps=3)
    tab.mouse.up()
    tab.wait_for_selector("#panel-correct li:text('Ignored')")
    tab.wait_for_selector("#panel-correct .number:has-text('5 heads')")


def test_to_pan_draws_nothing_again_and_heads_stay_on_their_places(opened, crowd):
    page = opened()
    page.add(("a.png", crowd))
    drawn, colours = page.page.evaluate("""async () => {
        const { viewer } = crowdscale;
        const next = () => new Promise(requestAnimationFrame);
        let drawn = 0;
        viewer.layers = [...viewer.layers, () => drawn++];
        viewer.redraw();
        await next();
        const colour = () => {
            const [x, y] = [100.5, 90.5].map((v, i) => (v - [viewer.x, viewer.y][i]) * viewer.scale);
            const at = [x + viewer.canvas.width / 2, y + viewer.canvas.height / 2].map(Math.floor);
            return [...viewer.pen.getImageData(...at, 1, 1).data].slice(0, 3).join();
        };
        const colours = [colour()];
        for (let i = 0; i < 9; i++) { viewer.pan(3, 2); await next(); }
        colours.push(colour());
        const panned = drawn;
        viewer.zoom(2);
        await next();
        const zoomed = drawn;
        await new Promise((done) => setTimeout(done, 600));
        return [[panned, zoomed, drawn], [...colours, colour()]];
    }""")
    assert drawn[0] == 1
    assert drawn[1] <= 2
    assert drawn[2] == 2  # sharply, once the view rests
    assert set(colours) == {"255,225,77"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screen_holds_everything(opened, crowd, scheme):
    page = opened(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.add(("a.png", crowd))
    assert page.page.get_attribute("html", "data-theme") == scheme
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    nameless = [
        button
        for button in page.page.locator("button, select, input, canvas").all()
        if not (
            button.inner_text()
            or button.get_attribute("aria-label")
            or button.evaluate("e => e.labels?.length")
        )
    ]
    assert not nameless


def draw_area(tab) -> None:
    """Draw an area of three corners by keys alone."""
    tab.click("#draw-area")
    tab.focus("#view")
    for key in ["ArrowRight", "Enter", "Shift+ArrowRight", "Enter", "Shift+ArrowDown", "Enter", "c"]:
        tab.keyboard.press(key)
    tab.wait_for_selector("#panel-zones .card")


def test_zones_drawn_by_keys_are_checked_and_saved(opened, crowd, tmp_path):
    page = shown(opened(), crowd, "zones")
    draw_area(page.page)
    saved = tmp_path / "zones.json"
    saved.write_bytes(page.saved("#save-zones"))
    (zone,) = read_zones(saved).zones
    assert (zone.name, len(zone.points)) == ("zone 1", 3)


def test_zones_edit_opens_the_page_for_one_file(browser, tmp_path):
    out = tmp_path / "zones.json"
    editor = ZoneEditor(encoded(np.full((120, 200, 3), 90, np.uint8), "JPEG"), (200, 120), out)
    editor.start()
    page = Page(browser, editor.address)
    draw_area(page.page)
    page.page.click("#done-zones")
    page.page.wait_for_selector("#say:text('close this page')")
    assert editor.done.is_set()
    editor.close()
    assert not page.problems
    assert len(read_zones(out).zones) == 1


def test_an_audit_of_two_tiles_to_its_report(opened, crowd):
    page = shown(opened(), crowd, "audit")
    tab = page.page
    tab.click("#audit-start")
    for number in (1, 2):
        tab.wait_for_selector(f"#audit-task:text('Tile {number}: 0 heads')")
        tab.locator("#view").click()  # the middle of the tile
        tab.wait_for_selector(f"#audit-task:text('Tile {number}: 1 head')")
        tab.click("#tab-count")
        assert tab.evaluate("crowdscale.viewer.fitted")  # the whole photo, not the tile
        tab.click("#tab-audit")
        tab.wait_for_selector(f"#audit-task:text('Tile {number}: 1 head')")  # what was marked is still there
        tab.click("#audit-done")
        tab.wait_for_selector("#audit-task:text('You counted 1')")
        tab.click("#audit-next")
    tab.wait_for_selector("#audit-headline:text('2 of')")
    assert read_report(page.saved("#audit-report").decode()).counts == (1, 1)


def test_an_unfinished_tile_outlives_its_page_and_is_counted_by_keys_alone(opened, crowd):
    page = shown(opened(), crowd, "audit")
    tab = page.page
    tab.focus("#audit-start")
    tab.keyboard.press("Enter")
    for key in ("ArrowRight", "Enter", "Shift+ArrowDown", "Enter"):  # the photo has the keys now
        tab.wait_for_selector("#audit-task:text('Tile 1')")
        tab.keyboard.press(key)
    tab.wait_for_selector("#audit-task:text('Tile 1: 2 heads')")
    tab.reload()
    tab.wait_for_selector("body[data-ready]")
    (kept,) = tab.evaluate(KEPT_TILES)
    assert len(kept["heads"]) == 2


def test_audited_tiles_are_saved_for_training(opened, running, tmp_path):
    page = opened()
    pixels = label_photo(HEADS, 240, 160)
    pixels[0, 0] = 77  # no photo that another test corrected
    page.add(("tiles.png", encoded(pixels)))
    tab = page.page
    tab.click("#tab-audit")
    tab.click("#audit-start")
    tab.wait_for_selector("#audit-task:text('Tile 1: 0 heads')")
    tab.locator("#view").click()
    tab.wait_for_selector("#audit-task:text('Tile 1: 1 head')")
    tab.click("#audit-done")
    tab.wait_for_selector("#audit-task:text('You counted 1')")
    tab.click("#save-tiles")
    tab.wait_for_selector("#say:text('Saved the tiles of 1 photo for training')")
    (file,) = running.folder.glob("tiles-*.json")
    saved = json.loads(file.read_text())
    ((left, top, right, bottom),) = saved["only"]
    ((x, y),) = saved["points"]
    assert left <= x < right <= 240
    assert top <= y < bottom <= 160
    sheet = Worksheet(tmp_path / "audit")  # the command line saves the same of the same audit
    sheet.save(AuditRecord.from_dict(tab.evaluate("crowdscale.tabs.audit.state.record")))
    photo = tmp_path / "tiles.png"
    photo.write_bytes(encoded(pixels))
    done = crowdscale(
        "audit", photo, "--out", sheet.folder, "--tiles", 1, "--corrections", tmp_path / "taught"
    )
    assert done.returncode == 0, done.stderr
    for each in (file, file.with_suffix(".png")):
        assert (tmp_path / "taught" / each.name).read_bytes() == each.read_bytes()


def test_teach_says_why_this_model_cannot_learn_and_shows_the_commands(opened, running):
    tab = opened().page
    tab.click("#tab-teach")
    tab.wait_for_selector("#teach-reason:text('no training weights')")
    commands = tab.locator("#panel-teach pre").all_inner_texts()
    assert [command.split()[1] for command in commands] == ["train", "evaluate", "evaluate", "score"]
    assert all(str(running.folder) in command for command in commands[:3])
    assert not tab.locator("#teach-start").count()


def test_teach_trains_stops_resumes_compares_and_replaces_when_asked(
    browser, label_model, tmp_path, monkeypatch
):
    model, corrections = tmp_path / "labels", tmp_path / "corrections"
    shutil.copytree(label_model, model)
    (model / "weights.safetensors").write_bytes(b"")
    correct(corrections, 60)
    plan(tmp_path, model, steps=2000, seconds=0.02)
    monkeypatch.setattr(teaching, "Teacher", lambda folder: Teacher(folder, FAKE))
    monkeypatch.setattr(Counter, "cameras_keep", "labels")  # as if the service watched cameras
    with served(model, corrections) as service:
        page = Page(browser, service.address)
        tab = page.page
        tab.on("dialog", lambda dialog: dialog.accept())
        tab.click("#tab-teach")
        tab.wait_for_selector("#teach-photos:text('60 corrected photos')")
        tab.click("#teach-start")
        tab.wait_for_selector("#teach-progress:text('2.5 crops a second')")
        assert 0 < tab.evaluate("document.querySelector('#panel-teach progress').value") < 1
        tab.click("#teach-stop")
        tab.wait_for_selector("#teach-halted:text('stopped')")
        plan(tmp_path, model, steps=3)
        tab.click("#teach-start")
        tab.wait_for_selector("#teach-verdict:text('counts better')")
        figures = tab.locator("#teach-comparison td").all_inner_texts()
        assert figures[:4] == ["12", "306", "5.5", "2.5"]
        assert "labels" in tab.inner_text("#engine")
        assert "taught" not in tab.inner_text("#engine")
        tab.click("#teach-accept")
        tab.wait_for_selector(
            "#teach-accepted:text('Cameras count with labels until the service starts again.')"
        )
        tab.wait_for_selector("#engine:text('labels-taught-1')")
        tab.wait_for_selector("#teach-accepted:has-text('labels-taught-1')")
        assert (
            corrections.with_name("corrections-taught") / "models" / "labels-taught-1" / "model.json"
        ).is_file()
        assert page.problems == []
        page.context.close()
