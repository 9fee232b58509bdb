"""Runs one lesson at a time in child processes: it trains, measures, can be stopped, and resumes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from crowdscale.errors import CrowdscaleError, DataError, need_learn
from crowdscale.files.writing import write_atomic
from crowdscale.models.description import read_config
from crowdscale.models.finding import BUNDLED, find_weights
from crowdscale.models.package import WEIGHTS
from crowdscale.serve.lessons import Lesson, choose_lists, judge, next_name

__all__ = ["PROGRAM", "ConflictError", "Progress", "Teacher"]

PROGRAM = (sys.executable, "-m", "crowdscale")
"""What runs a command of this package in a process of its own."""
PATIENCE = 10.0
"""Seconds that a child process has to end."""
KINDNESS = 10
"""By which the priority of a child is lowered, so that counting stays fast."""
LAST_LINES = 4000
"""Bytes at the end of a log in which an error stands."""
STEPS = ("training", "measuring")


class ConflictError(CrowdscaleError):
    """A request that does not fit the state of the teaching."""


@dataclass(frozen=True)
class Progress:
    """The state of teaching, kept on disk."""

    phase: str = "idle"
    """idle, training, measuring, stopped, failed, or done: trained and measured."""
    name: str = ""
    """Of the new model."""
    model: str = ""
    """The model that it starts from, by name or folder."""
    problem: str = ""
    """Why it failed."""
    photos: tuple[int, int] = (0, 0)
    """Photos to train on, and held out."""
    comparison: dict[str, Any] = field(default_factory=dict)
    """See ``lessons.judge``."""
    accepted: str = ""
    """Folder of the model that was taken over last."""


class Teacher:
    """Teaches a model from a folder of corrections, one lesson at a time.

    Args:
        corrections: The folder.
        program: Words that start a command of this package; tests give others.
    """

    def __init__(self, corrections: Path, program: Sequence[str] = PROGRAM) -> None:
        self.corrections = corrections.absolute()
        self.folder = self.corrections.with_name(f"{self.corrections.name}-taught")
        self.program = tuple(program)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._progress = self._read()

    @property
    def models(self) -> Path:
        """Folder of the models that were taken over."""
        return self.folder / "models"

    @property
    def log(self) -> Path:
        """What the commands print."""
        return self.folder / "log.txt"

    def problem(self, model: Path) -> str:
        """Return why a model cannot be taught here; empty where it can."""
        try:
            need_learn("Teaching")
            config = read_config(model)
            if config.precision != "float32":
                return f"{config.name} cannot be trained on. Start the service with --model lite."
            find_weights(model / WEIGHTS)
        except CrowdscaleError as error:
            return str(error)
        return ""

    def lesson(self, model: Path | None = None) -> Lesson:
        """Return the lesson that runs or ran last; with ``model`` the next one that would begin."""
        kept = self._progress
        if model is None or kept.phase in (*STEPS, "stopped", "failed", "done"):
            return Lesson(self.corrections, self.folder, kept.model, kept.name)
        taken = [path.name for path in self.models.glob("*")] if self.models.is_dir() else []
        start = model.name if BUNDLED.get(model.name) == model else str(model.absolute())
        return Lesson(self.corrections, self.folder, start, next_name(read_config(model).name, taken))

    def state(self) -> dict[str, Any]:
        """Return phase, progress and comparison as plain values."""
        with self._lock:
            values = asdict(self._progress)
        if values["phase"] == "training":
            values["progress"] = self._training_progress()
        return values

    def start(self, model: Path) -> None:
        """Begin a lesson, or go on with one that was stopped or failed.

        Raises:
            ConflictError: One runs, or waits to be taken over or discarded.
            DataError: The corrections cannot be read, or are too few.
        """
        with self._lock:
            phase = self._progress.phase
            if phase in STEPS:
                raise ConflictError("A training runs already")
            if phase == "done":
                raise ConflictError("A new model waits", "", "Take it over or discard it first")
            if phase == "idle":
                lesson = self.lesson(model)
                photos = choose_lists(lesson)
                self._clear()
                self._progress = Progress(
                    name=lesson.name, model=lesson.model, photos=photos, accepted=self._progress.accepted
                )
            self._stopping = False
            self._set("training")
            self._thread = threading.Thread(target=self._work, name="teach", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """Stop the child process; what was trained is kept. Raises ConflictError where none runs."""
        with self._lock:
            if self._progress.phase not in STEPS:
                raise ConflictError("No training runs")
            self._stopping = True
            child, thread = self._child, self._thread
        if child is not None:
            _end(child)
        if thread is not None:
            thread.join(PATIENCE)

    def discard(self) -> None:
        """Forget the lesson with its run. Raises ConflictError while it runs."""
        with self._lock:
            if self._progress.phase in STEPS:
                raise ConflictError("A training runs", "", "Stop it first")
            self._clear()
            self._progress = Progress(accepted=self._progress.accepted)
            self._set("idle")

    def accept(self) -> Path:
        """Copy the new model beside the others under its name, and return its folder; no other model is changed.

        Raises:
            ConflictError: There is none that was measured.
        """
        with self._lock:
            if self._progress.phase != "done":
                raise ConflictError("There is no new model to take over")
            lesson, target = self.lesson(), self.models / self._progress.name
            if not target.exists():
                scratch = self.models / f".{target.name}"
                shutil.rmtree(scratch, ignore_errors=True)
                shutil.copytree(lesson.best, scratch)
                scratch.replace(target)
            return target

    def finish(self, accepted: Path) -> None:
        """Note that a new model was taken over, and end its lesson."""
        with self._lock:
            self._clear()
            self._progress = Progress(accepted=str(accepted))
            self._set("idle")

    def close(self) -> None:
        """Stop what runs, when the service ends."""
        with suppress(ConflictError):
            self.cancel()

    def _work(self) -> None:
        """Run the commands of a lesson one after the other."""
        lesson = self.lesson()
        problem, comparison = "", dict[str, Any]()
        try:
            self.log.unlink(missing_ok=True)
            self._run(lesson.training())
            self._advance("measuring")
            for words in lesson.measuring():
                self._run(words)
            comparison = judge(lesson)
        except CrowdscaleError as error:
            problem = str(error)
        except Exception as error:  # whatever goes wrong, the page gets a sentence
            problem = f"Teaching failed: {error}"
        with self._lock:
            phase = "failed" if problem else "done"
            self._progress = replace(self._progress, problem=problem, comparison=comparison)
            self._set("stopped" if self._stopping and problem else phase)

    def _advance(self, phase: str) -> None:
        with self._lock:
            self._set(phase)

    def _run(self, words: Sequence[str]) -> None:
        """Run one command; its output goes to the log. Raises CrowdscaleError where it fails or is stopped."""
        with self.log.open("ab") as log:
            with self._lock:
                if self._stopping:
                    raise ConflictError("Stopped")
                child = subprocess.Popen(
                    [*self.program, *words],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                self._child = child
            _be_kind(child.pid)
            code = child.wait()
        with self._lock:
            self._child = None
        if code:
            raise DataError(self._last_line() or f"crowdscale {words[0]} ended with code {code}")

    def _last_line(self) -> str:
        """Return the sentence with which a command ended."""
        text = self.log.read_bytes()[-LAST_LINES:].decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1].removeprefix("Error: ") if lines else ""

    def _training_progress(self) -> dict[str, Any] | None:
        """Return what the trainer reports: phase, step, steps, crops_per_second, seconds_left; None before."""
        try:
            values: dict[str, Any] = json.loads((self.lesson().run / "progress.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return values

    def _clear(self) -> None:
        """Remove the last run and its scores."""
        lesson = self.lesson()
        shutil.rmtree(lesson.run, ignore_errors=True)
        for path in (lesson.scores("old"), lesson.scores("new")):
            path.unlink(missing_ok=True)

    def _set(self, phase: str) -> None:
        """Change the phase and write the state; the caller holds the lock."""
        self._progress = replace(
            self._progress, phase=phase, problem=self._progress.problem if phase == "failed" else ""
        )
        text = json.dumps(asdict(self._progress)).encode()
        write_atomic(self.folder / "state.json", lambda stream: stream.write(text))

    def _read(self) -> Progress:
        """Return the state of an earlier service; what ran then was stopped with it."""
        try:
            values = json.loads((self.folder / "state.json").read_bytes())
            kept = Progress(**{**values, "photos": tuple(values["photos"])})
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return Progress()
        return replace(kept, phase="stopped") if kept.phase in STEPS else kept


def _be_kind(pid: int) -> None:
    """Lower the priority of a process, where the system can."""
    if hasattr(os, "setpriority"):
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, KINDNESS)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child with its own children: asked first, then forced."""
    for force in (False, True):
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)
        elif force:
            child.kill()
        else:
            child.terminate()
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            continue
        break
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # what it left, such as loaders of crops
