"""Many full-size photos dropped on the page at once: taken in, counted in part, stopped, resumed; memory of the browser.

Run: python benchmarks/many_photos.py --count 20. With --site DIR (of `crowdscale serve --export DIR`) the browser
counts instead of the service. The photos are made in a temporary folder from the two examples: 12 megapixels each,
no two files alike. Each is dropped once; --count of them are counted before "Stop", and two more after "Count the rest".
"""

from __future__ import annotations

import argparse
import functools
import http.server
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
SIZE = (4000, 3000)
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


def make_photos(folder: Path, number: int) -> list[Path]:
    """Write photos of 12 megapixels: twenty pictures, and a number of its own at the end of each file."""
    wholes = [cv2.resize(cv2.imread(str(path)), SIZE) for path in sorted(EXAMPLES.glob("*.jpg"))]
    files = []
    for index in range(min(PICTURES, number)):
        pixels = wholes[index % len(wholes)].copy()
        cv2.putText(pixels, str(index), (100, 300), cv2.FONT_HERSHEY_SIMPLEX, 8, (255, 255, 255), 20)
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
    """The most megabytes that the browser's page processes, and the service, held together at a time."""

    def __init__(self, profile: str, service_id: int) -> None:
        super().__init__(daemon=True)
        self.profile, self.service_id = profile, service_id
        self.page = self.service = 0.0

    def run(self) -> None:
        while True:
            self.page = max(self.page, sum(map(_resident, self._renderers())))
            self.service = max(self.service, _resident(self.service_id))
            time.sleep(0.3)

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
    """Drop, count some, stop, count two more, stop; print what was seen."""
    page.evaluate(INPUT)
    page.set_input_files("#benchmark", paths)
    page.evaluate(SLOWEST)
    begun = time.monotonic()
    page.evaluate(DROP)
    until(page, f"document.querySelectorAll('#list tbody tr').length === {len(paths)}")
    print(f"{len(paths)} photos dropped: all listed after {time.monotonic() - begun:.1f} s")
    until(page, f"{DONE} >= 1")
    print(f"first photo after {time.monotonic() - begun:.1f} s: {page.inner_text('#progress-text')!r}")
    heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    until(page, f"{DONE} >= {count}")
    seconds = time.monotonic() - begun
    print(
        f"{count} photos counted in {seconds:.1f} s, {seconds / count:.2f} s each; {page.inner_text('#progress-text')!r}"
    )
    print(
        f"JavaScript heap {heap:.1f} MB after one photo, {page.evaluate('performance.memory.usedJSHeapSize / 1e6'):.1f} MB after {count}"
    )
    stopped = time.monotonic()
    page.click("#stop")
    page.wait_for_selector("#rest:visible")
    print(
        f"stopped after {time.monotonic() - stopped:.1f} s: {page.inner_text('#rest-box')!r}, {page.inner_text('#list tfoot')!r}"
    )
    done = page.evaluate("crowdscale.photos.items.filter((item) => item.result).length")
    page.click("#rest")
    until(
        page, f"crowdscale.photos.items.filter((item) => item.result).length >= {min(done + 2, len(paths))}"
    )
    if done + 2 < len(paths):
        page.click("#stop")
        page.wait_for_selector("#rest:visible")
    print(f"resumed: {page.inner_text('#list tfoot')!r}")
    print(f"longest pause of the page {page.evaluate('slowest'):.0f} ms")
    print(f"most memory: page {memory.page:.0f} MB, service {memory.service:.0f} MB")


def main() -> None:
    """Measure one engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="lite")
    parser.add_argument("--site", type=Path, help="a static site: its browser counts")
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="keep the photos here, and use those that lie here")
    chosen = parser.parse_args()
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as started:
        folder = chosen.folder or Path(temporary) / "photos"
        folder.mkdir(exist_ok=True)
        lying = sorted(folder.glob("photo_*.jpg"))[: chosen.photos]
        paths = lying if len(lying) == chosen.photos else make_photos(folder, chosen.photos)
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
