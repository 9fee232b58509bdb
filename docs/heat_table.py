"""Writes ``web/heat_table.js``, the page's colours and scale of the heat, from ``crowdscale.drawing.heat``."""

from __future__ import annotations

from pathlib import Path

from crowdscale.drawing.heat import heat_table

TABLE = Path(__file__).parents[1] / "web" / "heat_table.js"

if __name__ == "__main__":
    TABLE.write_text(heat_table(), encoding="utf-8")
