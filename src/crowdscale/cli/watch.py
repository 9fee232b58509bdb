"""``crowdscale watch``: people in a video or a camera's stream over time, with rows, pictures and alarms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.errors import INTERRUPTED, NOTHING_DONE, SOME_FAILED, print_errors, terminated_like_ctrl_c
from crowdscale.cli.options import (
    COUNTING,
    INPUT,
    OUTPUT,
    Backend,
    Device,
    Model,
    NoSecondPass,
    Quiet,
    ReadScale,
    Threads,
    ZonesFile,
    option,
    read_zones_file,
    seconds_of,
)
from crowdscale.cli.progress import progress
from crowdscale.cli.tables import counted
from crowdscale.errors import CrowdscaleError, OptionError

if TYPE_CHECKING:
    from crowdscale.counting.predictor import Predictor
    from crowdscale.files.images import Pixels
    from crowdscale.video.history import History
    from crowdscale.video.sources import Source
    from crowdscale.video.watch import Watched, WatchOptions, WatchRow
    from crowdscale.zones.alarms import Alarms
    from crowdscale.zones.zone import Zones

__all__ = ["watch"]

SHOWN_SIDE = 1280
"""Longest side in pixels of the annotated video."""


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO|CAMERA",
            help="A video, a folder of frames, a camera's number, an RTSP or HTTP address.",
        ),
    ],
    zones: ZonesFile = None,
    read_scale: ReadScale = None,
    every: Annotated[
        str,
        option(
            "--every", panel=INPUT, metavar="TIME", help="Time between counts: 500ms, 1s, 2m; 0s: each frame."
        ),
    ] = "1s",
    duration: Annotated[
        str | None,
        option("--duration", panel=INPUT, metavar="TIME", help="Stop after this time of the video."),
    ] = None,
    frames: Annotated[
        int | None, option("--frames", panel=INPUT, metavar="N", min=1, help="Stop after this many counts.")
    ] = None,
    fps: Annotated[
        float, option("--fps", panel=INPUT, metavar="N", help="Frames a second of a folder.")
    ] = 1.0,
    timeout: Annotated[
        float,
        option(
            "--timeout", panel=INPUT, metavar="SECONDS", help="A stream this long without frames is lost."
        ),
    ] = 10.0,
    retries: Annotated[
        int,
        option("--retries", panel=INPUT, metavar="N", min=0, help="Attempts to reconnect to a lost stream."),
    ] = 10,
    loop: Annotated[bool, option("--loop", panel=INPUT, help="Restart a file at its end.")] = False,
    model: Model = "lite",
    no_second_pass: NoSecondPass = False,
    smooth: Annotated[
        bool,
        option(
            "--smooth", panel=COUNTING, help="Add a smoothed count that follows a step within two counts."
        ),
    ] = False,
    rows: Annotated[
        Path | None,
        option("--rows", panel=OUTPUT, metavar="FILE", help="Append a row for each count: .csv or .jsonl."),
    ] = None,
    video: Annotated[
        Path | None,
        option(
            "--video",
            panel=OUTPUT,
            metavar="FILE",
            help="Write the counted frames with their heads: .mp4, .mkv.",
        ),
    ] = None,
    plot: Annotated[
        Path | None, option("--plot", panel=OUTPUT, metavar="FILE", help="Draw people over time: .png.")
    ] = None,
    quiet: Quiet = False,
    backend: Backend = "onnx",
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:
    """Count the people in a video or a camera's stream; Ctrl-C stops with all results written."""
    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.video.history import History
    from crowdscale.video.sources import SourceOptions, open_source
    from crowdscale.video.watch import WatchOptions

    options = WatchOptions(seconds_of(every), smooth, seconds_of(duration) if duration else None, frames)
    if plot is not None and plot.suffix.lower() != ".png":
        raise OptionError("expected --plot as .png", str(plot))
    opened = open_source(source, SourceOptions(fps, timeout, retries, loop))
    known_zones = read_zones_file(zones)
    counting = PredictOptions(refine=not no_second_pass, read_scale=read_scale, keep_map=False)
    predictor = load(model, backend=backend, device=device, threads=threads, options=counting)
    session = Session(opened, known_zones, quiet, History())
    with terminated_like_ctrl_c():
        session.run(predictor, options, rows, video)
    if plot is not None and session.history.number:
        session.draw(plot)
    raise typer.Exit(session.report(rows, video, plot))


