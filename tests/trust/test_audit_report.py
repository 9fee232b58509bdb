"""The report and its check: self-contained, and every kind of tampering is found."""

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crowdscale import __version__
from crowdscale.errors import DataError
from crowdscale.trust.audit import AuditModel, AuditRecord, PeopleMap, plan_audit
from crowdscale.trust.audit.check import PhotoFacts, check_audit
from crowdscale.trust.audit.design import derived_seed
from crowdscale.trust.audit.page_check import PICTURE
from crowdscale.trust.audit.report import read_report, report_html
from crowdscale.trust.audit.report_page import OPENING
from crowdscale.trust.audit.wording import headline, interval_text, next_step
from tests.support.audits import crowd
from tests.trust.test_audit_record import heads_in, started


def photo(index: int) -> np.ndarray:
    rows, columns = np.mgrid[:480, :640]
    waves = 110 + 50 * np.sin(columns / 9) * np.cos(rows / 7) + index
    return np.repeat(waves[..., None], 3, axis=2).astype(np.uint8)


GIVEN = {"photo.jpg": PhotoFacts("ab", 640, 480, lambda: photo(0))}


def audited(tiles: int = 9) -> AuditRecord:
    record = started()
    model = replace(record.model, version=__version__)
    plan = replace(record.plan, seed=derived_seed(["cd", "ab"]))
    record = replace(record, plan=plan, model=model, note="A <b>square</b> & more")
    for cell in record.plan.order(tiles):
        record = record.answered(heads=heads_in(record, cell), by="Ada <script>", at="2026-05-01 12:00")
    return record


def test_a_report_holds_everything_and_nothing_from_outside() -> None:
    record = audited()
    page = report_html(record, photo)
    assert read_report(page) == record
    assert headline(record.estimate()) in page
    assert page.count("by hand, ") == 9
    assert "Ada <script>" not in page
    assert "<b>square" not in page
    assert page.count('class="hand"') == sum(record.counts)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)
    assert not re.search(r"https?:", page)
    assert "<!--" not in page.replace("<!doctype", "")


def test_a_sound_report_passes_every_check() -> None:
    page = report_html(audited(), photo)
    record, findings = check_audit(page, GIVEN)
    assert record == audited()
    assert [finding.holds for finding in findings] == [True] * 10
    _, findings = check_audit(page)
    assert [finding.sentence for finding in findings if finding.holds is None] == [
        "No photo was given to compare.", "Pictures were not compared: that needs the photos."
    ]  # fmt: skip


def test_the_json_alone_can_be_checked_too() -> None:
    _, findings = check_audit(audited().to_json())
    assert not any(finding.holds is False for finding in findings)
    assert any(finding.holds is None and "No photo" in finding.sentence for finding in findings)


def tampered(change: Callable[[dict[str, Any]], object]) -> str:
    values = json.loads(audited().to_json())
    change(values)
    return json.dumps(values)


def grow(values: dict[str, Any]) -> None:
    values["answers"][2]["heads"] = None
    values["answers"][2]["count"] += 50


def favour(values: dict[str, Any]) -> None:
    values["plan"]["cells"][3]["size"] += 1_000_000  # a thousandth: the draw stays


def invent(values: dict[str, Any]) -> None:
    values["plan"]["photos"][0]["predicted"] += 9


def shift(values: dict[str, Any]) -> None:
    values["plan"]["cells"][3]["box"][2] -= 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (grow, "Number and interval"),
        (favour, "chance of each tile"),
        (shift, "cover each photo once"),
        (invent, "add up to those of the photos"),
        (lambda values: values["estimate"].update(low=1.0), "Number and interval"),
        (lambda values: values.update(draw=[0, 1, 2]), "seed draws"),
    ],
    ids=["count", "size", "box", "predicted", "interval", "draw"],
)
def test_tampering_is_found(change: Callable[[dict[str, Any]], object], sentence: str) -> None:
    _, findings = check_audit(tampered(change))
    assert any(finding.holds is False and sentence in finding.sentence for finding in findings)


def test_another_seed_or_tiles_passed_over_cannot_even_be_read() -> None:
    with pytest.raises(DataError, match="next of the draw"):
        check_audit(tampered(lambda values: values["plan"].update(seed="1")))
    with pytest.raises(DataError, match="next of the draw"):
        check_audit(tampered(lambda values: values["answers"].pop(0)))


