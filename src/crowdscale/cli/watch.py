"""``crowdscale watch``: people in a video or before a camera over time; rows, pictures, alarms as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.bulk import terminated_like_ctrl_c
from crowdscale.cli.durations import seconds_of
from crowdscale.cli.tables import counted
from crowdscale.errors import CrowdscaleError, OptionError

if TYPE_CHECKING:
    from crowdscale.files.images import Pixels
    from crowdscale.video.history import History
    from crowdscale.video.sources import Source
    from crowdscale.video.watch import Watched, WatchRow
    from crowdscale.zones.alarms import Alarms
    from crowdscale.zones.zone import Zones

__all__ = ["watch"]

SOME_FAILED, NOTHING_DONE, INTERRUPTED = 1, 2, 130
"""Exit codes."""
SHOWN_SIDE = 1280
"""Longest side in pixels of the annotated video."""


def watch(
    source: Annotated[
        str,
        typer.Argument(help="A video, a folder of frames, a camera's number, or an RTSP or HTTP address."),
    ],
    every: Annotated[
        str, typer.Option(help="Time between two counts: 500ms, 1s, 2m; 0s counts each frame.")
    ] = "1s",
    rows: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a row a count: .csv or .jsonl.")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the counted frames with their dots: .mp4, .mkv."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write people over time as a picture: .png.")
    ] = None,
    zones: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Count in these zones too (crowdscale zones).")
    ] = None,
    smooth: Annotated[
        bool, typer.Option("--smooth", help="Add a smoothed count that follows steps within two counts.")
    ] = False,
    duration: Annotated[str | None, typer.Option(help="Stop after this time of the video.")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Stop after this many counts.")] = None,
    base: Annotated[
        float | None,
        typer.Option(help="Side factor at which frames are read; chosen each minute for frames over 1.5 MP."),
    ] = None,
    fps: Annotated[float, typer.Option(help="Frames a second of a folder.")] = 1.0,
    timeout: Annotated[float, typer.Option(help="Seconds after which a silent stream is lost.")] = 10.0,
    retries: Annotated[int, typer.Option(min=0, help="Attempts to reach a lost stream again.")] = 10,
    loop: Annotated[bool, typer.Option("--loop", help="Begin a file again at its end.")] = False,
    model: Annotated[str, typer.Option(help="A bundled model's name, or a model folder.")] = "lite",
    no_refine: Annotated[bool, typer.Option("--no-refine", help="First pass alone: faster.")] = False,
    backend: Annotated[str, typer.Option(help="onnx, or torch with the extra [learn].")] = "onnx",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0 leaves the choice to the engine.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Count the people in a video or before a camera; Ctrl-C ends it with everything written."""
    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.video.history import History
    from crowdscale.video.sources import SourceOptions, open_source
    from crowdscale.video.watch import WatchOptions
    from crowdscale.zones.files import read_zones

    options = WatchOptions(seconds_of(every), smooth, seconds_of(duration) if duration else None, frames)
    if plot is not None and plot.suffix.lower() != ".png":
        raise OptionError("expected --plot as .png", str(plot))
    opened = open_source(source, SourceOptions(fps, timeout, retries, loop))
    known = read_zones(zones) if zones is not None else None
    refine = PredictOptions(refine=not no_refine, read_scale=base, keep_map=False)
    predictor = load(model, backend=backend, device=device, threads=threads, options=refine)
    session = Session(opened, known, quiet, History())
    with terminated_like_ctrl_c():
        session.run(predictor, options, rows, video)
    if plot is not None and session.history.number:
        session.draw(plot)
    raise typer.Exit(session.report(rows, video, plot))


