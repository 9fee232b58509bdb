"""``crowdscale evaluate``: models' errors on annotated photos, the first pass beside the refined result."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.result_files import check_targets, write_each
from crowdscale.cli.second_look import Again, Minimum, Regions, second_look, told_dense

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdscale.counting.predictor import Predictor
    from crowdscale.data.opening import Dataset
    from crowdscale.data.sample import Sample
    from crowdscale.evaluation.run import Evaluation
    from crowdscale.metrics import Scores, Scoring

__all__ = ["evaluate"]


def evaluate(
    models: Annotated[list[str], typer.Argument(help="Bundled models' names, or paths of model folders.")],
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH, such as sha/test:DIR; repeat for several.")
    ],
    listed: Annotated[
        Path | None, typer.Option("--list", help="Only the photos of this list, SET/NAME a line.")
    ] = None,
    cross: Annotated[
        bool, typer.Option("--cross", help="A table of models × data sets instead of one over all.")
    ] = False,
    protocol: Annotated[
        str, typer.Option(help="Whose scores: sha, qnrf, nwpu, …; that of the first --data if not given.")
    ] = "",
    thresholds: Annotated[
        str, typer.Option(help="Thresholds instead of the protocol's, such as 4px,8px,knn8,small,large.")
    ] = "",
    average: Annotated[str, typer.Option(help="Average P, R and F over whole pixels, such as 1-100.")] = "",
    game: Annotated[int | None, typer.Option(help="The highest level of GAME.")] = None,
    limit_size: Annotated[
        bool, typer.Option(help="Resize photos to the protocol's longest and shortest side first.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep resized photos here for the next time.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write one row an image.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores and one row an image.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table: .md, .csv, .json or .tex.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep rows here as they come; with the same FILE go on there."),
    ] = None,
    factor: Annotated[
        float | None, typer.Option(help="A fixed side factor in place of the learned one.")
    ] = None,
    merge: Annotated[str, typer.Option(help="ownership, or published (blank the region).")] = "ownership",
    no_refine: Annotated[bool, typer.Option("--no-refine", help="The first pass alone.")] = False,
    regions: Regions = "1",
    again: Again = False,
    region_minimum: Minimum = None,
    region_below: Annotated[int | None, typer.Option(help="Points: a lower class is dense.")] = None,
    region_times: Annotated[
        float | None, typer.Option(help="Density: more than this times the mean is dense.")
    ] = None,
    region_by: Annotated[str | None, typer.Option(help="Density: region or box is measured.")] = None,
    region_code: Annotated[
        bool | None, typer.Option("--region-code", help="Density: threshold as the authors' test code.")
    ] = None,
    dense_only: Annotated[
        bool, typer.Option("--dense-only", help="Also print the errors on the dense regions alone.")
    ] = False,
    backend: Annotated[
        str,
        typer.Option(help="onnx; openvino, openvino-bf16 (extra [openvino]); torch (extra [learn])."),
    ] = "onnx",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[
        int, typer.Option(min=0, help="Threads of the engine; 0 leaves the choice to it.")
    ] = 0,
) -> None:
    """Predict annotated photos and print MAE, RMSE, NAE and F of both passes, with 95 % intervals."""
    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.errors import OptionError
    from crowdscale.evaluation.run import check_scoring
    from crowdscale.metrics import check_table

    if not cross and len(models) > 1:
        raise OptionError("expected one model", f"{len(models)}", "Add --cross for a table of several")
    if cross and (csv_file or json_file):
        raise OptionError("expected --table with --cross", "--csv or --json", "They hold one model's rows")
    check_table(table)
    check_targets((csv_file, json_file, table, resume))
    sets, scoring = _gather(data, listed, protocol, limit_size, cache)
    scoring = scoring.choose(thresholds, average, game)
    look = second_look(
        regions, again, minimum=region_minimum, below=region_below, times_mean=region_times, by=region_by,
        published_code=region_code,
    )  # fmt: skip
    options = PredictOptions(not no_refine, factor, merge=merge, **look)  # type: ignore[arg-type]
    about = {"data": list(sets), "list": str(listed or ""), "backend": backend}
    predictors = {
        name: load(name, backend=backend, device=device, threads=threads, options=options) for name in models
    }
    if any(_locates(each) for each in predictors.values()):
        check_scoring([sample for part in sets.values() for sample in part], scoring)
    if cross:
        _cross(predictors, sets, scoring, table)
        return
    predictor = predictors[models[0]]
    samples = [sample for part in sets.values() for sample in part]
    settings = {
        "model": models[0], "factor": factor, "merge": merge, "look": str(look), **about
    }  # fmt: skip
    result = _run(predictor, samples, scoring, resume, settings)
    if dense_only:
        typer.echo(f"{told_dense(result, predictor.config.zoom)}\n")
    _report(result, {"model": predictor.config.name, **about}, csv_file, json_file, table)


def _gather(
    data: list[str], listed: Path | None, protocol: str, limit_size: bool, cache: Path | None
) -> tuple[dict[str, Sequence[Sample]], Scoring]:
    """Return the samples of each data set by its label, and what is measured on them."""
    from dataclasses import replace

    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import FOLDER, open_dataset, protocol_of
    from crowdscale.data.sizing import limit_sizes
    from crowdscale.metrics import Scoring

    names = read_list(listed) if listed else None
    opened = [open_dataset(text) for text in dict.fromkeys(data)]
    labels = _labels(list(dict.fromkeys(data)), opened)
    own = [dataset.name == FOLDER for dataset in opened]
    sets: dict[str, Sequence[Sample]] = {}
    first = None
    for label, dataset in zip(labels, opened, strict=True):
        rules = protocol_of(protocol) if protocol else dataset.protocol
        first = first or rules
        chosen: Sequence[Sample] = split_samples(dataset.samples, names)[1] if names else dataset.samples
        if limit_size:
            chosen = limit_sizes(chosen, rules.limits, cache)
        if dataset.name == FOLDER and sum(own) > 1:  # photos of one name in two folders are two
            chosen = [replace(each, attributes={**each.attributes, "set": label}) for each in chosen]
        sets[label] = chosen
    return sets, Scoring.of(first) if first else Scoring()


def _labels(texts: list[str], opened: Sequence[Dataset]) -> list[str]:
    """Return what each data set is called: an own folder by its name; as it was typed where two are called the same."""
    from crowdscale.data.opening import FOLDER

    labels = []
    for text, dataset in zip(texts, opened, strict=True):
        path = Path(text if Path(text).exists() else text.removeprefix(f"{FOLDER}:"))
        label = f"{dataset.name}/{dataset.split} {dataset.release}".strip(" /")
        labels.append(path.expanduser().resolve().name or text if dataset.name == FOLDER else label)
    return [text if labels.count(label) > 1 else label for text, label in zip(texts, labels, strict=True)]


def _locates(predictor: Predictor) -> bool:
    """Whether the model gives heads, to which thresholds apply."""
    from crowdscale.maps import Density

    codec = predictor.config.codec
    return not isinstance(codec, Density) or codec.dots


def _run(
    predictor: Predictor,
    samples: Sequence[Sample],
    scoring: Scoring,
    kept: Path | None,
    about: dict[str, Any],
) -> Evaluation:
    """Evaluate with a progress line; rows that a file kept are not predicted again."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from crowdscale.evaluation.run import evaluate as run
    from crowdscale.evaluation.run import open_journal

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with (
        Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress,
        open_journal(kept, {**about, "scoring": scoring.to_dict()}) as journal,
    ):
        task = progress.add_task("evaluating", total=len(samples))
        return run(predictor, samples, lambda _: progress.advance(task), scoring, journal)


