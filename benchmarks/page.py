"""Frames a second of the page's canvas, panned and zoomed: 24 megapixels with 10,000 heads.

Run: python benchmarks/page.py. Serves the page's files on a free port of this machine and drives it in headless
Chromium, which draws in software: a number for comparisons on one machine, below that of any screen with a GPU.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import shutil
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

PREPARE = """async ([width, height, number]) => {
  const { viewer } = crowdscale;
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d");
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let i = 0; i < 20000; i++) {
    pen.fillStyle = `rgb(${255 * random()},${255 * random()},${255 * random()})`;
    pen.fillRect(width * random(), height * random(), 60, 60);
  }
  document.getElementById("drop").hidden = true;
  await viewer.show(canvas.transferToImageBitmap());
  const heads = Array.from({ length: number }, () => [width * random(), height * random()]);
  const { drawHeads } = await import("./overlays.js");
  viewer.layers = [(pen, own) => drawHeads(pen, own, heads)];
  viewer.redraw();
}"""

MOVE = """async ([how, times, frames]) => {
  const { viewer } = crowdscale;
  const next = () => new Promise(requestAnimationFrame);
  viewer.fit();
  if (times > 1) viewer.zoom(times);
  for (let i = 0; i < 5; i++) await next();
  let inside = 0;
  const draw = viewer.draw;
  viewer.draw = function () {
    const begun = performance.now();
    draw.call(this);
    inside += performance.now() - begun;
  };
  const begun = performance.now();
  for (let i = 0; i < frames; i++) {
    const forth = i % 40 < 20 ? 1 : -1;
    if (how === "pan") viewer.pan(4 * forth, 3 * forth);
    else viewer.zoom(1.02 ** forth);
    await next();
  }
  const seconds = (performance.now() - begun) / 1000;
  delete viewer.draw;
  return [frames / seconds, inside / frames];
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def measure(page: Page, frames: int) -> None:
    """Print a line for each movement at each zoom."""
    for how, times in [("pan", 1), ("pan", 4), ("pan", 16), ("zoom", 1), ("zoom", 4)]:
        a_second, milliseconds = page.evaluate(MOVE, [how, times, frames])
        print(f"{how} at {times:2d} x: {a_second:5.1f} frames a second, {milliseconds:5.1f} ms in draw()")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--page", type=Path, default=Path(__file__).parents[1] / "web", help="the page's folder"
    )
    parser.add_argument("--heads", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=120)
    chosen = parser.parse_args()
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    handler = functools.partial(_Quiet, directory=str(chosen.page))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_selector("body[data-ready]")
        page.evaluate(PREPARE, [6000, 4000, chosen.heads])
        measure(page, chosen.frames)
        opened.close()
    server.shutdown()


if __name__ == "__main__":
    main()
