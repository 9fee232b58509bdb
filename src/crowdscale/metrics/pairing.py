"""Pairs the predicted and the true names of photos."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePosixPath
from typing import Literal

from crowdscale.errors import DataError, OptionError

__all__ = ["Pairing", "pair_entries"]

Pairing = Literal["auto", "name", "number", "rank"]

PAIRINGS = ("auto", "name", "number", "rank")


def pair_entries(
    predicted: Iterable[str], truth: Collection[str], pairing: Pairing = "auto"
) -> dict[str, str]:
    """Return the predicted name of each true name.

    Args:
        predicted: Names or ids in the predictions.
        truth: Names of the true images.
        pairing: ``name``: equal, folder and suffix left aside; ``number``: equal last numbers (IMG_12 is
            12 and 0012); ``rank``: the id is the rank, from 1, in the text order of the true names, as in
            FIDTM's files; ``auto``: by name, else by number.

    Raises:
        OptionError: The pairing is none of these.
        DataError: A true image has no prediction, a prediction has no image, or two share a name.
    """
    if pairing not in PAIRINGS:
        raise OptionError(f"expected --ids as one of {', '.join(PAIRINGS)}", repr(pairing))
    names = list(predicted)
    ways = ("name", "number") if pairing == "auto" else (pairing,)
    keys = [_keys(names, truth, way) for way in ways]
    ours, theirs = next(((own, true) for own, true in keys if own.keys() >= true.keys()), keys[0])
    _refuse_lone(theirs, ours, "a prediction for each image")
    _refuse_lone(ours, theirs, "an image for each prediction")
    return {theirs[key]: ours[key] for key in theirs}


def _refuse_lone(names: dict[str, str], others: dict[str, str], expected: str) -> None:
    lone = [names[key] for key in names if key not in others]
    if lone:
        shown = ", ".join(lone[:5]) + (" …" if len(lone) > 5 else "")
        raise DataError(
            f"expected {expected}",
            f"{len(lone)} without: {shown}",
            "Give --ids name, number or rank if the two files name images differently. "
            "An image without heads needs its own line (`id 0`)",
        )


def _keys(names: list[str], truth: Collection[str], way: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of both sides by their common key."""
    if way == "rank":
        ranked = {str(rank): name for rank, name in enumerate(sorted(truth), 1)}
        return _unique(names, _number), ranked
    key = _stem if way == "name" else _number
    return _unique(names, key), _unique(truth, key)


def _unique(names: Iterable[str], key: Callable[[str], str]) -> dict[str, str]:
    by_key: dict[str, str] = {}
    for name in names:
        if key(name) in by_key:
            raise DataError("expected names that differ", f"{by_key[key(name)]} and {name}")
        by_key[key(name)] = name
    return by_key


def _stem(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    return (
        path.stem
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
        else path.name
    )


def _number(name: str) -> str:
    numbers = re.findall(r"\d+", _stem(name))
    return str(int(numbers[-1])) if numbers else name
