"""Attributes, tags and flags of marks: those that name a class, and those by which marks may be chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from crowdscale.data.formats.label import Mark

__all__ = ["CLASS_KEYS", "CROWD", "classed", "grouped", "is_true", "joined", "text_of"]

CLASS_KEYS = ("class", "label", "type", "name", "category")
"""Attributes that mostly hold the class, the more certain first."""

MORE_KEYS = ("kind", "part", "body_part", "object", "subclass", "subtype")
"""Attributes that hold the class beside a label."""

CROWD = ("is_crowd", "iscrowd", "crowd")
"""Attributes of a shape that holds many people."""

LONGEST = 60
"""Characters of a value beyond which it is a remark, no choice."""


def is_true(value: Any) -> bool:
    """Return whether a value says yes."""
    return value is True or str(value).strip().lower() in ("1", "true", "yes")


def text_of(value: Any) -> str:
    """Return a value as text; several values joined, empty for what is no choice."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        value = [name for name, chosen in value.items() if chosen]
    if isinstance(value, list):
        return "+".join(sorted(str(each) for each in value if isinstance(each, (str, int))))
    text = f"{value:g}" if isinstance(value, float) else str(value).strip() if value is not None else ""
    return text if len(text) <= LONGEST else ""


def grouped(groups: Iterable[tuple[str, object]]) -> tuple[str, ...]:
    """Return a sentence where shapes of one class share a group: they may be parts of one head.

    Args:
        groups: Class and group of each shape that has a group.
    """
    shared = [
        number for number in Counter((label, str(group)) for label, group in groups).values() if number > 1
    ]
    if not shared:
        return ()
    return (
        f"{sum(shared)} shapes share their class and group with another: each is read as a head of its own",
    )


def joined(mark: Mark, labels: Iterable[str]) -> Mark:
    """Return a mark of several classes at once: it may be chosen by each of them."""
    names = tuple(dict.fromkeys(name for name in labels if name))
    if len(names) < 2:
        return mark._replace(label="".join(names))
    return mark._replace(label="+".join(names), also=names)


def classed(mark: Mark, attributes: Mapping[str, Any]) -> Mark:
    """Return a mark with its attributes.

    An attribute with a name such as ``class`` or ``type`` is a part of the class. By the others a mark may be
    chosen: ``NAME=VALUE``, of a flag or a tag without a value its name as well.

    Args:
        mark: The mark.
        attributes: Values by name; of a tag without a value None.
    """
    label, also, others = mark.label, list(mark.also), []
    for name, value in attributes.items():
        text = text_of(value)
        if name.lower() in (*CLASS_KEYS, *MORE_KEYS) and text:
            also += [label, text, f"{name}={text}"]
            label = f"{label} {name}={text}".strip()
        elif value is None:
            others.append(f"{name}=true")
        elif text and name.lower() not in CROWD:
            others.append(f"{name}={text}")
    return mark._replace(label=label, also=tuple(dict.fromkeys(filter(None, also))), attributes=tuple(others))
