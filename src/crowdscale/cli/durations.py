"""Durations as people write them: 500ms, 1s, 2m, 1h."""

from __future__ import annotations

import re

from crowdscale.errors import OptionError

__all__ = ["seconds_of"]

UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Return the seconds of a duration; a bare number is seconds. Raises OptionError."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|)\s*", text.lower())
    if not found:
        raise OptionError("expected a duration such as 500ms, 1s, 2m or 1h", repr(text))
    return float(found[1]) * UNITS[found[2]]
