"""The static site against Python on the same pixels: counts and heads of photos, in headless Chromium.

Run: python benchmarks/site.py --site DIR PHOTO…, where DIR is of `crowdscale serve --export DIR --model MODEL`.
Photos are handed over as PNG, since browsers decode JPEG a little differently; --jpeg hands over the files themselves.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import io
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from crowdscale import load
from crowdscale.counting.table import head_rows
from crowdscale.files.images import read_image

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def counted(page: Page, photo: dict[str, object], number: int) -> dict[str, Any]:
    """Return what the page makes of a photo, its ``number``th."""
    page.set_input_files("#files", [photo])
    page.wait_for_selector(f'body[data-done="{number}"]')
    result: dict[str, Any] = page.evaluate("crowdscale.photos.items.at(-1).result")
    return result


def heads_apart(ours: list[list[float]], theirs: list[list[float]]) -> tuple[int, float]:
    """Return by how many two lists of heads differ in number, and by how many pixels in place where they are as many."""
    if len(ours) != len(theirs):
        return abs(len(ours) - len(theirs)), float("nan")
    first, second = (np.array(heads).reshape(-1, 3)[:, :2] for heads in (ours, theirs))
    return 0, float(np.abs(first - second).max(initial=0.0))


def as_png(path: Path) -> bytes:
    """Return a photo's pixels without loss."""
    stream = io.BytesIO()
    Image.fromarray(read_image(path).pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def main() -> None:
    """Print a line for each photo and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--jpeg", action="store_true", help="hand over the files as they are")
    chosen = parser.parse_args()
    model = json.loads((chosen.site / "site.json").read_text())["models"][0]["name"]
    predictor = load(model)
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    handler = functools.partial(_Quiet, directory=str(chosen.site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    largest, heads, moved = 0.0, 0, 0.0
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page()
        page.set_default_timeout(400_000)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_selector("body[data-ready]")
        for number, path in enumerate(chosen.photos, start=1):
            content = path.read_bytes() if chosen.jpeg else as_png(path)
            kind = "image/jpeg" if chosen.jpeg else "image/png"
            name = f"{path.stem}.{kind[6:]}"
            made = counted(page, {"name": name, "mimeType": kind, "buffer": content}, number)
            known = predictor.predict(path)
            difference = abs(made["count"] - known.count) / max(1.0, known.count)
            more, apart = heads_apart(made["heads"], head_rows(known.points) or [])
            largest, heads, moved = max(largest, difference), heads + more, np.fmax(moved, apart)
            print(
                f"{path.name}: {made['count']:.4f} in the browser, {known.count:.4f} in Python, {difference:.1e}; "
                f"{len(made['heads'])} heads, {more} more or fewer, at most {apart:.3f} px apart",
                flush=True,
            )
        opened.close()
    server.shutdown()
    print(
        f"{model}, {len(chosen.photos)} photos: largest relative difference {largest:.1e}, heads differ by {heads}, "
        f"places by {moved:.3f} px"
    )


if __name__ == "__main__":
    main()
