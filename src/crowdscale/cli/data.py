"""``crowdscale data``: the list of its commands; convert, check and split data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.errors import SOME_FAILED
from crowdscale.cli.options import INPUT, OUTPUT, Seed, option
from crowdscale.cli.panels import Entry, command_group
from crowdscale.cli.tables import counted

if TYPE_CHECKING:
    from crowdscale.data.check import Report

__all__ = ["check", "convert", "data_app", "split"]

data_app = command_group(
    "Check, convert, split and list data sets.",
    Entry("check", "List all that is wrong with a data set.", "data:check"),
    Entry("convert", "Convert annotations between formats.", "data:convert"),
    Entry("split", "Write lists of photos to train, validate and test.", "data:split"),
    Entry("list", "List the public data sets and the formats of points.", "data_list:list_sets"),
)

Classes = Annotated[
    list[str] | None,
    option(
        "--class", panel=INPUT, metavar="NAME", help="Class of your annotations that is read; all for all."
    ),
]

Root = Annotated[str, typer.Argument(metavar="SET", help="NAME[/SPLIT]:PATH, or a folder of photos.")]

MOST_PROBLEMS = 40
"""Problems on the terminal; report.json has all."""

SHEET = 24
"""Photos on the contact sheet."""


def convert(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="NAME[/SPLIT]:PATH, a folder of photos, or an annotation file."
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="File or folder to write.")],
    source_format: Annotated[
        str | None,
        option("--from", panel=INPUT, metavar="FORMAT", help="Format of the source, if it is ambiguous."),
    ] = None,
    to: Annotated[
        str | None,
        option(
            "--to",
            panel=OUTPUT,
            metavar="FORMAT",
            help="Format to write: csv, coco, yolo, mat … (data list).",
        ),
    ] = None,
    box: Annotated[
        float,
        option("--box", panel=OUTPUT, metavar="PIXELS", help="Side of a square around points without a box."),
    ] = 0.0,
    photos: Annotated[
        str,
        option(
            "--photos", panel=OUTPUT, metavar="HOW", help="Photos beside the annotations: none, copy or link."
        ),
    ] = "none",
    classes: Classes = None,
) -> None:
    """Convert annotations between formats; photos stay where they are unless --photos says otherwise."""
    from crowdscale.data.conversion import convert as run
    from crowdscale.data.conversion import open_source, target_format

    samples, notes = open_source(source, source_format, classes or ())
    done = run(samples, target, target_format(target, to), box, photos)  # type: ignore[arg-type]
    for sentence in (*notes, *done.lost):
        typer.echo(sentence, err=True)
    numbers = counted(done.files, "file"), counted(done.photos, "photo"), counted(done.heads, "head")
    typer.echo(f"{target}: {', '.join(numbers)}")


def check(
    root: Root,
    out: Annotated[
        Path | None,
        option(
            "--out",
            panel=OUTPUT,
            metavar="DIR",
            help="Write report.json, contact_sheet.jpg and histogram.png here.",
        ),
    ] = None,
    classes: Classes = None,
) -> None:
    """Read a data set and list all that is wrong with it; exit code 1 if something is broken."""
    from crowdscale.cli.progress import progress
    from crowdscale.data.check import check_dataset, spread_over_counts
    from crowdscale.files.images import write_image

    with progress("Checking") as live:

        def advance(total: int) -> None:
            live.update(total=total)
            live.advance()

        report = check_dataset(root, advance, classes or ())
    _print(report)
    if out is not None:
        from crowdscale.data.sheets import contact_sheet, heads_histogram

        report.write_json(out / "report.json")
        write_image(
            out / "contact_sheet.jpg", contact_sheet(spread_over_counts(report.photos, SHEET)), drawn=True
        )
        write_image(out / "histogram.png", heads_histogram(report.counts, f"{root}"), drawn=True)
        typer.echo(f"\nWritten to {out}: report.json, contact_sheet.jpg, histogram.png")
    if report.broken:
        raise typer.Exit(SOME_FAILED)


def _print(report: Report) -> None:
    from crowdscale.cli.tables import new_table, print_table

    table = new_table(what="left", value="left")
    for name, value in _facts(report).items():
        table.add_row(name, value)
    for name, number in report.levels().items():
        is_range = name[0].isdigit() or name[0] == "o"
        table.add_row(f"photos with {name} heads" if is_range else f"level {name}", str(number))
    print_table(table)
    if not report.problems:
        typer.echo("\nNo problems.")
        return
    broken = sum(problem.broken for problem in report.problems)
    typer.echo(f"\n{broken} broken, {len(report.problems) - broken} to check:")
    for problem in report.problems[:MOST_PROBLEMS]:
        typer.echo(f"  {'✗' if problem.broken else '?'} {problem.kind}: {problem.sentence}")
    if (more := len(report.problems) - MOST_PROBLEMS) > 0:
        typer.echo(f"  … and {more} more: --out FOLDER writes all to report.json")


def _facts(report: Report) -> dict[str, str]:
    """Return photos, heads and sizes of a data set, by name."""
    import numpy as np

    counts = report.counts
    facts = {"photos": f"{len(report.photos):,}", "labelled": f"{len(counts):,}", "heads": f"{sum(counts):,}"}
    if counts:
        facts["heads a photo"] = f"{min(counts):,} to {max(counts):,}, median {np.median(counts):,.0f}"
    if report.photos:
        areas = sorted((photo.size for photo in report.photos), key=lambda size: size[0] * size[1])
        facts["sizes"] = f"{areas[0][0]}×{areas[0][1]} to {areas[-1][0]}×{areas[-1][1]}"
    return facts


def split(
    root: Root,
    out: Annotated[
        Path,
        option(
            "--out", panel=OUTPUT, metavar="DIR", help="Folder for train.txt, validation.txt and test.txt."
        ),
    ],
    share: Annotated[
        str,
        option(
            "--share", panel=OUTPUT, metavar="SHARE[,SHARE]", help="Share to validate, and share to test."
        ),
    ] = "0.1",
    seed: Seed = 0,
) -> None:
    """Write seeded lists of photos whose counts spread like those of the whole set."""
    from crowdscale.data.lists import list_entry, split_samples, stratified_names, write_list
    from crowdscale.data.opening import open_dataset
    from crowdscale.errors import DataError

    shares = _shares(share)
    rest = [sample for sample in open_dataset(root).samples if sample.points is not None]
    whole, lists = len(rest), {}
    for name, part in zip(("validation", "test"), shares, strict=False):
        chosen = stratified_names(rest, min(1.0, part * whole / max(1, len(rest))), seed)
        lists[name] = chosen
        rest, _ = split_samples(rest, chosen)
    lists = {"train": [list_entry(sample) for sample in rest], **lists}
    if not all(lists.values()):
        sizes = ", ".join(f"{name} {len(entries)}" for name, entries in lists.items())
        raise DataError("expected photos in every list", sizes, "Give more photos or larger shares")
    for name, entries in lists.items():
        write_list(out / f"{name}.txt", entries, f"{root}, seed {seed}, shares {share}: {name}")
        typer.echo(f"{out / f'{name}.txt'}: {counted(len(entries), 'photo')}")


def _shares(text: str) -> list[float]:
    """Return the one or two shares of ``--share``. Raises OptionError."""
    from crowdscale.errors import OptionError

    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if len(shares) not in (1, 2) or not all(0 < part < 1 for part in shares) or sum(shares) >= 1:
        raise OptionError(
            "expected --share as one or two shares between 0 and 1, such as 0.1,0.2", repr(text)
        )
    return shares
