"""The static site: what is exported, and that a browser counts with it as Python does, offline, asking nobody else."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import io
import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crowdscale import load
from crowdscale.errors import CrowdscaleError
from crowdscale.models.finding import BUNDLED
from crowdscale.serve.export import export_site
from crowdscale.serve.runtime import RUNTIME_FILES, cached_runtime, find_runtime
from crowdscale.trust.audit.check import PhotoFacts, check_audit
from tests.support.pages import BROWSER, PATIENCE

PHOTO = Path(__file__).parents[2] / "examples" / "auditorium.jpg"


@pytest.fixture
def fake_runtime(tmp_path: Path) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir()
    for name in RUNTIME_FILES:
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.mark.skipif("nano" not in BUNDLED, reason="the bundled model is not there")
def test_everything_the_site_names_is_in_it(tmp_path, fake_runtime):
    folder = tmp_path / "site"
    size = export_site(folder, "nano", fake_runtime)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    listed = set(json.loads((folder / "files.json").read_text()))
    assert listed == files | {"./"}
    assert size == sum((folder / name).stat().st_size for name in files)
    site = json.loads((folder / "site.json").read_text())
    assert site["mode"] == "browser"
    assert site["runtime"] in files
    assert "graphs/nano/network.onnx" in files
    assert "MIT License" in (folder / "runtime/LICENSE.txt").read_text()
    assert b"VERSION" not in (folder / "offline.js").read_bytes()
    export_site(folder, "nano", fake_runtime)  # again, over itself


def test_sites_that_cannot_be(tmp_path, fake_runtime, label_model):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").touch()
    for folder, model, runtime in [
        (tmp_path / "other", "nano", fake_runtime),
        (tmp_path / "new", "lite-int8", fake_runtime),
        (tmp_path / "new", str(label_model), fake_runtime),
        (tmp_path / "new", "nano", tmp_path / "other"),
    ]:
        with pytest.raises(CrowdscaleError):
            export_site(folder, model, runtime)
    assert not (tmp_path / "new").exists()
    assert find_runtime(fake_runtime) == fake_runtime


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, http.server.ThreadingHTTPServer]]:
    runtime = cached_runtime()
    if BROWSER is None or shutil.which(BROWSER) is None:
        pytest.skip("Chromium is not installed")
    if runtime is None or "nano" not in BUNDLED:
        pytest.skip(
            "needs the bundled model nano, and ONNX Runtime Web: crowdscale serve --export DIR fetches it"
        )
    export_site(tmp_path / "site", "nano", runtime)
    handler = functools.partial(Quiet, directory=str(tmp_path / "site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", server
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_browser_counts_as_python_does_and_goes_on_without_a_network(site, browser):
    address, server = site
    pixels = np.asarray(Image.open(PHOTO).convert("RGB").crop((800, 380, 1300, 680)))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    known = load("nano", threads=1).predict(pixels)
    photo = {"name": "a.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    asked: list[str] = []
    context = browser.new_context()
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.set_default_timeout(3 * PATIENCE)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    assert "in this browser" in page.inner_text("#engine")
    page.set_input_files("#files", [photo])
    page.wait_for_selector('body[data-done="1"]')
    result = page.evaluate("crowdscale.photos.current.result")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    server.shutdown()  # no network from here on
    server.server_close()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.set_input_files("#files", [photo])
    page.wait_for_selector('body[data-done="1"]')
    again = page.evaluate("crowdscale.photos.current.result.count")
    context.close()
    assert result["count"] == pytest.approx(known.count, rel=1e-3)
    assert again == result["count"]
    assert len(result["heads"]) == len(known.points)
    assert all(url.startswith((address, "blob:", "data:")) for url in asked)
    assert sum(url == address for url in asked) <= 3  # the photo went nowhere: only files were asked for


def test_an_audit_in_the_browser_is_one_that_python_confirms(site, browser, tmp_path):
    address, server = site
    stream = io.BytesIO()
    Image.open(PHOTO).convert("RGB").crop((800, 380, 1300, 680)).save(stream, "PNG")
    photo = {"name": "a.png", "mimeType": "image/png", "buffer": stream.getvalue()}
    page = browser.new_page()
    page.set_default_timeout(3 * PATIENCE)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    page.set_input_files("#files", [photo])
    page.wait_for_selector('body[data-done="1"]')
    page.get_by_role("tab", name="Audit").click()
    page.click("#audit-start")
    for _ in range(3):
        page.click("#audit-done")
        page.click("#audit-next")
    assert "3 of " in page.inner_text("#audit-headline")
    with page.expect_download() as download:
        page.click("#audit-report")
    download.value.save_as(tmp_path / "report.html")
    page.close()
    server.shutdown()
    pixels = np.asarray(Image.open(stream))
    facts = PhotoFacts(hashlib.sha256(stream.getvalue()).hexdigest(), 500, 300, lambda: pixels)
    record, findings = check_audit((tmp_path / "report.html").read_text(encoding="utf-8"), {"a.png": facts})
    assert record.counts == (0, 0, 0)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in re.findall(r"base64,([^\"]+)", page):
        assert (
            np.ptp(np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))) > 100
        )  # a photo, not a blank
    assert not [finding.sentence for finding in findings if not finding.holds]
