"""Several cameras in one process: one model, fair turns, and no camera's fault touches another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from crowdscale.counting.predictor import Predictor
from crowdscale.errors import CrowdscaleError, without_password
from crowdscale.video.camera_state import Camera, Watching
from crowdscale.video.cameras import patience
from crowdscale.video.frame import Source
from crowdscale.video.outputs import Output
from crowdscale.video.resuming import whose_rows
from crowdscale.video.row_writer import RowWriter
from crowdscale.video.sources import VideoError, open_source
from crowdscale.video.turns import InTurn, Turns
from crowdscale.video.watch import WatchOptions, watch
from crowdscale.zones.alarms import Alarms

__all__ = ["Camera", "Cameras", "Watching"]


class Cameras:
    """Watches several cameras, each on a thread of its own, with one model.

    Args:
        cameras: At least one; their names differ.
        predictor: Counts; one frame at a time.
        report: Called with a camera's name and a sentence, from any thread.
        on_count: Called with the state of a camera after each count, from its thread.
        turns: Shared with others who count with the same model.
        counting: Options of the model by name, which rows depend on.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        predictor: Predictor,
        report: Callable[[str, str], object],
        on_count: Callable[[Watching], object] | None = None,
        turns: Turns | None = None,
        **counting: Any,
    ) -> None:
        self.states = [Watching(camera) for camera in cameras]
        self.predictor, self.report, self.on_count, self.counting = predictor, report, on_count, counting
        self._turns, self._stop = turns or Turns(), threading.Event()
        self._sources: list[Source] = []
        self._threads = [
            threading.Thread(target=self._run, args=(state,), name=state.camera.name, daemon=True)
            for state in self.states
        ]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for so long; return whether a camera still runs."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return any(thread.is_alive() for thread in self._threads)

    def stop(self, timeout: float = 10.0) -> None:
        """End all cameras and close their files; a silent one is left behind after ``timeout`` seconds."""
        self._stop.set()
        for source in list(self._sources):
            source.stop()
        self.wait(timeout)

    def _run(self, state: Watching) -> None:
        def note(sentence: str) -> None:
            sentence = without_password(sentence)
            state.note(sentence)
            self.report(state.camera.name, sentence)

        try:
            source = self._opened(state, note)
            if source is not None:
                self._watch(state, source, note)
            state.status = "failed" if state.problems else "ended"
        except Exception as error:  # whatever one camera raises, the others continue
            sentence = (
                str(error) if isinstance(error, CrowdscaleError) else f"{type(error).__name__}: {error}"
            )
            state.problems.append(without_password(sentence))
            state.status = "failed"
            note(sentence)

    def _opened(self, state: Watching, note: Callable[[str], None]) -> Source | None:
        """Return the source, tried again where it does not answer; None where all ends before."""
        camera, failures = state.camera, 0
        most = camera.opening.retries
        while not self._stop.is_set():
            try:
                return open_source(camera.source, camera.opening)
            except VideoError as error:
                if "://" not in camera.source or (most is not None and failures >= most):
                    raise
                state.status = "lost"
                wait = patience(failures)
                failures += 1
                if failures == 1:
                    note(f"{error} It is tried again.")
                self._stop.wait(wait)
        return None

    def _watch(self, state: Watching, source: Source, note: Callable[[str], None]) -> None:
        camera = state.camera
        source.on_note = note
        state.source = source
        self._sources.append(source)
        if self._stop.is_set():
            source.stop()
        alarms = (
            Alarms(camera.zones.alarms, note) if camera.zones is not None and camera.zones.alarms else None
        )
        outputs: list[Output] = []
        try:
            with ExitStack() as stack:
                options = self._with_rows(stack, state, source, note, outputs, alarms)
                self._count(state, source, options, alarms, outputs)
        finally:
            if alarms is not None:
                alarms.close(5.0)
                state.problems += alarms.problems
        state.problems += [output.summary for output in outputs if output.lost]
        state.problems += source.problems

    def _count(
        self,
        state: Watching,
        source: Source,
        options: WatchOptions,
        alarms: Alarms | None,
        outputs: list[Output],
    ) -> None:
        """Count until the source ends or all cameras do."""
        predictor = InTurn(self.predictor, self._turns)
        for watched in watch(source, predictor, options, state.camera.zones, alarms):
            state.status = "counting"
            state.take(watched, frozenset(alarms.raised if alarms is not None else ()))
            for output in outputs:
                output.take(watched)
            if self.on_count is not None:
                self.on_count(state)
            if self._stop.is_set():
                return

    def _with_rows(
        self,
        stack: ExitStack,
        state: Watching,
        source: Source,
        note: Callable[[str], None],
        outputs: list[Output],
        alarms: Alarms | None,
    ) -> WatchOptions:
        """Open the file of rows and return the options with which an earlier run is continued."""
        camera = state.camera
        if camera.rows is None:
            return camera.options
        whose = whose_rows(camera.source, source, camera.options, zones=camera.zones_file, **self.counting)
        table = stack.enter_context(RowWriter(camera.rows, whose))
        if table.mended:
            note(f"{camera.rows} ended in half a row, which was removed.")
        outputs.append(Output("rows", lambda each: table.write(each.row), note))
        if table.past is None:
            return camera.options
        table.past.restore(alarms)
        return replace(camera.options, after=table.past.after)
