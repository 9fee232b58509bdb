"""``crowdscale score``: the predictions of any program against the truth, or two models against each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crowdscale.cli.errors import SOME_FAILED, print_errors
from crowdscale.cli.options import (
    INPUT,
    OUTPUT,
    SCORING,
    Average,
    Game,
    Protocol,
    Seed,
    Table,
    Thresholds,
    option,
)
from crowdscale.cli.result_files import check_targets, write_each
from crowdscale.cli.tables import counted
from crowdscale.errors import DataError, OptionError

if TYPE_CHECKING:
    from crowdscale.metrics import GroundTruth, Scores, Scoring

__all__ = ["compare", "score"]


def score(
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            help="Points or counts: a text file of a benchmark, CSV or JSON (see below).",
        ),
    ],
    truth: Annotated[
        str | None,
        typer.Argument(
            metavar="TRUTH", show_default=False, help="True points: such a file, or NAME[/SPLIT]:PATH."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        option(
            "--against", panel=INPUT, metavar="FILE", help="Compare with these predictions, photo by photo."
        ),
    ] = None,
    ids: Annotated[
        str,
        option(
            "--ids",
            panel=INPUT,
            metavar="RULE",
            help="Pair photos by auto, name, number, or rank in text order.",
        ),
    ] = "auto",
    protocol: Protocol = "",
    thresholds: Thresholds = "",
    average: Average = "",
    game: Game = None,
    by: Annotated[
        list[str] | None,
        option(
            "--by", panel=SCORING, metavar="ATTRIBUTE", help="Split the scores by level, weather, …; repeat."
        ),
    ] = None,
    table: Table = None,
    json_file: Annotated[
        Path | None,
        option("--json", panel=OUTPUT, metavar="FILE", help="Write the scores and one row for each photo."),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Score predictions against the truth: counts, and P, R and F by largest one-to-one matching.

    A text or CSV file of points gives their number as the count. JSON keeps the count and the points apart.
    Scores have 95 % bootstrap intervals. Two files of `evaluate --json` or `score --json` are compared
    without TRUTH: crowdscale score B.json --against A.json
    """
    from crowdscale.data.opening import protocol_of
    from crowdscale.metrics import Scoring, check_table

    check_table(table)
    check_targets((table, json_file))
    if truth is None:
        _compare_rows(predictions, against, table)
        return
    scoring = Scoring.of(protocol_of(protocol or _own_protocol(truth))).choose(thresholds, average, game)
    truths = _truths(truth, scoring)
    scores, hint = _score_file(predictions, truths, scoring, ids)
    from crowdscale.cli.score_tables import score_table

    shown = score_table(scores, seed)
    typer.echo(f"{predictions} against {truth}: {counted(len(scores.rows), 'photo')}\n\n{shown.markdown()}")
    if hint:
        typer.echo(f"\nHint: {hint}")
    _print_parts(scores, by or ())
    if against is not None:
        _print_comparison(
            (against, predictions), (_score_file(against, truths, scoring, ids)[0], scores), "\n"
        )
    about = {"predictions": str(predictions), "ground_truth": truth}
    _write([(table, shown.write), (json_file, lambda path: _write_rows(path, scores, about))])


def compare(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="From score --json or evaluate --json.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="The same of another model.")],
    table: Table = None,
) -> None:
    """Compare two models photo by photo: the old name of `score SECOND --against FIRST`."""
    typer.echo(
        f"Note: crowdscale compare {first} {second} is now crowdscale score {second} --against {first}; "
        "the old name works until the next release.",
        err=True,
    )
    from crowdscale.metrics import check_table

    check_table(table)
    check_targets((table,))
    _compare_rows(second, first, table)


def _compare_rows(second: Path, first: Path | None, table: Path | None) -> None:
    """Print and write the comparison of two files of rows. Raises OptionError, DataError."""
    if first is None:
        raise OptionError.plain("no truth was named", "Give TRUTH, or --against FILE to compare two models")
    pair = _read_rows(first), _read_rows(second)
    shown = _print_comparison((first, second), pair)
    _write([(table, shown.write)])