def test_another_number_on_the_page_and_another_photo_are_found() -> None:
    page = report_html(audited(), photo)
    number = f'<p class="headline">{round(audited().estimate().count):,}'
    _, findings = check_audit(page.replace(number, '<p class="headline">900'))
    assert any(finding.holds is False and "page shows" in finding.sentence for finding in findings)
    _, findings = check_audit(page, {"other.jpg": PhotoFacts("ff", 640, 480)})
    assert any(finding.holds is False and "other.jpg" in finding.sentence for finding in findings)


@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        pytest.param(r"<td>600</td>", "<td>900</td>", id="people"),
        pytest.param(r"<td>ab</td>|sha256 ab", "sha256 ff", id="sha256"),
        pytest.param(r"Tile 3: (\d+) by hand", "Tile 3: 99 by hand", id="tile"),
        pytest.param(r'<circle class="hand" cx="[\d.]+"', '<circle class="hand" cx="7"', id="click"),
        pytest.param(r"Ada &lt;script&gt;", "Eve", id="who"),
        pytest.param(r"2026-05-01", "2027-05-01", id="when"),
        pytest.param(r"</h2>", "</h2><p>Checked by the city.</p>", id="addition"),
    ],
)
def test_another_word_or_mark_on_the_page_is_found(pattern: str, other: str) -> None:
    page = report_html(audited(), photo)
    body, opening, rest = page.partition(OPENING)
    changed = re.sub(pattern, other, body, count=1)
    assert changed != body
    _, findings = check_audit(changed + opening + rest, GIVEN)
    wrong = [finding.sentence for finding in findings if finding.holds is False]
    assert len(wrong) == 1
    assert wrong[0].startswith("The page shows “")


@pytest.mark.parametrize(("number", "name"), [(0, "the overview of photo.jpg"), (3, "tile 3")])
def test_a_picture_that_was_painted_is_found_and_another_compression_is_not(number: int, name: str) -> None:
    page = report_html(audited(), photo)
    former = PICTURE.findall(page)[number]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(former))))
    for painted, quality in ((False, 55), (True, 90)):
        if painted:
            pixels[20:36, 20:36] = 70
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
        changed = page.replace(former, base64.b64encode(stream.getvalue()).decode())
        _, findings = check_audit(changed, GIVEN)
        wrong = [finding.sentence for finding in findings if finding.holds is False]
        assert wrong == ([f"The photo does not show what the page shows as {name}."] if painted else [])


def test_the_page_of_another_version_is_not_compared() -> None:
    record = replace(audited(), model=replace(audited().model, version="0.0.1"))
    _, findings = check_audit(report_html(record, photo).replace("Limits", "Limit"), GIVEN)
    assert not any(finding.holds is False for finding in findings)
    assert any("made by crowdscale 0.0.1" in finding.sentence for finding in findings)


def test_a_chosen_seed_is_named() -> None:
    _, findings = check_audit(started().answered(count=3).to_json())
    assert any(finding.holds is None and "was chosen" in finding.sentence for finding in findings)


def test_several_photos_cover_and_check() -> None:
    maps = [PeopleMap.from_points(f"{i}.jpg", (640, 480), crowd(i, 90 * i), f"{i}") for i in range(3)]
    plan = plan_audit(maps, derived_seed(["m", "0", "1", "2"]))
    record = AuditRecord(plan, model=AuditModel("lite", "m"))
    for _ in range(5):
        record = record.answered(count=4)
    page = report_html(record, photo)
    assert page.count("with its tiles") == len({plan.cells[cell].photo for cell in plan.order(5)})
    _, findings = check_audit(page)
    assert not any(finding.holds is False for finding in findings)


@pytest.mark.parametrize("text", ["", "<html></html>", "{}"])
def test_other_files_are_no_reports(text: str) -> None:
    with pytest.raises(DataError, match="expected"):
        check_audit(text)


def test_sentences() -> None:
    steps = audited().estimates()
    assert headline(steps[0]) == "600 people by the model alone: no tile is counted by hand yet."
    assert "no interval yet: 1 of" in headline(steps[1])
    assert next_step(steps[1]).startswith("Count two tiles")
    assert next_step(steps[9]) == "The interval has reached ±10 %."
    whole = audited(len(started().plan.cells)).estimate()
    assert headline(whole).startswith("600 people, exact: all ")
    assert (interval_text(whole), next_step(whole)) == ("exact", "")
    assert re.fullmatch(r"\d+–\d+", interval_text(steps[9]))
