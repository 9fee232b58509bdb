"""Lessons: a model learns from few photos of one scene and is judged on others, by the documented command.

    python -m research.lesson run scut_a --extra /data/extra --start lite-before --out runs/lessons
    python -m research.lesson page

``run`` trains with ``crowdscale train --init`` and its defaults, and writes ``research/results/lessons/NAME.json``. A
stopped run resumes. The judged photos choose nothing: a lesson measures once, at its end. ``page`` writes the table of
docs/guides/training.md between its marks.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from crowdscale.data.lists import read_list, write_list
from crowdscale.errors import OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.metrics import Comparison, ImageRow, Scores, Scoring, compare
from research.commands import new_app, run

__all__ = ["LESSONS", "Lesson", "comparison", "halves", "table", "ten"]

HELD_OUT = Path(__file__).parent / "lists" / "validation-domains.txt"
RESULTS = Path(__file__).parent / "results" / "lessons"
PAGE = Path(__file__).parents[1] / "docs" / "guides" / "training.md"
BEGIN, END = "<!-- lessons -->", "<!-- /lessons -->"
LEARNED = 10


@dataclass(frozen=True)
class Lesson:
    """A scene, and which of its photos are learned from and judged."""

    scene: str
    """What it shows, for the table."""
    folder: str
    """Folder of photos with points, in ``--extra``."""
    border: float = 0.0
    """Share of a side that nobody annotated."""
    half: int | None = None
    """None: ten photos that are not held out are learned from, the held-out ones judged. 0 or 1: that half of the held-out
    photos is learned from, the other one judged."""

    def photos(self, extra: Path) -> tuple[list[str], list[str]]:
        """Return the photos to learn from and those to judge, as ``folder/name``."""
        held = [name for name in read_list(HELD_OUT) if name.startswith(f"{self.folder}/")]
        if self.half is not None:
            return halves(held)[self.half], halves(held)[1 - self.half]
        names = [f"{self.folder}/{path.stem}" for path in (extra / self.folder).glob("*.jpg")]
        return ten([name for name in names if name not in set(held)]), held


LESSONS = {
    "scut_a": Lesson("classrooms", "scut_a", 0.03),
    "brt": Lesson("a bus platform, two cameras", "brt"),
    "scut_a_0": Lesson("classrooms", "scut_a", 0.03, 0),
    "scut_a_1": Lesson("classrooms", "scut_a", 0.03, 1),
    "brt_0": Lesson("a bus platform, two cameras", "brt", 0.0, 0),
    "brt_1": Lesson("a bus platform, two cameras", "brt", 0.0, 1),
}


def ten(names: Sequence[str]) -> list[str]:
    """Return ten names, chosen by the digest of each."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:LEARNED]


