"""``crowdscale models calibrate --heads``: confidences of heads as probabilities, measured on annotated photos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import typer

__all__ = ["calibrate_heads"]


def calibrate_heads(
    model: str,
    data: list[str],
    only: Path | None,
    hold_out: Path | None,
    borders: list[float] | None,
    write: bool,
    threads: int,
) -> None:
    """Measure on annotated photos how many heads of each confidence are right, and print the curve."""
    from crowdscale.cli.models.calibrate import chosen_photos
    from crowdscale.cli.progress import progress
    from crowdscale.counting.predictor import load
    from crowdscale.evaluation.heads import judge_heads
    from crowdscale.models.description import read_config, write_config
    from crowdscale.models.finding import find_folder, find_model
    from crowdscale.trust.confidence import fit_heads

    folder = find_folder(model) if write else find_model(model)
    samples, sets = chosen_photos(data, only, hold_out, borders)
    with progress("Locating", len(samples)) as live:
        judged, failures = judge_heads(load(model, threads=threads), samples, on_photo=live.advance)
    for sentence in failures:
        typer.echo(sentence, err=True)
    curve = fit_heads(judged, sets)
    config = replace(read_config(folder), confidence=curve)
    typer.echo(
        f"{config.name}: a head is right within {curve.radius:g} px; offset {curve.offset:g}, slope {curve.slope:g}, from "
        f"{curve.heads:,} heads in {curve.photos} photos"
    )
    typer.echo("probability  right  heads, each photo judged by the others:")
    for band in curve.bands:
        typer.echo(f"{100 * band.probability:9.1f} %{100 * band.right:6.1f} %{band.heads:6,}")
    typer.echo(f"Mean error {100 * curve.error:.1f} %")
    if write:
        write_config(folder, config)
