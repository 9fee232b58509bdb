"""The run and the report of ``crowdscale evaluate``: tables on the terminal, result files, failures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crowdscale.cli.errors import INTERRUPTED, SOME_FAILED, print_errors
from crowdscale.cli.result_files import write_each

if TYPE_CHECKING:
    from crowdscale.counting.predictor import Predictor
    from crowdscale.data.sample import Sample
    from crowdscale.evaluation.run import Evaluation
    from crowdscale.metrics import Scores, Scoring
    from crowdscale.models.description import ZoomOptions

__all__ = ["dense_text", "refinement_text", "report", "report_cross", "run_evaluation"]


def run_evaluation(
    predictor: Predictor,
    samples: Sequence[Sample],
    scoring: Scoring,
    kept: Path | None,
    about: dict[str, Any],
) -> Evaluation:
    """Evaluate with a live line.

    Args:
        predictor: The model.
        samples: The photos.
        scoring: The measures.
        kept: A file that keeps rows; photos it holds are not counted again.
        about: What identifies this evaluation in that file.
    """
    from crowdscale.cli.progress import progress
    from crowdscale.evaluation.run import evaluate, open_journal

    with (
        progress("Evaluating", len(samples)) as live,
        open_journal(kept, {**about, "scoring": scoring.to_dict()}) as journal,
    ):
        return evaluate(predictor, samples, lambda _: live.advance(), scoring, journal)


def report(
    result: Evaluation,
    about: dict[str, Any],
    csv_file: Path | None,
    json_file: Path | None,
    table: Path | None,
) -> None:
    """Print the scores, write the files, and exit with 1 after a failure."""
    from crowdscale.cli.score_tables import split_table
    from crowdscale.cli.tables import counted

    shown, scores = result.table(), result.scores("refined")
    head = f"{about['model']} on {', '.join(about['data'])}: {counted(len(result.rows), 'photo')}"
    typer.echo(f"{head}\n\n{shown.markdown()}\n\n{_interval_text(scores)}")
    typer.echo(refinement_text(result.refinement()))
    for attribute in result.scoring.attributes:
        typer.echo(f"\nby {attribute}\n\n{split_table(scores, attribute).markdown()}")
    unwritten = write_each(
        [
            (csv_file, result.write_csv),
            (json_file, lambda path: result.write_json(path, about)),
            (table, shown.write),
        ]
    )
    _exit_after(result.failures, unwritten)


def report_cross(
    cells: Mapping[str, Mapping[str, Scores]], failures: Sequence[tuple[str, str]], table: Path | None
) -> None:
    """Print and write models × data sets, and exit with 1 after a failure."""
    from crowdscale.cli.score_tables import FEW, cross_table
    from crowdscale.metrics import FEWEST_IMAGES

    shown = cross_table(cells)
    typer.echo(f"MAE / RMSE (95 % interval of the MAE), both passes\n\n{shown.markdown()}")
    if any(len(scores.rows) < FEWEST_IMAGES for row in cells.values() for scores in row.values()):
        typer.echo(f"\n{FEW}")
    _exit_after(failures, write_each([(table, shown.write)]))


def _interval_text(scores: Scores) -> str:
    from crowdscale.cli.score_tables import FEW
    from crowdscale.metrics import FEWEST_IMAGES, interval

    if len(scores.rows) < FEWEST_IMAGES:
        return FEW
    measures = scores.measures()
    shown = {name: interval(measures[name]) for name in ("MAE", "RMSE")}
    return "95 % intervals: " + ", ".join(f"{n} {i.low:.1f}–{i.high:.1f}" for n, i in shown.items())


def refinement_text(refinement: Mapping[str, float]) -> str:
    """Return a line on the second pass; numbers that are NaN are left out."""
    if not refinement["refined"]:
        return "No photo has a dense region, so there was no second pass."
    parts = [
        f"Second pass on {100 * refinement['refined']:.0f} % of the photos",
        f"zoom {refinement['factor_50']:.2f} ({refinement['factor_10']:.2f}–{refinement['factor_90']:.2f}, "
        "10th to 90th percentile)",
    ]
    pairs = [
        (refinement[f"{name}_before"], refinement[f"{name}_after"]) for name in ("spacing", "log_spread")
    ]
    texts = (
        "distance between annotated heads {:.1f} px in the first pass, {:.1f} px in the second (medians)",
        "log10 of that distance varies by {:.2f} in the first pass, {:.2f} in the second (standard deviations)",
    )
    parts += [
        text.format(*pair) for text, pair in zip(texts, pairs, strict=True) if not any(map(math.isnan, pair))
    ]
    return "; ".join(parts) + "."


def dense_text(result: Evaluation, zoom: ZoomOptions) -> str:
    """Return the errors inside the dense regions as a Markdown table, and a line of facts."""
    from crowdscale.evaluation.diagnosis import diagnose

    dense = diagnose(result, zoom)
    if not dense.regions:
        return "No photo has a dense region."
    low, middle, high = dense.factors
    facts = (
        f"{dense.regions} regions of {dense.images} photos with {dense.heads} heads; zoom {low:.2f}, {middle:.2f}, "
        f"{high:.2f} (10th, 50th, 90th percentile), clamped below {100 * dense.clamped_low:.0f} %, above "
        f"{100 * dense.clamped_high:.0f} %, capped {100 * dense.capped:.0f} %; correlation with the true spacing "
        f"{dense.factor_fit:.2f}"
    )
    return f"dense regions alone\n\n{dense.table().markdown()}\n\n{facts}"


def _exit_after(failures: Sequence[tuple[str, str]], unwritten: Sequence[str] = ()) -> None:
    """Print what failed, and exit with a code other than 0 if anything did."""
    for name, sentence in failures:
        typer.echo(f"{name}: {sentence}", err=True)
    print_errors(unwritten)
    if failures or unwritten:
        raise typer.Exit(INTERRUPTED if failures and failures[-1][1] == "Interrupted." else SOME_FAILED)
