"""``crowdscale score`` and ``compare``: anyone's predictions against the truth, without their code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.result_files import check_targets, write_each
from crowdscale.cli.tables import counted
from crowdscale.errors import DataError

if TYPE_CHECKING:
    from crowdscale.metrics import GroundTruth, Scores, Scoring

__all__ = ["compare", "score"]


def score(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="Predicted points or counts: the field's text files, CSV or JSON. With points in text or CSV "
            "the count scored is their number, which may differ from the model's count; JSON keeps both."
        ),
    ],
    ground_truth: Annotated[
        str, typer.Argument(help="True points: such a file, or NAME[/SPLIT]:PATH of a data set.")
    ],
    protocol: Annotated[
        str, typer.Option(help="Whose scores: sha, shb, qnrf, jhu, nwpu, trancos, … (see data list).")
    ] = "",
    thresholds: Annotated[
        str, typer.Option(help="Thresholds instead of the protocol's, such as 4px,8px,knn8,small,large.")
    ] = "",
    average: Annotated[str, typer.Option(help="Average P, R and F over whole pixels, such as 1-100.")] = "",
    game: Annotated[int | None, typer.Option(help="The highest level of GAME.")] = None,
    ids: Annotated[
        str, typer.Option(help="How images are paired: auto, name, number, or rank in text order.")
    ] = "auto",
    by: Annotated[
        list[str] | None, typer.Option(help="Split the scores by this attribute (level, weather, …).")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="A second file of predictions to compare with, in pairs.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table: .md, .csv, .json or .tex.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write scores and one row an image.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Score predictions against the truth: counts, P/R/F by maximum-cardinality matching, 95 % intervals."""
    from crowdscale.cli.score_tables import FEW, comparison_table, score_table, split_table
    from crowdscale.data.opening import protocol_of
    from crowdscale.metrics import FEWEST_IMAGES, Scoring, check_table
    from crowdscale.metrics import compare as compare_scores

    check_table(table)
    check_targets((table, json_file))
    rules = protocol_of(protocol or _own_protocol(ground_truth))
    scoring = Scoring.of(rules).choose(thresholds, average, game)
    truths = _truths(ground_truth, scoring)
    scores = _score_file(predictions, truths, scoring, ids)
    shown = score_table(scores, seed)
    typer.echo(
        f"{predictions} against {ground_truth}: {counted(len(scores.rows), 'image')}\n\n{shown.markdown()}"
    )
    if len(scores.rows) < FEWEST_IMAGES:
        typer.echo(f"\n{FEW}")
    for attribute in dict.fromkeys((*(by or ()), *scoring.attributes)):
        if any(attribute in row.attributes for row in scores.rows) or attribute in (by or ()):
            typer.echo(f"\nby {attribute}\n\n{split_table(scores, attribute).markdown()}")
    if against is not None:
        pairs = compare_scores(_score_file(against, truths, scoring, ids), scores)
        typer.echo(
            f"\n{predictions} (second) against {against} (first)\n\n{comparison_table(pairs).markdown()}"
        )
    about = {"predictions": str(predictions), "ground_truth": ground_truth}
    _write([(table, shown.write), (json_file, lambda path: _write_rows(path, scores, about))])


def compare(
    first: Annotated[
        Path, typer.Argument(help="JSON with rows, written by score --json or evaluate --json.")
    ],
    second: Annotated[Path, typer.Argument(help="The same of another model on the same images.")],
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table: .md, .csv, .json or .tex.")
    ] = None,
) -> None:
    """Compare two models image by image: which is better, and how sure that is."""
    from crowdscale.cli.score_tables import comparison_table
    from crowdscale.metrics import check_table
    from crowdscale.metrics import compare as compare_scores

    check_table(table)
    check_targets((table,))
    pair = [_read_rows(path) for path in (first, second)]
    shown = comparison_table(compare_scores(*pair))
    typer.echo(
        f"{second} (second) against {first} (first): {counted(len(pair[0].rows), 'image')}\n\n{shown.markdown()}"
    )
    _write([(table, shown.write)])


def _write(writers: list[tuple[Path | None, Callable[[Path], object]]]) -> None:
    """Write what can be written; the rest is said and ends with exit code 1."""
    unwritten = write_each(writers)
    for sentence in unwritten:
        typer.echo(f"Error: {sentence}", err=True)
    if unwritten:
        raise typer.Exit(1)


def _own_protocol(ground_truth: str) -> str:
    """Return the protocol of the data set that the ground truth names; ShanghaiTech's for a file."""
    from crowdscale.data.opening import DATASETS, GRAMMAR

    match = GRAMMAR.fullmatch(ground_truth)
    return match["name"] if match and match["name"] in DATASETS else "sha"


def _truths(ground_truth: str, scoring: Scoring) -> dict[str, GroundTruth]:
    """Return what is true of each image, by name."""
    from crowdscale.data.opening import open_dataset
    from crowdscale.evaluation.run import sample_truth
    from crowdscale.metrics import read_entries

    if Path(ground_truth).is_file():
        return {name: entry.as_truth(name) for name, entry in read_entries(ground_truth).items()}
    samples = open_dataset(ground_truth).samples
    return {sample.name: sample_truth(sample, scoring) for sample in samples}


def _score_file(path: Path, truths: dict[str, GroundTruth], scoring: Scoring, ids: str) -> Scores:
    from rich.console import Console
    from rich.progress import track

    from crowdscale.metrics import Scores, pair_entries, read_entries, score_image

    entries = read_entries(path)
    pairs = pair_entries(entries, truths, ids)  # type: ignore[arg-type]
    console = Console(stderr=True)
    steps = track(pairs.items(), "scoring", console=console, transient=True, disable=not console.is_terminal)
    rows = []
    for name, own in steps:
        entry, truth = entries[own], truths[name]
        points = entry.points
        if points is not None and truth.mask is not None:
            from crowdscale.evaluation.run import inside_mask

            points = points.select(inside_mask(points, truth.mask))
        count = entry.count if points is entry.points else float(len(points or ()))
        rows.append(score_image(name, truth, count, points, scoring))
    return Scores(tuple(rows), scoring)


def _write_rows(path: Path, scores: Scores, about: dict[str, Any]) -> None:
    from crowdscale.files.writing import write_atomic
    from crowdscale.metrics import plain_number

    whole = {
        **about,
        "scoring": scores.scoring.to_dict(),
        "measures": {name: plain_number(measure.value) for name, measure in scores.measures().items()},
        "rows": [row.to_dict() for row in scores.rows],
    }
    text = json.dumps(whole, indent=1) + "\n"
    write_atomic(path, lambda stream: stream.write(text.encode()))


def _read_rows(path: Path) -> Scores:
    from crowdscale.metrics import ImageRow, Scores, Scoring

    expected = "expected the JSON of `crowdscale score --json` or `evaluate --json`"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(ImageRow.from_dict(row) for row in content["rows"])
        return Scores(rows, Scoring.from_dict(content["scoring"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(expected, f"{path} ({error!r})") from error
