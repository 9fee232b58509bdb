"""``crowdscale data``: convert, check, split and list data sets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.moved import add_moved
from crowdscale.cli.tables import counted

if TYPE_CHECKING:
    from crowdscale.data.check import Report

__all__ = ["data_app"]

data_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Convert, check, split and list data sets."
)

add_moved(data_app, "synthesize")

MOST_PROBLEMS = 40
"""Problems shown on the terminal; report.json has all."""

SHEET = 24
"""Photos on the contact sheet."""


@data_app.command()
def convert(
    source: Annotated[
        str, typer.Argument(help="NAME[/SPLIT]:PATH, a folder of photos, or an annotation file.")
    ],
    target: Annotated[Path, typer.Argument(help="File or folder to write.")],
    to: Annotated[
        str | None, typer.Option(help="csv, table, json, coco, yolo, voc, labelstudio, cvat.")
    ] = None,
    source_format: Annotated[
        str | None, typer.Option("--from", help="Format of the source, where it cannot be told.")
    ] = None,
    box: Annotated[float, typer.Option(help="Draw a square of this side around points without a box.")] = 0.0,
    photos: Annotated[str, typer.Option(help="Photos beside the annotations: none, copy or link.")] = "none",
) -> None:
    """Convert annotations between formats; the photos stay where they are unless asked for."""
    from crowdscale.data.conversion import convert as run
    from crowdscale.data.conversion import open_source, target_format

    done = run(open_source(source, source_format), target, target_format(target, to), box, photos)  # type: ignore[arg-type]
    for sentence in done.lost:
        typer.echo(sentence, err=True)
    told = counted(done.files, "file"), counted(done.photos, "photo"), counted(done.heads, "head")
    typer.echo(f"{target}: {', '.join(told)}")


@data_app.command()
def check(
    root: Annotated[str, typer.Argument(help="NAME[/SPLIT]:PATH, or a folder of your own photos.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.json, contact_sheet.jpg and histogram.png.")
    ] = None,
) -> None:
    """Read a whole data set and list everything that is wrong with it; exit code 1 where something is broken."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from crowdscale.data.check import check_dataset, spread_over_counts
    from crowdscale.files.images import write_image

    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("checking", total=None)

        def advance(total: int) -> None:
            progress.update(task, total=total, advance=1)

        report = check_dataset(root, advance)
    _print(report)
    if out is not None:
        from crowdscale.data.sheets import contact_sheet, heads_histogram

        report.write_json(out / "report.json")
        write_image(out / "contact_sheet.jpg", contact_sheet(spread_over_counts(report.photos, SHEET)))
        write_image(out / "histogram.png", heads_histogram(report.counts, f"{root}"))
        typer.echo(f"\nWritten to {out}: report.json, contact_sheet.jpg, histogram.png")
    if report.broken:
        raise typer.Exit(1)


def _print(report: Report) -> None:
    import numpy as np

    from crowdscale.cli.tables import new_table, print_table

    sizes = [photo.size for photo in report.photos]
    counts = report.counts
    facts = {"photos": f"{len(report.photos):,}", "labelled": f"{len(counts):,}", "heads": f"{sum(counts):,}"}
    if counts:
        middle = np.median(counts)
        facts["heads a photo"] = f"{min(counts):,} to {max(counts):,}, median {middle:,.0f}"
    if sizes:
        areas = sorted(sizes, key=lambda size: size[0] * size[1])
        facts["sizes"] = f"{areas[0][0]}×{areas[0][1]} to {areas[-1][0]}×{areas[-1][1]}"
    table = new_table(what="left", value="left")
    for name, value in facts.items():
        table.add_row(name, value)
    for name, number in report.levels().items():
        table.add_row(
            f"photos with {name} heads" if name[0].isdigit() or name[0] == "o" else f"level {name}",
            str(number),
        )
    print_table(table)
    if not report.problems:
        typer.echo("\nNothing is wrong.")
        return
    broken = sum(problem.broken for problem in report.problems)
    typer.echo(f"\n{broken} broken, {len(report.problems) - broken} to look at:")
    for problem in report.problems[:MOST_PROBLEMS]:
        typer.echo(f"  {'✗' if problem.broken else '?'} {problem.kind}: {problem.sentence}")
    if len(report.problems) > MOST_PROBLEMS:
        typer.echo(
            f"  … and {len(report.problems) - MOST_PROBLEMS} more: --out FOLDER writes all to report.json"
        )


@data_app.command()
def split(
    root: Annotated[str, typer.Argument(help="NAME[/SPLIT]:PATH, or a folder of your own photos.")],
    out: Annotated[Path, typer.Option(help="Folder for train.txt, validation.txt and test.txt.")],
    share: Annotated[
        str, typer.Option(help="Share to validate, or two shares: to validate, to test.")
    ] = "0.1",
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
) -> None:
    """Write seeded lists of photos whose counts spread like the whole set's."""
    from crowdscale.data.lists import list_entry, split_samples, stratified_names, write_list
    from crowdscale.data.opening import open_dataset
    from crowdscale.errors import DataError, OptionError

    try:
        shares = [float(part) for part in share.split(",")]
    except ValueError:
        shares = []
    if len(shares) not in (1, 2) or not all(0 < part < 1 for part in shares) or sum(shares) >= 1:
        raise OptionError(
            "expected --share as one or two shares between 0 and 1 such as 0.1,0.2", repr(share)
        )
    rest = [sample for sample in open_dataset(root).samples if sample.points is not None]
    whole, lists = len(rest), {}
    for name, part in zip(("validation", "test"), shares, strict=False):
        chosen = stratified_names(rest, min(1.0, part * whole / max(1, len(rest))), seed)
        lists[name] = chosen
        rest, _ = split_samples(rest, chosen)
    lists = {"train": [list_entry(sample) for sample in rest], **lists}
    if not all(lists.values()):
        raise DataError("expected photos in every list", ", ".join(f"{k} {len(v)}" for k, v in lists.items()),
                        "Give more photos or larger shares")  # fmt: skip
    for name, entries in lists.items():
        write_list(out / f"{name}.txt", entries, f"{root}, seed {seed}, shares {share}: {name}")
        typer.echo(f"{out / f'{name}.txt'}: {counted(len(entries), 'photo')}")


@data_app.command("list")
def list_sets() -> None:
    """List the public data sets that are read as they unpack, and the formats of own points."""
    from rich.markup import escape

    from crowdscale.cli.tables import new_table, print_table
    from crowdscale.data.formats import FORMATS
    from crowdscale.data.opening import describe_datasets

    table = new_table(name="left", data_set="left", what="left", splits="left", layout="left", source="left")
    for name, (card, protocol) in describe_datasets().items():
        splits = ", ".join(protocol.splits[:4]) + (" …" if len(protocol.splits) > 4 else "")
        layout = "confirmed" if card.verified else "unverified"
        table.add_row(name, card.title, f"{card.what}; {card.annotation}", splits, layout, card.source)
    print_table(table)
    typer.echo("")
    formats = new_table(format="left", what="left", points="left", boxes="left")
    for each in FORMATS.values():
        formats.add_row(
            each.name, escape(each.what), "yes" if each.points else "centres", "yes" if each.boxes else "no"
        )
    print_table(formats)
