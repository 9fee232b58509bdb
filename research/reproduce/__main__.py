"""``python -m research.reproduce``: a table of the papers, trained and evaluated here, beside the papers' numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crowdscale.errors import OptionError, need_learn
from research.commands import new_app, run

__all__ = ["app", "reproduce"]


def reproduce(
    table: Annotated[str, typer.Argument(help="Table or figure; `list` shows all.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="NAME:PATH, such as sha:DIR; repeat for several. Lines of other sets do not run."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Networks, cells, tables; the same folder resumes a run.")] = Path(
        "reproduction"
    ),
    budget: Annotated[
        str | None,
        typer.Option(
            help="smoke, lite, paper, a number of crops, or N+M for both phases; default the table's, lite."
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Seeds with commas; default the table's, 0,1,2 of main and 0 of others."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help='Only lines of this label, such as "points AutoScale", or network; repeat.'),
    ] = None,
    hold_out: Annotated[
        Path | None,
        typer.Option(help="List of held-out photos, SET/NAME a line; without, a tenth by count strata."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE of `crowdscale train`, above the recipe's; repeat."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads of PyTorch; 0: its own choice.")] = 0,
) -> None:
    """Train the missing networks of a table, evaluate them, and write the table beside the papers' numbers."""
    need_learn("research.reproduce")
    from research.reproduce.budget import parse_budget
    from research.reproduce.recipes import RECIPES, find_recipe
    from research.reproduce.request import Request, parse_data, parse_options
    from research.reproduce.study import run_recipe

    if table == "list":
        for recipe in RECIPES.values():
            typer.echo(f"{recipe.name:<11} {recipe.title}")
        return
    recipe = find_recipe(table)
    request = Request(
        parse_data(data or ()), parse_budget(budget or recipe.budget), _seeds(seeds, recipe.seeds), out, hold_out,
        parse_options(setting or ()), device, threads,
    )  # fmt: skip
    study = run_recipe(recipe, request, only or (), lambda text: typer.echo(text, err=True))
    for each in study.tables().values():
        typer.echo(f"{each.markdown()}\n")
    typer.echo(f"Written to {out / table}")
    for problem in study.problems:
        typer.echo(problem, err=True)
    if study.problems:
        raise typer.Exit(1)


def _seeds(text: str | None, usual: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return tuple(int(seed) for seed in text.split(",")) if text is not None else usual
    except ValueError as error:
        raise OptionError("expected --seeds as whole numbers with commas", repr(text)) from error


app = new_app(reproduce)

if __name__ == "__main__":
    run(app, "research.reproduce")
