"""``crowdscale data list``: the public data sets and the annotation formats, in short or in detail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.options import OUTPUT, option
from crowdscale.cli.tables import new_table, print_table, wrapped

if TYPE_CHECKING:
    from crowdscale.data.formats import Format
    from crowdscale.data.protocol import Card, Protocol

__all__ = ["list_sets"]


def list_sets(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Names of sets or formats of which all is printed."),
    ] = None,
    verbose: Annotated[
        bool, option("--verbose", panel=OUTPUT, help="Print all of every set and format.")
    ] = False,
) -> None:
    """List the public data sets that are read as they unpack, and the formats of your own points.

    With a name: what the set holds, its splits, licence, source and citation.
    """
    from crowdscale.data.conversion import WRITTEN
    from crowdscale.data.formats import FORMATS
    from crowdscale.data.opening import describe_datasets
    from crowdscale.errors import DataError

    sets, formats = describe_datasets(), {**FORMATS, **WRITTEN}
    all_names = [*sets, *formats]
    for name in names or ():
        if name not in all_names:
            raise DataError.plain(f"no data set or format {name!r}", f"Known are {', '.join(all_names)}")
    if names or verbose:
        chosen = names or all_names
        typer.echo("\n\n".join("\n".join(_details(name, sets, formats)) for name in chosen))
    else:
        _print_short(sets, formats)


def _print_short(sets: Mapping[str, tuple[Card, Protocol]], formats: Mapping[str, Format]) -> None:
    """Print both tables in 80 columns."""
    from rich.markup import escape

    table = new_table(name="left", data_set="left", marked="left", confirmed_on="left")
    for name, (card, _) in sets.items():
        table.add_row(name, card.title, card.annotation.split(",")[0], card.confirmed or "no real file yet")
    print_table(table)
    typer.echo("")
    table = new_table(format="left", files="left", use="left")
    for each in formats.values():
        table.add_row(each.name, escape(_files(each)), _use(each))
    print_table(table)
    typer.echo("\nAll of one set or format: crowdscale data list NAME")


def _files(each: Format) -> str:
    """Return where a format has its files, without what they hold."""
    place, _, _ = each.what.partition(": ")
    return place.partition(";")[0] + ")" * (place.count("(") > place.partition(";")[0].count(")"))


def _use(each: Format) -> str:
    return ", ".join(["read"] * each.readable + ["written"] * each.written)


def _details(
    name: str, sets: Mapping[str, tuple[Card, Protocol]], formats: Mapping[str, Format]
) -> Iterator[str]:
    """Yield the lines on a set or a format."""
    if name in sets:
        card, protocol = sets[name]
        yield f"{name}: {card.title}"
        facts = {
            "photos": card.what,
            "marked": card.annotation,
            "splits": ", ".join(protocol.splits),
            "layout": f"confirmed on {card.confirmed}" if card.confirmed else "confirmed on no real file yet",
            "licence": card.licence,
            "source": card.source,
            "cite": card.citation,
            "use": f"--data {name}/{protocol.splits[0]}:FOLDER",
        }
    else:
        each = formats[name]
        yield f"{name}: {_use(each)}"
        facts = {
            "files": each.what,
            "heads": "points" if each.points else "centres of boxes",
            "boxes": "kept" if each.boxes else "not kept",
        }
    for fact, text in facts.items():
        yield wrapped(text, f"  {fact:9}", " " * 11)
