"""``crowdscale evaluate``: a model's errors on annotated photos, the first pass beside the refined result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["evaluate"]


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH, such as sha/test:DIR; repeat for several.")
    ],
    listed: Annotated[
        Path | None, typer.Option("--list", help="Only the photos of this list, SET/NAME a line.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write one row an image.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores.")
    ] = None,
    factor: Annotated[
        float | None, typer.Option(help="A fixed side factor in place of the learned one.")
    ] = None,
    merge: Annotated[str, typer.Option(help="ownership, or published (blank the region).")] = "ownership",
    engine: Annotated[str, typer.Option(help="onnx, or torch with the extra [learn].")] = "onnx",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of the engine; 0 leaves the choice to it.")] = 0,
) -> None:
    """Predict annotated photos and print MAE, RMSE, NAE and F of both passes."""
    from rich.console import Console
    from rich.progress import Progress

    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.evaluation import evaluate as run
    from crowdscale.prediction import PredictOptions, load

    names = read_list(listed) if listed else None
    samples, sets = [], []
    for text in data:
        dataset = open_dataset(text)
        chosen = split_samples(dataset.samples, names)[1] if names else dataset.samples
        samples += chosen
        sets.append(f"{dataset.name}/{dataset.split} {dataset.release}".strip(" /"))
    options = PredictOptions(factor=factor, merge=merge)  # type: ignore[arg-type]
    predictor = load(model, engine=engine, device=device, threads=threads, options=options)
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("evaluating", total=len(samples))
        result = run(predictor, samples, lambda: progress.advance(task))
    about = {"model": predictor.config.name, "data": sets, "list": str(listed or ""), "engine": engine}
    typer.echo(f"{about['model']} on {', '.join(sets)}: {len(result.rows)} images\n\n{result.markdown()}\n")
    typer.echo("  ".join(f"{name} {value:.3f}" for name, value in result.refinement().items()))
    if csv_file:
        result.write_csv(csv_file)
    if json_file:
        result.write_json(json_file, about)
    for name, sentence in result.failures:
        typer.echo(f"{name}: {sentence}", err=True)
    if result.failures:
        raise typer.Exit(130 if result.failures[-1][1] == "Interrupted." else 1)
