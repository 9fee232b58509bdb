"""Commands: score a model by domain; see README.md beside this file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crowdscale.counting.predictor import load
from research.domains.photos import held_out, parse_borders
from research.domains.rows import predict_rows
from research.domains.table import markdown, score_domains

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.callback()
def commands() -> None:
    """Judge a model by domains."""


@app.command()
def score(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")],
    data: Annotated[list[str], typer.Option(help="NAME[/SPLIT]:PATH; repeat for each domain.")],
    out: Annotated[Path, typer.Option(help="Folder for rows.jsonl, scores.json and table.md.")],
    only: Annotated[Path | None, typer.Option(help="List of the photos, one DOMAIN/NAME a line.")] = None,
    border: Annotated[
        list[str] | None, typer.Option(help="DOMAIN=SHARE left out along the edges of its photos.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads. 0: all cores.")] = 0,
    backend: Annotated[str, typer.Option(help="onnx, openvino, openvino-bf16 or torch.")] = "onnx",
) -> None:
    """Score a model by domain, first and second pass. A stopped run goes on."""
    photos = held_out(data, only, parse_borders(border or []))
    predictor = load(model, threads=threads, backend=backend)
    rows = predict_rows(predictor, photos, out / "rows.jsonl", lambda line: typer.echo(line, err=True))
    scores = score_domains(rows)
    (out / "scores.json").write_text(
        json.dumps([asdict(s) for s in scores], indent=1) + "\n", encoding="utf-8"
    )
    (out / "table.md").write_text(markdown(scores) + "\n", encoding="utf-8")
    typer.echo(markdown(scores))


if __name__ == "__main__":
    app()
