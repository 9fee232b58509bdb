"""Saving on this machine's disk: what cannot be written is a sentence, and the file from before stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crowdscale.errors import CrowdscaleError, OptionError
from crowdscale.files.writing import FULL

__all__ = ["StorageError", "storing"]


class StorageError(CrowdscaleError):
    """Something could not be written to the disk."""


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn a write that failed into a sentence on what was to be saved.

    Args:
        what: The name of the file, for people.

    Raises:
        StorageError: The disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except OptionError as error:
        cause = error.__cause__
        if not isinstance(cause, OSError):
            raise
        if cause.errno in FULL:
            raise StorageError(
                f"The disk is full, so {what} was not saved; what was saved before is intact", "",
                "Free some space and save again, or save a copy elsewhere",
            ) from error  # fmt: skip
        raise StorageError(
            f"{what} was not saved ({cause.strerror or cause}); what was saved before is intact", "",
            "Check the folder and save again, or save a copy elsewhere",
        ) from error  # fmt: skip
