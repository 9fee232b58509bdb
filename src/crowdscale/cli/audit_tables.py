"""What ``crowdscale audit`` prints: the number after each tile, and the tiles to count next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from crowdscale.cli.tables import new_table, print_table

if TYPE_CHECKING:
    from crowdscale.trust.audit import AuditRecord
    from crowdscale.trust.audit.worksheet import Worksheet

__all__ = ["print_steps", "print_todo"]


def print_steps(record: AuditRecord) -> None:
    """Print a line for each counted tile."""
    from crowdscale.trust.audit.wording import interval_text

    if not record.answers:
        return
    table = new_table(
        tile="right", by_hand="right", by_model="right", people="right", interval="right", more="right"
    )
    for tile, (answer, step) in enumerate(zip(record.answers, record.estimates()[1:], strict=True), start=1):
        more = "" if step.remaining is None else str(step.remaining)
        predicted = f"{record.plan.cells[answer.cell].predicted:.1f}"
        table.add_row(
            str(tile), str(answer.count), predicted, f"{round(step.count):,}", interval_text(step), more
        )
    print_table(table)


def print_todo(record: AuditRecord, sheet: Worksheet, tiles: int) -> None:
    """Print which tiles wait, and which are filled in too early."""
    early = sheet.unused(record)
    if early:
        names = ", ".join(map(str, early))
        typer.echo(f"Not used yet: tile {names}. Count tile {len(record.answers) + 1} first.", err=True)
    if len(record.answers) < tiles:
        first, last = sheet.picture(len(record.answers) + 1), sheet.picture(tiles)
        span = str(first) if first == last else f"{first} to {last.name}"
        typer.echo(f"Count the people in the bright part of {span}.")
        typer.echo(f"Fill in {sheet.table_file} (a head belongs to the tile that its centre is in).")
        typer.echo("Then run the same command again.")
    elif not record.estimate().exact:
        typer.echo(f"More tiles: the same command with --tiles {min(tiles + 5, len(record.plan.cells))}.")
