"""Ways into the page and out of it: drop, paste, camera, folder; keys alone, touch; formats; words; forgetting."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale.trust.audit.report import read_report
from tests.serve.conftest import HEADS
from tests.support.fakes import encoded
from tests.support.pages import BROWSER, add_head, until

pytestmark = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")

DROP = """async ([photo, times]) => {
  const bytes = Uint8Array.from(atob(photo), (c) => c.charCodeAt(0));
  const dropped = new DataTransfer();
  for (let i = 0; i < times; i++) dropped.items.add(new File([bytes], `${i}.png`, { type: "image/png" }));
  dropped.items.add(new File(["text"], "notes.txt", { type: "text/plain" }));
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true }));
}"""
COPY = """async (photo) => {
  const bytes = Uint8Array.from(atob(photo), (c) => c.charCodeAt(0));
  await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
}"""


@pytest.fixture
def text(crowd: bytes) -> str:
    return base64.b64encode(crowd).decode()


def test_dropped_photos_are_counted_and_other_files_are_named(opened, text):
    tab = opened().page
    tab.evaluate(DROP, [text, 3])
    tab.wait_for_selector("#say:has-text('1 file is no photo')")
    tab.wait_for_selector('body[data-done="3"]')
    assert tab.inner_text("#list tfoot td:nth-child(2)") == str(3 * len(HEADS))


def test_a_photo_of_the_clipboard_is_pasted(opened, text):
    page = opened()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.page.evaluate(COPY, text)
    page.page.keyboard.press("Control+v")
    page.page.wait_for_selector('body[data-done="1"]')
    assert page.page.inner_text("#people").split()[0] == str(len(HEADS))


def test_the_camera_of_a_phone_and_a_folder(opened, crowd, tmp_path):
    tab = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True).page
    with tab.expect_file_chooser() as chooser:
        tab.tap("#take")
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files({"name": "shot.png", "mimeType": "image/png", "buffer": crowd})
    tab.wait_for_selector('body[data-done="1"]')
    (tmp_path / "trip" / "deep").mkdir(parents=True)
    for name in ("trip/b.png", "trip/deep/c.png"):
        (tmp_path / name).write_bytes(crowd)
    (tmp_path / "trip" / "notes.txt").touch()
    tab.set_input_files("#folder", tmp_path / "trip")
    tab.wait_for_selector('body[data-done="3"]')
    assert tab.locator("#list .name").all_inner_texts()[1:] == ["trip/b.png", "trip/deep/c.png"]


def test_touch_adds_a_head_and_two_fingers_zoom(opened, crowd):
    page = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page.add(("a.png", crowd))
    tab = page.page
    tab.tap("#to-correct")
    tab.wait_for_selector(f"#panel-correct .number:has-text('{len(HEADS)} heads')")
    box = tab.locator("#view").bounding_box()
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"]
    tab.touchscreen.tap(x, y)
    tab.wait_for_selector(f"#panel-correct .number:has-text('{len(HEADS) + 1} heads')")
    scale = tab.evaluate("crowdscale.viewer.scale")
    fingers = page.context.new_cdp_session(tab)
    for kind, apart in (("touchStart", 20), ("touchMove", 30), ("touchMove", 40), ("touchEnd", 0)):
        places = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    until(tab, f"crowdscale.viewer.scale > 1.7 * {scale}")
    assert tab.inner_text("#panel-correct .number") == f"{len(HEADS) + 1} heads"  # no finger added one


def test_keys_alone_take_a_photo_to_its_report(opened, crowd):
    page = opened()
    tab = page.page

    def reach(name: str) -> None:
        for _ in range(60):
            if tab.evaluate("document.activeElement.id") == name:
                return
            tab.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {name}")

    tab.on("filechooser", lambda _: None)  # from now on the browser asks this test for every file
    reach("choose")
    with tab.expect_file_chooser() as chooser:
        tab.keyboard.press("Enter")
    chooser.value.set_files({"name": "keys.png", "mimeType": "image/png", "buffer": crowd})
    tab.wait_for_selector('body[data-done="1"]')
    reach("to-audit")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#audit-start:visible")
    reach("audit-start")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#audit-task:text('Tile 1: 0 heads')")
    reach("view")
    for key in ("ArrowRight", "Enter"):
        tab.keyboard.press(key)
    tab.wait_for_selector("#audit-task:text('Tile 1: 1 head')")
    reach("audit-done")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#audit-task:text('You counted 1')")
    reach("audit-by")
    tab.keyboard.type("Ada")
    reach("audit-report")
    with tab.expect_download() as download:
        tab.keyboard.press("Enter")
    record = read_report(Path(download.value.path()).read_text("utf-8"))
    assert (record.counts, record.answers[0].by) == ((1,), "Ada")


def test_every_format_is_saved(opened, crowd):
    page = opened()
    page.add(("a.png", crowd), ("b.png", crowd))
    formats = page.page.locator("#save-format option").evaluate_all("all => all.map((each) => each.value)")
    assert len(formats) == 17
    for each in formats:
        page.page.select_option("#save-format", each)
        assert len(page.saved("#save")) > 100, each


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"count": 100, "intervals": {"0.9": [95, 108]}}, "A close number. Quote it with its range."),
        ({"count": 100, "intervals": {"0.9": [80, 125]}}, "A fair number. Quote it with its range."),
        ({"count": 100, "intervals": {"0.9": [60, 140]}}, "A rough number. Quote the range, or audit it."),
        ({"count": 100, "intervals": {"0.9": [30, 300]}}, "A very rough number. Audit it before you quote it."),
        ({"count": 1, "intervals": {"0.9": [0, 4]}}, "Few people. Check the dots by eye."),
        ({"count": 9}, "Nobody measured how sure this model is. Audit it before you quote it."),
        ({"count": 9, "warnings": ["odd"]}, "Nobody knows how sure this number is, for the reason above. Audit it before you quote it."),
        ({"count": 9, "usable": False}, "Unlike all photos that the model learned from. Audit it: that number holds for this photo, too."),
    ],
)  # fmt: skip
def test_how_sure_in_words(page_of_module, values, words):
    said = page_of_module.evaluate("async (r) => (await import('./wording.js')).howSure(r)", values)
    assert " ".join(said) == words


@pytest.fixture(scope="module")
def page_of_module(browser, running):
    page = browser.new_page()
    page.goto(running.address)
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()


def test_the_sentence_to_quote_is_copied(opened, crowd):
    page = opened()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add(("trip.png", crowd))
    page.page.click("#quote")
    page.page.wait_for_selector("#say:has-text('Copied')")
    copied = page.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"About {len(HEADS)} people in trip.png, counted by crowdscale with the model labels."


def test_everything_is_forgotten_when_asked_and_the_disk_stays(opened, crowd, running):
    page = opened()
    page.add(("a.png", crowd))
    tab = page.page
    tab.click("#theme")
    tab.click("#to-correct")
    add_head(page)
    until(tab, "!crowdscale.tabs.correct.unsaved")
    other = page.context.new_page()
    other.goto(running.address)
    other.wait_for_selector("body[data-ready]")
    other.evaluate("document.body.dataset.old = 1")
    tab.click("#tab-count")
    tab.click("#kept summary")
    tab.wait_for_selector("#kept-list:has-text('1 result, 1 correction')")
    asked: list[str] = []
    answers = [False, True]
    tab.on(
        "dialog",
        lambda dialog: (
            asked.append(dialog.message),
            dialog.accept() if answers.pop(0) else dialog.dismiss(),
        ),
    )
    tab.click("#forget")
    assert tab.evaluate("crowdscale.photos.items.length") == 1
    tab.click("#forget")
    tab.wait_for_selector(
        f"#say:has-text('Everything is forgotten. On the disk stay your photos, files that you saved and corrections in {running.folder}')"
    )
    assert "cannot be undone" in asked[0]
    assert tab.evaluate("import('./store.js').then((store) => store.kinds())") == {}
    assert tab.evaluate("localStorage.length") == 0
    assert tab.locator("#list tbody tr").count() == 0
    until(other, "!document.body.dataset.old && document.body.dataset.ready")  # another tab forgets, too


COLOURS = """async () => {
  const { viewer } = crowdscale;
  const next = () => new Promise(requestAnimationFrame);
  await next();
  await next();
  const colour = (x, y) => {
    const place = [(x - viewer.x) * viewer.scale + viewer.canvas.width / 2, (y - viewer.y) * viewer.scale + viewer.canvas.height / 2];
    return [...viewer.pen.getImageData(...place.map(Math.floor), 1, 1).data].slice(0, 3).join();
  };
  return [colour(20.5, 30.5), colour(200.5, 120.5), colour(12, 152)];
}"""  # two heads, and a place where the legend of heat stands


def pixels_of(photo: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(photo)).convert("RGB"))


def test_a_photo_on_its_side_is_turned_and_counted_again(opened, crowd):
    page = opened()
    page.add(("a.png", encoded(np.rot90(pixels_of(crowd)))))  # the photo lies on its left side
    tab = page.page
    assert tab.is_hidden("#save-turned")
    tab.click("#turn")
    until(
        tab,
        "crowdscale.photos.current.name === 'a_turned90.png' && crowdscale.photos.current.result !== null",
    )
    result = tab.evaluate("crowdscale.photos.current.result")
    assert (result["width"], result["height"]) == (240, 160)
    located = sorted(result.get("heads") or result["points"])
    assert np.allclose([each[:2] for each in located], sorted(HEADS.xy.tolist()), atol=2)
    assert np.array_equal(pixels_of(page.saved("#save-turned")), pixels_of(crowd))
    for turn in (180, 270):
        tab.click("#turn")
        until(tab, f"crowdscale.photos.current.turn === {turn} && crowdscale.photos.current.result !== null")
    tab.click("#turn")
    until(tab, "crowdscale.photos.current.name === 'a.png' && crowdscale.photos.current.result !== null")
    assert tab.locator("#list tbody tr").count() == 1


def test_layers_and_the_slider_between_photo_and_overlay(opened, crowd):
    page = opened()
    page.add(("a.png", crowd))
    tab = page.page
    yellow, plain = "255,225,77", tab.evaluate(COLOURS)
    assert plain[:2] == [yellow, yellow]
    tab.check("#show-heat")
    heated = tab.evaluate(COLOURS)
    assert heated[2] != plain[2]
    tab.uncheck("#show-heat")
    tab.locator("#compare").fill("50")
    assert [colour == yellow for colour in tab.evaluate(COLOURS)[:2]] == [True, False]
    tab.uncheck("#show-heads")
    assert yellow not in tab.evaluate(COLOURS)


def test_lasso_nudge_and_undo(opened, crowd):
    page = opened()
    page.add(("a.png", crowd))
    tab = page.page
    tab.click("#to-correct")
    heads = "#panel-correct .number:has-text('{} heads')"
    tab.wait_for_selector(heads.format(len(HEADS)))
    tab.click("#mode-lasso")
    box = tab.locator("#view").bounding_box()
    corners = tab.evaluate("""() => {
        const { viewer } = crowdscale;
        const place = (x, y) => [(x - viewer.x) * viewer.scale + viewer.canvas.width / 2, (y - viewer.y) * viewer.scale + viewer.canvas.height / 2];
        return [[5, 15], [80, 15], [80, 50], [5, 50], [5, 15]].map(([x, y]) => place(x, y).map((v) => v / viewer.ratio));
    }""")  # around the first two heads
    tab.mouse.move(box["x"] + corners[0][0], box["y"] + corners[0][1])
    tab.mouse.down()
    for x, y in corners[1:]:
        tab.mouse.move(box["x"] + x, box["y"] + y, steps=3)
    tab.mouse.up()
    tab.click("text=Delete selected")
    tab.wait_for_selector(heads.format(len(HEADS) - 2))
    tab.click("#undo")
    tab.wait_for_selector(heads.format(len(HEADS)))
    tab.click("#mode-heads")
    tab.focus("#view")
    before = tab.evaluate("crowdscale.photos.current.edits.heads")
    for key in ("m", "ArrowRight", "Enter"):  # the head nearest to the middle is taken, moved and dropped
        tab.keyboard.press(key)
    after = tab.evaluate("crowdscale.photos.current.edits.heads")
    moved = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    assert len(moved) == 1
    assert moved[0][1][0] > moved[0][0][0]
