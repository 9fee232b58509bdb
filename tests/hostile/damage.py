"""Damage to files: bytes that change, and values that other programs never write."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

__all__ = ["FUZZ", "damaged_bytes", "damaged_text"]

EXAMPLES = int(os.environ.get("CROWDSCALE_FUZZ", "15"))

FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

WORDS = (
    "", "x", "nan", "inf", "-inf", "1e400", "-1", "0", "1_000", "9" * 400, "9" * 5000, "1,5", "true", "null", "{}", "[]",
    "\0", "\ud7ff", "a.jpg", "b.jpg", "../a.jpg", "\u0661", "1e9", "1e308", "0x10", "[" * 3000, '"', "-0", " ", "\r",
)  # fmt: skip
"""Texts in the place of a number or a name."""

VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, -1e12, 10**30, 1.5, "", "x", "a.jpg", [], {}, [[]], [None], {"": {}}, [[1, 2], [3]],
    "http://[::1", "1" * 300,
)  # fmt: skip
"""Values in the place of any other in JSON."""

TOKEN = re.compile(r"[^\s,;<>\"'=\[\]{}:]+")


@st.composite
def damaged_text(draw: st.DrawFn, seed: str) -> bytes:
    """Return the seed with words replaced, a JSON value replaced, or bytes changed."""
    way = draw(st.sampled_from(("words", "values", "bytes")))
    if way == "values" and seed.lstrip()[0] in "[{":
        content = json.loads(seed)
        for _ in range(draw(st.integers(1, 3))):
            content = draw(_replaced(content))
        return json.dumps(content).encode()
    if way == "bytes":
        return draw(damaged_bytes(seed.encode()))
    text = seed
    for _ in range(draw(st.integers(1, 3))):
        tokens = list(TOKEN.finditer(text))
        if not tokens:
            break
        token = draw(st.sampled_from(tokens))
        text = text[: token.start()] + draw(st.sampled_from(WORDS)) + text[token.end() :]
    return text.encode(draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16"))), "surrogatepass")


@st.composite
def _replaced(draw: st.DrawFn, content: Any) -> Any:
    """Return plain values with one of them, at any depth, replaced, removed or doubled."""
    if not isinstance(content, (dict, list)) or not content or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(VALUES))
    if isinstance(content, dict):
        key = draw(st.sampled_from(sorted(content)))
        if draw(st.integers(0, 9)) == 0:
            return {name: value for name, value in content.items() if name != key}
        return {**content, key: draw(_replaced(content[key]))}
    index = draw(st.integers(0, len(content) - 1))
    if draw(st.integers(0, 9)) == 0:
        return [*content, content[index]]
    return [*content[:index], draw(_replaced(content[index])), *content[index + 1 :]]


@st.composite
def damaged_bytes(draw: st.DrawFn, seed: bytes) -> bytes:
    """Return the seed with bytes changed, removed, inserted, or cut short."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        way = draw(st.integers(0, 5))
        if way == 0:
            del data[at : at + draw(st.integers(1, 40))]
        elif way == 1:
            data[at:at] = draw(st.binary(max_size=8))
        elif way == 2 and draw(st.integers(0, 5)) == 0:
            del data[at:]
        else:
            data[at : at + 1] = draw(
                st.sampled_from((b"\xff", b"\0", b"\x7f", b"\x80", b"9", b"-", b'"', b"[", b"<"))
            )
    return bytes(data)