@dataclass
class Session:
    """One watch: what was counted, and what went wrong."""

    source: Source
    zones: Zones | None
    quiet: bool
    history: History
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    def run(self, predictor: object, options: object, rows: Path | None, video: Path | None) -> None:
        """Count until the end, Ctrl-C, or what cannot be mended; whatever ends it, files are closed."""
        from crowdscale.video.watch import RowWriter, watch
        from crowdscale.video.writer import VideoWriter
        from crowdscale.zones.alarms import Alarms

        alarms = Alarms(self.zones.alarms) if self.zones is not None and self.zones.alarms else None
        try:
            with ExitStack() as stack:
                out = stack.enter_context(RowWriter(rows)) if rows is not None else None
                film = stack.enter_context(VideoWriter(video)) if video is not None else None
                say = stack.enter_context(_progress(self.source, self.quiet))
                for seen in watch(self.source, predictor, options, self.zones, alarms):  # type: ignore[arg-type]
                    self._keep(seen.row)
                    if out is not None:
                        out.write(seen.row)
                    if film is not None:
                        film.write(_picture(seen, self.zones, alarms), seen.row.time)
                    say(seen.row)
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

    def _keep(self, row: WatchRow) -> None:
        from crowdscale.video.watch import column_of

        lines = {"people": row.count}
        if row.smoothed is not None:
            lines["smoothed"] = row.smoothed
        self.history.add(row.time, row.seconds, lines | {column_of(z.name): z.people for z in row.zones})

    def draw(self, plot: Path) -> None:
        """Write the counts over time as a picture."""
        from crowdscale.drawing.charts import plot_counts
        from crowdscale.files.images import write_image

        times, lines = self.history.lines()
        title = f"{Path(self.source.name).name}: people over time"
        faint = ["people"] if "smoothed" in lines else []
        write_image(plot, plot_counts(times, lines, title, faint))

    def report(self, *written: Path | None) -> int:
        """Say what was seen and what went wrong; return the exit code."""
        known = self.history
        if known.number and not self.quiet:
            print(
                f"{counted(known.number, 'count')} over {known.last:,.1f} s: {known.people / known.number:,.1f} people on "
                f"average, {known.least:,.0f} to {known.most:,.0f}; {known.seconds / known.number:.2f} s a count"
            )
            if self.source.dropped:
                print(
                    f"{counted(self.source.dropped, 'frame')} passed while another one was counted (slower than the "
                    "camera)."
                )
            files = [str(path) for path in written if path is not None and path.exists()]
            if files:
                print(f"Written: {', '.join(files)}")
        for problem in self.problems:
            print(f"Error: {problem}", file=sys.stderr)
        if self.interrupted:
            return INTERRUPTED
        if not known.number:
            return NOTHING_DONE
        return SOME_FAILED if self.problems else 0


def _picture(seen: Watched, zones: Zones | None, alarms: Alarms | None) -> Pixels:
    """The counted frame with zones, dots, regions and count, at a size for a screen."""
    from crowdscale.drawing.heads import annotate
    from crowdscale.files.images import resize_image
    from crowdscale.zones.pictures import draw_zones

    pixels = seen.frame.pixels
    height, width = pixels.shape[:2]
    factor = min(1.0, SHOWN_SIDE / max(height, width))
    shown = resize_image(pixels, round(width * factor), round(height * factor))
    overlay = None
    if zones is not None:
        fitted = zones.fit((width, height)).resized((shown.shape[1], shown.shape[0]), (width, height))
        raised = alarms.raised if alarms is not None else set()
        overlay = partial(draw_zones, zones=fitted, counts=seen.row.zones, alarmed=raised)
    return annotate(shown, seen.prediction, overlay)


@contextmanager
def _progress(source: Source, quiet: bool) -> Iterator[Callable[[WatchRow], None]]:
    """One live line in a terminal: time, people, frames that were dropped; remarks of the source above it."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not quiet:
        source.on_note = lambda sentence: console.print(f"Note: {sentence}", markup=False)
    silent = quiet or not console.is_terminal
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=silent, transient=True) as progress:
        task = progress.add_task("Opening", total=None)

        def say(row: WatchRow) -> None:
            elapsed = progress.tasks[0].elapsed or 0.0
            speed = f" · {row.time / elapsed:.2g} × real time" if elapsed > 1 and not source.live else ""
            dropped = f" · {row.dropped:,} dropped" if row.dropped else ""
            progress.update(task, description=f"{row.time:,.1f} s · {row.count:,.0f} people{speed}{dropped}")

        yield say
