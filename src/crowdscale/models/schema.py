"""Schema of a model's description: types, finite numbers, ranges, and parts that must fit each other."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec
import numpy as np

from crowdscale.trust.intervals import Calibration
from crowdscale.trust.profile import SENTENCES, Profile

__all__ = ["check_values"]

Range = tuple[float, float]

CHANNELS: Range = (1, 100_000)
PIXELS: Range = (0, 400_000_000)
PEOPLE: Range = (0, 1e9)

RANGES: dict[str, Range] = {
    "codec.edges": (0, 10_000), "codec.window": (3, 255), "codec.ceiling": (-1, 1000), "codec.part": (1, 100_000),
    "codec.sigma": (0, 1000), "rule.below": (0, 256), "rule.times_mean": (0, 1e6), "zoom.area_low": (0, 1000),
    "zoom.area_high": (0, 1000), "zoom.context": (0, 4096), "zoom.max_pixels": PIXELS, "widths": CHANNELS,
    "hidden": CHANNELS, "subpixel": (0, 100_000), "stride": (1, 256), "feature_stride": (1, 64),
    "feature_channels": (0, 100_000), "mean": (0, 1), "enlarge_below": PIXELS, "offset": (-64, 64),
    "calibration.levels": (0, 1), "calibration.quantiles": (0, 1000), "calibration.offset": PEOPLE,
    "calibration.growth": (0, 2), "calibration.smallest": PEOPLE, "calibration.largest": PEOPLE,
    "calibration.images": PEOPLE, "confidence.offset": (-1000, 1000), "confidence.slope": (0, 10_000),
    "confidence.radius": (0, 1000), "confidence.heads": PEOPLE, "confidence.photos": PEOPLE, "familiar.limits": (-1e9, 1e9), "familiar.photos": PEOPLE,
    "familiar.channels": CHANNELS, "familiar.beside": (0, 1e9), "familiar.doubt": (-1e6, 1e6),
}  # fmt: skip
"""Smallest and largest value of each number, or of each number in a list."""


def check_values(values: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    """Check plain values of a description.

    Args:
        values: The description, from JSON.
        types: The type of each field.

    Raises:
        ValueError: The first fault, with the field's name.
    """
    for name, value in values.items():
        try:
            msgspec.convert(value, types.get(name, Any))
        except (msgspec.ValidationError, RecursionError) as error:
            raise ValueError(f"{name}: {error}") from error
    for name, (low, high) in RANGES.items():
        for number in _numbers(_at(values, name)):
            if not (math.isfinite(number) and low <= number <= high):
                raise ValueError(f"{name}: expected a number from {low:g} to {high:g}, but got {number:g}")
    for name in values.get("files", {}):
        if PurePosixPath(name).name != name or "\\" in name:
            raise ValueError(f"files: expected plain names, but got {name!r}")
    if values.get("calibration"):
        _check_calibration(msgspec.convert(values["calibration"], Calibration))
    if values.get("familiar"):
        _check_profile(msgspec.convert(values["familiar"], Profile), values.get("feature_channels", 0))


def _at(values: Any, name: str) -> Any:
    """Return the value under a dotted name; None without one."""
    for key in name.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _numbers(value: Any) -> Iterator[float]:
    """Return a number, or those in a list or a dictionary."""
    if isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, (int, float)):
        yield float(value) if abs(value) < 1e300 else math.inf


def _check_calibration(calibration: Calibration) -> None:
    levels = list(calibration.levels)
    if not levels or levels != sorted(set(levels)) or len(levels) != len(calibration.quantiles):
        raise ValueError("calibration: expected ascending levels and a quantile of each")
    if calibration.smallest > calibration.largest:
        raise ValueError("calibration: expected smallest <= largest")


def _check_profile(profile: Profile, channels: int) -> None:
    strange = sorted(profile.limits.keys() - SENTENCES.keys())
    if strange:
        raise ValueError(f"profile: expected limits out of {', '.join(SENTENCES)}, but got {strange[0]!r}")
    if channels and profile.channels != channels:
        raise ValueError(f"profile: expected {channels} channels, but got {profile.channels}")
    cloud = _table(profile.cloud, "<f2", "cloud")
    if not len(cloud) or len(cloud) % profile.channels:
        raise ValueError(f"profile.cloud: expected rows of {profile.channels} numbers, but got {len(cloud)}")
    if profile.upright and len(_table(profile.upright, "<f4", "upright")) != profile.channels + 1:
        raise ValueError(f"profile.upright: expected {profile.channels + 1} numbers, but got others")


def _table(text: str, kind: str, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Return finite numbers from base64. Raises ValueError."""
    try:
        table = np.frombuffer(base64.b64decode(text, validate=True), kind)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"profile.{name}: expected numbers in base64 ({error})") from error
    if not np.isfinite(table).all():
        raise ValueError(f"profile.{name}: expected finite numbers")
    return table
