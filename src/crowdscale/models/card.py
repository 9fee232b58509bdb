"""Model cards: what a model's description says of it, as Markdown for people; and what is noted in it for that."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale.errors import DataError, OptionError
from crowdscale.metrics import ImageRow, Scores, Scoring, interval
from crowdscale.models.description import ModelConfig
from crowdscale.trust.intervals import binomial_interval

__all__ = ["CARD", "add_notes", "card_text", "read_scores"]

CARD = "MODEL_CARD.md"

HOLDS = "This holds for photos like these; other cameras, crowds and light may be counted less well."

METHODS = {
    "points": "locates each head; the count is the number of heads",
    "density": "estimates people per pixel; it gives a count and no heads",
    "hybrid": "counts people in blocks of 16 pixels and locates heads, which agree with the count",
}

SHOWN = ("MAE", "RMSE", "NAE", "F 4px", "F 8px", "F 16px", "F knn8")
"""Measures of the table of scores, as far as they are known."""


def read_scores(path: Path) -> dict[str, Any]:
    """Return what a card keeps of the scores that ``crowdscale evaluate --json`` wrote.

    Raises:
        DataError: The file holds none.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(ImageRow.from_dict(row) for row in whole["rows"])
        found = Scores(rows, Scoring.from_dict(whole["scoring"])).measures()
        listed = f", photos of {Path(whole['list']).name}" if whole.get("list") else ""
        data = ", ".join(whole["data"]) + listed
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("expected scores of crowdscale evaluate --json", f"{path} ({error!r})") from error
    shown = [name for name in SHOWN if name in found and np.isfinite(found[name].value)]
    known = {name: interval(found[name]) for name in shown}
    measures = {n: [round(number, 6) for number in (i.value, i.low, i.high)] for n, i in known.items()}
    return {"data": data, "images": len(rows), "measures": measures}


def add_notes(
    config: ModelConfig,
    scores: Sequence[Mapping[str, Any]] = (),
    limits: Sequence[str] = (),
    pictures: Sequence[tuple[str, str]] = (),
    seconds: str = "",
) -> ModelConfig:
    """Return the description with more for its card; scores of a data set replace older ones of the same.

    Args:
        config: The description.
        scores: As ``read_scores`` gives them.
        limits: What the model cannot do, a sentence each; given ones replace those known.
        pictures: (path, caption) of what goes wrong, paths as seen from the model folder; they replace, too.
        seconds: How long it takes, and where that was measured.
    """
    known = dict(config.notes)
    if scores:
        fresh = {str(each["data"]): dict(each) for each in scores}
        known["scores"] = [*(s for s in known.get("scores", ()) if s["data"] not in fresh), *fresh.values()]
    if limits:
        known["limits"] = list(limits)
    if pictures:
        known["pictures"] = [list(each) for each in pictures]
    if seconds:
        known["seconds"] = seconds
    return replace(config, notes=known)


def parse_picture(text: str) -> tuple[str, str]:
    """Return (path, caption) of ``PATH=CAPTION``. Raises OptionError where it is none."""
    path, sign, caption = text.partition("=")
    if not (sign and path and caption):
        raise OptionError("expected --picture as PATH=CAPTION", repr(text))
    return path, caption


def card_text(config: ModelConfig, size: int | None = None) -> str:
    """Return the model's card as Markdown.

    Args:
        config: Its description.
        size: Bytes of its files, where they are known.
    """
    parts = [
        f"# Model card: {config.name}",
        "Written from the model's description by `crowdscale models card`; edit that, not this.",
        _what(config, size),
        "## Training data\n\n" + _data(config),
        "## Scores\n\n" + _scores(config),
        "## How sure a count is\n\n" + _calibration(config),
        "## Photos unlike the training data\n\n" + _familiar(config),
        "## Limits\n\n" + _list(config.notes.get("limits", ())),
        *_pictures(config),
        "## Time\n\n" + (config.notes.get("seconds") or "Not measured."),
        "## Licence\n\n" + (config.licence or "Not stated."),
    ]
    return "\n\n".join(parts) + "\n"


