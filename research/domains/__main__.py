"""Commands: score a model by domain, and train without one domain to score on it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crowdscale.counting.predictor import load
from crowdscale.files.writing import write_atomic
from research.commands import new_app, run
from research.domains.photos import held_out, parse_borders
from research.domains.rows import PhotoRow, predict_rows
from research.domains.table import markdown, score_domains


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
    """Score a model by domain, first and second pass. A stopped run resumes."""
    photos = held_out(data, only, parse_borders(border or []))
    predictor = load(model, threads=threads, backend=backend)
    rows = predict_rows(predictor, photos, out / "rows.jsonl", lambda line: typer.echo(line, err=True))
    _write(rows, out)
    typer.echo(markdown(score_domains(rows)))


def leave_out(
    data: Annotated[list[str], typer.Option(help="NAME[/SPLIT]:PATH; repeat for each domain.")],
    hold_out: Annotated[Path, typer.Option(help="List of held-out photos of all domains.")],
    out: Annotated[Path, typer.Option(help="Folder for trainings, rows.jsonl, scores.json and table.md.")],
    weight: Annotated[
        list[float] | None, typer.Option(help="How often photos of each --data are drawn.")
    ] = None,
    border: Annotated[
        list[str] | None, typer.Option(help="DOMAIN=SHARE left out along the edges of its photos.")
    ] = None,
    left: Annotated[list[str] | None, typer.Option(help="Domains to leave out. Default: each.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, an option of crowdscale train.")
    ] = None,
) -> None:
    """Train on all domains but one, score on the one left out. A stopped run resumes."""
    from research.domains import leaving_out

    weights, borders = weight or [1.0] * len(data), parse_borders(border or [])
    rows: list[PhotoRow] = []
    for name in left or leaving_out.domain_names(data):
        rows += leaving_out.leave_out(
            name, data, weights, borders, hold_out, leaving_out.parse_options(option or []), out / name,
            lambda line: typer.echo(line, err=True),
        )  # fmt: skip
        _write(rows, out)
    typer.echo(markdown(score_domains(rows)))


def _write(rows: list[PhotoRow], out: Path) -> None:
    scores = score_domains(rows)
    text = json.dumps([asdict(each) for each in scores], indent=1) + "\n"
    write_atomic(out / "scores.json", lambda stream: stream.write(text.encode()))
    write_atomic(out / "table.md", lambda stream: stream.write(f"{markdown(scores)}\n".encode()))


if __name__ == "__main__":
    run(new_app(score, leave_out), "research.domains")