@dataclass
class Session:
    """One run: the counts so far and the problems."""

    source: Source
    zones: Zones | None
    quiet: bool
    history: History
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    def run(self, predictor: Predictor, options: WatchOptions, rows: Path | None, video: Path | None) -> None:
        """Count until the end, Ctrl-C or an error; files are closed in each case."""
        from crowdscale.video.watch import watch
        from crowdscale.zones.alarms import Alarms

        zoned = self.zones.alarms if self.zones is not None else ()
        alarms = Alarms(zoned) if zoned else None
        try:
            with ExitStack() as stack:
                outputs = self._outputs(stack, rows, video, alarms)
                for watched in watch(self.source, predictor, options, self.zones, alarms):
                    for write in outputs:
                        write(watched)
        except KeyboardInterrupt:
            self.interrupted = True
        except CrowdscaleError as error:
            if not self.history.number:
                raise
            self.problems.append(str(error))
        finally:
            if alarms is not None:
                alarms.close()
                self.problems += alarms.problems
        self.problems += self.source.problems

    def _outputs(
        self, stack: ExitStack, rows: Path | None, video: Path | None, alarms: Alarms | None
    ) -> list[Callable[[Watched], object]]:
        """Return the functions that take each count: history, rows, video and live line."""
        from crowdscale.video.watch import RowWriter
        from crowdscale.video.writer import VideoWriter

        outputs: list[Callable[[Watched], object]] = [lambda watched: self._keep(watched.row)]
        if rows is not None:
            table = stack.enter_context(RowWriter(rows))
            outputs.append(lambda watched: table.write(watched.row))
        if video is not None:
            film = stack.enter_context(VideoWriter(video))
            outputs.append(lambda each: film.write(_picture(each, self.zones, alarms), each.row.time))
        if not self.quiet:
            self.source.on_note = lambda sentence: typer.echo(f"Note: {sentence}", err=True)
        live = stack.enter_context(progress("Watching", unit="none", quiet=self.quiet))
        outputs.append(lambda each: live.update(note=_note_of(each.row, live.seconds, self.source.live)))
        return outputs

    def _keep(self, row: WatchRow) -> None:
        from crowdscale.video.watch import column_of

        lines = {"people": row.count}
        if row.smoothed is not None:
            lines["smoothed"] = row.smoothed
        self.history.add(row.time, row.seconds, lines | {column_of(z.name): z.people for z in row.zones})

    def draw(self, plot: Path) -> None:
        """Draw the counts over time into a picture."""
        from crowdscale.drawing.charts import plot_counts
        from crowdscale.files.images import write_image

        times, lines = self.history.lines()
        title = f"{Path(self.source.name).name}: people over time"
        faint = ["people"] if "smoothed" in lines else []
        write_image(plot, plot_counts(times, lines, title, faint))

    def report(self, *written: Path | None) -> int:
        """Print the summary and the problems; return the exit code."""
        if self.history.number and not self.quiet:
            self._print_summary([path for path in written if path is not None and path.exists()])
        print_errors(self.problems)
        if self.interrupted:
            return INTERRUPTED
        if not self.history.number:
            return NOTHING_DONE
        return SOME_FAILED if self.problems else 0

    def _print_summary(self, files: list[Path]) -> None:
        total = self.history
        print(
            f"{counted(total.number, 'count')} over {total.last:,.1f} s: {total.people / total.number:,.1f} people on "
            f"average, {total.least:,.0f} to {total.most:,.0f}; {total.seconds / total.number:.2f} s a count"
        )
        if self.source.dropped:
            print(
                f"{counted(self.source.dropped, 'frame')} skipped, because counting is slower than the camera."
            )
        if files:
            print(f"Written: {', '.join(map(str, files))}")


def _picture(watched: Watched, zones: Zones | None, alarms: Alarms | None) -> Pixels:
    """Return the counted frame with zones, heads, regions and count, at the size of a screen."""
    from crowdscale.drawing.heads import annotate
    from crowdscale.files.images import resize_image
    from crowdscale.zones.pictures import draw_zones

    pixels = watched.frame.pixels
    height, width = pixels.shape[:2]
    factor = min(1.0, SHOWN_SIDE / max(height, width))
    shown = resize_image(pixels, round(width * factor), round(height * factor))
    overlay = None
    if zones is not None:
        fitted = zones.fit((width, height)).resized((shown.shape[1], shown.shape[0]), (width, height))
        raised = alarms.raised if alarms is not None else set()
        overlay = partial(draw_zones, zones=fitted, counts=watched.row.zones, alarmed=raised)
    return annotate(shown, watched.prediction, overlay)


def _note_of(row: WatchRow, seconds: float, live: bool) -> str:
    """Return the text of the live line after a count."""
    speed = f" · {row.time / seconds:.2g} × real time" if seconds > 1 and not live else ""
    dropped = f" · {row.dropped:,} dropped" if row.dropped else ""
    return f"{row.time:,.1f} s · {row.count:,.0f} people{speed}{dropped}"
