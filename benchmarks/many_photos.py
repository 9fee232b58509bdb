"""Many photos dropped on the page at once: taken in, counted, stopped, resumed, saved; memory of browser and service.

Run: python benchmarks/many_photos.py --count 20. With --site DIR (of `crowdscale serve --export DIR`) the browser
counts instead of the service. The photos are made in a temporary folder from the two examples: 12 megapixels each
(--megapixels), no two files alike. Each is dropped once; --count of them are counted before "Stop", and two more after
"Count the rest". With --count as many as --photos all are counted, and the saved CSV is compared with them: no photo
is missing or twice, and photos of one picture have one count. Memory is printed for every tenth of them.
"""

from __future__ import annotations

import argparse
import csv
import functools
import http.server
import io
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from playwright.sync_api import Page, sync_playwright

EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURES = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

DROP = """() => {
  const input = document.getElementById("benchmark");
  const carried = new DataTransfer();
  for (const file of input.files) carried.items.add(file);
  document.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""
INPUT = """() => document.body.append(Object.assign(document.createElement("input"), { type: "file", multiple: true, id: "benchmark", hidden: true }))"""
DONE = "crowdscale.photos.items.filter((item) => item.result).length"
SLOWEST = """() => {
  globalThis.slowest = 0;
  let last = performance.now();
  const beat = () => {
    slowest = Math.max(slowest, performance.now() - last);
    last = performance.now();
    setTimeout(beat, 20);
  };
  beat();
}"""


def make_photos(folder: Path, number: int, megapixels: float) -> list[Path]:
    """Write photos of a size: twenty pictures, and a number of its own at the end of each file."""
    unit = round((megapixels * 1e6 / 12) ** 0.5)
    size = (4 * unit, 3 * unit)
    wholes = [cv2.resize(cv2.imread(str(path)), size) for path in sorted(EXAMPLES.glob("*.jpg"))]
    files = []
    for index in range(min(PICTURES, number)):
        pixels = wholes[index % len(wholes)].copy()
        cv2.putText(
            pixels,
            str(index),
            (unit // 10, unit // 3),
            cv2.FONT_HERSHEY_SIMPLEX,
            unit / 125,
            (255, 255, 255),
            1 + unit // 50,
        )
        files.append(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())
    paths = [folder / f"photo_{index:04}.jpg" for index in range(number)]
    for index, path in enumerate(paths):
        path.write_bytes(files[index % len(files)] + str(index).encode())
    return paths


@contextmanager
def service(model: str) -> Iterator[tuple[str, int]]:
    """Yield the address of a service and its process."""
    command = [sys.executable, "-m", "crowdscale", "serve", "--model", model, "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield next(word for word in process.stdout.readline().split() if word.startswith("http")), process.pid
    process.terminate()
    process.wait(120)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def site(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the address of a static site."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", 0
    server.shutdown()


class Memory(threading.Thread):
    """The megabytes that the browser's page processes, and the service, hold together: now and at most."""

    def __init__(self, profile: str, service_id: int) -> None:
        super().__init__(daemon=True)
        self.profile, self.service_id = profile, service_id
        self.page = self.service = self.most_page = self.most_service = 0.0

    def run(self) -> None:
        while True:
            self.page, self.service = sum(map(_resident, self._renderers())), _resident(self.service_id)
            self.most_page, self.most_service = (
                max(self.most_page, self.page),
                max(self.most_service, self.service),
            )
            time.sleep(0.3)

    def __str__(self) -> str:
        return f"page {self.page:.0f} MB, service {self.service:.0f} MB"

    def _renderers(self) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes()
            except OSError:
                continue
            if self.profile.encode() in words and b"--type=renderer" in words:
                found.append(int(path.parent.name))
        return found


