"""``crowdscale evaluate``: errors of models on annotated photos, of the first pass and of the final result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.evaluate_report import dense_text, report, report_cross, run_evaluation
from crowdscale.cli.options import (
    COUNTING,
    OUTPUT,
    Average,
    Backend,
    Cache,
    Data,
    Device,
    Game,
    HoldOut,
    LimitSize,
    NoSecondPass,
    Only,
    Protocol,
    RegionMinimum,
    Regions,
    Table,
    Threads,
    Thresholds,
    Zoom,
    option,
    region_number,
)
from crowdscale.cli.result_files import check_targets
from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.counting.predictor import PredictOptions, Predictor
    from crowdscale.data.opening import Dataset
    from crowdscale.data.sample import Sample
    from crowdscale.maps.regions import RuleChoice
    from crowdscale.metrics import Scores, Scoring

__all__ = ["evaluate", "trained_on"]


def evaluate(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL", help="Models' names, or paths of their folders or files.")
    ],
    data: Data,
    only: Only = None,
    hold_out: HoldOut = None,
    limit_size: LimitSize = False,
    cache: Cache = None,
    cross: Annotated[
        bool, option("--cross", panel=OUTPUT, help="Print a table of models × data sets instead of one for all sets.")
    ] = False,
    protocol: Protocol = "",
    thresholds: Thresholds = "",
    average: Average = "",
    game: Game = None,
    no_second_pass: NoSecondPass = False,
    zoom: Zoom = None,
    regions: Regions = "1",
    third_pass: Annotated[
        bool, option("--third-pass", panel=COUNTING, help="Run a third pass on parts that stay too dense.")
    ] = False,
    merge: Annotated[
        str, option("--merge", panel=COUNTING, metavar="RULE", help="ownership, or published (the papers': blank the region).")
    ] = "ownership",
    region_minimum: RegionMinimum = None,
    region_below: Annotated[
        int | None, option("--region-below", panel=COUNTING, metavar="CLASS", help="Points: a lower class is dense.")
    ] = None,
    region_times: Annotated[
        float | None,
        option("--region-times", panel=COUNTING, metavar="N", help="Density: more than N times the mean is dense."),
    ] = None,
    region_by: Annotated[
        str | None, option("--region-by", panel=COUNTING, metavar="WHAT", help="Density: measure the region or its box.")
    ] = None,
    region_code: Annotated[
        bool | None, option("--region-code", panel=COUNTING, help="Density: the threshold of the authors' test code.")
    ] = None,
    dense_only: Annotated[
        bool, option("--dense-only", panel=OUTPUT, help="Also print the errors inside the dense regions.")
    ] = False,
    csv_file: Annotated[
        Path | None, option("--csv", panel=OUTPUT, metavar="FILE", help="Write one row for each photo.")
    ] = None,
    json_file: Annotated[
        Path | None, option("--json", panel=OUTPUT, metavar="FILE", help="Write the scores and one row for each photo.")
    ] = None,
    table: Table = None,
    resume: Annotated[
        Path | None,
        option("--resume", panel=OUTPUT, metavar="FILE", help="Keep rows here as they come; the same FILE resumes."),
    ] = None,
    backend: Backend = "onnx",
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Count annotated photos and print MAE, RMSE, NAE and F of both passes, with 95 % intervals."""
    from crowdscale.counting.predictor import load
    from crowdscale.evaluation.run import check_scoring
    from crowdscale.maps.regions import RuleChoice
    from crowdscale.metrics import check_table

    _check_cross(cross, models, csv_file, json_file)
    check_table(table)
    check_targets((csv_file, json_file, table, resume))
    sets, scoring = _gather(data, only, hold_out, protocol, limit_size, cache)
    scoring = scoring.choose(thresholds, average, game)
    rule = RuleChoice(region_minimum, region_below, region_times, region_by, region_code)
    options = _options(not no_second_pass, zoom, regions, third_pass, merge, rule)
    predictors = {
        name: load(name, backend=backend, device=device, threads=threads, options=options) for name in models
    }
    samples = [sample for part in sets.values() for sample in part]
    if any(each.config.codec.locates for each in predictors.values()):
        check_scoring(samples, scoring)
    if cross:
        _cross(predictors, sets, scoring, table)
        return
    about = {"data": list(sets), "only": str(only or ""), "hold_out": str(hold_out or ""), "backend": backend}
    predictor = predictors[models[0]]
    result = run_evaluation(
        predictor, samples, scoring, resume, {"model": models[0], "options": asdict(options), **about}
    )
    if dense_only:
        typer.echo(f"{dense_text(result, predictor.config.zoom)}\n")
    report(result, {"model": predictor.config.name, **about}, csv_file, json_file, table)


