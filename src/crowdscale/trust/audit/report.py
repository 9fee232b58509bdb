"""The report of an audit: one HTML file with pictures, numbers and the record, that needs nothing outside itself."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np
from PIL import Image

from crowdscale.errors import DataError
from crowdscale.files.images import Pixels, resize_image
from crowdscale.trust.audit.estimate import AuditEstimate
from crowdscale.trust.audit.record import Answer, AuditRecord, Heads
from crowdscale.trust.audit.report_chart import chart
from crowdscale.trust.audit.report_page import CLOSING, MOST_PHOTOS, OPENING, OVERVIEW, TILE, part, whole_page
from crowdscale.trust.audit.tiles import TileView
from crowdscale.trust.audit.wording import LIMITS, METHOD, frame_mean, headline, interval_text, next_step

__all__ = ["read_report", "report_html"]


def report_html(record: AuditRecord, photo: Callable[[int], Pixels]) -> str:
    """Return the report as HTML.

    Args:
        record: The audit.
        photo: Returns the (h, w, 3) RGB pixels of a photo by its index; called once a photo with counted tiles.
    """
    steps = record.estimates()
    drawn = record.plan.order(len(record.answers))
    photos, tiles = list[str](), dict[int, str]()
    for index in sorted({record.plan.cells[cell].photo for cell in drawn}):
        pixels = photo(index)
        if len(photos) < MOST_PHOTOS:
            photos.append(_overview(record, index, pixels))
        for tile, cell in enumerate(drawn):
            if record.plan.cells[cell].photo == index:
                tiles[tile] = _tile(record, tile, pixels)
    parts = {
        "title": escape(record.note or _title(record)),
        "headline": escape(headline(steps[-1])),
        "next": escape(f"{frame_mean(steps[-1], record.plan.photos)} {next_step(steps[-1])}".strip()),
        "facts": _facts(record, steps[-1]),
        "photos": "\n".join(photos),
        "chart": chart(steps),
        "tiles": "\n".join(tiles[tile] for tile in sorted(tiles)),
        "method": " ".join(METHOD),
        "limits": _list(LIMITS),
        "check": _check_table(record),
        "record": OPENING + record.to_json().replace("<", "\\u003c") + CLOSING,
    }
    return whole_page(parts)


def read_report(text: str) -> AuditRecord:
    """Return the record that a report holds, or that JSON is.

    Raises:
        DataError: It is neither.
    """
    return AuditRecord.from_json(record_text(text))


def record_text(text: str) -> str:
    """Return the JSON of a report; JSON itself as it is. Raises DataError where there is none."""
    if text.lstrip().startswith("{"):
        return text
    begin = text.find(OPENING)
    end = text.find(CLOSING, begin)
    if begin < 0 or end < 0:
        raise DataError("expected the report of an audit", "a file without a record of one")
    return text[begin + len(OPENING) : end]


def _title(record: AuditRecord) -> str:
    names = [photo.name for photo in record.plan.photos]
    return f"Audit of {names[0]}" if len(names) == 1 else f"Audit of {len(names):,} photos"


def _list(items: Iterable[str]) -> str:
    return part("list", items="".join(part("item", text=escape(item)) for item in items))


def _facts(record: AuditRecord, estimate: AuditEstimate) -> str:
    who = sorted({answer.by for answer in record.answers if answer.by})
    times = sorted({answer.at for answer in record.answers if answer.at})
    rows = [
        ("People", f"{round(estimate.count):,}"),
        (f"{100 * estimate.level:g} % interval", interval_text(estimate)),
        ("By the model alone", f"{round(estimate.predicted):,}"),
        ("Counted by hand", f"{estimate.counted:,} in {estimate.audited:,} of {estimate.cells:,} tiles"),
        ("Counted by", ", ".join(who)),
        ("Counted at", times[0] if len(times) == 1 else " to ".join((times[0], times[-1])) if times else ""),
    ]
    return _table([row for row in rows if row[1]])


def _table(rows: Sequence[tuple[str, str]]) -> str:
    lines = (part("row", name=escape(name), value=escape(value)) for name, value in rows)
    return part("table", rows="".join(lines))


def _check_table(record: AuditRecord) -> str:
    plan, model = record.plan, record.model
    options = ", ".join(f"{key} {value:g}" for key, value in vars(plan.options).items())
    rows = [
        ("Seed", plan.seed),
        ("Draw", ", ".join(map(str, plan.order(len(record.answers))))),
        ("Tiles", options),
        ("Model", model.name),
        ("Model, sha256", model.sha256),
        ("crowdscale", model.version),
        ("Settings", json.dumps(model.settings) if model.settings else "the usual ones"),
    ]
    for photo in plan.photos[:MOST_PHOTOS]:
        size = f"{photo.width} × {photo.height}, {photo.predicted:,.1f} by the model"
        rows.append((photo.name, f"{size}, sha256 {photo.sha256 or 'unknown'}"))
    if len(plan.photos) > MOST_PHOTOS:
        rows.append(("Further photos", f"{len(plan.photos) - MOST_PHOTOS:,}, in the record of this file"))
    return _table(rows)


def _jpeg(pixels: Pixels) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


def _reduced(pixels: Pixels, longest: int) -> Pixels:
    height, width = pixels.shape[:2]
    factor = min(1.0, longest / max(height, width))
    return resize_image(pixels, max(1, round(width * factor)), max(1, round(height * factor)))


def _overview(record: AuditRecord, index: int, pixels: Pixels) -> str:
    """Return a photo with all tiles, the counted ones numbered."""
    photo, shown = record.plan.photos[index], _reduced(pixels, OVERVIEW)
    factor = shown.shape[1] / photo.width
    order = {cell: tile for tile, cell in enumerate(record.plan.order(len(record.answers)), start=1)}
    marks, plain = [], []
    for place, cell in enumerate(record.plan.cells):
        if cell.photo != index:
            continue
        box = cell.box
        frame = {"x": box.left, "y": box.top, "width": box.width, "height": box.height}
        if place not in order:
            plain.append(part("cell", **frame, line=f"{1 / factor:.2f}"))
            continue
        size = min(22 / factor, 0.6 * box.height, 0.5 * box.width)
        text = {"text_x": f"{box.left + 0.2 * size:.1f}", "text_y": f"{box.top + 0.95 * size:.1f}"}
        edge = {"size": f"{size:.1f}", "edge": f"{size / 5:.1f}", "line": f"{3 / factor:.2f}"}
        marks.append(part("drawn", **frame, **text, **edge, number=order[place]))
    whole = {"width": photo.width, "height": photo.height, "image": _jpeg(shown), "name": escape(photo.name)}
    return part("photo", **whole, cells="".join(plain), drawn="".join(marks))


def _tile(record: AuditRecord, tile: int, pixels: Pixels) -> str:
    """Return a counted tile: people's heads on the left, the model's on the right."""
    answer = record.answers[tile]
    cell = record.plan.cells[answer.cell]
    view = TileView.of(cell.box, (pixels.shape[1], pixels.shape[0]))
    shown = _reduced(view.picture(pixels), TILE)
    height, width = shown.shape[:2]
    scale = width / view.size[0]
    right = width + 8
    model = record.model_heads[cell.photo] if record.model_heads else ()
    xy = np.array(model, np.float64).reshape(-1, 2)
    inside = xy[cell.box.contains(xy)]
    marks = _marks(answer.heads or (), view, scale, 0, "hand") + _marks(inside, view, scale, right, "model")
    caption = escape(_caption(record, tile, answer, cell.predicted))
    picture = {
        "width": width,
        "height": height,
        "whole": right + width,
        "right": right,
        "image": _jpeg(shown),
    }
    return part("tile", **picture, number=tile + 1, marks=marks, caption=caption)


def _marks(heads: Heads | np.ndarray, view: TileView, scale: float, right: float, kind: str) -> str:
    xy = (view.to_picture(np.array(heads, np.float64).reshape(-1, 2)) + 0.5) * scale
    return "".join(part("head", kind=kind, x=f"{x + right:.1f}", y=f"{y:.1f}") for x, y in xy.tolist())


def _caption(record: AuditRecord, tile: int, answer: Answer, predicted: float) -> str:
    chance = float(record.plan.inclusion(len(record.answers), [answer.cell])[0])
    parts = [
        f"Tile {tile + 1}: {answer.count} by hand, {predicted:.1f} by the model",
        f"cell {answer.cell}, chance {100 * chance:.1f} %",
        " ".join(part for part in (f"by {answer.by}" if answer.by else "", answer.at) if part),
    ]
    if len(record.plan.photos) > 1:
        parts.insert(1, record.plan.photos[record.plan.cells[answer.cell].photo].name)
    if answer.heads is None:
        parts.append("counted without marks")
    return ", ".join(part for part in parts if part)