def _what(config: ModelConfig, size: int | None) -> str:
    lines = [
        f"Backbone {config.backbone}; it {METHODS[config.method]}.",
        "It enlarges dense regions by a learned factor and looks again (AutoScale)."
        if config.refines
        else "It looks once: nothing is enlarged.",
    ]
    if config.subpixel:
        lines.append(
            "Its finest level is left out: dots are read of labels at stride 4 and of a small head, distilled from the whole model."
        )
    if made := config.training.get("quantised"):
        lines.append(
            f"It is {made['from']} with convolutions in 8 bits, for engines of graphs alone: it has no weights to train on."
        )
    if config.enlarge_below:
        lines.append(f"Photos of fewer than {config.enlarge_below:,} pixels are read enlarged.")
    if any(config.offset):
        x, y = config.offset
        lines.append(f"Its dots are moved by ({x:+g}, {y:+g}) pixels, to where annotators put heads.")
    if size is not None:
        lines.append(f"Its files take {size / 1e6:.1f} MB.")
    return " ".join(lines)


def _list(entries: Sequence[Any]) -> str:
    return "\n".join(f"- {entry}" for entry in entries) or "None noted."


def _data(config: ModelConfig) -> str:
    return _list(config.training.get("data", ()))


def _scores(config: ModelConfig) -> str:
    scores = config.notes.get("scores", ())
    names = [name for name in SHOWN if any(name in each["measures"] for each in scores)]
    if not scores:
        return "None noted."
    head = ["data", "photos", *names]
    lines = [head, ["---"] * len(head)]
    lines += [
        [each["data"], str(each["images"]), *(_cell(name, each["measures"].get(name)) for name in names)]
        for each in scores
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{table}\n\nIn brackets 95 % bootstrap intervals over the photos. F in percent, one-to-one matching."
    )


def _cell(name: str, values: Sequence[float] | None) -> str:
    """A measure with its interval."""
    if not values:
        return ""
    factor, digits = (100, 1) if name.startswith("F ") else (1, 3 if name == "NAE" else 1)
    value, *edges = (f"{factor * each:.{digits}f}" for each in values)
    return f"{value} ({'–'.join(edges)})" if edges else value


def _calibration(config: ModelConfig) -> str:
    known = config.calibration
    if known is None:
        return "Not calibrated: counts come without intervals."
    shown = ", ".join(f"{count:,}: {known.interval(count)}" for count in (20, 100, 500, 2000))
    lines = [
        f"90 % intervals for counts of {shown}.",
        f"Conformal, from {known.images} photos ({'; '.join(known.data)}). {known.note}".strip(),
    ]
    if known.cross_fitted is not None:
        lines.append(
            "Cross-fitted, each photo judged by the others:\n\n" + _list(known.cross_fitted.sentences())
        )
    lines += [f"On {check.data}:\n\n" + _list(check.sentences()) for check in known.checks]
    return "\n\n".join([*lines, HOLDS])


def _familiar(config: ModelConfig) -> str:
    known = config.familiar
    if known is None:
        return "Not measured: no warnings are given."
    limits = ", ".join(f"{name} {limit:.3g}" for name, limit in known.limits.items())
    lines = [f"Warned of beyond limits that come from {known.photos} training photos: {limits}."]
    if known.upright:
        lines.append(
            "Photos that read as less upright than 19 of 20 of these are looked at at each turn: where another way up reads as "
            "more upright, they are warned of."
        )
    for each in known.alarms:
        low, high = binomial_interval(each.alarmed, each.images)
        share = f"{100 * each.alarmed / each.images:.1f} %, 95 % interval {100 * low:.1f}–{100 * high:.1f} %"
        lines.append(f"Warnings on {each.alarmed} of {each.data} ({share}).")
    return "\n\n".join(lines)


def _pictures(config: ModelConfig) -> list[str]:
    found = config.notes.get("pictures", ())
    if not found:
        return []
    return [
        "## What goes wrong\n\n"
        + "\n\n".join(f"![{caption}]({path})\n\n{caption}" for path, caption in found)
    ]
