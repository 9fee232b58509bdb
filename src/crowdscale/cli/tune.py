"""``crowdscale tune``: what needs no training, chosen on validation photos: how heads are read, how far to zoom."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crowdscale.evaluation.tuning import Trial

__all__ = ["tune"]


def tune(
    model: Annotated[Path, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    data: Annotated[list[str], typer.Option(help="NAME[/SPLIT]:PATH; repeat for several. Never a test set.")],
    listed: Annotated[Path | None, typer.Option("--list", help="Only the photos of this list.")] = None,
    window: Annotated[list[int] | None, typer.Option(help="Windows in pixels to try.")] = None,
    ceiling: Annotated[list[float] | None, typer.Option(help="Expected labels to try.")] = None,
    gain: Annotated[
        list[float] | None,
        typer.Option(help="Side factors to try on top of the learned one; 1 is as learned."),
    ] = None,
    enlarge_below: Annotated[
        list[int] | None,
        typer.Option(
            help="Pixels to try below which photos are read enlarged to about as many; 0 for never."
        ),
    ] = None,
    offset: Annotated[
        bool, typer.Option("--offset", help="Measure where annotated heads lie beside those found, too.")
    ] = False,
    write: Annotated[bool, typer.Option(help="Write the best into the model's description.")] = False,
) -> None:
    """Try windows, ceilings, gains and sizes, print their errors and, with --write, keep the one of least MAE.

    What is not named stays as the model has it; without any, windows 3 and 5 and ceilings 5 to 7 are tried. --offset alone
    tries nothing: dots are moved from then on to where annotators put heads, counts stay; scores in the model's notes go.
    """
    from dataclasses import replace

    from crowdscale.counting.predictor import Predictor, load
    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.errors import OptionError
    from crowdscale.evaluation.tuning import measure_offset
    from crowdscale.evaluation.tuning import tune as run
    from crowdscale.files.writing import write_atomic
    from crowdscale.models.description import DESCRIPTION
    from crowdscale.models.finding import find_folder, find_model

    names = read_list(listed) if listed else None
    folder = find_folder(model) if write else find_model(model)
    if wrong := [below for below in enlarge_below or () if below < 0]:
        raise OptionError("expected --enlarge-below of at least 0 pixels", str(wrong[0]))
    ways: tuple[Sequence[int], Sequence[float], Sequence[float], Sequence[int]] = (
        window or (), ceiling or (), gain or (), enlarge_below or (),
    )  # fmt: skip
    if not any(ways) and not offset:
        ways = ((3, 5), (5.0, 5.5, 6.0, 6.5, 7.0), (), ())
    samples = []
    for text in data:
        found = open_dataset(text).samples
        samples += split_samples(found, names)[1] if names else found
    predictor = load(folder)
    best = predictor.config
    if offset:
        with _bar("offset", len(samples)) as step:
            beside = measure_offset(predictor, samples, step)
        x, y = beside.xy
        typer.echo(
            f"Annotated heads lie ({x:+g}, {y:+g}) px beside those found: medians of {beside.pairs:,} pairs"
        )
        if beside.xy != best.offset:  # scores were of dots at other places
            notes = {name: note for name, note in best.notes.items() if name != "scores"}
            best = replace(best, offset=beside.xy, notes=notes)
    if any(ways):
        with _bar("tuning", len(samples)) as step:
            trials = run(Predictor(predictor.backend, best), samples, *ways, step)
        _print(trials)
        if trials[0].config != best:  # what was measured, such as intervals, holds for the other way
            best = trials[0].config.unmeasured()
    if write:
        described = best.to_json().encode()
        write_atomic(folder / DESCRIPTION, lambda stream: stream.write(described))


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], object]]:
    """Show how many photos are done; yields what is called after each."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def _print(trials: Sequence[Trial]) -> None:
    from crowdscale.maps import DistanceLabels

    typer.echo(
        "| window | ceiling | gain | enlarged below | first MAE | MAE | bias | F 4px | F 8px |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for trial in trials:
        first, scores = trial.evaluation.counting("first"), trial.evaluation.counting("refined")
        codec, places = trial.config.codec, {}
        read = ("–", "–")
        if isinstance(codec, DistanceLabels):
            places, read = trial.evaluation.localization("refined"), (f"{codec.window}", f"{codec.ceiling:g}")
        shares = [f"{100 * places[name].f:.1f}" if name in places else "–" for name in ("4px", "8px")]
        cells = (
            *read,
            f"{trial.config.zoom.gain:g}",
            f"{trial.config.enlarge_below:,}",
            f"{first.mae:.1f}",
            f"{scores.mae:.1f}",
            f"{scores.bias:+.1f}",
        )
        typer.echo(f"| {' | '.join((*cells, *shares))} |")