def _cross(
    predictors: dict[str, Predictor],
    sets: dict[str, Sequence[Sample]],
    scoring: Scoring,
    table: Path | None,
) -> None:
    """Print models × data sets; what each model was trained on stands beside its name."""
    from crowdscale.cli.score_tables import FEW, cross_table
    from crowdscale.metrics import FEWEST_IMAGES

    cells: dict[str, dict[str, Scores]] = {}
    failures: list[tuple[str, str]] = []
    for name, predictor in predictors.items():
        trained = predictor.config.training.get("data", [])
        sources = "+".join(dict.fromkeys(str(text).split("/", maxsplit=1)[0] for text in trained))
        row = cells.setdefault(f"{name} ({sources})" if sources else name, {})
        for label, samples in sets.items():
            result = _run(predictor, samples, scoring, None, {})
            row[label] = result.scores("refined")
            failures += result.failures
    shown = cross_table(cells)
    typer.echo(f"MAE / RMSE (95 % interval of the MAE), refined\n\n{shown.markdown()}")
    if any(len(scores.rows) < FEWEST_IMAGES for row in cells.values() for scores in row.values()):
        typer.echo(f"\n{FEW}")
    _fail(failures, write_each([(table, shown.write)]))


def _report(
    result: Evaluation,
    about: dict[str, Any],
    csv_file: Path | None,
    json_file: Path | None,
    table: Path | None,
) -> None:
    from crowdscale.cli.score_tables import split_table
    from crowdscale.cli.tables import counted

    shown = result.table()
    head = f"{about['model']} on {', '.join(about['data'])}: {counted(len(result.rows), 'image')}"
    typer.echo(f"{head}\n\n{shown.markdown()}\n\n{_told_intervals(result.scores('refined'))}")
    typer.echo(told_refinement(result.refinement()))
    for attribute in result.scoring.attributes:
        typer.echo(f"\nby {attribute}\n\n{split_table(result.scores('refined'), attribute).markdown()}")
    unwritten = write_each(
        [
            (csv_file, result.write_csv),
            (json_file, lambda path: result.write_json(path, about)),
            (table, shown.write),
        ]
    )
    _fail(result.failures, unwritten)


