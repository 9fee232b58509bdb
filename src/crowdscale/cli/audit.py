"""``crowdscale audit``: a number of people that holds whatever the model does, from a few tiles counted by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.errors import terminated_like_ctrl_c
from crowdscale.cli.options import INPUT, OUTPUT, Backend, Device, Model, Threads, option, seconds_of
from crowdscale.errors import DataError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdscale.cli.audit_sources import Sources
    from crowdscale.files.images import Pixels
    from crowdscale.trust.audit import AuditRecord
    from crowdscale.trust.audit.worksheet import Worksheet

__all__ = ["audit"]

TILES, CHECK = "Tiles", "Check"


def audit(
    photos: Annotated[
        list[str] | None,
        typer.Argument(metavar="PHOTO|FOLDER|VIDEO", show_default=False, help="Photos, folders, patterns, or one video."),
    ] = None,
    heads: Annotated[
        Path | None,
        option("--heads", panel=INPUT, metavar="PATH", help="Annotated heads of whole photos: a file or a folder."),
    ] = None,
    every: Annotated[
        str, option("--every", panel=INPUT, metavar="TIME", help="Videos: time between two frames, such as 10s or 1m.")
    ] = "10s",
    tiles: Annotated[int, option("--tiles", panel=TILES, metavar="N", min=1, help="Tiles to count by hand.")] = 10,
    most: Annotated[
        float, option("--most", panel=TILES, metavar="N", min=5, help="Most predicted people in a tile.")
    ] = 40,
    seed: Annotated[
        str | None,
        option("--seed", panel=TILES, metavar="TEXT", help="Fixes the draw; default: from the model and the photos."),
    ] = None,
    level: Annotated[
        float,
        option("--level", panel=TILES, metavar="SHARE", min=0.5, max=0.999, help="Share of intervals that must hold."),
    ] = 0.9,
    by: Annotated[str, option("--by", panel=TILES, metavar="NAME", help="Who counts the tiles.")] = "",
    out: Annotated[
        Path | None,
        option("--out", panel=OUTPUT, metavar="DIR", help="Folder of the audit, which resumes there; default: NAME_audit."),
    ] = None,
    report: Annotated[
        Path | None, option("--report", panel=OUTPUT, metavar="FILE", help="Write the report: one .html file.")
    ] = None,
    corrections: Annotated[
        Path | None,
        option("--corrections", panel=OUTPUT, metavar="DIR", help="Save marked tiles as training data; the rest is ignored."),
    ] = None,
    note: Annotated[str, option("--note", panel=OUTPUT, metavar="TEXT", help="Title of the report.")] = "",
    quiet: Annotated[bool, option("--quiet", panel=OUTPUT, help="Print the sentence of the result alone.")] = False,
    check: Annotated[
        Path | None,
        option("--check", panel=CHECK, metavar="REPORT", help="Check a report, and compare photos with it."),
    ] = None,
    predict: Annotated[
        bool, option("--predict", panel=CHECK, help="With --check and all photos: also run the model.")
    ] = False,
    model: Model = "lite",
    backend: Backend = "onnx",
    device: Device = "cpu",
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Count a few drawn tiles by hand: a number with an interval that holds for any model.

    The first run writes a picture of each drawn tile and a table, counts.csv. Fill in the people of each tile, or
    put annotations beside the pictures, and run the same command again.
    """
    from crowdscale.cli.audit_sources import Sources
    from crowdscale.files.writing import check_writable
    from crowdscale.trust.audit.worksheet import Worksheet

    if check is not None:
        from crowdscale.cli.audit_check import check_report

        raise typer.Exit(
            check_report(check, photos or [], (model, backend, device, threads) if predict else None)
        )
    if not photos:
        raise OptionError.plain("no photo was named", "Try: crowdscale audit crowd.jpg, or --help")
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise OptionError("expected --report as .html", str(report), "Print it from a browser to get a PDF")
    check_writable(report)
    sheet = Worksheet(out or Path(f"{Path(photos[0]).resolve().stem}_audit"))
    sources = Sources.find(photos, sheet.folder, seconds_of(every))
    with terminated_like_ctrl_c():
        if sheet.exists():
            record = _resumed(sheet, sources, seed)
        else:
            record = _started(sheet, sources, (model, backend, device, threads), seed, most, quiet)
        _go_on(record, sheet, sources, Wanted(tiles, report, corrections, heads, by, note, level, quiet))


