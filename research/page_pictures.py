"""Pictures of the page for the docs: a real service with a bundled model, driven in headless Chromium.

Run: python -m research.page_pictures --out docs/pictures. Needs the extras [serve] and, for the picture of a training,
[learn]. Check each picture by eye afterwards. --only NAME makes one.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Page, sync_playwright

EXAMPLES = Path(__file__).parents[1] / "examples"
Scheme = Literal["dark", "light"]
DESKTOP, PHONE = (1060, 680), (360, 740)
LARGEST = 148_000
"""Bytes of a picture."""
TILE = (
    (0.306, 0.136),
    (0.371, 0.152),
    (0.442, 0.163),
    (0.508, 0.128),
    (0.538, 0.159),
    (0.558, 0.131),
    (0.601, 0.132),
    (0.635, 0.180),
    (0.660, 0.180),
)
"""Heads of the first tile as shares of the view, marked by eye."""


@contextmanager
def service(*options: str) -> Iterator[str]:
    """Yield the address of a service that was started with these options."""
    command = [sys.executable, "-m", "crowdscale", "serve", "--port", "0", "--no-browser", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield next(word for word in process.stdout.readline().split() if word.startswith("http"))
    finally:
        process.terminate()
        process.wait(120)


def opened(
    context: BrowserContext, address: str, size: tuple[int, int], scheme: Scheme, *photos: str
) -> Page:
    """Return a page with counted photos; the browser keeps results, so that each photo is counted once."""
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    page.set_default_timeout(600_000)
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    if photos:
        page.set_input_files("#files", [EXAMPLES / name for name in photos])
        page.wait_for_selector(f'body[data-done="{len(photos)}"]')
    page.wait_for_timeout(500)
    return page


def shoot(page: Page, path: Path) -> None:
    """Save what is seen as a JPEG that is small enough."""
    page.wait_for_timeout(700)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in range(90, 40, -4):
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality, optimize=True)
        if stream.tell() <= LARGEST:
            break
    path.write_bytes(stream.getvalue())
    print(f"{path}: {image.size[0]} × {image.size[1]}, {stream.tell() / 1000:.0f} kB")
    page.close()


def empty(context: BrowserContext, address: str) -> Page:
    """Show the page as it opens."""
    return opened(context, address, DESKTOP, "light")


def count(context: BrowserContext, address: str) -> Page:
    """Show two counted photos."""
    return opened(context, address, DESKTOP, "light", "auditorium.jpg", "crossing.jpg")


def compare(context: BrowserContext, address: str) -> Page:
    """Show heat, heads and regions against the photo, in dark colours."""
    page = opened(context, address, DESKTOP, "dark", "auditorium.jpg")
    page.check("#show-heat")
    page.check("#show-regions")
    page.locator("#compare").fill("62")
    return page


def phone(context: BrowserContext, address: str) -> Page:
    """Show a count on a phone."""
    return opened(context, address, PHONE, "light", "crossing.jpg")


def correct(context: BrowserContext, address: str) -> Page:
    """Show corrected heads and an area that does not count."""
    page = opened(context, address, DESKTOP, "light", "crossing.jpg")
    page.click("#tab-correct")
    page.click("#mode-ignore")
    box = page.locator("#view").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.72 * box["width"], box["y"] + 0.14 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.97 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    page.mouse.up()
    page.click("#mode-lasso")
    return page


def audit(context: BrowserContext, address: str) -> Page:
    """Show the first tile of an audit, counted by hand beside the model."""
    page = opened(context, address, DESKTOP, "light", "auditorium.jpg")
    page.click("#tab-audit")
    page.click("#audit-start")
    page.wait_for_selector("#audit-task:has-text('Tile 1')")
    page.wait_for_timeout(800)
    box = page.locator("#view").bounding_box()
    assert box is not None
    for x, y in TILE:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.click("#audit-done")
    page.wait_for_selector("#audit-task:has-text('You counted')")
    return page


def zones(context: BrowserContext, address: str) -> Page:
    """Show an area and a line over a photo."""
    page = opened(context, address, DESKTOP, "light", "crossing.jpg")
    page.click("#tab-zones")
    box = page.locator("#view").bounding_box()
    assert box is not None

    def click(x: float, y: float) -> None:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])

    page.click("#draw-area")
    for x, y in ((0.06, 0.58), (0.62, 0.58), (0.68, 0.92), (0.06, 0.92)):
        click(x, y)
    page.keyboard.press("c")
    page.click("#draw-line")
    for x, y in ((0.1, 0.18), (0.9, 0.42)):
        click(x, y)
    page.keyboard.press("c")
    return page


def teach(context: BrowserContext, address: str) -> Page:
    """Show a training that runs, on ten parts of a photo."""
    page = opened(context, address, (860, 460), "light")
    whole = Image.open(EXAMPLES / "crossing.jpg").convert("RGB")
    parts: list[FilePayload] = []
    for index in range(10):
        stream = io.BytesIO()
        left, top = 120 * (index % 5), 100 * (index // 5)
        whole.crop((left, top, left + 420, top + 320)).save(stream, "JPEG")
        parts.append({"name": f"part_{index}.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()})
    page.set_input_files("#files", parts)
    page.wait_for_selector('body[data-done="10"]')
    page.click("#tab-correct")
    for index in range(10):
        page.evaluate(f"crowdscale.photos.select(crowdscale.photos.items[{index}])")
        page.wait_for_timeout(400)
        page.click("#save-correction")
        page.wait_for_selector(f"#say:has-text('the {index + 1}. corrected photo')")
    page.click("#tab-teach")
    page.click("#teach-start")
    page.wait_for_selector("#teach-progress:has-text('Step')")
    page.wait_for_timeout(4000)
    return page


PICTURES: dict[str, Callable[[BrowserContext, str], Page]] = {
    each.__name__: each for each in (empty, count, compare, phone, correct, audit, zones, teach)
}


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--only", choices=sorted(PICTURES), action="append")
    chosen = parser.parse_args()
    browser_path = next(
        p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))
    )
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        context = browser.new_context()
        with service("--corrections", str(Path(folder) / "corrections")) as address:
            for name in chosen.only or PICTURES:
                shoot(PICTURES[name](context, address), chosen.out / f"page_{name}.jpg")
        browser.close()


if __name__ == "__main__":
    main()