def _told_intervals(scores: Scores) -> str:
    from crowdscale.cli.score_tables import FEW
    from crowdscale.metrics import FEWEST_IMAGES, interval

    if len(scores.rows) < FEWEST_IMAGES:
        return FEW
    measures = scores.measures()
    known = {name: interval(measures[name]) for name in ("MAE", "RMSE")}
    return "95 % intervals: " + ", ".join(f"{n} {i.low:.1f}–{i.high:.1f}" for n, i in known.items())


def told_refinement(known: Mapping[str, float]) -> str:
    """Return what the second look did, in a line; what is not known is left out."""
    if not known["refined"]:
        return "No image has a dense region: none was looked at again."
    parts = [
        f"Looked again at {100 * known['refined']:.0f} % of the images",
        f"side factor {known['factor_50']:.2f} ({known['factor_10']:.2f}–{known['factor_90']:.2f}, 10th to 90th percentile)",
    ]
    pairs = [(known[f"{name}_before"], known[f"{name}_after"]) for name in ("spacing", "log_spread")]
    texts = (
        "true heads there {:.1f} px apart at first, {:.1f} px enlarged (medians)",
        "log10 of that distance varies by {:.2f} at first, {:.2f} enlarged (standard deviations)",
    )
    parts += [
        text.format(*pair) for text, pair in zip(texts, pairs, strict=True) if not any(map(math.isnan, pair))
    ]
    return "; ".join(parts) + "."


def _fail(failures: Sequence[tuple[str, str]], unwritten: Sequence[str] = ()) -> None:
    """Print what could not be evaluated or written, and end with an exit code where something could not."""
    for name, sentence in failures:
        typer.echo(f"{name}: {sentence}", err=True)
    for sentence in unwritten:
        typer.echo(f"Error: {sentence}", err=True)
    if failures or unwritten:
        raise typer.Exit(130 if failures and failures[-1][1] == "Interrupted." else 1)
