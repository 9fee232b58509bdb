"""``crowdscale calibrate``: how far a model's counts may be off, measured on photos that were not trained on."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.predictor import Predictor
    from crowdscale.evaluation.run import Evaluation
    from crowdscale.models.description import ModelConfig
    from crowdscale.trust.intervals import Check

__all__ = ["calibrate"]

HOLDS = "This holds for photos like these; other cameras, crowds and light may be counted less well."


def calibrate(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH; repeat for several. Never photos trained on.")
    ],
    listed: Annotated[Path | None, typer.Option("--list", help="Only the photos of this list.")] = None,
    border: Annotated[
        list[float] | None,
        typer.Option(help="Share of a side left out along the edges of photos of each --data; default 0."),
    ] = None,
    across: Annotated[
        bool,
        typer.Option(
            "--across-domains",
            help="Each --data has the same weight and is judged by the others: other cameras.",
        ),
    ] = False,
    note: Annotated[str, typer.Option(help="What else these photos were used for, kept with it.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="See how often the known intervals hold here; change none.")
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write the result into the model's description.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the engine; 0 leaves it the choice.")] = 0,
) -> None:
    """Measure on annotated photos how far counts may be off, and how often the intervals made of it hold."""
    from crowdscale.errors import OptionError
    from crowdscale.models.description import read_config
    from crowdscale.models.finding import find_folder, find_model
    from crowdscale.trust.intervals import calibrate_counts

    folder = find_folder(model) if write else find_model(model)
    config = read_config(folder)
    if check and config.calibration is None:
        raise OptionError("expected a calibrated model for --check", model, "Run it without --check first")
    result, sets, domains, warned = _evaluate(model, data, listed, threads, border or [0.0] * len(data))
    truth, counts = [row.truth for row in result.rows], [row.count for row in result.rows]
    if check and config.calibration is not None:
        checked = config.calibration.check(truth, counts, ", ".join(sets))
        typer.echo("\n".join([f"{model} on {checked.data}", *checked.sentences()]))
        typer.echo(f"Warnings on {warned} of {checked.images} photos")
        config = _with_check(config, checked, warned)
    else:
        kinds = domains if across else None
        config = replace(config, calibration=calibrate_counts(truth, counts, sets, note, kinds))
        _print(config)
    typer.echo(HOLDS)
    if write:
        from crowdscale.files.writing import write_atomic
        from crowdscale.models.description import DESCRIPTION

        described = config.to_json().encode()
        write_atomic(folder / DESCRIPTION, lambda stream: stream.write(described))


def _with_check(config: ModelConfig, checked: Check, warned: int) -> ModelConfig:
    """Return the description with what was found on other photos, in place of what was known of the same."""
    from crowdscale.trust.profile import Alarms

    known, familiar = config.calibration, config.familiar
    if known is not None:
        others = (each for each in known.checks if each.data != checked.data)
        known = replace(known, checks=(*others, checked))
    if familiar is not None:
        rest = (each for each in familiar.alarms if each.data != checked.data)
        familiar = replace(familiar, alarms=(*rest, Alarms(checked.data, checked.images, warned)))
    return replace(config, calibration=known, familiar=familiar)


def _print(config: ModelConfig) -> None:
    from crowdscale.trust.intervals import ACROSS

    known = config.calibration
    if known is None:
        return
    data = ", ".join(known.data)
    typer.echo(f"{config.name} on {data}: offset {known.offset:g}, growth {known.growth:g}")
    for level, quantile in zip(known.levels, known.quantiles, strict=True):
        typer.echo(f"{100 * level:g} %: quantile {quantile:g}; 100 people: {known.interval(100, level)}")
    if known.cross_fitted is not None:
        across = known.cross_fitted.data.endswith(ACROSS)
        typer.echo(f"Cross-fitted, {ACROSS if across else 'each photo judged by the others'}:")
        typer.echo("\n".join(known.cross_fitted.sentences()))


class Noting:
    """A predictor that counts the photos it warns of."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.warned = predictor, 0

    def predict(self, source: Any) -> Prediction:
        """Predict a photo."""
        prediction = self.predictor.predict(source)
        self.warned += bool(prediction.warnings)
        return prediction


def _evaluate(
    model: str, data: list[str], listed: Path | None, threads: int, borders: list[float]
) -> tuple[Evaluation, list[str], list[str], int]:
    """Predict the photos as users do; returns the rows, what each data set is, each row's, and how many were warned of."""
    from rich.console import Console
    from rich.progress import Progress

    from crowdscale.counting.predictor import load
    from crowdscale.data.checks import photo_size
    from crowdscale.data.lists import domain_of, read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.errors import OptionError
    from crowdscale.evaluation.run import evaluate

    if len(borders) != len(data):
        raise OptionError("expected one --border for each --data", f"{len(borders)} for {len(data)}")
    names = read_list(listed) if listed else None
    samples, sets = [], []
    for text, border in zip(data, borders, strict=True):
        dataset = open_dataset(text)
        chosen = split_samples(dataset.samples, names)[1] if names else list(dataset.samples)
        if border:
            chosen = [each.trimmed(border, each.size or photo_size(each.image_path)) for each in chosen]
        samples += chosen
        label = f"{dataset.name}/{dataset.split} {dataset.release}".strip(" /")
        if dataset.name == "folder" and chosen:
            label = f"folder {domain_of(chosen[0])}"
        sets.append(f"{label}: {len(chosen)} photos" + (f" of {listed.name}" if listed else ""))
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("calibrating", total=len(samples))
        predictor = Noting(load(model, threads=threads))
        result = evaluate(predictor, samples, lambda _: progress.advance(task))
    for name, sentence in result.failures:
        typer.echo(f"{name}: {sentence}", err=True)
    kinds = [row.refined.attributes.get("folder") or row.refined.set for row in result.rows]
    return result, sets, kinds, predictor.warned
