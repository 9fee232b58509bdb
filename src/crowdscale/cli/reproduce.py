"""``crowdscale reproduce``: a table of the papers, trained and evaluated here, beside the papers' numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["reproduce"]


def reproduce(
    table: Annotated[str, typer.Argument(help="Which table or figure; `list` names them.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="NAME:PATH, such as sha:DIR; repeat for several. Lines of other sets are not run."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Networks, cells, tables; with the same folder a stopped run goes on.")
    ] = Path("reproduction"),
    budget: Annotated[
        str, typer.Option(help="smoke, lite, paper, a number of crops, or N+M for both phases.")
    ] = "lite",
    seeds: Annotated[str, typer.Option(help="Seeds with commas.")] = "0",
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only lines of this label or network, such as points; repeat for several."),
    ] = None,
    validation: Annotated[
        Path | None,
        typer.Option(help="List of held-out photos, SET/NAME a line; without, a tenth by count strata."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of `crowdscale train`, above the recipe's; repeat."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of torch; 0 leaves the choice to it.")] = 0,
) -> None:
    """Train what a table needs and is missing, evaluate it, and write it beside the papers' numbers."""
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale reproduce")
    from crowdscale.errors import OptionError
    from crowdscale.learn.reproduction import RECIPES, Request, find_recipe, parse_budget
    from crowdscale.learn.reproduction import reproduce as run
    from crowdscale.learn.reproduction.study import parse_data, parse_options

    if table == "list":
        for recipe in RECIPES.values():
            typer.echo(f"{recipe.name:<11} {recipe.title}")
        return
    try:
        chosen = tuple(int(seed) for seed in seeds.split(","))
    except ValueError as error:
        raise OptionError("expected --seeds as whole numbers with commas", repr(seeds)) from error
    request = Request(
        parse_data(data or ()), parse_budget(budget), chosen, out, validation, parse_options(setting or ()),
        device, threads,
    )  # fmt: skip
    study = run(find_recipe(table), request, only or (), lambda text: typer.echo(text, err=True))
    for shown in study.tables().values():
        typer.echo(f"{shown.markdown()}\n")
    typer.echo(f"Written to {out / table}")
    for problem in study.problems:
        typer.echo(problem, err=True)
    if study.problems:
        raise typer.Exit(1)