@dataclass(frozen=True)
class Wanted:
    """What a run is to do with an audit."""

    tiles: int
    report: Path | None
    corrections: Path | None
    heads: Path | None
    by: str
    note: str
    level: float
    quiet: bool


def _started(
    sheet: Worksheet,
    sources: Sources,
    model: tuple[str, str, str, int],
    seed: str | None,
    most: float,
    quiet: bool,
) -> AuditRecord:
    """Predict the photos and draw; what was predicted before a stop is kept."""
    import shutil

    from crowdscale.counting.audit import start_audit
    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.files.writing import check_writable
    from crowdscale.trust.audit import AuditOptions

    check_writable(sheet.record_file)
    options = AuditOptions(heads=most, fewest=min(5.0, most))
    name, backend, device, threads = model
    usual = PredictOptions(keep_map=False)
    predictor = load(name, backend=backend, device=device, threads=threads, options=usual)
    store = sheet.folder / "predictions"
    record = start_audit(predictor, sources.inputs(quiet), seed, options, store=store)
    sheet.save(record)
    shutil.rmtree(store, ignore_errors=True)
    return record


def _resumed(sheet: Worksheet, sources: Sources, seed: str | None) -> AuditRecord:
    """Return the audit of the folder. Raises OptionError where it is one of other photos or of another seed."""
    record = sheet.load()
    names = [photo.name for photo in record.plan.photos]
    other = "Name another folder with --out to begin a new audit"
    if not sources.fits(names):
        raise OptionError(f"expected the photos of the audit in {sheet.folder}", "others", other)
    if seed is not None and seed != record.plan.seed:
        raise OptionError(f"expected the seed {record.plan.seed} of the audit", repr(seed), other)
    return record


def _go_on(record: AuditRecord, sheet: Worksheet, sources: Sources, wanted: Wanted) -> None:
    """Take in the answers, write the tiles that are to be counted next, and print the number."""
    from crowdscale.cli.audit_tables import print_steps, print_todo
    from crowdscale.counting.audit import heads_of_photos, heads_of_tiles
    from crowdscale.trust.audit.wording import frame_mean, headline, next_step

    cells = len(record.plan.cells)
    record = replace(record, level=wanted.level, note=wanted.note or record.note)
    marked = heads_of_tiles(sheet.tiles, record)
    if wanted.heads is not None:
        annotated = sources.annotated(wanted.heads)
        marked = heads_of_photos(annotated, record, min(wanted.tiles, cells)) | marked
    record = sheet.answered(record, marked, wanted.by)
    tiles = min(max(wanted.tiles, len(record.answers)), cells)
    photo = lru_cache(2)(sources.reader(record, tiles))
    sheet.prepare(record, tiles, photo)
    sheet.save(record)
    if wanted.report is not None:
        _write_report(record, wanted.report, photo)
    if not wanted.quiet:
        print_steps(record)
    step = record.estimate()
    typer.echo(headline(step))
    if mean := frame_mean(step, record.plan.photos):
        typer.echo(mean)
    if not wanted.quiet:
        if step.audited:
            typer.echo(next_step(step))
        print_todo(record, sheet, tiles)
        if wanted.report is not None:
            typer.echo(f"Written: {wanted.report}")
    if wanted.corrections is not None:
        _save_corrections(record, sources, photo, wanted.corrections, wanted.quiet)


def _save_corrections(
    record: AuditRecord, sources: Sources, photo: Callable[[int], Pixels], folder: Path, quiet: bool
) -> None:
    from crowdscale.cli.audit_corrections import save_tiles

    for sentence in save_tiles(record, sources, photo, folder):
        if not quiet:
            typer.echo(sentence)


def _write_report(record: AuditRecord, path: Path, photo: Callable[[int], Pixels]) -> None:
    from crowdscale.files.writing import write_atomic
    from crowdscale.trust.audit.report import report_html

    if not record.answers:
        raise DataError("expected a counted tile before a report", "none", "Fill in counts.csv first")
    page = report_html(record, photo).encode()
    write_atomic(path, lambda stream: stream.write(page))
