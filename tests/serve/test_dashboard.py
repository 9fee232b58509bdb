"""The dashboard in a headless browser: a card, an alarm by keys alone, choices, a service that ends."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from crowdscale.points import Points
from crowdscale.serve.app import create_app
from crowdscale.serve.counter import Counter
from crowdscale.serve.options import ServeOptions
from crowdscale.video.dates import Calendar
from crowdscale.video.frame import Frame, Source
from crowdscale.video.several import Camera
from crowdscale.video.watch import WatchOptions
from crowdscale.zones.alarms import AlarmRule, Alarms
from crowdscale.zones.zone import Zone, Zones
from tests.support.cameras import still
from tests.support.fakes import label_photo
from tests.support.pages import BROWSER, until

pytestmark = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
PATIENCE = 40_000
TOKEN = "a-token-of-16-signs"
ZONES = Zones(
    (
        Zone("stairs", ((0, 0), (120, 0), (120, 200), (0, 200)), capacity=4, alarm=AlarmRule(above=2)),
        Zone("rope", ((120, 0), (120, 200)), "line"),
    )
)


def people(number):
    return label_photo(Points([[20 + 20 * i, 60] for i in range(number)]), 240, 200)


class Wall:
    """Cameras that a test moves, in a running service."""

    def __init__(self, model, number: int) -> None:
        import uvicorn

        counter = Counter.open(str(model), 10**6, threads=1)
        options = WatchOptions(every=0, calendar=Calendar(UTC))
        self.alarms = Alarms(ZONES.alarms)
        described = [Camera("gate <1>", "x", options=options, zones=ZONES)]
        described += [Camera(f"hall {n}", "x", options=options) for n in range(2, number + 1)]
        self.cameras, self.seconds = still(counter, *described), 0
        self.app = create_app(counter, ServeOptions(token=TOKEN), self.cameras)
        self.server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.address = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}/"

    def show(self, index: int, *counts: int) -> None:
        """Let a camera count frames of so many people, one a second until now."""
        begin = (datetime.now(UTC) - timedelta(seconds=len(counts))).timestamp()
        frames = [Frame(i, self.seconds + i, people(n), arrived=begin + i) for i, n in enumerate(counts)]
        self.seconds += len(counts)
        self.cameras.show(
            self.cameras.states[index],
            Source("x", lambda _: iter(frames)),
            self.alarms if index == 0 else None,
        )
        self.cameras.states[index].source.live = True

    def close(self) -> None:
        self.app.state.ending.set()
        self.server.should_exit = True
        self.thread.join(30)


@pytest.fixture
def opened(browser, label_model):
    """Opens a wall of cameras; at the end no script failed and nothing was asked elsewhere."""
    made = []

    def open_page(number: int, counts: tuple[int, ...] = (1, 2), **options):
        wall = Wall(label_model, number)
        for index in range(number):
            wall.show(index, *counts)
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        problems, asked = [], []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        made.append((wall, context, problems, asked))
        page.goto(f"{wall.address}dashboard#token={TOKEN}")
        page.wait_for_selector("body[data-ready]")
        page.wait_for_selector(".camera svg")
        return wall, page

    yield open_page
    for wall, context, problems, asked in made:
        assert not [problem for problem in problems if "ERR_CONNECTION_REFUSED" not in problem]
        assert all(url.startswith((wall.address, "blob:")) for url in asked)
        assert not any(TOKEN in url.split("#")[0] for url in asked)
        context.close()
        wall.close()


def test_a_card_shows_number_range_state_picture_curve_zones_and_lines(opened):
    _, page = opened(1, (2, 1, 2))
    card = page.get_by_role("article", name="gate <1>")
    assert card.locator(".number").inner_text().split() == ["2", "people"]
    assert card.locator(".status").inner_text().startswith("Counting. Last count")
    assert "2 of 4" in card.get_by_role("table", name="Zones of gate <1>").inner_text()
    assert "rope" in card.get_by_role("table", name="Lines of gate <1>").inner_text()
    assert "1 to 2 people, 2 on average" in card.locator("svg").get_attribute("aria-label")
    until(page, "document.querySelector('.camera img')?.naturalWidth > 100")
    assert "gate <1>" in card.locator("img").get_attribute("alt")
    assert page.get_by_role("status").inner_text() == "1 counting"


def test_an_alarm_is_seen_and_acknowledged_on_this_page_only_by_keys_alone(opened):
    wall, page = opened(1)
    assert page.locator("#alarms").is_hidden()
    wall.show(0, 5)
    page.wait_for_selector("#alarms li:has-text('gate <1>, stairs: 5 people, raised at')")
    assert page.title().startswith("(1) ")
    assert "5 of 4" in page.locator("td.full").first.inner_text()
    assert "on this page alone" in page.locator("#alarms .note").inner_text()
    for _ in range(12):
        page.keyboard.press("Tab")
        if (
            page.evaluate("document.activeElement.getAttribute('aria-label')")
            == "Acknowledge stairs of gate <1>"
        ):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#alarms li[data-known]:has-text('acknowledged on this page')")
    assert wall.alarms.raised == {"stairs"}
    page.reload()
    page.wait_for_selector("#alarms li[data-known]")
    wall.show(0, 1)
    page.wait_for_selector("#alarms", state="hidden")
    page.wait_for_selector(".events li:has-text('stairs cleared, 1 person')")
    wall.show(0, 5)  # a new alarm is new
    page.wait_for_selector("#alarms li:not([data-known])")


def test_twelve_cameras_fit_a_narrow_dark_screen(opened):
    _, page = opened(12, (2,), viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert page.locator("article.camera").count() == 12
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator(".curve .dot").first.get_attribute("r") == "3"  # one count is a dot that can be seen
    assert "Since" in page.locator(".curve figcaption").first.inner_text()
    assert page.locator(".curve figcaption").first.inner_text().endswith(": 2 people.")
    heads = page.get_by_role("table", name="Zones of gate <1>").locator("th")
    assert heads.all_inner_texts() == ["Zone", "People"]  # no column without a state
    colour = page.evaluate("getComputedStyle(document.querySelector('.camera')).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", colour)) < 80


def test_pictures_can_be_left_out_and_curves_span_a_day(opened):
    _, page = opened(1)
    until(page, "document.querySelector('.camera img')?.naturalWidth > 100")
    page.uncheck("#pictures")
    page.wait_for_selector(".camera img", state="hidden")
    with page.expect_response(lambda answer: "span=day" in answer.url):
        page.select_option("#span", "day")


def test_a_service_that_ends_is_said_plainly(opened):
    wall, page = opened(1)
    wall.close()
    page.wait_for_selector("#trouble:has-text('The numbers are old. It is asked again.')")
    page.wait_for_selector("article[data-old]")
