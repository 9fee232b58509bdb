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
from crowdscale.trust.audit.report_page import PAGE
from crowdscale.trust.audit.tiles import TileView
from crowdscale.trust.audit.wording import LIMITS, METHOD, frame_mean, headline, interval_text, next_step

__all__ = ["read_report", "report_html"]

OPENING = '<script type="application/json" id="crowdscale-audit">'
CLOSING = "</script>"

OVERVIEW = 1400
"""Longest side in pixels of a photo in the report."""
TILE = 480
"""Longest side in pixels of a tile in the report."""
MOST_PHOTOS = 60
"""Photos shown; others are in the list alone."""


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
    page = PAGE
    for name, part in parts.items():
        page = page.replace(f"<!--{name}-->", part)
    return page


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
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


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
    lines = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{lines}</table>"


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
    thin, wide = 1 / factor, 3 / factor
    order = {cell: tile for tile, cell in enumerate(record.plan.order(len(record.answers)), start=1)}
    marks, plain = [], []
    for place, cell in enumerate(record.plan.cells):
        if cell.photo != index:
            continue
        box = cell.box
        frame = f'x="{box.left}" y="{box.top}" width="{box.width}" height="{box.height}"'
        if place not in order:
            plain.append(f'<rect {frame} class="cell" stroke-width="{thin:.2f}"/>')
            continue
        size = min(22 / factor, 0.6 * box.height, 0.5 * box.width)
        x, y = box.left + 0.2 * size, box.top + 0.95 * size
        marks.append(
            f'<rect {frame} class="drawn" stroke-width="{wide:.2f}"/><text x="{x:.1f}" y="{y:.1f}" '
            f'font-size="{size:.1f}" stroke-width="{size / 5:.1f}">{order[place]}</text>'
        )
    view = f"0 0 {photo.width} {photo.height}"
    image = f'<image href="{_jpeg(shown)}" width="{photo.width}" height="{photo.height}"/>'
    name = escape(photo.name)
    return (
        f'<figure><svg viewBox="{view}" role="img" aria-label="{name} with its tiles">{image}'
        f"{''.join(plain)}{''.join(marks)}</svg><figcaption>{name}</figcaption></figure>"
    )


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
    name = f"tile{tile + 1}"
    picture = f'<image id="{name}" href="{_jpeg(shown)}" width="{width}" height="{height}"/>'
    return (
        f'<figure class="tile"><svg viewBox="0 0 {right + width} {height}" preserveAspectRatio="xMinYMin" role="img" aria-label="Tile {tile + 1}">'
        f'{picture}<use href="#{name}" x="{right}"/>{marks}</svg>'
        f"<figcaption>{escape(_caption(record, tile, answer, cell.predicted))}</figcaption></figure>"
    )


def _marks(heads: Heads | np.ndarray, view: TileView, scale: float, right: float, kind: str) -> str:
    xy = (view.to_picture(np.array(heads, np.float64).reshape(-1, 2)) + 0.5) * scale
    return "".join(
        f'<circle class="{kind}" cx="{x + right:.1f}" cy="{y:.1f}" r="5"/>' for x, y in xy.tolist()
    )


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
