"""The options of test-time averaging, as commands give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crowdscale.backends.averaging import AveragingOptions

__all__ = ["averaging"]


def averaging(flip: bool, scales: str) -> AveragingOptions:
    """Return the further looks that ``--average-flip`` and ``--average-scales 0.8,1.25`` ask for.

    Raises:
        OptionError: A scale is no number, or out of range.
    """
    from crowdscale.backends.averaging import AveragingOptions
    from crowdscale.errors import OptionError

    try:
        numbers = tuple(float(word) for word in scales.split(",") if word.strip())
    except ValueError:
        raise OptionError("expected --average-scales as numbers, such as 0.8,1.25", repr(scales)) from None
    return AveragingOptions(flip, numbers)
