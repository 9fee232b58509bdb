"""What teaching runs and judges: the lists of photos, the commands, and the comparison of the old and the new model."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crowdscale.data.folder import Folder
from crowdscale.data.lists import list_entry, read_list, write_list
from crowdscale.errors import DataError
from crowdscale.metrics import FEWEST_IMAGES, ImageRow, Scores, Scoring, compare

__all__ = ["Lesson", "choose_lists", "judge", "next_name"]

HELD_OUT_SHARE = 5
"""One of so many corrected photos is held out, and never trained on."""
TAUGHT = re.compile(r"-taught-\d+$")


@dataclass(frozen=True)
class Lesson:
    """One training on corrections: its folders and the commands that run it.

    Args:
        corrections: Folder of corrected photos.
        folder: Folder of lists, the run and the models that were taken over.
        model: The model to start from, by name or folder.
        name: Name of the new model.
    """

    corrections: Path
    folder: Path
    model: str
    name: str

    @property
    def train_list(self) -> Path:
        """The list of photos to train on."""
        return self.folder / "lists" / "train.txt"

    @property
    def held_out_list(self) -> Path:
        """The list of photos to compare on."""
        return self.folder / "lists" / "held_out.txt"

    @property
    def run(self) -> Path:
        """Folder of the training."""
        return self.folder / "run"

    @property
    def best(self) -> Path:
        """Folder of the new model."""
        return self.run / "best"

    def scores(self, which: str) -> Path:
        """The scores of the ``old`` or the ``new`` model."""
        return self.folder / f"{which}.json"

    def training(self) -> list[str]:
        """Return the words of the command that trains. It measures once, at its end: nothing is chosen by it."""
        return [
            "train", "--data", f"folder:{self.corrections}", "--init", self.model, "--name", self.name,
            "--only", str(self.train_list), "--hold-out", str(self.held_out_list),
            "--regime", "teach", "--out", str(self.run),
        ]  # fmt: skip

    def measuring(self) -> list[list[str]]:
        """Return the words of the commands that measure both models on the photos held out."""
        return [
            ["evaluate", model, "--data", f"folder:{self.corrections}", "--only", str(self.held_out_list), "--json", str(self.scores(which))]
            for which, model in (("old", self.model), ("new", str(self.best)))
        ]  # fmt: skip

    def commands(self) -> list[str]:
        """Return all commands as a shell reads them; the last one prints the comparison."""
        words = [self.training(), *self.measuring()]
        words.append(["score", str(self.scores("new")), "--against", str(self.scores("old"))])
        return [shlex.join(["crowdscale", *each]) for each in words]


def next_name(model: str, taken: Sequence[str]) -> str:
    """Return the name of the next model taught from one: ``lite-taught-1``, ``lite-taught-2`` and so on."""
    base = TAUGHT.sub("", model)
    numbers = (number for number in range(1, len(taken) + 2) if f"{base}-taught-{number}" not in taken)
    return f"{base}-taught-{next(numbers)}"


def choose_lists(lesson: Lesson) -> tuple[int, int]:
    """Write the lists of photos to train on and to hold out; return their lengths.

    A photo that was held out stays held out, and one that was trained on is not held out later: the model that is to be
    improved may have learned it.

    Raises:
        DataError: The corrections cannot be read, or there are fewer than two photos.
    """
    if not lesson.corrections.is_dir() or not any(lesson.corrections.iterdir()):
        raise DataError("There is no corrected photo yet", "", "Save some under Correct or Audit")
    entries = [list_entry(sample) for sample in Folder(lesson.corrections)]
    if len(entries) < 2:
        raise DataError(
            "Teaching needs two corrected photos or more", f"{len(entries)}", "One is held out to measure on"
        )
    held, trained = (_listed(path, entries) for path in (lesson.held_out_list, lesson.train_list))
    wanted = max(1, len(entries) // HELD_OUT_SHARE)
    fresh = [entry for entry in _shuffled(entries) if entry not in {*held, *trained}]
    held += fresh[: max(0, wanted - len(held))]
    if not held:
        held = _shuffled(entries)[:1]
    rest = [entry for entry in entries if entry not in held]
    if not rest:
        raise DataError("All corrected photos are held out to measure on", "", "Correct another one")
    write_list(lesson.train_list, rest, "Corrected photos to train on")
    write_list(lesson.held_out_list, held, "Corrected photos held out of all training, to compare models on")
    return len(rest), len(held)


def _listed(path: Path, entries: Sequence[str]) -> list[str]:
    """Return the entries of a list of an earlier lesson that are still there."""
    return [entry for entry in read_list(path) if entry in set(entries)] if path.exists() else []


def _shuffled(entries: Sequence[str]) -> list[str]:
    """Return entries in an order that depends on their names alone."""
    return sorted(entries, key=lambda entry: hashlib.sha256(entry.encode()).hexdigest())


def judge(lesson: Lesson) -> dict[str, Any]:
    """Return how the new model counts held-out photos, compared with the old one.

    The interval resamples photos in pairs (``crowdscale score --against``). Few photos have none.

    Raises:
        DataError: A file of scores cannot be read.
    """
    old, new = (_read_scores(lesson.scores(which)) for which in ("old", "new"))
    error = next(each for each in compare(old, new) if each.name == "MAE")
    photos, heads = len(old.rows), sum(row.truth for row in old.rows)
    few = photos < FEWEST_IMAGES
    verdict = "few" if few else _verdict(error.sure, error.difference)
    return {
        "photos": photos,
        "heads": heads,
        "old_error": round(error.first, 2),
        "new_error": round(error.second, 2),
        "low": None if few or not math.isfinite(error.low) else round(error.low, 2),
        "high": None if few or not math.isfinite(error.high) else round(error.high, 2),
        "verdict": verdict,
        "sentence": SENTENCES[verdict].format(photos="1 photo" if photos == 1 else f"{photos} photos", fewest=FEWEST_IMAGES),
    }  # fmt: skip


SENTENCES = {
    "few": "{photos} held out are too few for a verdict. {fewest} or more are needed.",
    "better": "The new model counts better: by more than chance on the {photos} held out.",
    "worse": "The new model counts worse: by more than chance on the {photos} held out. Keep the old one.",
    "unsure": "The difference on the {photos} held out may be chance. Keep the old model, or correct more photos.",
}


def _verdict(sure: bool, difference: float) -> str:
    if not sure:
        return "unsure"
    return "better" if difference < 0 else "worse"


def _read_scores(path: Path) -> Scores:
    try:
        content = json.loads(path.read_bytes())
        rows = tuple(_rows(content["rows"]))
        return Scores(rows, Scoring.from_dict(content["scoring"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"The scores in {path} cannot be read", str(error)) from error


def _rows(values: Sequence[dict[str, Any]]) -> Iterator[ImageRow]:
    return (ImageRow.from_dict(each) for each in values)
