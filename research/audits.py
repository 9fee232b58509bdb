"""How well audits hold: coverage and errors on photos with points, and bias of deliberately bad models.

    python -m research.audits photos --data sha/train:ShanghaiTech --model lite --cache DIR --name sha-lite
    python -m research.audits bad
    python -m research.audits page

``photos`` predicts each photo once, simulates audits by people who count without mistakes, and writes a row for each
number of tiles to ``research/results/audit``. ``bad`` does so on drawn crowds by models that are wrong on purpose.
``folders`` does again what ``photos`` does of folders, and keeps the rest of the result. ``page`` writes the tables of
docs/audit.md between its marks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdscale.trust.audit import AuditPlan, PeopleMap, plan_audit
from research.audit_simulation import draw_orders, simulate
from research.domains.photos import held_out, parse_borders

Floats = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "audit"
PAGE = Path(__file__).parents[1] / "docs" / "audit.md"
TILES = (8, 10, 12, 20)
FOLDER_TILES = (*TILES, 40, 80, 120)
"""Of folders: a model that misses whole crowds in some photos needs more tiles before its intervals hold."""
LEAST_PEOPLE = 50
"""Photos with fewer people are left out: relative errors mean little there, and their tiles are counted in minutes."""
GOAL = 0.10
FEWEST_BEFORE_STOP = 8


@dataclass(frozen=True)
class Crowd:
    """A photo with its true heads and a model's map."""

    people: PeopleMap
    truth: Floats
    """(n, 2) heads."""

    def audit(self) -> tuple[AuditPlan, list[int]]:
        """Return the plan and the true people of each tile."""
        plan = plan_audit([self.people], "0")
        return plan, true_counts(plan, [self.truth])


def true_counts(plan: AuditPlan, truth: Sequence[Floats]) -> list[int]:
    """Return the true people of each tile, by the heads of each photo."""
    return [int(cell.box.contains(truth[cell.photo]).sum()) for cell in plan.cells]


def crowds(
    sources: Sequence[str],
    model: str,
    base: float | None,
    cache: Path,
    only: Path | None = None,
    borders: Mapping[str, float] | None = None,
) -> Iterator[Crowd]:
    """Yield each annotated photo of data sets, predicted once and kept in the cache.

    Args:
        sources: As in ``--data``.
        model: Name or folder.
        base: Side factor at which photos are read by the first pass alone; None: counted as usual.
        cache: Folder.
        only: File with the photos to take, one ``domain/name`` a line; None: all.
        borders: Share of a side that nobody annotated, by domain.
    """
    from crowdscale.counting.audit import people_map
    from crowdscale.counting.predictor import PredictOptions, load

    options = PredictOptions(keep_map=False)
    if base is not None:
        options = replace(options, refine=False, read_scale=base)
    predictor = load(model, threads=1, options=options)
    photos = held_out(sources, only, borders or {})
    for domain, sample in [(name, each) for name, part in photos.items() for each in part]:
        file = cache / domain / f"{sample.name.replace('/', '_')}.npz"
        if sample.points is None:
            continue
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            counted = people_map(predictor.predict(sample.read()), sample.name)
            np.savez(
                file, people=counted.people, x=counted.x_edges, y=counted.y_edges, size=np.array(counted.size),
                truth=sample.points.within(*counted.size).xy,
            )  # fmt: skip
        with np.load(file) as kept:
            size = (int(kept["size"][0]), int(kept["size"][1]))
            people = PeopleMap(sample.name, size, np.maximum(kept["people"], 0), kept["x"], kept["y"])
            yield Crowd(people, np.clip(kept["truth"], 0, np.array(size) - 1))


