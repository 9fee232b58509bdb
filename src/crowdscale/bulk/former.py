"""Result folders of the release before this one: their parts and their job under current names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowdscale.bulk.tables import FORMATS
from crowdscale.counting.columns import current_names
from crowdscale.counting.predictor import PredictOptions
from crowdscale.counting.table import PhotoRow
from crowdscale.deprecation import former_names

__all__ = ["current_job", "current_part"]

AVERAGED_BEFORE = {"flip": False, "scales": []}
"""A former option of prediction at its default, which no job has any more."""


def current_part(data: bytes, kind: str) -> bytes | None:
    """Return a part of counted photos under current names; None where it has them already."""
    names = FORMATS[kind].names(data)
    if set(current_names(PhotoRow, dict.fromkeys(names))) == set(names) and "x" not in names:
        return None
    rows = [PhotoRow.from_dict(_current_row(row)) for row in FORMATS[kind].read(data, names)]
    return FORMATS[kind].write(rows, False)


def _current_row(row: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(row)
    if "x" in values:
        places = [values.pop(name) or [] for name in ("x", "y", "confidence")]
        places[2] = places[2] or [1.0] * len(places[0])
        values["heads"] = [list(head) for head in zip(*places, strict=True)]
    if isinstance(values.get("warnings"), str):
        values["warnings"] = [sentence for sentence in values["warnings"].split(";") if sentence]
    return values


def current_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's description with its options of prediction under current names."""
    options = dict(job.get("options") or {})
    if options.get("average") == AVERAGED_BEFORE:
        del options["average"]
    names = former_names(PredictOptions)
    renamed = {names.get(name, name): value for name, value in options.items()}
    return {**job, "options": renamed} if "options" in job else dict(job)
