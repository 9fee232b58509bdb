"""Former names of public classes: they work for one release, with a warning that has the new name."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["former_names", "renamed"]

Class = TypeVar("Class", bound=type)


def renamed(**names: str) -> Callable[[Class], Class]:
    """Return a class decorator that accepts former names as arguments and as attributes.

    Args:
        names: The new name by the former one.
    """

    def decorate(cls: Class) -> Class:
        original = cls.__init__  # type: ignore[misc]

        @functools.wraps(original)
        def init(self: Any, *args: Any, **values: Any) -> None:
            for former in names.keys() & values.keys():
                _warn(cls.__name__, former, names[former])
                values[names[former]] = values.pop(former)
            original(self, *args, **values)

        cls.__init__ = init  # type: ignore[misc]
        for former, new in names.items():
            setattr(cls, former, _alias(cls.__name__, former, new))
        cls._former_names = names  # type: ignore[attr-defined]
        return cls

    return decorate


def former_names(cls: type) -> dict[str, str]:
    """Return the new name by the former one; empty for a class without former names."""
    return dict(getattr(cls, "_former_names", {}))


def _alias(owner: str, former: str, new: str) -> property:
    def read(self: Any) -> Any:
        _warn(owner, former, new)
        return getattr(self, new)

    return property(read, doc=f"Deprecated: use ``{new}``.")


def _warn(owner: str, former: str, new: str) -> None:
    sentence = f"{owner}.{former} is now {owner}.{new}; the former name goes with the next release."
    warnings.warn(sentence, DeprecationWarning, stacklevel=3)