def photo_row(plan: AuditPlan, truth: Sequence[int], tiles: int, seeds: int) -> dict[str, float] | None:
    """Return means over seeds of one photo; None where it has no more tiles than are counted."""
    people = sum(truth)
    if tiles >= len(plan.cells) or people < LEAST_PEOPLE:
        return None
    audits = simulate(plan, truth, draw_orders(plan, tiles, seeds))
    return {
        "coverage": float(audits.held(people).mean()),
        "error": float(np.abs(audits.count - people).mean() / people),
        "model_error": abs(plan.predicted - people) / people,
        "half_width": float(np.nanmean(audits.half_width)),
        "clicked": float(audits.counted.mean() / people),
        "bias": float(audits.unbiased.mean() / people - 1),
    }


def stopped_row(plan: AuditPlan, truth: Sequence[int], seeds: int) -> dict[str, float] | None:
    """Return the means of audits that stop as soon as ±10 % is reached, from the eighth tile on."""
    people, cells = sum(truth), len(plan.cells)
    if cells <= FEWEST_BEFORE_STOP or people < LEAST_PEOPLE:
        return None
    orders = draw_orders(plan, cells, seeds)
    holds, used = np.ones(seeds), np.full(seeds, cells)  # all counted: exact
    running = np.ones(seeds, bool)
    for tiles in range(FEWEST_BEFORE_STOP, cells):
        audits = simulate(plan, truth, orders[:, :tiles])
        ends = running & (audits.half_width <= GOAL)
        holds[ends], used[ends] = audits.held(people)[ends], tiles
        running &= ~ends
        if not running.any():
            break
    return {"coverage": float(holds.mean()), "tiles": float(used.mean())}


