"""Draws commands and their real output for the guides: ``python docs/terminal.py`` writes pictures/terminal_*.svg.

It runs the commands in a new folder that holds the examples, as a reader of the guide does. A part of results is written after
30 seconds at the latest, so on a machine that takes longer for two photos there are two parts: then it draws nothing.
"""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
SESSIONS = {
    "archive": [
        "crowdscale count examples --out results --format csv",
        "cut -d, -f1-4 results/counts/part-000000.csv",
    ],
    "embed": ["python graphs.py"],
}
LINE, LETTER, EDGE = 20, 8.43, 16


def session(commands: list[str], folder: Path) -> list[tuple[str, bool]]:
    """Return the lines of a terminal, and whether each was typed."""
    lines = []
    for command in commands:
        called = command.replace("crowdscale", f"{sys.executable} -m crowdscale", 1)
        called = (
            called.replace("python ", f"{sys.executable} ", 1) if command.startswith("python") else called
        )
        done = subprocess.run(
            ["bash", "-euc", called], cwd=folder, capture_output=True, text=True, check=True,
            env={**os.environ, "COLUMNS": "80"},
        )  # fmt: skip
        if len(list(folder.glob("results/counts/*.csv"))) > 1:
            raise SystemExit(
                "This machine is too busy: two photos took more than 30 seconds. Run again later."
            )
        lines += [(f"$ {command}", True)]
        lines += [(line.rstrip(), False) for line in (done.stdout + done.stderr).splitlines()]
    return lines


def draw(lines: list[tuple[str, bool]]) -> str:
    """Return an SVG of a terminal that needs no font from elsewhere."""
    width = round(2 * EDGE + LETTER * max(60, *(len(text) for text, _ in lines)))
    height = 2 * EDGE + LINE * len(lines)
    rows = "".join(
        f'<text x="{EDGE}" y="{EDGE + LINE * row + 15}" fill="{"#7ee0a8" if typed else "#e8eaed"}" '
        f'textLength="{LETTER * len(text):.0f}" xml:space="preserve">{html.escape(text)}</text>\n'
        for row, (text, typed) in enumerate(lines)
        if text
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="#1e2227"/>\n{rows}</svg>\n'
    )


def main() -> None:
    """Run each session and write its picture."""
    for name, commands in SESSIONS.items():
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            shutil.copytree(ROOT / "examples", folder / "examples")
            page = (ROOT / "docs" / "embed.md").read_text(encoding="utf-8")
            (folder / "graphs.py").write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
            (folder / "src").symlink_to(ROOT / "src")
            (PICTURES / f"terminal_{name}.svg").write_text(draw(session(commands, folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
