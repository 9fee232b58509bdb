"""One family of errors: expected, received and remedy, or a plain sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, TypeVar

__all__ = [
    "CrowdscaleError",
    "DataError",
    "ImageError",
    "MissingExtraError",
    "ModelError",
    "OptionError",
    "choices",
    "need_learn",
    "unknown_name",
    "without_password",
]

HIDDEN = "***"
LOGIN = re.compile(r"(?<=://)([^/?#\s:@]*):([^/?#\s]*)@")
"""User and password of an address."""
BROKEN_LOGIN = re.compile(r"(?<=://)([^/?#\s:@]*):(?!\d+(?:[/?#]|\s|$))(?!\*\*\*@)(\S*)@")
"""The same with a password that holds a slash, which is no valid address but would be shown."""
KEYS = re.compile(
    r"(?i)(?<=[?&;])((?:[\w.-]*(?:pass|passwd|password|pwd|token|secret|signature|credential)|[\w.-]*api[_-]?key|key|auth|sig|sid)=)[^&;#\s'\")]+"
)
"""Parameters of an address that hold a password or a key."""


def without_password(text: str) -> str:
    """Return a text whose addresses show no password: ``rtsp://admin:***@camera/live?token=***``."""
    if "://" not in text:
        return text
    text = LOGIN.sub(rf"\1:{HIDDEN}@", text)
    text = BROKEN_LOGIN.sub(rf"\1:{HIDDEN}@", text)
    return KEYS.sub(rf"\1{HIDDEN}", text)


Error = TypeVar("Error", bound=Exception)


class CrowdscaleError(Exception):
    """Base of all errors that a user can mend.

    Args:
        expected: What was asked for, as a noun phrase or a full sentence.
        received: What came instead; left out of the sentence where empty.
        remedy: What to do about it; left out where empty. One that ends with a new line shows a tree of
            files and gets no full stop.
    """

    def __init__(self, expected: str, received: str = "", remedy: str = "") -> None:
        parts = [expected.rstrip(".")]
        if received:
            parts[0] += f", but got {received.rstrip('.')}"
        if remedy:
            parts.append(remedy.rstrip("."))
        text = without_password(". ".join(parts))
        super().__init__(text.rstrip("\n") if text.endswith("\n") else f"{text}.")

    @classmethod
    def plain(cls: type[Error], problem: str, remedy: str = "") -> Error:
        """Return an error without an expectation, such as ``no such photo: none.jpg``.

        Args:
            problem: One sentence. Without a remedy it gets no full stop, so that a path at its end can be copied.
            remedy: How to solve it; left out where empty.
        """
        text = f"{problem.rstrip('.')}. {remedy.rstrip('.')}." if remedy else problem
        return _with_text(cls, without_password(text))

    def __reduce__(self) -> tuple[Any, ...]:
        return _with_text, (type(self), str(self))


def _with_text(kind: type[Error], text: str) -> Error:
    """Return an error with this very text, from ``plain`` or another process."""
    error = kind.__new__(kind)
    Exception.__init__(error, text)
    return error


class ImageError(CrowdscaleError):
    """A photo that cannot be found, read or used."""


class DataError(CrowdscaleError):
    """A data set, an annotation or a table of points that does not hold what it should."""


class ModelError(CrowdscaleError):
    """A model that cannot be found, verified or run."""


class OptionError(CrowdscaleError, ValueError):
    """An option or an argument with a value that cannot be used."""


class MissingExtraError(CrowdscaleError, ImportError):
    """A part of the package whose libraries are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra [{extra}]", "", f"Run: pip install 'crowdscale[{extra}]'")
        self.asked = (what, extra)

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), self.asked


LEARN = ("torch", "lightning_fabric", "safetensors", "onnx")
"""Libraries of the extra [learn]."""


def need_learn(what: str) -> None:
    """Raise MissingExtraError where ``what`` needs the extra [learn] and it is not installed; nothing is imported."""
    if any(find_spec(library) is None for library in LEARN):
        raise MissingExtraError(what, "learn")


CLOSE = 0.7
"""Likeness of a name that is offered in place of a misspelt one (difflib): ``onxx`` and ``onnx`` have 0.75."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> OptionError:
    """Return the error for a name that no table knows: the closest one that it does, if any, and all of them."""
    names = sorted(known)
    return OptionError.plain(f"unknown {kind} {name!r}", choices(name, names))


def choices(name: object, names: Iterable[str]) -> str:
    """Return the remedy for a misspelt name: the closest of the names, if one is close, and all of them."""
    from difflib import get_close_matches  # takes 5 ms, and most commands have no error

    names = list(names)
    close = get_close_matches(str(name), names, 1, CLOSE)
    guess = f"Did you mean {close[0]}? " if close else ""
    return (
        f"{guess}{'Choose one of' if len(names) > 1 else 'There is only'} {', '.join(names)}" if names else ""
    )
