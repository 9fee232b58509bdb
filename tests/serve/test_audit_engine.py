"""The page's audit against the Python package: the same tiles, draw, chances, numbers and sentences."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crowdscale import __version__
from crowdscale.serve.page import find_page
from crowdscale.trust.audit import AuditPlan, AuditRecord, PeopleMap, plan_audit
from crowdscale.trust.audit.check import check_audit
from crowdscale.trust.audit.design import derived_seed
from crowdscale.trust.audit.report import report_html
from crowdscale.trust.audit.report_page import OPENING, report_design
from crowdscale.trust.audit.wording import headline, next_step
from tests.support.audits import crowd

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed")

MODEL = {"name": "lite", "sha256": "cd", "version": __version__}
NUMBERS = [0, 0.5, 1.5, 2.5, 0.25, 0.35, 12.5, 1234.5, 1234567.125, 999.95, 1e-9]
TEXTS = ["", "abc", "7/01", "é" * 55, "x" * 56, "y" * 64, "z" * 200]


def run(folder: Path, audits: list[dict[str, Any]]) -> dict[str, Any]:
    file = folder / "job.json"
    job = {"texts": TEXTS, "numbers": NUMBERS, "design": report_design(), "audits": audits}
    file.write_text(json.dumps(job))
    command = [str(NODE), str(Path(__file__).with_name("audit.mjs")), str(find_page()), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def photo(name: str, size: tuple[int, int], xy: np.ndarray, factor: float, blocks: bool) -> dict[str, Any]:
    """Return a result as the page has it, with people in blocks or with heads alone."""
    true = PeopleMap.from_points(name, size, xy)
    result: dict[str, Any] = {"width": size[0], "height": size[1], "heads": np.round(xy, 3).tolist()}
    if blocks:
        rows, columns = true.people.shape
        people = (true.people * factor).ravel().tolist()
        result["density"] = {"cell": [16, 16], "rows": rows, "columns": columns, "people": people}
    return {"name": name, "sha256": f"{name}-digest", "result": result}


def map_of(photo: dict[str, Any]) -> PeopleMap:
    result = photo["result"]
    size = (result["width"], result["height"])
    true = PeopleMap.from_points(
        photo["name"], size, np.array(result["heads"]).reshape(-1, 2), photo["sha256"]
    )
    if "density" not in result:
        return true
    people = np.reshape(result["density"]["people"], true.people.shape)
    return PeopleMap(photo["name"], size, people, true.x_edges, true.y_edges, photo["sha256"])


CASES: dict[str, tuple[list[dict[str, Any]], int]] = {
    "one photo": ([photo("a", (640, 480), crowd(people=600), 0.7, True)], 14),
    "heads alone": ([photo("b", (333, 251), crowd(1, 150, (333, 251)), 1.0, False)], 10),
    "nobody": ([photo("c", (640, 480), np.zeros((0, 2)), 1.0, False)], 9),
    "people where nobody is": ([photo("f", (640, 480), crowd(people=600), 1.0, True)], 5),
    "one tile": ([photo("d", (20, 15), np.array([(3.0, 4.0)]), 1.0, False)], 1),
    "all tiles": ([photo("e", (640, 480), crowd(people=90), 1.4, True)], 999),
    "a folder": (
        [photo(f"{i}", (320 + 3 * i, 240), crowd(i, 50 * i, (320 + 3 * i, 240)), 1.2, i % 2 == 0) for i in range(5)],
        12,
    ),
}  # fmt: skip


def job(photos: list[dict[str, Any]], tiles: int, plan: AuditPlan) -> dict[str, Any]:
    heads = [np.array(each["result"]["heads"]).reshape(-1, 2) for each in photos]
    truth = [int(cell.box.contains(heads[cell.photo]).sum()) for cell in plan.cells]
    marks = [heads[cell.photo][cell.box.contains(heads[cell.photo])].round(2).tolist() for cell in plan.cells]
    if photos is CASES["people where nobody is"][0]:
        truth, marks = [0] * len(truth), None
    return {"marks": marks, "photos": photos, "model": MODEL, "truth": truth, "tiles": tiles, "seed": None}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    jobs = [job(photos, tiles, python_plan(photos)) for photos, tiles in CASES.values()]
    return run(tmp_path_factory.mktemp("audits"), jobs)


def python_plan(photos: list[dict[str, Any]]) -> AuditPlan:
    seed = derived_seed([MODEL["sha256"], *(each["sha256"] for each in photos)])
    return plan_audit([map_of(each) for each in photos], seed)


def test_numbers_are_written_alike(answers: dict[str, Any]) -> None:
    assert answers["numbers"] == [[f"{n:.0f}", f"{n:.1f}", f"{n:,.2f}"] for n in NUMBERS]


def test_digests_equal(answers: dict[str, Any]) -> None:
    assert answers["digests"] == [hashlib.sha256(text.encode()).hexdigest() for text in TEXTS]


@pytest.mark.parametrize("name", CASES)
def test_plan_draw_and_numbers_equal(name: str, answers: dict[str, Any]) -> None:
    photos, _ = CASES[name]
    result = answers["results"][list(CASES).index(name)]
    plan = python_plan(photos)
    last = result["states"][-1]
    record = AuditRecord.from_dict(last["record"])
    assert record.plan.photos == plan.photos
    assert [cell.box for cell in record.plan.cells] == [cell.box for cell in plan.cells]
    assert [cell.path for cell in record.plan.cells] == [cell.path for cell in plan.cells]
    sizes = np.array(
        [
            (a.size - b.size, a.predicted - b.predicted)
            for a, b in zip(record.plan.cells, plan.cells, strict=True)
        ]
    )
    assert np.abs(sizes).max() <= 1
    assert record.plan.seed == plan.seed
    assert result["order"] == list(record.plan.order())
    assert result["inclusion"] == pytest.approx(record.plan.inclusion(min(7, len(plan.cells))))
    for state, estimate in zip(result["states"], record.estimates(), strict=True):
        values = estimate.to_dict()
        assert state["estimate"].keys() == values.keys()
        for key, value in values.items():
            assert state["estimate"][key] == (
                value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)
            ), key
        assert state["headline"] == headline(estimate)
        assert state["advice"] == next_step(estimate)
    assert (last["next"] or {}).get("cell") == record.next_cell


def test_the_record_passes_the_check(answers: dict[str, Any]) -> None:
    for result in answers["results"]:
        _, findings = check_audit(json.dumps(result["states"][-1]["record"]))
        assert not [finding for finding in findings if finding.holds is False]


def without_pictures(page: str) -> tuple[str, list[str]]:
    """Return a report's lines before the record, and the sizes of its pictures, as the stand-ins state them."""
    body = page.partition(OPENING)[0]
    return re.sub(r"base64,[^\"]*", "base64,", body).splitlines(), re.findall(r"base64,(\d+x\d+)", body)


@pytest.mark.parametrize("name", CASES)
def test_the_report_is_the_one_that_python_makes(name: str, answers: dict[str, Any]) -> None:
    page = answers["results"][list(CASES).index(name)]["report"]
    record, findings = check_audit(page)
    assert not [finding for finding in findings if finding.holds is False]
    assert any("Words, tables and marks" in finding.sentence for finding in findings)

    def pixels(index: int) -> np.ndarray:
        photo = record.plan.photos[index]
        return np.zeros((photo.height, photo.width, 3), np.uint8)

    known = report_html(record, pixels)
    assert without_pictures(page)[0] == without_pictures(known)[0]
    sizes = [
        Image.open(io.BytesIO(base64.b64decode(text))).size for text in re.findall(r'base64,([^"]+)', known)
    ]
    assert without_pictures(page)[1] == [f"{width}x{height}" for width, height in sizes]
