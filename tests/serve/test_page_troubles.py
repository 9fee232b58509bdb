"""What goes wrong on the page: bad photos, many photos, a closed tab, two tabs on one folder, a full disk."""

from __future__ import annotations

import base64
import errno
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale.serve.page import find_page
from tests.serve.conftest import HEADS, served
from tests.serve.test_service import huge_png
from tests.support.disks import fill, small_disk
from tests.support.fakes import encoded
from tests.support.pages import BROWSER, Page, add_head, until

pytestmark = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
NODE = shutil.which("node")


def sentence(page: Page, row: int) -> str:
    return page.page.get_attribute(f"#list tbody tr:nth-child({row})", "title") or ""


def test_bad_photos_are_a_sentence_each_and_the_good_one_counts(opened, crowd):
    page = opened()
    page.note = lambda message: None  # the browser logs the refusals
    page.add(
        ("none.png", b"no photo"),
        ("empty.png", b""),
        ("huge.png", huge_png(20_000, 10_000)),
        ("good.png", crowd),
    )
    page.problems.clear()
    assert "this file" in sentence(page, 1)
    assert "empty" in sentence(page, 2) or "no photo" in sentence(page, 2)
    assert "200 megapixels" in sentence(page, 3)
    page.page.click("#list tbody tr:nth-child(4) .name")
    page.page.wait_for_selector(f"#people:has-text('{len(HEADS)}')")


def test_many_photos_stop_go_on_and_are_not_counted_twice(opened, crowd):
    page = opened()
    tab = page.page
    files = [{"name": f"{i:03}.png", "mimeType": "image/png", "buffer": crowd} for i in range(40)]
    tab.set_input_files("#files", files)
    until(tab, "document.body.dataset.done >= 3")
    tab.click("#stop")
    tab.wait_for_selector("#rest")
    assert tab.locator("#list tbody tr").count() == 40
    assert "stopped" in tab.inner_text("#list tbody tr:nth-child(40)")
    tab.click("#rest")
    until(tab, "document.body.dataset.done == 40 && crowdscale.photos.items.every((item) => item.result)")
    counted = sum("/count?" in url for url in page.asked)
    assert counted <= 41  # the one that was stopped is asked for again
    assert tab.inner_text("#list tfoot td:nth-child(2)") == str(40 * len(HEADS))


def test_a_tab_closed_in_the_middle_goes_on_where_it_was(opened, crowd, tmp_path):
    page = opened()
    for name in ("a.png", "b.png"):  # files of the disk: they have a time of their own
        (tmp_path / name).write_bytes(crowd)
    page.page.set_input_files("#files", [tmp_path / "a.png"])
    page.page.wait_for_selector('body[data-done="1"]')
    page.page.close()
    again = page.context.new_page()
    asked: list[str] = []
    again.on("request", lambda request: asked.append(request.url))
    again.goto(page.asked[0])
    again.wait_for_selector("body[data-ready]")
    again.set_input_files("#files", [tmp_path / "a.png", tmp_path / "b.png"])
    again.wait_for_selector('body[data-done="2"]')
    assert [url.rpartition("name=")[2] for url in asked if "/count?" in url] == ["b.png"]


def test_a_service_that_went_away_stops_the_rest_which_can_be_counted_later(opened, crowd):
    page = opened()
    tab, answers = page.page, ["abort", "504"]

    def answer(route) -> None:
        kind = answers.pop(0) if answers else ""
        if kind == "504":
            route.fulfill(status=504, json={"error": "The photo was not counted within 120 s."})
        else:
            route.abort() if kind else route.continue_()

    tab.route("**/count?*", answer)
    tab.set_input_files(
        "#files", [{"name": f"{i}.png", "mimeType": "image/png", "buffer": crowd} for i in range(4)]
    )
    tab.wait_for_selector("#say:has-text('The service does not answer')")
    tab.wait_for_selector("#rest:visible")
    assert [sentence(page, row) for row in (1, 4)] == [
        "The service does not answer. Is it still running?",
        "",
    ]
    tab.click("#rest")
    tab.wait_for_selector("#list tbody tr:nth-child(1):has-text('stopped')")
    until(tab, "crowdscale.photos.items.filter((item) => item.result).length === 3")
    assert "not counted within 120 s" in sentence(page, 1)
    tab.click("#rest")
    until(tab, "crowdscale.photos.items.every((item) => item.result)")
    page.problems.clear()  # the browser logged what was refused


