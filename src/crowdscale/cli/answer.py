"""The answer of ``crowdscale count``: a sentence for one photo, a table for several."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.tables import counted, new_table, print_table

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction

__all__ = ["print_answer", "print_meaning", "sentence", "short_note"]

NAME_WIDTH = 44
"""Signs of a photo's name in a terminal: with the other columns 80 are not exceeded."""


def sentence(prediction: Prediction) -> str:
    """Return a photo's count as people read it: ``526 people (likely 329–724)``."""
    number = round(prediction.count)
    people = f"{number:,} {'person' if number == 1 else 'people'}"
    if not prediction.usable:
        return f"This photo is unlike all training photos: do not use the number ({people} counted)"
    interval = prediction.interval()
    if interval is not None:
        return f"{people} (likely {interval})"
    return f"{people} (unlike the training photos: do not rely on it)" if prediction.warnings else people


def print_meaning(predictions: Sequence[Prediction]) -> None:
    """Print what "likely" says, once for each calibration: for which photos, and how to calibrate a camera."""
    for holds in dict.fromkeys(each.interval_of for each in predictions if each.interval_of):
        print(f"Likely: {holds[0].lower()}{holds[1:]}".replace(": crowdscale", ":\n  crowdscale"))


def print_answer(counts: Sequence[tuple[str | Path, Prediction]]) -> None:
    """Print a table of several photos with their total."""
    from rich.markup import escape

    table = new_table(photo="left", people="right", likely="right", note="left")
    for photo, prediction in counts:
        note = short_note(prediction)
        likely = str(prediction.interval() or "")
        table.add_row(escape(_short(str(photo))), f"{prediction.count:,.0f}", likely, note)
    if len(counts) < 2:
        print_table(table)
        return
    table.add_section()
    used = [prediction for _, prediction in counts if prediction.usable]
    total = sum(prediction.count for prediction in used)
    left_out = len(counts) - len(used)
    note = f"without {counted(left_out, 'photo')}" if left_out else ""
    likely = _range(used) if not left_out else ""
    table.add_row(counted(len(counts), "photo"), f"{total:,.0f}", likely, note)
    print_table(table)


def short_note(prediction: Prediction) -> str:
    """Return the note on a photo in a table; empty without a turn or a warning."""
    notes = [f"turned {prediction.turn}°"] if prediction.turn else []
    if not prediction.usable:
        notes.append("do not use: unlike all training photos")
    elif prediction.warnings:
        notes.append("see warning")
    elif prediction.notes:
        notes.append("see note")
    return ", ".join(notes)


def _short(name: str) -> str:
    return name if len(name) <= NAME_WIDTH or not sys.stdout.isatty() else f"…{name[1 - NAME_WIDTH :]}"


def _range(predictions: Sequence[Prediction]) -> str:
    """Return the range of a total if all errors point the same way; empty if a photo has no interval."""
    intervals = [interval for each in predictions if (interval := each.interval()) is not None]
    if len(intervals) < len(predictions):
        return ""
    return f"{sum(each.low for each in intervals):,}–{sum(each.high for each in intervals):,}"
