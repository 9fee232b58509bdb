"""``crowdscale watch``: people in a video or a camera's stream over time, with rows, pictures and alarms."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
from crowdscale.cli.watch_outputs import add_heat, heat_of, live_note, windows_of
from crowdscale.cli.watch_several import open_publisher, refuse_single_options, watch_cameras
from crowdscale.cli.watch_time import read_calendar
from crowdscale.errors import CrowdscaleError, OptionError
from crowdscale.video.outputs import Output

if TYPE_CHECKING:
    from crowdscale.counting.predictor import Predictor
    from crowdscale.drawing.film_heat import FilmHeat
    from crowdscale.video.history import History
    from crowdscale.video.resuming import Past, Run
    from crowdscale.video.sources import Source
    from crowdscale.video.watch import Watched, WatchOptions, WatchRow
    from crowdscale.video.writer import VideoWriter
    from crowdscale.zones.alarms import Alarms
    from crowdscale.zones.zone import Zones

__all__ = ["watch"]


def watch(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="VIDEO|CAMERA",
            help="A video, a folder of frames, a camera's number, an RTSP or HTTP address, - for a film piped in; "
            "@FILE or ${NAME} keeps a password out of the command line.",
        ),
    ] = None,
    cameras: Annotated[
        Path | None,
        option(
            "--cameras", panel=INPUT, metavar="FILE", help="Watch the cameras of a .toml file with one model."
        ),
    ] = None,
    zones: ZonesFile = None,
    read_scale: ReadScale = None,
    every: Annotated[
        str,
        option(
            "--every", panel=INPUT, metavar="TIME", help="Time between counts: 500ms, 1s, 2m; 0s: each frame."
        ),
    ] = "1s",
    sample: Annotated[
        str | None,
        option(
            "--sample",
            panel=INPUT,
            metavar="TIME/TIME",
            help="Count a part of the time: 1m/5m is one minute in five, from a random one on; 1m/5m@2m from 2m on.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        option("--duration", panel=INPUT, metavar="TIME", help="Stop after this time of the video."),
    ] = None,
    frames: Annotated[
        int | None, option("--frames", panel=INPUT, metavar="N", min=1, help="Stop after this many counts.")
    ] = None,
    fps: Annotated[
        float | None,
        option(
            "--fps",
            panel=INPUT,
            metavar="N",
            help="Frames a second of a folder or a raw stream without times.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        option(
            "--start",
            panel=INPUT,
            metavar="DATE",
            help='Date and clock of a film\'s first frame: "2026-05-01 14:00".',
        ),
    ] = None,
    zone: Annotated[
        str | None,
        option(
            "--time-zone",
            panel=INPUT,
            metavar="NAME",
            help="Time zone of --start and of the rows: Europe/Berlin; default: of the system.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        option(
            "--timeout", panel=INPUT, metavar="SECONDS", help="A stream this long without frames is lost."
        ),
    ] = 10.0,
    retries: Annotated[
        int | None,
        option(
            "--retries",
            panel=INPUT,
            metavar="N",
            min=0,
            help="Attempts to reconnect to a lost stream; 10, with --cameras without end.",
        ),
    ] = None,
    loop: Annotated[bool, option("--loop", panel=INPUT, help="Restart a file at its end.")] = False,
    model: Model = "lite",
    no_second_pass: NoSecondPass = False,
    smooth: Annotated[
        bool,
        option(
            "--smooth", panel=COUNTING, help="Add a smoothed count that follows a step within two counts."
        ),
    ] = False,
    follow: Annotated[
        bool,
        option(
            "--follow",
            panel=COUNTING,
            help="Follow heads: different people, stays and speeds in the rows. --tracks does so, too.",
        ),
    ] = False,
    rows: Annotated[
        Path | None,
        option(
            "--rows",
            panel=OUTPUT,
            metavar="FILE",
            help="Append a row for each count: .csv or .jsonl; a second run continues it.",
        ),
    ] = None,
    tracks: Annotated[
        Path | None,
        option(
            "--tracks",
            panel=OUTPUT,
            metavar="FILE",
            help="Follow heads and write a row for each one of each frame: .csv or .parquet.",
        ),
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
    mqtt: Annotated[
        str | None,
        option(
            "--mqtt",
            panel=OUTPUT,
            metavar="ADDRESS",
            help="Publish each count, found by Home Assistant: mqtt://user:${NAME}@broker.",
        ),
    ] = None,
    heat: Annotated[
        Path | None,
        option("--heat", panel=OUTPUT, metavar="FILE", help="Draw where people were, over the mean frame."),
    ] = None,
    quiet: Quiet = False,
    backend: Backend = "onnx",
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:
    """Count the people in a video or a camera's stream; Ctrl-C stops with all results written."""
    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.files.names import address_of
    from crowdscale.video.history import History
    from crowdscale.video.resuming import whose_rows
    from crowdscale.video.sources import SourceOptions, open_source
    from crowdscale.video.watch import WatchOptions

    options = WatchOptions(seconds_of(every), smooth, seconds_of(duration) if duration else None, frames)
    options = replace(options, follow=follow or tracks is not None, windows=windows_of(sample, quiet))
    if plot is not None and plot.suffix.lower() != ".png":
        raise OptionError("expected --plot as .png", str(plot))
    counting = PredictOptions(refine=not no_second_pass, read_scale=read_scale, keep_map=False)
    opening = SourceOptions(fps, timeout, 10 if retries is None else retries, loop)
    if cameras is not None:
        from crowdscale.cli.cameras_file import read_cameras

        refuse_single_options(
            source=source,
            zones=zones,
            rows=rows,
            tracks=tracks,
            video=video,
            plot=plot,
            heat=heat,
            start=start,
            frames=frames,
        )
        described, broker = read_cameras(
            cameras, replace(options, duration=None), replace(opening, retries=retries), zone
        )
        predictor = load(model, backend=backend, device=device, threads=threads, options=counting)
        with terminated_like_ctrl_c():
            code = watch_cameras(
                described, predictor, address_of(mqtt) if mqtt else broker, quiet, options.duration,
                model=predictor.config.name, second_pass=not no_second_pass, read_scale=read_scale,
            )  # fmt: skip
        raise typer.Exit(code)
    if source is None:
        raise OptionError("expected a video or a camera", "none", "Name one, or --cameras FILE")
    address = address_of(source)
    opened = open_source(address, opening)
    options = replace(options, calendar=read_calendar(start, zone, opened, quiet))
    mean_heat = heat_of(heat)
    known_zones = read_zones_file(zones)
    predictor = load(model, backend=backend, device=device, threads=threads, options=counting)
    session = Session(opened, known_zones, quiet, History())
    if rows is not None:
        session.whose = whose_rows(
            address, opened, options, model=predictor.config.name, second_pass=not no_second_pass,
            read_scale=read_scale, fps=fps, loop=loop, zones=zones,
        )  # fmt: skip
    session.mqtt = None if mqtt is None else address_of(mqtt)
    with terminated_like_ctrl_c():
        session.run(predictor, options, rows, video, tracks, mean_heat)
    if heat is not None and mean_heat is not None and mean_heat.frames:
        session.draw_heat(heat, mean_heat)
    if plot is not None and session.history.number:
        session.draw(plot)
    raise typer.Exit(session.report(rows, tracks, video, plot, heat))


