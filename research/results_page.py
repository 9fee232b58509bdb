"""The page of results: every committed score with its command, written from the JSON files beside it.

``python -m research.results_page`` writes ``docs/results.md`` and the README's table of models. A test compares
both with the files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crowdscale.models.finding import BUNDLED

__all__ = ["PAGE", "README", "page", "readme", "scores"]

FOLDER = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "results.md"
README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- models: python -m research.results_page -->", "<!-- end of models -->"
SPEED = FOLDER / "speed.json"
"""Photos a second by model, from ``benchmarks/speed.py``, with the machine."""
DOMAINS = FOLDER / "domains"
"""Scores by domain on held-out photos, from ``python -m research.domains score``."""

HEAD = """# Results

This page is written from the files in `research/results` by `python -m research.results_page`. Edit nothing here.

MAE, RMSE (the "MSE" of the field) and NAE of counts; F in % of located heads, by maximum-cardinality matching at distances up to
and including the threshold. Brackets hold 95 % bootstrap intervals. Nothing was chosen on a test set, but for one bound:
after the A test of another mixture had been seen, the error in streets was bounded, and that chose `lite` (log 57). ShanghaiTech's annotation is the release of
2016. The six training photos that leak into the test set of part A were not trained on.
"""


def scores() -> list[dict[str, Any]]:
    """Return the committed scores, the test sets last, each with the name of its file."""
    read = [
        {**json.loads(path.read_text(encoding="utf-8")), "file": path.name}
        for path in sorted(FOLDER.glob("*.json"))
    ]
    whole = [score for score in read if {"model", "data", "refined"} <= score.keys()]
    return sorted(
        whole, key=lambda score: ("/test" in " ".join(score["data"]), score["data"], score["model"])
    )


def page() -> str:
    """Return the page as Markdown."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for score in scores():
        groups.setdefault(_title(score), []).append(score)
    return HEAD + "".join(f"\n## {title}\n\n{_table(group)}" for title, group in groups.items())


def _title(score: dict[str, Any]) -> str:
    only = score.get("only") or score.get("list") or ""
    return f"{', '.join(score['data'])}: {score['images']} photos" + (
        f" of {Path(only).name}" if only else ""
    )


def _table(group: list[dict[str, Any]]) -> str:
    lines = [
        "| model | pass | MAE | RMSE | NAE | bias | F 4 px | F 8 px | file |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for score in group:
        for name, key in (("first", "first"), ("second", "refined")):
            lines.append(f"| `{score['model']}` | {name} | {_cells(score, key)} | {score['file']} |")
    return "\n".join([*lines, "", _command(group[0]), ""])


def _cells(score: dict[str, Any], key: str) -> str:
    values, spread = score[key]["measures"], score["intervals_95"] if key == "refined" else {}

    def cell(name: str, digits: int, factor: float = 1.0) -> str:
        if values.get(name) is None:
            return "–"
        text = f"{factor * values[name]:.{digits}f}"
        if name not in spread or name not in ("MAE", "RMSE"):
            return text
        low, high = spread[name]
        return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"

    counts = [cell("MAE", 1), cell("RMSE", 1), cell("NAE", 3), cell("bias", 1)]
    return " | ".join([*counts, cell("F 4px", 1, 100), cell("F 8px", 1, 100)])


def _command(score: dict[str, Any]) -> str:
    data = " ".join(f"--data {name.split()[0]}:PATH" for name in score["data"])
    only = score.get("only") or score.get("list") or ""
    listed = f" --only research/lists/{Path(only).name}" if only else ""
    return f"`crowdscale evaluate MODEL {data}{listed} --dense-only --json FILE`"


def models() -> str:
    """Return the table of the bundled models for the README: size, speed, and errors on ShanghaiTech A test."""
    speed = json.loads(SPEED.read_text(encoding="utf-8"))["photos_a_second"]
    lines = [
        "| | parameters | files | photos a second | A test: MAE / RMSE | F 4 / 8 px | six sets: NAE |",
        "|---|---|---|---|---|---|---|",
    ]
    for score in sorted(scores(), key=lambda score: list(speed).index(score["model"])):
        if score["data"] == ["sha/test 2016"] and score["model"] in BUNDLED:
            name, values = score["model"], score["refined"]["measures"]
            size = speed[name]
            lines.append(
                f"| `{name}`{' (default)' if name == 'lite' else ''} | {size['parameters']} | {size['files']} | "
                f"{size['photos']} | {values['MAE']:.1f} / {values['RMSE']:.1f} | "
                f"{100 * values['F 4px']:.1f} / {100 * values['F 8px']:.1f} | {_by_domain(name)} |"
            )
    return "\n".join(lines)


def _by_domain(model: str) -> str:
    """Return the mean NAE of a model's domains, which weigh the same; a dash where they were not scored."""
    path = DOMAINS / model / "scores.json"
    if not path.exists():
        return "–"
    errors = [domain["nae"] for domain in json.loads(path.read_text(encoding="utf-8"))]
    return f"{sum(errors) / len(errors):.2f}"


def readme(text: str) -> str:
    """Return the README with its table of models written anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{models()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"Wrote {PAGE} and the table of {README}")