def summary(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return means over photos, and the standard error of the coverage over photos."""
    result = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}
    result["photos"] = len(rows)
    spread = float(np.std([row["coverage"] for row in rows], ddof=1)) if len(rows) > 1 else 0.0
    result["coverage_error"] = round(spread / len(rows) ** 0.5, 4)
    if "half_width" in rows[0]:
        result["median_half_width"] = round(float(np.median([row["half_width"] for row in rows])), 4)
    return result


def study_photos(photos: Sequence[Crowd], seeds: int) -> list[dict[str, Any]]:
    """Return a row for each number of tiles, and one for stopping at ±10 %."""
    plans = [crowd.audit() for crowd in photos]
    table: list[dict[str, Any]] = []
    for tiles in TILES:
        rows = [row for plan, truth in plans if (row := photo_row(plan, truth, tiles, seeds))]
        table.append({"tiles": tiles, **summary(rows)})
    stops = [row for plan, truth in plans if (row := stopped_row(plan, truth, seeds))]
    table.append({"stop": "±10 %", **summary(stops)})
    return table


def study_folder(photos: Sequence[Crowd], seeds: int, size: int = 30) -> list[dict[str, Any]]:
    """Return rows of audits of folders: ``size`` photos at a time, tiles drawn across all of them."""
    table: list[dict[str, Any]] = []
    groups = [photos[at : at + size] for at in range(0, len(photos) - size + 1, size)]
    plans = []
    for group in groups:
        plan = plan_audit([crowd.people for crowd in group], "0")
        plans.append((plan, true_counts(plan, [crowd.truth for crowd in group])))
    for tiles in FOLDER_TILES:
        rows = [row for plan, truth in plans if (row := photo_row(plan, truth, tiles, seeds))]
        if rows:
            table.append({"folder_of": size, "tiles": tiles, **summary(rows)})
    return table


def mixed(photos: Sequence[Crowd]) -> list[Crowd]:
    """Return photos of several sets in an order that depends on their names alone."""
    return sorted(photos, key=lambda crowd: hashlib.sha256(crowd.people.name.encode()).hexdigest())


BAD: dict[str, Callable[[Floats], Floats]] = {
    "right": lambda people: people,
    "halved": lambda people: people / 2,
    "doubled": lambda people: people * 2,
    "blind in one half": lambda people: people * (np.arange(people.shape[1]) >= people.shape[1] // 2),
    "constant": lambda people: np.full_like(people, people.mean()),
    "nobody": np.zeros_like,
}


def drawn_crowd(seed: int, people: int, size: tuple[int, int] = (1024, 768)) -> Floats:
    """Return heads of which two thirds stand in a cluster and a third anywhere below the horizon."""
    rng = np.random.default_rng(seed)
    width, height = size
    near = rng.normal((0.7 * width, 0.5 * height), (0.2 * width, 0.12 * height), (2 * people // 3, 2))
    far = rng.uniform((0, height / 3), size, (people - len(near), 2))
    return np.asarray(np.clip(np.concatenate([near, far]), 0, np.array(size) - 1), np.float64)


def study_bad(seeds: int, people: int = 900) -> list[dict[str, Any]]:
    """Return rows of drawn crowds by models that are wrong on purpose."""
    table: list[dict[str, Any]] = []
    for name, change in BAD.items():
        truth = drawn_crowd(0, people)
        true = PeopleMap.from_points("drawn", (1024, 768), truth)
        plan, counts = Crowd(replace(true, people=change(true.people)), truth).audit()
        for tiles in (8, 12, 20):
            audits = simulate(plan, counts, draw_orders(plan, tiles, seeds))
            numbers = audits.unbiased
            table.append(
                {
                    "model": name,
                    "tiles": tiles,
                    "cells": len(plan.cells),
                    "bias": round(float(numbers.mean()) / people - 1, 4),
                    "bias_error": round(float(numbers.std(ddof=1)) / people / seeds**0.5, 4),
                    "spread": round(float(numbers.std(ddof=1)) / people, 4),
                    "coverage": round(float(audits.held(people).mean()), 4),
                }
            )
    return table


def write(name: str, content: dict[str, Any]) -> None:
    """Write results, whole."""
    from crowdscale.files.writing import write_atomic

    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomic(RESULTS / f"{name}.json", lambda stream: stream.write(text.encode()))
    print(text)


def _kept(name: str) -> list[dict[str, Any]]:
    """Return the rows of single photos that were measured before."""
    rows = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    return [row for row in rows if "folder_of" not in row]


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("photos", "folders", "bad", "page"))
    parser.add_argument(
        "--data", action="append", help="a data set with points, such as sha/train:ShanghaiTech; repeat"
    )
    parser.add_argument("--only", type=Path, help="list of photos, one DOMAIN/NAME a line")
    parser.add_argument(
        "--border", action="append", default=[], help="DOMAIN=SHARE left out along the edges of its photos"
    )
    parser.add_argument(
        "--mixed", action="store_true", help="folders of photos of all sets, in an order by name"
    )
    parser.add_argument("--model", default="lite")
    parser.add_argument("--base", type=float, help="read photos at this side factor, by the first pass alone")
    parser.add_argument("--cache", type=Path, help="folder for predictions")
    parser.add_argument("--seeds", type=int, default=40, help="draws a photo")
    parser.add_argument("--name", help="of the result")
    chosen = parser.parse_args()
    if chosen.what == "page":
        from research.audit_page import write_page

        write_page(RESULTS, PAGE)
    elif chosen.what == "bad":
        write("bad", {"seeds": chosen.seeds, "rows": study_bad(chosen.seeds)})
    else:
        borders = parse_borders(chosen.border)
        photos = list(crowds(chosen.data, chosen.model, chosen.base, chosen.cache, chosen.only, borders))
        singles = _kept(chosen.name) if chosen.what == "folders" else study_photos(photos, chosen.seeds)
        ordered = mixed(photos) if chosen.mixed else photos
        rows = singles + study_folder(ordered, 5 * chosen.seeds)
        facts = {
            "data": [text.split(":")[0] for text in chosen.data],
            "model": chosen.model,
            "base": chosen.base,
        }
        write(chosen.name, {**facts, "seeds": chosen.seeds, "rows": rows})


if __name__ == "__main__":
    main()
