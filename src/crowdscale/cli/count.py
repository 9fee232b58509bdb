"""``crowdscale count``: people in photos as a table, CSV, JSON and pictures, or many photos into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.options import (
    INPUT,
    OUTPUT,
    Backend,
    Device,
    Model,
    NoSecondPass,
    ReadScale,
    RegionMinimum,
    Regions,
    Threads,
    Turn,
    ZonesFile,
    Zoom,
    option,
    read_zones_file,
    region_number,
    turn_of_option,
)
from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.counting.predictor import PredictOptions

__all__ = ["count"]

MANY = "Many photos"
"""Panel of the options that go with ``--out``."""

POINT_SUFFIXES = (".txt", ".csv", ".json")


def count(
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO|FOLDER|GLOB|URL", show_default=False,
            help="Photos, folders, patterns as 'trip/*.jpg', https:// addresses; clipboard: is the clipboard, - is stdin.",
        ),
    ] = None,
    zones: ZonesFile = None,
    pages: Annotated[
        str,
        option(
            "--pages", panel=INPUT, metavar="main|all",
            help="main: the largest page, the first frame of a file; all: each, named FILE#2.",
        ),
    ] = "main",
    turn: Turn = "off",
    read_scale: ReadScale = None,
    max_megapixels: Annotated[
        float,
        option(
            "--max-megapixels", panel=INPUT, metavar="MP",
            help="Reduce larger photos to this size as they are read. Photos above 400 MP are refused.",
        ),
    ] = 400.0,
    model: Model = "lite",
    no_second_pass: NoSecondPass = False,
    zoom: Zoom = None,
    regions: Regions = "1",
    region_minimum: RegionMinimum = None,
    save: Annotated[
        Path | None,
        option(
            "--save", panel=OUTPUT, metavar="DIR",
            help="Write NAME_people.jpg and NAME_heat.jpg here; with --verbose NAME_zoom.jpg, too."
        ),
    ] = None,
    csv_file: Annotated[
        Path | None, option("--csv", panel=OUTPUT, metavar="FILE", help="Write one row for each photo; -: to stdout.")
    ] = None,
    json_file: Annotated[
        Path | None, option("--json", panel=OUTPUT, metavar="FILE", help="Write all results, with each head's position; -: to stdout.")
    ] = None,
    points_file: Annotated[
        Path | None,
        option(
            "--points", panel=OUTPUT, metavar="FILE",
            help="Write a point file: .txt or .csv (heads, whose number may differ from the count) or .json (both).",
        ),
    ] = None,
    decimals: Annotated[
        int,
        option("--decimals", panel=OUTPUT, metavar="N", min=0, max=4, help="Decimals in --points; NWPU's server wants 0."),
    ] = 2,
    verbose: Annotated[
        bool, option("--verbose", panel=OUTPUT, help="Print passes, regions, zooms and times, too.")
    ] = False,
    quiet: Annotated[bool, option("--quiet", panel=OUTPUT, help="Print the bare number of each photo.")] = False,
    backend: Backend = "onnx",
    device: Device = "cpu",
    threads: Threads = 0,
    workers: Annotated[
        int,
        option(
            "--workers", panel="Backend", metavar="N", min=0,
            help="Photos counted in parallel; 0: one for each core, 4 at most (openvino, cuda and ray: 1).",
        ),
    ] = 0,
    out: Annotated[
        str | None,
        option("--out", "-o", panel=MANY, metavar="DIR", help="Write results here as they come; the same command resumes."),
    ] = None,
    table_format: Annotated[
        str | None,
        option(
            "--format", panel=MANY, metavar="NAME",
            help="parquet (extra [bulk], default with it), csv (without heads, default) or jsonl.",
        ),
    ] = None,
    part: Annotated[
        int, option("--part", panel=MANY, metavar="N", min=1, help="Photos a file: the most that a killed job loses.")
    ] = 1000,
    runner: Annotated[
        str, option("--runner", panel=MANY, metavar="NAME", help="local, or ray for a Ray cluster (extra [ray]).")
    ] = "local",
    address: Annotated[
        str | None,
        option("--address", panel=MANY, metavar="URL", help="Address of the Ray cluster; default: start Ray here."),
    ] = None,
) -> None:  # fmt: skip
    """Count the people in photos.

    With --out, results of any number of photos go into a folder, and the same command resumes after a stop.
    """
    if not photos:
        raise OptionError.plain("no photo was named", "Try: crowdscale count crowd.jpg, or --help")
    from crowdscale.cli.photo_sources import check_pages
    from crowdscale.files.names import address_of

    photos = [address_of(photo) for photo in photos]
    check_pages(pages)
    options = _options(not no_second_pass, zoom, regions, region_minimum, max_megapixels, read_scale, turn)
    known_zones = read_zones_file(zones)
    if out is not None:
        from dataclasses import replace

        from crowdscale.bulk import Job
        from crowdscale.cli.count_bulk import count_in_bulk, refuse_with_out

        refuse_with_out(save=save, csv=csv_file, json=json_file, points=points_file)
        options = replace(options, keep_map=False)
        job = Job(
            tuple(photos),
            model,
            backend,
            options,
            runner,
            workers,
            threads,
            address,
            known_zones,
            pages == "all",
        )
        raise typer.Exit(count_in_bulk(job, out, table_format, part, quiet))
    from crowdscale.cli.count_photos import Request, count_here
    from crowdscale.cli.count_report import Files
    from crowdscale.cli.result_files import as_target

    _refuse_without_out(photos, runner != "local", address)
    _check_points_suffix(points_file)
    files = Files(as_target(csv_file), as_target(json_file), points_file, decimals)
    request = Request(
        model, backend, device, threads, workers, options, known_zones, save, quiet, verbose, pages
    )
    raise typer.Exit(count_here(photos, request, files))


def _refuse_without_out(photos: list[str], *bulk: object) -> None:
    """Refuse addresses and options that need ``--out``."""
    from crowdscale.cli.photo_sources import refuse_address

    for photo in photos:
        refuse_address(photo)
    if any(bulk):
        raise OptionError.plain(
            "--runner or --address needs --out", "Name a folder for the results: --out DIR"
        )


def _options(
    second_pass: bool,
    zoom: float | None,
    regions: str,
    region_minimum: float | None,
    megapixels: float,
    read_scale: float | None,
    turn: str,
) -> PredictOptions:
    from crowdscale.counting.predictor import PredictOptions
    from crowdscale.maps.regions import RuleChoice

    if zoom is not None and not second_pass:
        raise OptionError.plain(
            "--zoom and --no-second-pass exclude each other", "Only the second pass enlarges"
        )
    if not 0.01 <= megapixels <= 400:
        raise OptionError("expected --max-megapixels from 0.01 to 400", f"{megapixels:g}")
    return PredictOptions(
        turn=turn_of_option(turn),
        refine=second_pass, zoom=zoom, regions=region_number(regions), rule=RuleChoice(minimum=region_minimum),
        max_pixels=round(megapixels * 1e6), read_scale=read_scale,
    )  # fmt: skip


def _check_points_suffix(path: Path | None) -> None:
    if path is not None and path.suffix.lower() not in (*POINT_SUFFIXES, ""):
        raise OptionError(f"expected --points as a file with {', '.join(POINT_SUFFIXES)}", str(path))
