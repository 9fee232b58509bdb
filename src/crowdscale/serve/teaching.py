"""``/teach``: teaches the model from the corrections, in a child process, where the service is this machine's alone.

No request carries a path, a name or a command: folders come from the service's start, names are counted up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from crowdscale.data.corrections import count_corrections
from crowdscale.errors import ModelError
from crowdscale.serve.counting import RESPONSES
from crowdscale.serve.options import ServeOptions
from crowdscale.serve.state import State
from crowdscale.serve.teacher import Teacher

__all__ = ["Teaching", "teaching_routes"]

WITHOUT_FOLDER = "Start the service with a folder for corrections: crowdscale serve --corrections DIR."
NOT_LOCAL = "Only a service that this machine alone can reach trains. Run the commands by hand."
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "It does not fit the state of the training.",
        "content": {"application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}},
    }
}  # fmt: skip
ANSWERS: dict[int | str, dict[str, Any]] = {400: RESPONSES[400], **CONFLICT}


@dataclass(frozen=True)
class Teaching:
    """Who teaches, or why nobody does."""

    teacher: Teacher | None
    reason: str = ""

    @classmethod
    def of(cls, options: ServeOptions) -> Teaching:
        """Return the teacher of a service with these options."""
        if options.corrections is None:
            return cls(None, WITHOUT_FOLDER)
        if not options.is_local or (options.hosts and not options.token):
            return cls(None, NOT_LOCAL)
        return cls(Teacher(options.corrections))


def teaching_routes(state: State, teaching: Teaching) -> APIRouter:
    """Return the routes that teach; without a teacher one alone, which gives the reason."""
    routes = APIRouter(prefix="/teach", tags=["teach"])
    teacher = teaching.teacher

    @routes.get("")
    async def show() -> dict[str, Any]:
        """Whether the model can be taught here, the commands, and the state of a training."""
        return await run_in_threadpool(_show, state, teaching)

    if teacher is None:
        return routes

    @routes.post("/start", responses=ANSWERS)
    async def start() -> dict[str, Any]:
        """Train on the corrections, or go on with a training that was stopped, then compare both models."""
        await run_in_threadpool(_start, state, teacher)
        return await run_in_threadpool(_show, state, teaching)

    @routes.post("/cancel", responses=ANSWERS)
    async def cancel() -> dict[str, Any]:
        """Stop the training; what was trained is kept."""
        await run_in_threadpool(teacher.cancel)
        return await run_in_threadpool(_show, state, teaching)

    @routes.post("/discard", responses=ANSWERS)
    async def discard() -> dict[str, Any]:
        """Forget the training and the new model; corrections stay."""
        await run_in_threadpool(teacher.discard)
        return await run_in_threadpool(_show, state, teaching)

    @routes.post("/accept", responses={**RESPONSES, **CONFLICT})
    async def accept() -> dict[str, Any]:
        """Put the new model beside the old one under its name, and count with it from now on."""
        folder = await run_in_threadpool(teacher.accept)
        await state.line.run(lambda _: state.counter.switch(folder))
        await run_in_threadpool(teacher.finish, folder)
        return await run_in_threadpool(_show, state, teaching)

    return routes


def _start(state: State, teacher: Teacher) -> None:
    problem = teacher.problem(state.counter.folder)
    if problem:
        raise ModelError(problem)
    teacher.start(state.counter.folder)


def _show(state: State, teaching: Teaching) -> dict[str, Any]:
    """Return what the page shows."""
    teacher, folder = teaching.teacher, state.options.corrections
    corrected = 0 if folder is None or not folder.is_dir() else count_corrections(folder)
    if teacher is None:
        return {"available": False, "reason": teaching.reason, "corrected": corrected, "commands": []}
    problem, values = teacher.problem(state.counter.folder), teacher.state()
    counts_so = values["accepted"] == str(state.counter.folder)
    return {
        "available": not problem,
        "reason": problem,
        "corrected": corrected,
        "commands": teacher.lesson(state.counter.folder).commands(),
        **values,
        "accepted": values["accepted"] if counts_so else "",  # a later service may count with another model
        "cameras_keep": state.counter.cameras_keep,
    }
