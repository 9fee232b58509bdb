"""The record of an audit: the plan, the heads that people marked, and all that a third party needs to repeat it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from crowdscale.errors import CrowdscaleError, DataError
from crowdscale.trust.audit.design import MOST, AuditPlan
from crowdscale.trust.audit.estimate import AuditEstimate, estimate, estimates

__all__ = ["FORMAT", "Answer", "AuditModel", "AuditRecord"]

FORMAT = "crowdscale-audit/1"
"""Name and version of the JSON."""

Heads = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class AuditModel:
    """The model that predicted, and how."""

    name: str = ""
    sha256: str = ""
    """Of the model's file."""
    version: str = ""
    """Of crowdscale."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Options of counting that differ from the usual ones."""


@dataclass(frozen=True)
class Answer:
    """People counted by hand in one cell."""

    cell: int
    """Index of the cell."""
    count: int
    heads: Heads | None = None
    """(x, y) of each head in pixels of the upright photo; None where only a number was given."""
    by: str = ""
    """Who counted, as typed."""
    at: str = ""
    """When, as typed or by the clock."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {**asdict(self), "heads": None if self.heads is None else [list(head) for head in self.heads]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Answer:
        """Return the answer that ``to_dict`` took apart."""
        heads = values.get("heads")
        return cls(**{**values, "heads": None if heads is None else _heads(heads)})


@dataclass(frozen=True)
class AuditRecord:
    """An audit as it stands: cells are answered in the order of the draw, none is passed over.

    Raises:
        DataError: An answer is not for the next cell of the draw, or its heads lie outside the cell.
    """

    plan: AuditPlan
    answers: tuple[Answer, ...] = ()
    """In the order of the draw."""
    model: AuditModel = field(default_factory=AuditModel)
    model_heads: tuple[Heads, ...] = ()
    """Heads that the model located in each photo; empty where it locates none."""
    note: str = ""
    """A title or a purpose, as typed."""
    level: float = 0.9
    """How often intervals are to hold."""

    def __post_init__(self) -> None:
        if len(self.answers) > len(self.plan.cells):
            raise DataError(f"expected at most {len(self.plan.cells)} answers", str(len(self.answers)))
        if len(self.model_heads) not in (0, len(self.plan.photos)):
            raise DataError("expected the model's heads for each photo", f"for {len(self.model_heads)}")
        for answer, cell in zip(self.answers, self.plan.order(len(self.answers)), strict=True):
            self._check(answer, cell)

    def _check(self, answer: Answer, cell: int) -> None:
        if answer.cell != cell:
            raise DataError(
                f"expected an answer for cell {cell}, the next of the draw",
                f"one for cell {answer.cell}",
                "Cells are counted in the order in which they were drawn",
            )
        if not isinstance(answer.count, int) or not 0 <= answer.count <= MOST:
            raise DataError(f"expected 0 people or more in cell {cell}", str(answer.count)[:40])
        if answer.heads is None:
            return
        xy = np.array(answer.heads, np.float64).reshape(-1, 2)
        inside = self.plan.cells[cell].box.contains(xy)
        if not inside.all() or len(xy) != answer.count:
            raise DataError(
                f"expected {answer.count} heads inside cell {cell}",
                f"{int(inside.sum())} inside and {int((~inside).sum())} outside",
            )

    @property
    def counts(self) -> tuple[int, ...]:
        """People counted by hand, in the order of the draw."""
        return tuple(answer.count for answer in self.answers)

    @property
    def next_cell(self) -> int | None:
        """Index of the cell to count next; None where all are counted."""
        number = len(self.answers)
        return None if number == len(self.plan.cells) else self.plan.order(number + 1)[-1]

    def estimate(self) -> AuditEstimate:
        """Return the number of people and its interval as the audit stands."""
        return estimate(self.plan, self.counts, self.level)

    def estimates(self) -> list[AuditEstimate]:
        """Return the estimate after 0, 1, 2, … answers."""
        return estimates(self.plan, self.counts, self.level)

    def answered(
        self,
        count: int | None = None,
        heads: Sequence[Sequence[float]] | None = None,
        by: str = "",
        at: str = "",
    ) -> AuditRecord:
        """Return the record with an answer for the next cell.

        Args:
            count: People in the cell; None: as many as heads.
            heads: (x, y) of each in pixels of the upright photo.
            by: Who counted.
            at: When.

        Raises:
            DataError: All cells are answered, or the answer does not fit the cell.
        """
        cell, marked = self.next_cell, None if heads is None else _heads(heads)
        if cell is None:
            raise DataError("expected a cell that is not counted yet", "an audit of which all are")
        if count is None and marked is None:
            raise DataError(f"expected a count or heads for cell {cell}", "neither")
        number = count if count is not None else len(marked or ())
        return replace(self, answers=(*self.answers, Answer(cell, number, marked, by, at)))

    def undone(self) -> AuditRecord:
        """Return the record without its last answer."""
        return replace(self, answers=self.answers[:-1])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; the draw and the estimate stand there to be checked."""
        return {
            "format": FORMAT,
            "note": self.note,
            "level": self.level,
            "model": asdict(self.model),
            "plan": self.plan.to_dict(),
            "draw": list(self.plan.order(len(self.answers))),
            "answers": [answer.to_dict() for answer in self.answers],
            "model_heads": [[list(head) for head in heads] for heads in self.model_heads],
            "estimate": self.estimate().to_dict(),
        }

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AuditRecord:
        """Return the record that ``to_dict`` took apart.

        Raises:
            DataError: It is no such record, or its parts do not fit each other.
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            came = values.get("format", "none") if isinstance(values, dict) else "none"
            raise DataError(f"expected an audit of the format {FORMAT}", str(came))
        try:
            return cls(
                AuditPlan.from_dict(values["plan"]),
                tuple(Answer.from_dict(each) for each in values["answers"]),
                AuditModel(**values["model"]),
                tuple(_heads(each) for each in values["model_heads"]),
                str(values["note"]),
                float(values["level"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            if isinstance(error, CrowdscaleError):
                raise
            raise DataError("expected a whole audit", f"one that lacks {error}") from error

    @classmethod
    def from_json(cls, text: str | bytes) -> AuditRecord:
        """Return the record of ``to_json``.

        Raises:
            DataError: The text is no JSON, or no record.
        """
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, RecursionError) as error:
            if isinstance(error, CrowdscaleError):
                raise
            raise DataError("expected an audit as JSON", str(error)) from error


def _heads(values: Sequence[Sequence[float]]) -> Heads:
    """Return heads as pairs of plain numbers, rounded to hundredths of a pixel."""
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in values)