CUT_OFF = """async () => {
  const cut = (stream) => stream.error(new TypeError("network error"));
  window.fetch = async () => new Response(new ReadableStream({ start: cut }));
  const { askJson, mayWorkLater } = await import("./engines.js");
  return askJson("count").then(() => "an answer", (error) => [error.message, mayWorkLater(error)]);
}"""


def test_an_answer_that_is_cut_off_is_no_result(opened):
    """It was kept as a result without a count once, and the total was NaN."""
    assert opened().page.evaluate(CUT_OFF) == ["The service does not answer. Is it still running?", True]


@pytest.fixture
def own(label_model: Path, tmp_path: Path, crowd: bytes) -> Iterator[tuple[str, Path]]:
    """A service that was started with the user's folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(crowd)
    with served(label_model, None, folder) as made:
        yield made.address, folder


def correcting(browser, address: str, heads: int) -> Page:
    page = Page(browser, address)
    page.note = lambda message: None
    page.page.wait_for_selector('body[data-done="2"]')
    page.page.click("#tab-correct")
    page.page.wait_for_selector(f"#panel-correct .number:has-text('{heads} heads')")
    return page


def points(folder: Path, name: str) -> int:
    return len(json.loads((folder / name).read_text())["points"])


def test_own_folder_keeps_progress_on_disk_and_a_second_writer_out(own, browser):
    address, folder = own
    one, two = (correcting(browser, address, len(HEADS)) for _ in range(2))
    add_head(one)
    one.page.wait_for_selector("#panel-correct .note:has-text('Heads of 1 of 2 photos are saved')")
    assert points(folder, "a.json") == len(HEADS) + 1
    same = one.context.new_page()  # a second tab of the same browser
    same.goto(address)
    same.wait_for_selector('body[data-done="2"]')
    same.click("#list tbody tr:nth-child(1) .name")
    same.click("#tab-correct")
    same.wait_for_selector("#panel-correct .note:has-text('open in another tab')")
    for _ in range(2):  # another browser
        add_head(two)
    two.page.wait_for_selector("#not-saved:has-text('nothing was overwritten')")
    assert points(folder, "a.json") == len(HEADS) + 1
    two.page.click("#open-again")
    two.page.wait_for_selector(f"#panel-correct .number:has-text('{len(HEADS) + 1} heads')")
    assert two.page.is_hidden("#not-saved")
    one.page.click("#next-photo")
    until(one.page, "crowdscale.photos.current.name === 'b.png'")
    for page in (one, two):
        page.context.close()
    later = Page(browser, address)  # it begins with the photo that is left
    until(later.page, "crowdscale.photos.current?.name === 'b.png'")
    later.context.close()


def test_a_full_disk_leaves_the_old_file_and_the_work(own, browser, monkeypatch):
    address, folder = own
    page = correcting(browser, address, len(HEADS))
    add_head(page)
    page.page.wait_for_selector("#panel-correct .note:has-text('Heads of 1 of 2')")
    before = (folder / "a.json").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        add_head(page)
        page.page.wait_for_selector("#not-saved:has-text('The disk is full, so a.json was not saved')")
    assert (folder / "a.json").read_bytes() == before
    assert len(json.loads(page.saved("#save-copy"))["points"]) == len(HEADS) + 2
    add_head(page)  # there is room again
    page.page.wait_for_selector("#not-saved", state="hidden")
    assert points(folder, "a.json") == len(HEADS) + 3
    page.context.close()


def test_a_partition_that_is_full_loses_nothing(browser, label_model, crowd, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        (disk / "mine").mkdir()
        for name in ("a.png", "b.png"):
            (disk / "mine" / name).write_bytes(crowd)
        (disk / "corrections").mkdir()
        with served(label_model, disk / "corrections", disk / "mine") as made:
            page = correcting(browser, made.address, len(HEADS))
            add_head(page)
            page.page.wait_for_selector("#panel-correct .note:has-text('Heads of 1 of 2')")
            before = (disk / "mine" / "a.json").read_bytes()
            filler = fill(disk)
            with page.page.expect_response("**/folder/heads?*") as answer:
                add_head(page)
            assert answer.value.status == 507
            page.page.wait_for_selector("#not-saved:has-text('The disk is full, so a.json was not saved')")
            page.page.click("#save-correction")
            page.page.wait_for_selector("#say:has-text('The disk is full, so the correction was not saved')")
            assert (disk / "mine" / "a.json").read_bytes() == before
            assert not list((disk / "corrections").iterdir())
            assert len(json.loads(page.saved("#save-copy"))["points"]) == len(HEADS) + 2
            page.page.reload()  # the browser kept the heads that the disk has no room for
            page.page.wait_for_selector("body[data-ready]")
            filler.unlink()
            page.page.click("#list tbody tr:nth-child(1) .name")
            page.page.click("#tab-correct")
            page.page.wait_for_selector(f"#panel-correct .number:has-text('{len(HEADS) + 2} heads')")
            add_head(page)
            page.page.wait_for_selector("#panel-correct .note:has-text('Heads of 1 of 2')")
            until(page.page, "!crowdscale.tabs.correct.unsaved")
            assert points(disk / "mine", "a.json") == len(HEADS) + 3
            page.context.close()


IN_BROWSER = """async (photo) => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("mine", { create: true });
  for (const name of ["a.png", "b.png"]) {
    const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await stream.write(Uint8Array.from(atob(photo), (c) => c.charCodeAt(0)));
    await stream.close();
  }
  window.showDirectoryPicker = async () => folder;
  window.kept = async (text) => {
    const handle = await folder.getFileHandle("a.json", { create: true });
    if (text) {
      const stream = await handle.createWritable();
      await stream.write(text);
      await stream.close();
    }
    return (await handle.getFile()).text();
  };
}"""


def test_a_folder_that_the_browser_opens_is_written_too(opened, crowd):
    """The picker needs a person; the browser's own file system gives folders of the same kind."""
    page = opened()
    tab = page.page
    tab.evaluate(IN_BROWSER, base64.b64encode(crowd).decode())
    tab.click("#open-folder")
    tab.wait_for_selector('body[data-done="2"]')
    tab.click("#tab-correct")
    tab.wait_for_selector(f"#panel-correct .number:has-text('{len(HEADS)} heads')")
    add_head(page)
    tab.wait_for_selector("#panel-correct .note:has-text('Heads of 1 of 2')")
    assert len(json.loads(tab.evaluate("kept()"))["points"]) == len(HEADS) + 1
    tab.evaluate("""kept('{"points": [[1, 2]]}')""")
    add_head(page)
    tab.wait_for_selector("#not-saved:has-text('nothing was overwritten')")
    assert json.loads(tab.evaluate("kept()")) == {"points": [[1, 2]]}
    tab.click("#open-again")
    tab.wait_for_selector("#panel-correct .number:has-text('1 heads')")


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
def test_sizes_are_read_from_headers(tmp_path):
    pixels = np.zeros((37, 53, 3), np.uint8)
    files = {kind: encoded(pixels, kind) for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")}
    for name, options in {
        "lossless": {"lossless": True},
        "alpha": {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"},
    }.items():
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "WEBP", **options)
        files[name] = stream.getvalue()
    for name, content in {**files, "none": b"no photo at all, of many more bytes", "empty": b""}.items():
        (tmp_path / name).write_bytes(content)
    script = (
        f"const {{ photoSize }} = await import({json.dumps((find_page() / 'engine/photo_size.js').as_uri())});"
        "const fs = await import('node:fs');"
        "const all = {}; for (const name of fs.readdirSync(process.argv[1])) all[name] = await photoSize(new Blob([fs.readFileSync(process.argv[1] + '/' + name)]));"
        "process.stdout.write(JSON.stringify(all));"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name for name, size in found.items() if size == [53, 37]} == set(files) - {"TIFF"}
    assert found["TIFF"] is found["none"] is found["empty"] is None
