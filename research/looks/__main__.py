"""``python -m research.looks``: a model's errors averaged over further views, beside those of the plain photo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.errors import OptionError
from research.commands import new_app, run

if TYPE_CHECKING:
    from crowdscale.data.sample import Sample
    from crowdscale.metrics import Scoring

__all__ = ["app", "evaluate"]


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or a model folder.")],
    data: Annotated[list[str], typer.Option(help="NAME[/SPLIT]:PATH, such as sha:DIR; repeat for several.")],
    only: Annotated[Path | None, typer.Option(help="Only the photos of this list, SET/NAME a line.")] = None,
    flip: Annotated[bool, typer.Option("--flip", help="Average with the mirrored view.")] = False,
    scales: Annotated[str, typer.Option(help="Average with views at these side factors: 0.8,1.25.")] = "",
    threads: Annotated[int, typer.Option(min=0, help="Threads. 0: all cores.")] = 0,
) -> None:
    """Evaluate a model twice on annotated photos: plain, and averaged over mirrored and resized views."""
    from rich.console import Console
    from rich.progress import Progress

    from crowdscale.counting.predictor import load
    from crowdscale.evaluation.run import evaluate as evaluate_samples
    from research.looks.averaging import AveragingOptions, average_looks

    options = AveragingOptions(flip, _numbers(scales))
    if not options.wanted:
        raise OptionError("expected --flip or --scales", "neither")
    plain = load(model, threads=threads)
    samples, scoring = _gather(data, only)
    console = Console(stderr=True)
    for label, predictor in (("plain", plain), ("averaged", average_looks(plain, options))):
        with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
            task = progress.add_task(label, total=len(samples))
            result = evaluate_samples(predictor, samples, lambda _, p=progress, t=task: p.advance(t), scoring)  # type: ignore[misc]
        typer.echo(f"{label}, {len(result.rows)} photos\n\n{result.table().markdown()}\n")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(",") if word.strip())
    except ValueError:
        raise OptionError("expected --scales as numbers, such as 0.8,1.25", repr(text)) from None


def _gather(data: list[str], only: Path | None) -> tuple[list[Sample], Scoring]:
    """Return the photos of all data sets, and the scoring of the first set's protocol."""
    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.metrics import Scoring

    opened = [open_dataset(text) for text in data]
    samples = [sample for dataset in opened for sample in dataset.samples]
    chosen = split_samples(samples, read_list(only))[1] if only else samples
    return list(chosen), Scoring.of(opened[0].protocol)


app = new_app(evaluate)

if __name__ == "__main__":
    run(app, "research.looks")
