"""The counts of one run of ``crowdscale watch``: warnings as they come, a chart, and the summary at the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crowdscale.cli.tables import counted
from crowdscale.counting.hints import TURN, with_hint

if TYPE_CHECKING:
    from crowdscale.files.images import Pixels
    from crowdscale.video.watch import WatchRow

__all__ = ["Tally"]


class Tally:
    """What a run counted so far.

    Args:
        name: Of the source.
        quiet: Print no warnings.
    """

    def __init__(self, name: str, quiet: bool) -> None:
        from crowdscale.video.highest import Highest
        from crowdscale.video.history import History

        self.name, self.quiet = name, quiet
        self.history, self.highest = History(), Highest()
        self.warned = self.unusable = 0
        """Counts with a warning, and counts that must not be used."""
        self._kinds: set[str] = set()

    @property
    def counts(self) -> int:
        """How many there are."""
        return self.history.number

    def take(self, row: WatchRow) -> None:
        """Take in a count, and print a warning of a kind that is new."""
        from crowdscale.video.watch import column_of

        self.warned += bool(row.warnings)
        self.unusable += not row.usable
        for sentence in row.warnings:
            kind = "".join(sign for sign in sentence if not sign.isdigit())
            if kind not in self._kinds:  # each kind once, when it first comes
                self._kinds.add(kind)
                if not self.quiet:
                    typer.echo(f"Warning: {row.time:,.1f} s: {with_hint(sentence, (TURN,))}", err=True)
        lines = {"people": row.count}
        if row.smoothed is not None:
            lines["smoothed"] = row.smoothed
        self.history.add(row.time, row.seconds, lines | {column_of(z.name): z.people for z in row.zones})
        self.highest.take(row)

    def chart(self) -> Pixels:
        """Return a picture of people over time."""
        from crowdscale.drawing.charts import plot_counts

        times, lines = self.history.lines()
        faint = ["people"] if "smoothed" in lines else []
        return plot_counts(times, lines, f"{Path(self.name).name}: people over time", faint)

    def words(self) -> str:
        """Return the run in one line, for a picture."""
        total = self.history
        mean = total.people / total.number
        unit = "person" if f"{mean:,.1f}" == "1.0" else "people"
        return f"{mean:,.1f} {unit} on average · {counted(total.number, 'frame')} over {total.last:,.1f} s"

    def report(self, dropped: int, files: list[Path]) -> None:
        """Print the summary.

        Args:
            dropped: Frames of a camera that passed uncounted.
            files: What was written.
        """
        total = self.history
        print(
            f"{counted(total.number, 'count')} over {total.last:,.1f} s: {total.people / total.number:,.1f} people on "
            f"average, {total.least:,.0f} to {total.most:,.0f}; {total.seconds / total.number:.2f} s a count"
        )
        if self.warned:
            print(f"Warnings on {self.warned:,} of {counted(total.number, 'count')}.")
        if self.unusable:
            print(f"Do not use {self.unusable:,} of them: the frames are unlike all training photos.")
        for sentence in self.highest.sentences():
            print(sentence)
        if dropped:
            print(f"{counted(dropped, 'frame')} skipped, because counting is slower than the camera.")
        if files:
            print(f"Written: {', '.join(map(str, files))}")