@dataclass
class Session:
    """One run: the counts so far and the problems."""

    source: Source
    zones: Zones | None
    quiet: bool
    history: History
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False
    mqtt: str | None = None
    """Address of a broker that gets each count."""
    whose: Run | None = None
    """Whose rows the file of rows holds."""
    past: Past | None = None
    """The last row of an earlier run, which this one continues."""
    warned: int = 0
    """Counts with a warning."""
    unusable: int = 0
    """Counts that must not be used."""
    _warnings: set[str] = field(default_factory=set)

    def run(
        self,
        predictor: Predictor,
        options: WatchOptions,
        rows: Path | None,
        video: Path | None,
        tracks: Path | None = None,
        heat: FilmHeat | None = None,
    ) -> None:
        """Count until the end, Ctrl-C or an error; files are closed in each case."""
        from crowdscale.video.watch import watch

        alarms = self._alarms()
        outputs: list[Output] = []
        try:
            with ExitStack() as stack:
                outputs = [*self._outputs(stack, rows, video), *self._broker(stack, alarms)]
                if tracks is not None:
                    outputs.append(self._tracks(stack, tracks))
                if self.past is not None:
                    options = replace(options, after=self.past.after)
                    self.past.restore(alarms)
                if heat is not None:
                    outputs.append(Output("frames of the heat", partial(add_heat, heat), self._tell))
                for watched in watch(self.source, predictor, options, self.zones, alarms):
                    for output in outputs:
                        output.take(watched)
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

    def _outputs(self, stack: ExitStack, rows: Path | None, video: Path | None) -> list[Output]:
        """Return the outputs that take each count: history, warnings, rows, video and live line."""
        from crowdscale.video.pictures import counted_frame
        from crowdscale.video.watch import RowWriter
        from crowdscale.video.writer import VideoWriter

        outputs = [Output("counts", lambda each: self._keep(each.row), self._tell)]
        self.source.on_note = self._tell
        if rows is not None:
            table = stack.enter_context(RowWriter(rows, self.whose))
            self.past = table.past
            if table.mended:
                self._tell(f"{rows} ended in half a row, which was removed.")
            outputs.append(Output("rows", lambda each: table.write(each.row), self._tell))
        if video is not None:
            self._keep_earlier(video)
            film = VideoWriter(video)
            stack.callback(self._close, film)
            outputs.append(
                Output(
                    "frames", lambda each: film.write(counted_frame(each), each.row.time), self._tell, True
                )
            )
        live = stack.enter_context(progress("Watching", unit="none", quiet=self.quiet))
        outputs.append(
            Output(
                "notes",
                lambda each: live.update(note=live_note(each.row, live.seconds, self.source.live)),
                self._tell,
            )
        )
        return outputs

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
        publisher = open_publisher(stack, self.mqtt, self._tell)
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

    def _keep(self, row: WatchRow) -> None:
        from crowdscale.video.watch import column_of

        self.warned += bool(row.warnings)
        self.unusable += not row.usable
        for sentence in row.warnings:
            kind = "".join(sign for sign in sentence if not sign.isdigit())
            if kind not in self._warnings:  # each kind once, when it first comes
                self._warnings.add(kind)
                if not self.quiet:
                    typer.echo(f"Warning: {row.time:,.1f} s: {sentence}", err=True)
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
        try:
            write_image(plot, plot_counts(times, lines, title, faint), drawn=True)
        except CrowdscaleError as error:
            self.problems.append(str(error))

    def draw_heat(self, path: Path, heat: FilmHeat) -> None:
        """Draw where people were into a picture."""
        from crowdscale.files.images import write_image

        try:
            write_image(path, heat.draw())
        except CrowdscaleError as error:
            self.problems.append(str(error))

    def report(self, *written: Path | None) -> int:
        """Print the summary and the problems; return the exit code."""
        if self.history.number and not self.quiet:
            self._print_summary([path for path in written if path is not None and path.exists()])
        print_errors(self.problems)
        if self.interrupted:
            return INTERRUPTED
        if not self.history.number and self.past is not None and not self.problems:
            print(f"{self.source.name} is counted to its end: no new rows.")
            return 0
        if not self.history.number:
            return NOTHING_DONE
        return SOME_FAILED if self.problems else 0

    def _print_summary(self, files: list[Path]) -> None:
        total = self.history
        print(
            f"{counted(total.number, 'count')} over {total.last:,.1f} s: {total.people / total.number:,.1f} people on "
            f"average, {total.least:,.0f} to {total.most:,.0f}; {total.seconds / total.number:.2f} s a count"
        )
        if self.warned:
            print(f"Warnings on {self.warned:,} of {counted(total.number, 'count')}.")
        if self.unusable:
            print(f"Do not use {self.unusable:,} of them: the frames are unlike all training photos.")
        if self.source.dropped:
            print(
                f"{counted(self.source.dropped, 'frame')} skipped, because counting is slower than the camera."
            )
        if files:
            print(f"Written: {', '.join(map(str, files))}")
