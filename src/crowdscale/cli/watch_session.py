"""One run of ``crowdscale watch``: each count goes to all outputs, whose faults end no other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crowdscale.cli.errors import INTERRUPTED, NOTHING_DONE, SOME_FAILED, print_errors
from crowdscale.cli.progress import progress
from crowdscale.cli.watch_outputs import add_heat, heat_of, live_note
from crowdscale.cli.watch_several import open_publisher
from crowdscale.cli.watch_tally import Tally
from crowdscale.errors import CrowdscaleError, OptionError
from crowdscale.video.outputs import Output

if TYPE_CHECKING:
    from crowdscale.counting.predictor import Predictor
    from crowdscale.files.images import Pixels
    from crowdscale.video.resuming import Past, Run
    from crowdscale.video.sources import Source
    from crowdscale.video.watch import Watched, WatchOptions
    from crowdscale.video.writer import VideoWriter
    from crowdscale.zones.alarms import Alarms
    from crowdscale.zones.zone import Zones

__all__ = ["Session", "Targets"]


@dataclass(frozen=True)
class Targets:
    """What a run writes, and the broker that gets each count."""

    rows: Path | None = None
    tracks: Path | None = None
    video: Path | None = None
    plot: Path | None = None
    heat: Path | None = None
    mqtt: str | None = None

    def __post_init__(self) -> None:
        if self.plot is not None and self.plot.suffix.lower() != ".png":
            raise OptionError("expected --plot as .png", str(self.plot))
        heat_of(self.heat)  # refuses another suffix

    @property
    def written(self) -> list[Path]:
        """The files that are there."""
        files = (self.rows, self.tracks, self.video, self.plot, self.heat)
        return [path for path in files if path is not None and path.exists()]


@dataclass
class Session:
    """One run: its source, its outputs, its problems.

    Args:
        source: Opened.
        zones: Areas and lines.
        targets: Files that are written.
        quiet: Print errors alone.
        whose: Whose rows the file of rows holds.
    """

    source: Source
    zones: Zones | None
    targets: Targets
    quiet: bool
    whose: Run | None = None
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False
    past: Past | None = None
    """The last row of an earlier run, which this one continues."""

    def __post_init__(self) -> None:
        self.tally = Tally(self.source.name, self.quiet)
        self._heat = heat_of(self.targets.heat)

    def run(self, predictor: Predictor, options: WatchOptions) -> None:
        """Count until the end, Ctrl-C or an error; files are closed in each case."""
        from crowdscale.video.watch import watch

        alarms = self._alarms()
        outputs: list[Output] = []
        self.source.on_note = self._tell
        try:
            with ExitStack() as stack:
                outputs = self._outputs(stack, alarms)
                if self.past is not None:
                    options = replace(options, after=self.past.after)
                    self.past.restore(alarms)
                for watched in watch(self.source, predictor, options, self.zones, alarms):
                    for output in outputs:
                        output.take(watched)
        except KeyboardInterrupt:
            self.interrupted = True
        except CrowdscaleError as error:
            if not self.tally.counts:
                raise
            self.problems.append(str(error))
        finally:
            if alarms is not None:
                alarms.close()
                self.problems += alarms.problems
        self.problems += [output.summary for output in outputs if output.lost]
        self.problems += self.source.problems

    def _alarms(self) -> Alarms | None:
        """Return the alarms of the zones; None without any."""
        from crowdscale.zones.alarms import Alarms

        zoned = self.zones.alarms if self.zones is not None else ()
        return Alarms(zoned, self._tell) if zoned else None

    def _tell(self, sentence: str) -> None:
        """Print a problem at once: the summary at the end repeats it."""
        if not self.quiet:
            typer.echo(f"Note: {sentence}", err=True)

    def _outputs(self, stack: ExitStack, alarms: Alarms | None) -> list[Output]:
        """Return the outputs that take each count, closed with the stack."""
        wanted, outputs = self.targets, [Output("counts", lambda each: self.tally.take(each.row), self._tell)]
        if wanted.rows is not None:
            outputs.append(self._rows(stack, wanted.rows))
        if wanted.video is not None:
            outputs.append(self._video(stack, wanted.video))
        outputs += [self._live_line(stack), *self._broker(stack, alarms)]
        if wanted.tracks is not None:
            outputs.append(self._tracks(stack, wanted.tracks))
        if self._heat is not None:
            outputs.append(Output("frames of the heat", partial(add_heat, self._heat), self._tell))
        return outputs

    def _rows(self, stack: ExitStack, path: Path) -> Output:
        """Return the output that appends each row, and find out what an earlier run wrote."""
        from crowdscale.video.watch import RowWriter

        table = stack.enter_context(RowWriter(path, self.whose))
        self.past = table.past
        if table.mended:
            self._tell(f"{path} ended in half a row, which was removed.")
        return Output("rows", lambda each: table.write(each.row), self._tell)

    def _video(self, stack: ExitStack, path: Path) -> Output:
        """Return the output that writes each frame with its people and their trails."""
        from crowdscale.drawing.trails import Trails
        from crowdscale.video.pictures import counted_frame
        from crowdscale.video.writer import VideoWriter

        self._keep_earlier(path)
        film, trails = VideoWriter(path), Trails()
        stack.callback(self._close, film)

        def write(each: Watched) -> None:
            film.write(counted_frame(each, trails=trails), each.row.time)

        return Output("frames", write, self._tell, True)

    def _live_line(self, stack: ExitStack) -> Output:
        """Return the output that renews the line of a terminal."""
        live = stack.enter_context(progress("Watching", unit="none", quiet=self.quiet))

        def show(each: Watched) -> None:
            live.update(note=live_note(each.row, live.seconds, self.source.live))

        return Output("notes", show, self._tell)

    def _tracks(self, stack: ExitStack, path: Path) -> Output:
        """Return the output that writes a row for each followed head."""
        from crowdscale.video.tracks import TrackWriter, track_rows

        self._keep_earlier(path)
        known_ground = self.zones is not None and self.zones.ground is not None
        writer = stack.enter_context(TrackWriter(path, metres=known_ground))

        def write(each: Watched) -> None:
            if each.prediction.points is None or each.tracks is None:
                return
            ground = None if self.zones is None else self.zones.fit(each.prediction.size).ground
            writer.write(track_rows(each.prediction.points, each.tracks, each.row.time, ground))

        return Output("tracks", write, self._tell)

    def _broker(self, stack: ExitStack, alarms: Alarms | None) -> list[Output]:
        """Return the output that publishes each count; none without ``--mqtt``."""
        publisher = open_publisher(stack, self.targets.mqtt, self._tell)
        if publisher is None:
            return []
        name = Path(self.source.name).name
        areas = () if self.zones is None else [zone.name for zone in self.zones.zones if not zone.roi]
        publisher.announce(name, areas, () if self.zones is None else self.zones.alarms)

        def publish(each: Watched) -> None:
            publisher.publish(name, each.row, alarms.raised if alarms is not None else ())

        return [Output("messages", publish, self._tell)]

    def _keep_earlier(self, path: Path) -> None:
        """Refuse to overwrite what the earlier run wrote. Raises OptionError."""
        if self.past is not None and path.exists():
            raise OptionError(
                "expected a new file beside rows that go on",
                f"{path} of the earlier run",
                "Choose another file",
            )

    def _close(self, film: VideoWriter) -> None:
        try:
            film.close()
        except CrowdscaleError as error:
            self.problems.append(str(error))

    def draw(self) -> None:
        """Draw the pictures of the whole run."""
        if self.targets.plot is not None and self.tally.counts:
            self._write(self.targets.plot, self.tally.chart())
        if self.targets.heat is not None and self._heat is not None and self._heat.frames:
            self._write(self.targets.heat, self._heat.draw(self.tally.words()))

    def _write(self, path: Path, picture: Pixels) -> None:
        from crowdscale.files.images import write_image

        try:
            write_image(path, picture, drawn=True)
        except CrowdscaleError as error:
            self.problems.append(str(error))

    def report(self) -> int:
        """Print the summary and the problems; return the exit code."""
        if self.tally.counts and not self.quiet:
            self.tally.report(self.source.dropped, self.targets.written)
        print_errors(self.problems)
        if self.interrupted:
            return INTERRUPTED
        if not self.tally.counts and self.past is not None and not self.problems:
            print(f"{self.source.name} is counted to its end: no new rows.")
            return 0
        if not self.tally.counts:
            return NOTHING_DONE
        return SOME_FAILED if self.problems else 0