def _check_cross(cross: bool, models: Sequence[str], *files: Path | None) -> None:
    if not cross and len(models) > 1:
        raise OptionError.plain(
            f"{len(models)} models need --cross", "It prints a table of models × data sets"
        )
    if cross and any(files):
        raise OptionError.plain("--cross goes without --csv and --json", "Use --table")


def _options(
    second_pass: bool,
    zoom: float | None,
    regions: str,
    third_pass: bool,
    merge: str,
    rule: RuleChoice,
) -> PredictOptions:
    from crowdscale.counting.predictor import PredictOptions

    return PredictOptions(
        refine=second_pass, zoom=zoom, regions=region_number(regions), third_pass=third_pass, rule=rule, merge=merge,  # type: ignore[arg-type]
    )  # fmt: skip


def _gather(
    data: Sequence[str],
    only: Path | None,
    hold_out: Path | None,
    protocol: str,
    limit_size: bool,
    cache: Path | None,
) -> tuple[dict[str, Sequence[Sample]], Scoring]:
    """Return the samples of each data set by its label, and the scoring of the protocol."""
    from crowdscale.cli.photos import open_chosen
    from crowdscale.data.opening import FOLDER, protocol_of
    from crowdscale.data.sizing import limit_sizes
    from crowdscale.metrics import Scoring

    opened = open_chosen(data, only, hold_out)
    datasets = [dataset for dataset, _ in opened]
    rules = [protocol_of(protocol) if protocol else dataset.protocol for dataset in datasets]
    labels = _labels(list(dict.fromkeys(data)), datasets)
    several = sum(dataset.name == FOLDER for dataset in datasets) > 1
    sets: dict[str, Sequence[Sample]] = {}
    for label, (dataset, samples), own in zip(labels, opened, rules, strict=True):
        sets[label] = limit_sizes(samples, own.limits, cache) if limit_size else samples
        if dataset.name == FOLDER and several:  # equal names in two folders are two photos
            sets[label] = [
                replace(each, attributes={**each.attributes, "set": label}) for each in sets[label]
            ]
    return sets, Scoring.of(rules[0])


def _labels(texts: list[str], opened: Sequence[Dataset]) -> list[str]:
    """Return a label for each data set: a folder's name, or name/split release; the typed text if two are equal."""
    from crowdscale.cli.photos import set_label
    from crowdscale.data.opening import FOLDER

    labels = []
    for text, dataset in zip(texts, opened, strict=True):
        path = Path(text if Path(text).exists() else text.removeprefix(f"{FOLDER}:"))
        own_name = path.expanduser().resolve().name or text
        labels.append(own_name if dataset.name == FOLDER else set_label(dataset))
    return [text if labels.count(label) > 1 else label for text, label in zip(texts, labels, strict=True)]


def trained_on(data: Sequence[object]) -> str:
    """Return the short names of a model's training sets: ``sha+brt`` of ``sha/train 2016: …`` and ``folder brt: …``."""
    from crowdscale.data.opening import FOLDER

    names = (str(text).removeprefix(f"{FOLDER} ").partition(":")[0].partition("/")[0] for text in data)
    return "+".join(dict.fromkeys(names))


def _cross(
    predictors: dict[str, Predictor], sets: dict[str, Sequence[Sample]], scoring: Scoring, table: Path | None
) -> None:
    """Print models × data sets, with each model's training sets beside its name."""
    cells: dict[str, dict[str, Scores]] = {}
    failures: list[tuple[str, str]] = []
    for name, predictor in predictors.items():
        sources = trained_on(predictor.config.training.get("data", []))
        row = cells.setdefault(f"{name} ({sources})" if sources else name, {})
        for label, samples in sets.items():
            result = run_evaluation(predictor, samples, scoring, None, {})
            row[label] = result.scores("refined")
            failures += result.failures
    report_cross(cells, failures, table)
