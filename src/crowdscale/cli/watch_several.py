"""``crowdscale watch --cameras``: the cameras of a file, a status line each, a summary at the end."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import typer

from crowdscale.cli.errors import INTERRUPTED, NOTHING_DONE, SOME_FAILED, print_errors
from crowdscale.cli.tables import counted
from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.counting.predictor import Predictor
    from crowdscale.video.mqtt import Publisher
    from crowdscale.video.several import Camera, Cameras, Watching

__all__ = [
    "LOOK",
    "leave",
    "open_publisher",
    "publish_status",
    "published",
    "refuse_single_options",
    "summary_lines",
    "teller",
    "watch_cameras",
]

LOOK = 0.5
"""Seconds between two checks of the cameras."""


def refuse_single_options(**given: object) -> None:
    """Refuse options of one source beside ``--cameras``. Raises OptionError."""
    wrong = [
        f"--{name.replace('_', '-')}" if name != "source" else "a source"
        for name, value in given.items()
        if value
    ]
    if wrong:
        raise OptionError("expected --cameras alone", wrong[0], "Write it into the file of the cameras")


def open_publisher(stack: ExitStack, address: str | None, tell: Callable[[str], object]) -> Publisher | None:
    """Return the publisher of ``--mqtt``, closed with the stack; None without an address."""
    if address is None:
        return None
    from crowdscale.video.mqtt import Publisher

    publisher = Publisher(address, tell)
    stack.callback(publisher.close)
    return publisher


def teller(quiet: bool) -> Callable[[str, str], None]:
    """Return what prints a camera's name and a sentence, from any thread."""
    terminal = threading.Lock()

    def tell(name: str, sentence: str) -> None:
        if not quiet:
            with terminal:
                typer.echo(f"{name}: {sentence}", err=True)

    return tell


def watch_cameras(
    cameras: list[Camera],
    predictor: Predictor,
    mqtt: str | None,
    quiet: bool,
    duration: float | None,
    **counting: Any,
) -> int:
    """Watch until all end, Ctrl-C or the duration; return the exit code."""
    from crowdscale.video.several import Cameras

    interrupted, tell = False, teller(quiet)
    with ExitStack() as stack:
        publisher = open_publisher(stack, mqtt, lambda sentence: tell("mqtt", sentence))
        on_count = None if publisher is None else published(publisher, cameras)
        several = Cameras(cameras, predictor, tell, on_count, **counting)
        lines = stack.enter_context(_status_lines(several, quiet))
        several.start()
        try:
            _wait(several, publisher, lines, duration)
        except KeyboardInterrupt:
            interrupted = True
        several.stop(30.0)
    code = _summary(several, quiet, interrupted)
    leave(several, code)
    return code


def leave(several: Cameras, code: int) -> None:
    """End at once where a thread still waits for a silent camera: Python would end it inside a library, and abort.

    Every row is in its file by then.
    """
    from crowdscale.video.frame import READER

    if several.wait(0) or any(thread.name == READER for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def published(publisher: Publisher, cameras: list[Camera]) -> Callable[[Watching], None]:
    """Announce the cameras and return what publishes each count."""
    for camera in cameras:
        zones = () if camera.zones is None else [zone.name for zone in camera.zones.zones if not zone.roi]
        publisher.announce(camera.name, zones, () if camera.zones is None else camera.zones.alarms)
        publisher.status(camera.name, False)

    def publish(state: Watching) -> None:
        if state.last is not None:
            publisher.publish(state.camera.name, state.last.row, state.raised)

    return publish


def publish_status(publisher: Publisher, several: Cameras) -> None:
    """Publish which cameras are there."""
    for state in several.states:
        publisher.status(state.camera.name, state.now == "counting")


def _wait(
    several: Cameras, publisher: Publisher | None, show: Callable[[], None], duration: float | None
) -> None:
    from time import monotonic

    until = None if duration is None else monotonic() + duration
    while several.wait(LOOK) and (until is None or monotonic() < until):
        show()
        if publisher is not None:
            publish_status(publisher, several)


@contextmanager
def _status_lines(several: Cameras, quiet: bool) -> Iterator[Callable[[], None]]:
    """Yield what renews a line for each camera on a terminal; elsewhere it does nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    text = [TextColumn("{task.description}", markup=False), TextColumn("{task.fields[note]}", markup=False)]
    with Progress(SpinnerColumn(), *text, console=Console(stderr=True), transient=True) as shown:
        tasks = [shown.add_task(state.camera.name, total=None, note="") for state in several.states]

        def renew() -> None:
            for state, task in zip(several.states, tasks, strict=True):
                shown.update(task, note=state.line())

        yield renew


def summary_lines(several: Cameras) -> Iterator[str]:
    """Yield what each camera counted, and its highest densities."""
    from crowdscale.zones.crowd import NO_SAFETY_DEVICE

    for state in several.states:
        if not state.counts or state.last is None:
            continue
        name, mean = state.camera.name, state.people / state.counts
        again = 0 if state.source is None else state.source.reconnects
        lost = f"; lost and reached again {counted(again, 'time')}" if again else ""
        yield (
            f"{name}: {counted(state.counts, 'count')} over {state.last.row.time:,.1f} s: "
            f"{mean:,.1f} people on average{lost}"
        )
        yield from (f"{name}: {line}" for line in state.highest.lines())
    if any(state.highest.peaks for state in several.states):
        yield NO_SAFETY_DEVICE


def _summary(several: Cameras, quiet: bool, interrupted: bool) -> int:
    """Print a line for each camera and the problems; return the exit code."""
    if not quiet:
        for line in summary_lines(several):
            print(line)
    problems = [f"{state.camera.name}: {each}" for state in several.states for each in state.problems]
    print_errors(problems)
    if interrupted:
        return INTERRUPTED
    if not any(state.counts for state in several.states):
        return NOTHING_DONE
    return SOME_FAILED if problems else 0
