"""``crowdscale models calibrate``: intervals of counts, measured on photos that were not trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.options import (
    INPUT,
    OUTPUT,
    Border,
    Data,
    HoldOut,
    ModelArgument,
    Only,
    Threads,
    Write,
    option,
)

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.predictor import Predictor
    from crowdscale.data.sample import Sample
    from crowdscale.models.description import ModelConfig
    from crowdscale.trust.intervals import Check

__all__ = ["calibrate", "chosen_photos"]


def calibrate(
    model: ModelArgument,
    data: Data,
    only: Only = None,
    hold_out: HoldOut = None,
    border: Border = None,
    across: Annotated[
        bool,
        option(
            "--across-domains", panel=INPUT,
            help="Give each --data the same weight and judge it by the others, as for other cameras.",
        ),
    ] = False,
    note: Annotated[
        str,
        option(
            "--note", panel=OUTPUT, metavar="TEXT", help="Other uses of these photos, kept with the result."
        ),
    ] = "",
    heads: Annotated[
        bool,
        option("--heads", panel=OUTPUT, help="Turn the confidence of heads into a probability; change no interval."),
    ] = False,
    check: Annotated[
        bool,
        option("--check", panel=OUTPUT, help="Count how often the model's intervals hold here; change none."),
    ] = False,
    write: Write = False,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Measure on annotated photos how far counts may be off, and how often the resulting intervals hold.

    Use at least 20 photos, none of which the model was trained on.
    """
    if heads:
        from crowdscale.cli.models.calibrate_heads import calibrate_heads

        _refuse_with_heads(across, check, note)
        return calibrate_heads(model, data, only, hold_out, border, write, threads)
    from crowdscale.counting.predictor import load
    from crowdscale.errors import OptionError
    from crowdscale.models.card import HOLDS
    from crowdscale.models.description import read_config, write_config
    from crowdscale.models.finding import find_folder, find_model
    from crowdscale.trust.intervals import calibrate_counts

    folder = find_folder(model) if write else find_model(model)
    config = read_config(folder)
    if check and config.calibration is None:
        raise OptionError.plain(f"{model} has no intervals to check", "Run calibrate without --check first")
    photos = _count(load(model, threads=threads), data, only, hold_out, border)
    if check and config.calibration is not None:
        checked = config.calibration.check(photos.truth, photos.counts, ", ".join(photos.sets))
        typer.echo("\n".join([f"{model} on {checked.data}", *checked.sentences()]))
        typer.echo(f"Warnings on {photos.warned} of {checked.images} photos")
        config = _with_check(config, checked, photos.warned)
    else:
        kinds = photos.domains if across else None
        calibration = calibrate_counts(photos.truth, photos.counts, photos.sets, note, kinds)
        config = replace(config, calibration=calibration)
        _print(config)
    typer.echo(HOLDS)
    if write:
        write_config(folder, config)
    return None


def _refuse_with_heads(across: bool, check: bool, note: str) -> None:
    from crowdscale.errors import OptionError

    if across or check or note:
        raise OptionError.plain("--heads goes without --across-domains, --check and --note")


@dataclass(frozen=True)
class Counted:
    """The counts of annotated photos."""

    truth: list[int]
    counts: list[float]
    sets: list[str]
    """Name and number of photos of each data set."""
    domains: list[str]
    """Domain of each photo."""
    warned: int
    """Photos with a warning."""


class Noting:
    """A predictor that counts the photos with a warning."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.warned = predictor, 0

    def predict(self, source: Any) -> Prediction:
        """Return the people in a photo."""
        prediction = self.predictor.predict(source)
        self.warned += bool(prediction.warnings)
        return prediction


def _count(
    predictor: Predictor,
    data: list[str],
    only: Path | None,
    hold_out: Path | None,
    borders: list[float] | None,
) -> Counted:
    """Count the photos as `crowdscale count` does; print a sentence for each that fails."""
    from crowdscale.cli.progress import progress
    from crowdscale.evaluation.run import evaluate

    samples, sets = chosen_photos(data, only, hold_out, borders)
    noting = Noting(predictor)
    with progress("Calibrating", len(samples)) as live:
        result = evaluate(noting, samples, lambda _: live.advance())
    for name, sentence in result.failures:
        typer.echo(f"{name}: {sentence}", err=True)
    truth, counts = [row.truth for row in result.rows], [row.count for row in result.rows]
    domains = [row.refined.attributes.get("folder") or row.refined.set for row in result.rows]
    return Counted(truth, counts, sets, domains, noting.warned)


def chosen_photos(
    data: list[str], only: Path | None, hold_out: Path | None, borders: list[float] | None
) -> tuple[list[Sample], list[str]]:
    """Return the photos of all sets, and the name and number of photos of each set."""
    from crowdscale.cli.photos import open_chosen, set_label
    from crowdscale.data.lists import domain_of
    from crowdscale.data.opening import FOLDER

    samples, sets = list[Any](), []
    for dataset, part in open_chosen(data, only, hold_out, borders):
        samples += part
        label = f"folder {domain_of(part[0])}" if dataset.name == FOLDER and part else set_label(dataset)
        sets.append(f"{label}: {len(part)} photos" + (f" of {only.name}" if only else ""))
    return samples, sets


def _with_check(config: ModelConfig, checked: Check, warned: int) -> ModelConfig:
    """Return the description with a check that replaces older ones on the same photos."""
    from crowdscale.trust.profile import Alarms

    calibration, familiar = config.calibration, config.familiar
    if calibration is not None:
        others = (each for each in calibration.checks if each.data != checked.data)
        calibration = replace(calibration, checks=(*others, checked))
    if familiar is not None:
        rest = (each for each in familiar.alarms if each.data != checked.data)
        familiar = replace(familiar, alarms=(*rest, Alarms(checked.data, checked.images, warned)))
    return replace(config, calibration=calibration, familiar=familiar)


def _print(config: ModelConfig) -> None:
    from crowdscale.trust.intervals import ACROSS

    calibration = config.calibration
    if calibration is None:
        return
    data = ", ".join(calibration.data)
    typer.echo(f"{config.name} on {data}: offset {calibration.offset:g}, growth {calibration.growth:g}")
    for level, quantile in zip(calibration.levels, calibration.quantiles, strict=True):
        interval = calibration.interval(100, level)
        typer.echo(f"{100 * level:g} %: quantile {quantile:g}; 100 people: {interval}")
    if calibration.cross_fitted is not None:
        across = calibration.cross_fitted.data.endswith(ACROSS)
        typer.echo(f"Cross-fitted, {ACROSS if across else 'each photo judged by the others'}:")
        typer.echo("\n".join(calibration.cross_fitted.sentences()))
