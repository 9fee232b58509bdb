"""The page of a report and its parts: style for screen and paper, no script, nothing from outside.

Python fills them for ``crowdscale audit``, and JavaScript on the static site, which gets them by ``report_design``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowdscale.trust.audit.wording import LIMITS, METHOD

__all__ = [
    "CLOSING",
    "MOST_PHOTOS",
    "OPENING",
    "OVERVIEW",
    "PAGE",
    "TILE",
    "part",
    "report_design",
    "whole_page",
]

OPENING = '<script type="application/json" id="crowdscale-audit">'
CLOSING = "</script>"

OVERVIEW = 1400
"""Longest side in pixels of a photo in the report."""
TILE = 480
"""Longest side in pixels of a tile in the report."""
MOST_PHOTOS = 60
"""Photos shown; others are in the list alone."""

PARTS = {
    "table": "<table>{rows}</table>",
    "row": "<tr><th>{name}</th><td>{value}</td></tr>",
    "list": "<ul>{items}</ul>",
    "item": "<li>{text}</li>",
    "photo": (
        '<figure><svg viewBox="0 0 {width} {height}" role="img" aria-label="{name} with its tiles">'
        '<image href="{image}" width="{width}" height="{height}"/>{cells}{drawn}</svg><figcaption>{name}</figcaption></figure>'
    ),
    "cell": '<rect x="{x}" y="{y}" width="{width}" height="{height}" class="cell" stroke-width="{line}"/>',
    "drawn": (
        '<rect x="{x}" y="{y}" width="{width}" height="{height}" class="drawn" stroke-width="{line}"/>'
        '<text x="{text_x}" y="{text_y}" font-size="{size}" stroke-width="{edge}">{number}</text>'
    ),
    "tile": (
        '<figure class="tile"><svg viewBox="0 0 {whole} {height}" preserveAspectRatio="xMinYMin" role="img" '
        'aria-label="Tile {number}"><image id="tile{number}" href="{image}" width="{width}" height="{height}"/>'
        '<use href="#tile{number}" x="{right}"/>{marks}</svg><figcaption>{caption}</figcaption></figure>'
    ),
    "head": '<circle class="{kind}" cx="{x}" cy="{y}" r="5"/>',
    "chart": (
        '<figure class="chart"><svg viewBox="0 0 {width} {height}" role="img" '
        'aria-label="Number and interval after each tile"><polygon points="{band}"/>'
        '<line x1="{left}" x2="{right}" y1="{model}" y2="{model}"/><polyline points="{line}"/>{labels}</svg>'
        "<figcaption>Number and interval after each counted tile. Dashed: the model alone.</figcaption></figure>"
    ),
    "label": '<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>',
}
"""Parts of the page, each filled by the values that stand in braces."""


def part(name: str, /, **values: object) -> str:
    """Return a part of the page; texts have to be escaped before."""
    return PARTS[name].format(**values)


def whole_page(parts: Mapping[str, str]) -> str:
    """Return the page with its parts in the places that are named after them."""
    page = PAGE
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page


def report_design() -> dict[str, Any]:
    """Return what another language needs to make the same report."""
    return {
        "page": PAGE,
        "parts": PARTS,
        "method": METHOD,
        "limits": LIMITS,
        "opening": OPENING,
        "closing": CLOSING,
        "overview": OVERVIEW,
        "tile": TILE,
        "photos": MOST_PHOTOS,
    }


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title><!--title--></title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d5dae0; --page: #fff; --band: #2f6fde33;
  --main: #2f6fde; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebef; --soft: #9aa4af; --line: #3a424b; --page: #14171b;
  --band: #6ea1ff33; --main: #6ea1ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 16px 48px; max-width: 1000px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0; }
h2 { font-size: 1.15rem; margin: 32px 0 8px; }
.headline { font-size: 1.6rem; line-height: 1.25; font-weight: 650; margin: 4px 0 8px; }
.next, figcaption { color: var(--soft); }
figure { margin: 0 0 20px; break-inside: avoid; }
figcaption { font-size: .85rem; margin-top: 4px; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { width: 12rem; font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 12px 24px; }
.tile svg { max-height: 360px; }
.cell { fill: none; stroke: #fff; stroke-opacity: .55; }
.drawn { fill: none; stroke: #ffd600; }
figure text { fill: #ffd600; stroke: #000; paint-order: stroke; font-weight: 700; }
.hand, .model { fill: none; stroke-width: 2; }
.hand { stroke: #00e5ff; }
.model { stroke: #ff8a1f; }
.key { font-weight: 600; }
.key.hand-key { color: #0097a7; }
.key.model-key { color: #e06c00; }
.chart { max-width: 640px; }
.chart polygon { fill: var(--band); }
.chart polyline { fill: none; stroke: var(--main); stroke-width: 2.5; }
.chart line { stroke: var(--soft); stroke-dasharray: 5 4; }
.chart text { fill: var(--soft); stroke: none; font-size: 12px; font-weight: 400; }
h2 { break-after: avoid; }
@page { size: A4; margin: 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 12px; } :root { --page: #fff; --ink: #000; --soft: #444; }
  figure svg { max-height: 88mm; } .tiles { grid-template-columns: 1fr; gap: 4mm; } .tile svg { max-height: 52mm; }
  tr { break-inside: avoid; }
  .drawn, .cell, .hand, .model { print-color-adjust: exact; } }
</style>
</head>
<body>
<h1><!--title--></h1>
<p class="headline"><!--headline--></p>
<p class="next"><!--next--></p>
<!--facts-->
<h2>Method</h2>
<p><!--method--></p>
<h2>Limits</h2>
<!--limits-->
<h2>Where the counted tiles lie</h2>
<!--photos-->
<!--chart-->
<h2>Counted tiles</h2>
<p>Left, <span class="key hand-key">by hand</span>. Right, <span class="key model-key">by the model</span>. The bright part
counts.</p>
<div class="tiles">
<!--tiles-->
</div>
<h2>To repeat and check</h2>
<p>This file holds the whole record. <code>crowdscale audit --check REPORT PHOTO</code> repeats the draw and the number
from it, and compares the photo.</p>
<!--check-->
<!--record-->
</body>
</html>
"""