def _resident(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def until(page: Page, condition: str, seconds: float = 570) -> None:
    """Wait for a condition; the page's policy forbids Playwright's own way."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.1)


def measure(page: Page, memory: Memory, paths: list[Path], count: int) -> None:
    """Drop and count; print what was seen."""
    page.evaluate(INPUT)
    page.set_input_files("#benchmark", paths)
    page.evaluate(SLOWEST)
    begun = time.monotonic()
    page.evaluate(DROP)
    until(page, f"document.querySelectorAll('#list tbody tr').length === {len(paths)}")
    print(f"{len(paths)} photos dropped: all listed after {time.monotonic() - begun:.1f} s")
    until(page, f"{DONE} >= 1")
    print(
        f"first photo after {time.monotonic() - begun:.1f} s: {page.inner_text('#progress-text')!r}; {heap(page)}"
    )
    for step in range(1, 11):
        until(page, f"{DONE} >= {max(1, count * step // 10)}", 3600)
        seconds = time.monotonic() - begun
        print(
            f"{page.evaluate(DONE)} counted after {seconds:.1f} s; {heap(page)}, {memory}; {answers(page)}",
            flush=True,
        )
    print(f"{seconds / count:.2f} s a photo")
    if count < len(paths):
        stop_and_resume(page, len(paths))
    else:
        compare_saved(page, paths)
    print(f"longest pause of the page {page.evaluate('slowest'):.0f} ms")
    print(f"most memory: page {memory.most_page:.0f} MB, service {memory.most_service:.0f} MB")


def heap(page: Page) -> str:
    """Return the page's JavaScript heap."""
    return f"JavaScript heap {page.evaluate('performance.memory.usedJSHeapSize / 1e6'):.1f} MB"


def answers(page: Page) -> str:
    """Select another photo of the list while it counts, and return how long the page took to show it."""
    begun = time.monotonic()
    done = page.evaluate(DONE)
    name = page.locator("#list tbody tr .name").nth(done // 2)
    name.click()
    until(page, f"crowdscale.photos.current === crowdscale.photos.items[{done // 2}]")
    return f"another photo chosen in {time.monotonic() - begun:.2f} s"


def stop_and_resume(page: Page, photos: int) -> None:
    """Stop, count two more, stop."""
    stopped = time.monotonic()
    page.click("#stop")
    page.wait_for_selector("#rest:visible")
    print(
        f"stopped after {time.monotonic() - stopped:.1f} s: {page.inner_text('#rest-box')!r}, {page.inner_text('#list tfoot')!r}"
    )
    done = page.evaluate(DONE)
    page.click("#rest")
    until(page, f"{DONE} >= {min(done + 2, photos)}")
    if done + 2 < photos:
        page.click("#stop")
        page.wait_for_selector("#rest:visible")
    print(f"resumed: {page.inner_text('#list tfoot')!r}")


def compare_saved(page: Page, paths: list[Path]) -> None:
    """Save the table and compare it with the photos."""
    page.wait_for_selector("#progress-box", state="hidden")
    begun = time.monotonic()
    with page.expect_download() as download:
        page.click("#save")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    print(
        f"saved in {time.monotonic() - begun:.1f} s: {len(rows)} rows, {len(rows[0])} columns; {page.inner_text('#list tfoot')!r}"
    )
    missing = {path.name for path in paths} - {row["photo"] for row in rows}
    by_picture = [{row["count"] for row in rows[picture::PICTURES]} for picture in range(PICTURES)]
    several = sum(len(counts) > 1 for counts in by_picture)
    failed = sum(not row["count"] for row in rows)
    total = sum(float(row["count"] or 0) for row in rows)
    print(
        f"{len(missing)} photos missing, {len(rows) - len(paths)} too many, {failed} without a count; {several} of {PICTURES} pictures with several counts; sum {total:.1f}"
    )


def main() -> None:
    """Measure one engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--site", type=Path, help="a static site: its browser counts")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the photos here, and use those that lie here")
    chosen = parser.parse_args()
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as started:
        folder = chosen.folder or Path(temporary) / "photos"
        folder.mkdir(exist_ok=True)
        lying = sorted(folder.glob("photo_*.jpg"))[: chosen.photos]
        paths = (
            lying if len(lying) == chosen.photos else make_photos(folder, chosen.photos, chosen.megapixels)
        )
        print(f"{len(paths)} photos, {sum(path.stat().st_size for path in paths) / 1e6:.0f} MB")
        with site(chosen.site) if chosen.site else service(chosen.model) as (address, process):
            profile = f"{temporary}/profile"
            context = started.chromium.launch_persistent_context(
                profile, executable_path=browser, args=["--no-sandbox", "--enable-precise-memory-info"]
            )
            page = context.new_page()
            page.set_default_timeout(300_000)
            page.goto(address)
            page.wait_for_selector("body[data-ready]")
            memory = Memory(profile, process)
            memory.start()
            measure(page, memory, paths, chosen.count)
            context.close()


if __name__ == "__main__":
    main()
