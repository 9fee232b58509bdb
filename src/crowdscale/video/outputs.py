"""Outputs of a watch that do not share one fate: a fault of one ends no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crowdscale.errors import CrowdscaleError

if TYPE_CHECKING:
    from crowdscale.video.watch import Watched

__all__ = ["Output"]


@dataclass
class Output:
    """One output of a watch; a fault of one does not end the others.

    An output that fails at its first count ends the watch: that is the user's to mend.
    """

    name: str
    write: Callable[[Watched], object]
    tell: Callable[[str], object]
    ends: bool = False
    """Whether nothing more can be written after a fault."""
    written: int = 0
    lost: int = 0
    _fault: str = ""

    def take(self, watched: Watched) -> None:
        """Write a count, or keep the fault. Raises CrowdscaleError at the first count."""
        if self.ends and self.lost:
            self.lost += 1
            return
        try:
            self.write(watched)
            self.written += 1
        except CrowdscaleError as error:
            if not self.written:
                raise
            if not self.lost:
                self.tell(f"{error} Counting continues.")
            self.lost, self._fault = self.lost + 1, str(error)

    @property
    def summary(self) -> str:
        """A sentence on the counts that are not in this output."""
        return f"{self._fault} {self.lost:,} {self.name} are missing."
