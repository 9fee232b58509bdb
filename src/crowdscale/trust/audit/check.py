"""The check of an audit by a third party: everything that follows from its record is computed again."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crowdscale.errors import DataError
from crowdscale.files.images import Pixels
from crowdscale.points import Box
from crowdscale.trust.audit.cells import SHARES
from crowdscale.trust.audit.design import AuditPlan, derived_seed
from crowdscale.trust.audit.page_check import check_page
from crowdscale.trust.audit.record import AuditRecord
from crowdscale.trust.audit.report import record_text
from crowdscale.trust.audit.wording import headline

__all__ = ["Finding", "PhotoFacts", "check_audit"]

TOLERANCE = 1e-6
"""Relative difference of numbers that counts as none."""


@dataclass(frozen=True)
class PhotoFacts:
    """A photo that was given with a report."""

    sha256: str
    width: int
    height: int
    pixels: Callable[[], Pixels] | None = None
    """Returns the (h, w, 3) RGB pixels; None of a file that is no photo."""


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    holds: bool | None
    """None where it could not be checked."""
    sentence: str


def check_audit(
    text: str, photos: Mapping[str, PhotoFacts] | None = None
) -> tuple[AuditRecord, list[Finding]]:
    """Return the record of a report, or of JSON, and a finding for each thing that was checked.

    Args:
        text: The report.
        photos: Facts of the photos at hand, by any name.

    Raises:
        DataError: There is no record, or it contradicts itself: cells that are no tree, an answer that is not for the
            next cell of the draw, heads outside their cell.
    """
    try:
        values = json.loads(record_text(text)) if "{" in text else {}
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError("expected the record of an audit as JSON", str(error)) from error
    record = AuditRecord.from_dict(values)
    findings = [
        *_check_draw(record, values),
        *_check_cells(record.plan),
        *_check_numbers(record, values),
        *_check_seed(record),
        *_check_photos(record.plan, photos or {}),
        *_check_page(record, text, photos or {}),
    ]
    return record, findings


def _check_draw(record: AuditRecord, values: dict[str, Any]) -> Iterator[Finding]:
    drawn = list(record.plan.order(len(record.answers)))
    yield Finding(
        values.get("draw") == drawn,
        f"The seed draws the {len(drawn):,} counted tiles in this order, and none was passed over.",
    )
    marked = sum(answer.heads is not None for answer in record.answers)
    yield Finding(
        True if marked else None,
        f"Marked heads lie in their tiles and are as many as stated ({marked:,} of {len(drawn):,} tiles have marks).",
    )


def _check_cells(plan: AuditPlan) -> Iterator[Finding]:
    yield Finding(_cover(plan), "The tiles cover each photo once.")
    sums = [0.0] * len(plan.photos)
    for cell in plan.cells:
        sums[cell.photo] += cell.predicted
    slack = 1e-4 * (1 + len(plan.cells))
    same = all(
        abs(people - photo.predicted) <= slack for people, photo in zip(sums, plan.photos, strict=True)
    )
    yield Finding(same, "Predicted people of the tiles add up to those of the photos.")
    yield Finding(_sizes_follow(plan), "The chance of each tile follows from predicted people and area.")


def _cover(plan: AuditPlan) -> bool:
    """Return whether the cells of each photo are disjoint and fill it."""
    boxes: dict[int, dict[str, Box]] = {index: {} for index in range(len(plan.photos))}
    for cell in plan.cells:
        boxes[cell.photo][cell.path] = cell.box
    return all(
        _joined(boxes[index]) == Box(0, 0, photo.width, photo.height)
        for index, photo in enumerate(plan.photos)
    )


def _joined(boxes: dict[str, Box]) -> Box | None:
    """Return the box that siblings of a tree make up, pair by pair; None where a pair makes up no box."""
    joined: dict[str, Box] = {}
    for leaf, box in boxes.items():
        path, whole = leaf, box
        while path and (sibling := path[:-1] + "10"[int(path[-1])]) in joined:
            other = joined.pop(sibling)
            area, whole = whole.area + other.area, whole.around(other)
            if whole.area != area:
                return None
            path = path[:-1]
        joined[path] = whole
    return next(iter(joined.values())) if len(joined) == 1 else None


def _sizes_follow(plan: AuditPlan) -> bool:
    """Return whether sizes are the shares of people and area, as far as rounded numbers of people allow."""
    people, share = plan.predicted, plan.options.area_share
    if people <= 0:
        people, share = 1.0, 1.0
    rounding = 2 + SHARES * 1e-4 * (1 + len(plan.cells)) / people
    for cell in plan.cells:
        photo = plan.photos[cell.photo]
        area = cell.box.area / (photo.width * photo.height * len(plan.photos))
        if abs(cell.size - SHARES * ((1 - share) * cell.predicted / people + share * area)) > rounding:
            return False
    return True


def _check_numbers(record: AuditRecord, values: dict[str, Any]) -> Iterator[Finding]:
    written, computed = values.get("estimate", {}), record.estimate().to_dict()
    same = all(_equal(written.get(key), value) for key, value in computed.items())
    yield Finding(same, f"Number and interval follow from the counts: {headline(record.estimate())}")


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _check_page(record: AuditRecord, text: str, given: Mapping[str, PhotoFacts]) -> Iterator[Finding]:
    if text.lstrip().startswith("{"):
        return
    by_digest = {facts.sha256: facts.pixels for facts in given.values()}
    read = ((index, by_digest.get(photo.sha256)) for index, photo in enumerate(record.plan.photos))
    photos = {index: pixels for index, pixels in read if pixels is not None}
    for holds, sentence in check_page(record, text, photos):
        yield Finding(holds, sentence)


def _check_seed(record: AuditRecord) -> Iterator[Finding]:
    digests = [record.model.sha256, *(photo.sha256 for photo in record.plan.photos)]
    if all(digests) and record.plan.seed == derived_seed(digests):
        yield Finding(True, "The seed follows from the model and the photos: nobody chose it.")
    else:
        yield Finding(None, f"The seed {record.plan.seed!r} was chosen: ask how and when.")


def _check_photos(plan: AuditPlan, given: Mapping[str, PhotoFacts]) -> Iterator[Finding]:
    if not given:
        yield Finding(None, "No photo was given to compare.")
        return
    wanted = {photo.sha256: (photo.width, photo.height) for photo in plan.photos if photo.sha256}
    for name, facts in given.items():
        if facts.sha256 not in wanted:
            yield Finding(False, f"{name} is no photo of this audit: its sha256 differs.")
        elif facts.width and (facts.width, facts.height) != wanted[facts.sha256]:
            yield Finding(False, f"{name} has another size than in the record.")
    present = wanted.keys() & {facts.sha256 for facts in given.values()}
    if present:
        yield Finding(True, f"{len(present):,} of {len(wanted):,} files are those of the audit, by sha256.")