def halves(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return every other name, and the rest."""
    return list(names[::2]), list(names[1::2])


def teach(
    name: Annotated[str, typer.Argument(help=f"A lesson: {', '.join(LESSONS)}.")],
    extra: Annotated[Path, typer.Option(help="Folder of the folders of photos.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs.")],
    start: Annotated[str, typer.Option(help="The model to start from, by name or folder.")] = "lite",
    called: Annotated[str, typer.Option(help="What the table calls that model.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE, an option of crowdscale train; default: none."),
    ] = None,
) -> None:
    """Teach one lesson and judge it."""
    if name not in LESSONS:
        raise OptionError(f"expected a lesson: {', '.join(LESSONS)}", name)
    lesson = LESSONS[name]
    learned, judged = lesson.photos(extra)
    words = _command(lesson, extra, start, out / name, learned, judged, option or [])
    resumed, begun = (out / name / "log.csv").exists(), time.process_time()
    _train(words)
    seconds = None if resumed else round(time.process_time() - begun)
    photos = _samples(lesson, extra, judged)
    counts = [_counts(model, photos) for model in (start, str(out / name / "best"))]
    rows = [
        {"name": sample.name, "truth": len(sample.points), "before": before, "after": after}
        for sample, before, after in zip(photos, *counts, strict=True)
    ]
    result = {
        "scene": lesson.scene,
        "start": called or start,
        "learned": learned,
        "command": " ".join(["crowdscale", *words]).replace(f"{extra}/", "").replace(f"{out}/", "runs/"),
        "minutes": _minutes(out / name / "log.csv"),
        "processor_seconds": seconds,
        "rows": rows,
    }
    text = json.dumps(result, indent=1) + "\n"
    write_atomic(RESULTS / f"{name}.json", lambda stream: stream.write(text.encode()))
    typer.echo(table([result]))


def _command(
    lesson: Lesson,
    extra: Path,
    start: str,
    out: Path,
    learned: list[str],
    judged: list[str],
    options: list[str],
) -> list[str]:
    """Write both lists and return the words of the command that trains."""
    write_list(out / "learned.txt", learned, "Photos of the lesson")
    write_list(out / "judged.txt", judged, "Photos that judge it")
    words = ["train", "--data", f"folder:{extra / lesson.folder}", "--init", start]
    words += ["--only", str(out / "learned.txt"), "--hold-out", str(out / "judged.txt"), "--out", str(out)]
    words += ["--border", f"{lesson.border:g}"] if lesson.border else []
    for text in options:
        key, _, value = text.partition("=")
        words += [f"--{key.replace('_', '-')}", value]
    return words


def _train(words: list[str]) -> None:
    """Run a command of the package in this process."""
    from crowdscale.cli.main import app

    app(words, standalone_mode=False)


def _samples(lesson: Lesson, extra: Path, names: list[str]) -> list[Any]:
    from crowdscale.data.checks import photo_size
    from crowdscale.data.lists import split_samples
    from crowdscale.data.opening import open_dataset

    samples = split_samples(open_dataset(f"folder:{extra / lesson.folder}").samples, names)[1]
    if not lesson.border:
        return samples
    return [sample.trimmed(lesson.border, photo_size(sample.image_path)) for sample in samples]


def _counts(model: str, samples: Sequence[Any]) -> list[float]:
    from crowdscale.counting.predictor import load

    predictor = load(model)
    return [round(predictor.predict(sample.read()).count, 2) for sample in samples]


def _minutes(log: Path) -> float:
    """Return the minutes of a training by its log."""
    return float(list(csv.DictReader(log.open(encoding="utf-8")))[-1]["minutes"])


def comparison(results: Sequence[dict[str, Any]]) -> Comparison:
    """Return the mean absolute errors before and after, over the photos of one or several results, drawn in pairs."""
    scores = [
        Scores(
            tuple(ImageRow(row["name"], each["scene"], row["truth"], row[when]) for each in results for row in each["rows"]),
            Scoring(),
        )
        for when in ("before", "after")
    ]  # fmt: skip
    return next(each for each in compare(*scores) if each.name == "MAE")


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the table of lessons; both halves of one scene are one row."""
    head = (
        "scene",
        "starts from",
        "learned",
        "judged",
        "people",
        "error before",
        "after",
        "difference (95 %)",
        "better on",
    )
    lines = [head, ("---",) * len(head)]
    groups: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for each in results:
        groups.setdefault((each["scene"], each["start"], len(each["learned"]) == LEARNED), []).append(each)
    lines += [_row(group) for group in groups.values()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _row(group: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    found = comparison(group)
    rows = [row for each in group for row in each["rows"]]
    better = sum(abs(row["after"] - row["truth"]) < abs(row["before"] - row["truth"]) for row in rows)
    return (
        group[0]["scene"],
        group[0]["start"],
        " and ".join(str(len(each["learned"])) for each in group),
        str(len(rows)),
        f"{sum(row['truth'] for row in rows) / len(rows):.0f}",
        f"{found.first:.1f}",
        f"{found.second:.1f}",
        f"{found.low:+.1f} to {found.high:+.1f}",
        f"{better} of {len(rows)}",
    )


def page() -> None:
    """Write the table of the guide between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    whole = f"{before}{BEGIN}\n\n{table(read_results())}\n\n{END}{rest.partition(END)[2]}"
    write_atomic(PAGE, lambda stream: stream.write(whole.encode()))


def read_results() -> list[dict[str, Any]]:
    """Return the results of all lessons that were taught, in the order of ``LESSONS``."""
    files = [RESULTS / f"{name}.json" for name in LESSONS]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]


if __name__ == "__main__":
    app = new_app()
    app.command("run")(teach)
    app.command()(page)
    run(app, "research.lesson")
