"""Model cards: the description of a model as Markdown for people, and the notes in it."""

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

__all__ = ["CARD", "HOLDS", "add_notes", "card_text", "read_scores"]

CARD = "MODEL_CARD.md"

HOLDS = "This holds for photos like these; other cameras, crowds and light may be counted less well."

METHODS = {
    "points": "locates each head; the count is the number of heads",
    "density": "estimates people per pixel; it gives a count and no heads",
    "hybrid": "counts people in blocks of 16 pixels and locates heads, which agree with the count",
}

SHOWN = ("MAE", "RMSE", "NAE", "F 4px", "F 8px", "F 16px", "F knn8")
"""Measures in the table of scores, if they were measured."""


def read_scores(path: Path) -> dict[str, Any]:
    """Return the scores for a card from a file of ``crowdscale evaluate --json``.

    Raises:
        DataError: The file holds no scores.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(ImageRow.from_dict(row) for row in content["rows"])
        measures = Scores(rows, Scoring.from_dict(content["scoring"])).measures()
        data = _data_label(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError("expected scores of crowdscale evaluate --json", f"{path} ({error!r})") from error
    shown = [name for name in SHOWN if name in measures and np.isfinite(measures[name].value)]
    intervals = {name: interval(measures[name]) for name in shown}
    numbers = {n: [round(number, 6) for number in (i.value, i.low, i.high)] for n, i in intervals.items()}
    return {"data": data, "images": len(rows), "measures": numbers}


def _data_label(content: Mapping[str, Any]) -> str:
    """Return the data sets of a file of scores, with the name of the list that chose photos."""
    only = content.get("only") or content.get("list")  # "list" until 0.1
    return ", ".join(content["data"]) + (f", photos of {Path(only).name}" if only else "")


def add_notes(
    config: ModelConfig,
    scores: Sequence[Mapping[str, Any]] = (),
    limits: Sequence[str] = (),
    pictures: Sequence[tuple[str, str]] = (),
    seconds: str = "",
) -> ModelConfig:
    """Return the description with more notes for its card.

    Args:
        config: The description.
        scores: As ``read_scores`` returns them; they replace older scores on the same data.
        limits: A sentence for each limit of the model; they replace all older ones.
        pictures: (path, caption) of photos that fail, paths relative to the model folder; they replace all older ones.
        seconds: Seconds a photo, and the machine they hold for.
    """
    notes = dict(config.notes)
    if scores:
        fresh = {str(each["data"]): dict(each) for each in scores}
        notes["scores"] = [*(s for s in notes.get("scores", ()) if s["data"] not in fresh), *fresh.values()]
    if limits:
        notes["limits"] = list(limits)
    if pictures:
        notes["pictures"] = [list(each) for each in pictures]
    if seconds:
        notes["seconds"] = seconds
    return replace(config, notes=notes)


def parse_picture(text: str) -> tuple[str, str]:
    """Return (path, caption) of ``PATH=CAPTION``. Raises OptionError for other texts."""
    path, sign, caption = text.partition("=")
    if not (sign and path and caption):
        raise OptionError("expected --picture as PATH=CAPTION", repr(text))
    return path, caption


def card_text(config: ModelConfig, size: int | None = None) -> str:
    """Return the model's card as Markdown.

    Args:
        config: Its description.
        size: Bytes of its files; None leaves the size out.
    """
    parts = [
        f"# Model card: {config.name}",
        "`crowdscale models card` writes this page from the model's description.",
        _what(config, size),
        "## Training data\n\n" + _data(config),
        "## Scores\n\n" + _scores(config),
        "## Intervals of a count\n\n" + _calibration(config),
        "## Confidence of heads\n\n" + _confidence(config),
        "## Photos unlike the training data\n\n" + _profile(config),
        "## Limits\n\n" + _list(config.notes.get("limits", ())),
        *_pictures(config),
        "## Time\n\n" + (config.notes.get("seconds") or "Not measured."),
        "## Licence\n\n" + (config.licence or "Not stated."),
    ]
    return "\n\n".join(parts) + "\n"


def _what(config: ModelConfig, size: int | None) -> str:
    lines = [
        f"Backbone {config.backbone}; it {METHODS[config.method]}.",
        "Its second pass enlarges dense regions by a learned zoom (AutoScale)."
        if config.refines
        else "It has a first pass alone: nothing is enlarged.",
    ]
    if config.subpixel:
        lines.append(
            "Its finest level is left out: heads are located by labels at stride 4 and a small head, distilled from the "
            "complete model."
        )
    if made := config.training.get("quantised"):
        lines.append(
            f"It is {made['from']} with convolutions in 8 bits, for backends that run graphs: it has no weights to train on."
        )
    if config.enlarge_below:
        lines.append(f"Photos of fewer than {config.enlarge_below:,} pixels are enlarged as they are read.")
    if any(config.offset):
        x, y = config.offset
        lines.append(f"Located heads are moved by ({x:+g}, {y:+g}) pixels, to where annotators put points.")
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
    """Return a measure with its interval."""
    if not values:
        return ""
    factor, digits = (100, 1) if name.startswith("F ") else (1, 3 if name == "NAE" else 1)
    value, *edges = (f"{factor * each:.{digits}f}" for each in values)
    return f"{value} ({'–'.join(edges)})" if edges else value


def _calibration(config: ModelConfig) -> str:
    calibration = config.calibration
    if calibration is None:
        return "Not calibrated: counts come without intervals."
    shown = ", ".join(f"{count:,}: {calibration.interval(count)}" for count in (20, 100, 500, 2000))
    photos = f"{calibration.images} photos ({'; '.join(calibration.data)})"
    lines = [
        f"90 % intervals for counts of {shown}.",
        f"Conformal, from {photos}. {calibration.note}".strip(),
    ]
    if calibration.cross_fitted is not None:
        sentences = _list(calibration.cross_fitted.sentences())
        lines.append(f"Cross-fitted, each photo judged by the others:\n\n{sentences}")
    lines += [f"On {check.data}:\n\n" + _list(check.sentences()) for check in calibration.checks]
    return "\n\n".join([*lines, HOLDS])


def _confidence(config: ModelConfig) -> str:
    curve = config.confidence
    if not config.codec.locates:
        return "It locates no heads."
    if curve is None:
        return "Uncalibrated: a confidence orders heads, and is no probability."
    return (
        f"The probability that a person is within {curve.radius:g} px of the head: "
        f"1 / (1 + exp(-({curve.offset:g} + {curve.slope:g} · value))). From {curve.heads:,} heads in {curve.photos} photos "
        f"({'; '.join(curve.data)}). Mean error, each photo judged by the others: {100 * curve.error:.1f} %."
    )


def _profile(config: ModelConfig) -> str:
    profile = config.familiar
    if profile is None:
        return "Not measured: no warnings are given."
    limits = ", ".join(f"{name} {limit:.3g}" for name, limit in profile.limits.items())
    lines = [f"Photos beyond these limits of {profile.photos} training photos get a warning: {limits}."]
    if profile.upright:
        lines.append(
            "Photos less upright than 95 % of the training photos are checked in all four orientations. "
            "They get a warning if another orientation is more upright."
        )
    for each in profile.alarms:
        low, high = binomial_interval(each.alarmed, each.images)
        share = f"{100 * each.alarmed / each.images:.1f} %, 95 % interval {100 * low:.1f}–{100 * high:.1f} %"
        lines.append(f"Warnings on {each.alarmed} of {each.data} ({share}).")
    return "\n\n".join(lines)


def _pictures(config: ModelConfig) -> list[str]:
    pictures = config.notes.get("pictures", ())
    if not pictures:
        return []
    shown = (f"![{caption}]({path})\n\n{caption}" for path, caption in pictures)
    return ["## Photos that fail\n\n" + "\n\n".join(shown)]