def _print_comparison(files: tuple[Path, Path], pair: tuple[Scores, Scores], before: str = "") -> Any:
    """Print the second file's scores against the first file's, and return the table."""
    from crowdscale.cli.score_tables import comparison_table
    from crowdscale.metrics import compare as compare_scores

    shown = comparison_table(compare_scores(*pair))
    head = f"{files[1]} (second) against {files[0]} (first): {counted(len(pair[0].rows), 'photo')}"
    typer.echo(f"{before}{head}\n\n{shown.markdown()}")
    return shown


def _print_parts(scores: Scores, wanted: Sequence[str]) -> None:
    """Print the scores by attribute, and a note if there are too few photos for intervals."""
    from crowdscale.cli.score_tables import FEW, split_table
    from crowdscale.metrics import FEWEST_IMAGES

    if len(scores.rows) < FEWEST_IMAGES:
        typer.echo(f"\n{FEW}")
    for attribute in dict.fromkeys((*wanted, *scores.scoring.attributes)):
        if attribute in wanted or any(attribute in row.attributes for row in scores.rows):
            typer.echo(f"\nby {attribute}\n\n{split_table(scores, attribute).markdown()}")


def _write(writers: list[tuple[Path | None, Callable[[Path], object]]]) -> None:
    """Write the files, and exit with 1 if one cannot be written."""
    unwritten = write_each(writers)
    print_errors(unwritten)
    if unwritten:
        raise typer.Exit(SOME_FAILED)


def _own_protocol(truth: str) -> str:
    """Return the protocol of the data set that the truth names; ShanghaiTech's for a file."""
    from crowdscale.data.opening import DATASETS, GRAMMAR

    match = GRAMMAR.fullmatch(truth)
    return match["name"] if match and match["name"] in DATASETS else "sha"


def _truths(truth: str, scoring: Scoring) -> dict[str, GroundTruth]:
    """Return the truth of each photo by its name."""
    from crowdscale.data.opening import open_dataset
    from crowdscale.evaluation.run import sample_truth
    from crowdscale.metrics import read_entries

    if Path(truth).is_file():
        return {name: entry.as_truth(name) for name, entry in read_entries(truth).items()}
    return {sample.name: sample_truth(sample, scoring) for sample in open_dataset(truth).samples}


def _score_file(
    path: Path, truths: dict[str, GroundTruth], scoring: Scoring, ids: str
) -> tuple[Scores, str | None]:
    """Return the scores, and a hint where other coordinates fit far better."""
    from crowdscale.cli.progress import tracked
    from crowdscale.evaluation.run import inside_mask
    from crowdscale.metrics import Scores, pair_entries, placement_hint, read_entries, score_image

    entries = read_entries(path)
    pairs = pair_entries(entries, truths, ids)  # type: ignore[arg-type]
    rows, placed = [], []
    for name, own in tracked(pairs.items(), "Scoring", len(pairs)):
        entry, truth = entries[own], truths[name]
        points, count = entry.points, entry.count
        if points is not None and truth.mask is not None:
            points = points.select(inside_mask(points, truth.mask))
            count = float(len(points))
        rows.append(score_image(name, truth, count, points, scoring))
        if points is not None:
            placed.append((points, truth))
    return Scores(tuple(rows), scoring), placement_hint(placed, scoring.thresholds)


def _write_rows(path: Path, scores: Scores, about: dict[str, Any]) -> None:
    from crowdscale.files.writing import write_atomic
    from crowdscale.metrics import plain_number

    content = {
        **about,
        "scoring": scores.scoring.to_dict(),
        "measures": {name: plain_number(measure.value) for name, measure in scores.measures().items()},
        "rows": [row.to_dict() for row in scores.rows],
    }
    text = json.dumps(content, indent=1) + "\n"
    write_atomic(path, lambda stream: stream.write(text.encode()))


def _read_rows(path: Path) -> Scores:
    from crowdscale.metrics import ImageRow, Scores, Scoring

    expected = "expected the JSON of `crowdscale score --json` or `evaluate --json`"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(ImageRow.from_dict(row) for row in content["rows"])
        return Scores(rows, Scoring.from_dict(content["scoring"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(expected, f"{path} ({error!r})") from error
