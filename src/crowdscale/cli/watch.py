"""``crowdscale watch``: people in a video or a camera's stream over time, with rows, pictures and alarms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from crowdscale.cli.errors import terminated_like_ctrl_c
from crowdscale.cli.hints import print_password_hint
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
    Turn,
    ZonesFile,
    option,
    read_zones_file,
    seconds_of,
    turn_of_option,
)
from crowdscale.cli.watch_outputs import windows_of
from crowdscale.cli.watch_session import Session, Targets
from crowdscale.cli.watch_several import refuse_single_options, watch_cameras
from crowdscale.cli.watch_time import read_calendar
from crowdscale.errors import OptionError

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
    turn: Turn = "off",
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
            help="Frames a second of a folder, a raw stream, or a film whose own times are wrong.",
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
    from crowdscale.video.resuming import whose_rows
    from crowdscale.video.sources import SourceOptions, open_source
    from crowdscale.video.watch import WatchOptions

    print_password_hint(quiet, source, mqtt)
    options = WatchOptions(seconds_of(every), smooth, seconds_of(duration) if duration else None, frames)
    options = replace(
        options,
        follow=follow or tracks is not None,
        windows=windows_of(sample, quiet),
        turn=turn_of_option(turn),
    )
    broker = None if mqtt is None else address_of(mqtt)
    targets = Targets(rows, tracks, video, plot, heat, broker)
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
        described, named = read_cameras(
            cameras, replace(options, duration=None), replace(opening, retries=retries), zone
        )
        predictor = load(model, backend=backend, device=device, threads=threads, options=counting)
        with terminated_like_ctrl_c():
            code = watch_cameras(
                described, predictor, broker or named, quiet, options.duration,
                model=predictor.config.name, second_pass=not no_second_pass, read_scale=read_scale,
            )  # fmt: skip
        raise typer.Exit(code)
    if source is None:
        raise OptionError("expected a video or a camera", "none", "Name one, or --cameras FILE")
    address = address_of(source)
    opened = open_source(address, opening)
    options = replace(options, calendar=read_calendar(start, zone, opened, quiet))
    known_zones = read_zones_file(zones)
    predictor = load(model, backend=backend, device=device, threads=threads, options=counting)
    session = Session(opened, known_zones, targets, quiet)
    if rows is not None:
        session.whose = whose_rows(
            address, opened, options, model=predictor.config.name, second_pass=not no_second_pass,
            read_scale=read_scale, fps=fps, loop=loop, zones=zones,
        )  # fmt: skip
    with terminated_like_ctrl_c():
        session.run(predictor, options)
    session.draw()
    raise typer.Exit(session.report())
