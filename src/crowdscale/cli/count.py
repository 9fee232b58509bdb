"""``crowdscale count``: people in photos as a table, CSV, JSON and pictures."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.bulk import terminated_like_ctrl_c
from crowdscale.cli.count_report import Files, Outcome, picture_names, report
from crowdscale.cli.result_files import check_targets, told_others
from crowdscale.cli.second_look import Again, Minimum, Regions, second_look
from crowdscale.errors import CrowdscaleError, OptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.predictor import PredictOptions, Predictor
    from crowdscale.files.images import Pixels
    from crowdscale.points import Points
    from crowdscale.zones.zone import ZoneCount, Zones

__all__ = ["count"]

SOME_FAILED, NOTHING_DONE, INTERRUPTED = 1, 2, 130
"""Exit codes."""

POINT_SUFFIXES = (".txt", ".csv", ".json")


def count(
    photos: Annotated[
        list[str] | None,
        typer.Argument(metavar="PHOTO|FOLDER|GLOB...", show_default=False, help="What to count."),
    ] = None,
    model: Annotated[
        str, typer.Option(help="A bundled model's name, or the path of a model folder.")
    ] = "lite",
    save: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write NAME_people.jpg, NAME_heat.jpg and NAME_zoom.jpg here."),
    ] = None,
    zones: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Count in these zones too (crowdscale zones).")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write one row for each photo.")
    ] = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write everything, every head with its place."),
    ] = None,
    points_file: Annotated[
        Path | None,
        typer.Option(
            "--points",
            metavar="FILE",
            help="Write heads as the field does: .txt or .csv (dots alone, whose number may differ from the "
            "count) or .json (dots and count).",
        ),
    ] = None,
    decimals: Annotated[
        int, typer.Option(min=0, max=4, help="Decimals in --points; NWPU's server wants 0.")
    ] = 2,
    no_refine: Annotated[
        bool, typer.Option("--no-refine", help="First pass alone: no second look at crowds.")
    ] = False,
    factor: Annotated[
        float | None, typer.Option(help="Enlarge dense regions by this side factor, not the learned one.")
    ] = None,
    merge: Annotated[
        str, typer.Option(help="ownership: each person counted where he is; published: the paper's way.")
    ] = "ownership",
    regions: Regions = "1",
    again: Again = False,
    region_minimum: Minimum = None,
    backend: Annotated[
        str,
        typer.Option(help="onnx; openvino, openvino-bf16 (extra [openvino]); torch (extra [learn])."),
    ] = "onnx",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[
        int,
        typer.Option(
            min=0, help="Threads of the engine; 0: all, of several photos at a time each its share."
        ),
    ] = 0,
    max_megapixels: Annotated[
        float,
        typer.Option(
            help="Reduce larger photos to this many megapixels when they are read, 400 at most; "
            "photos above 400 are refused: reduce or cut those first."
        ),
    ] = 400.0,
    base: Annotated[
        float | None,
        typer.Option(
            help="Side factor at which a photo is read, 2 or less; chosen for large and small photos by default."
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Many photos: write results here as they come, and go on after a stop."
        ),
    ] = None,
    table_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Of --out: parquet (extra [bulk]), csv (no heads) or jsonl; parquet where it is installed, else csv.",
        ),
    ] = None,
    part: Annotated[
        int, typer.Option(min=1, help="With --out: photos a part, which is the most that kill -9 loses.")
    ] = 1000,
    engine: Annotated[
        str, typer.Option(help="With --out: local, or ray for a Ray cluster (extra [ray]).")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster; without it Ray starts on this machine.")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            help="Photos counted at a time, each in its own memory; 0 is one a core, 4 at most (OpenVINO, cuda, ray: 1).",
        ),
    ] = 0,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Show no table and no progress, only errors.")
    ] = False,
) -> None:
    """Count the people in photos, folders of photos or patterns such as 'trip/*.jpg'."""
    if not photos:
        raise OptionError(
            "expected a photo, a folder or a pattern", "none", "Try: crowdscale count crowd.jpg, or --help"
        )
    options = _options(not no_refine, factor, merge, max_megapixels, base)
    options = replace(options, **second_look(regions, again, minimum=region_minimum))
    if out is not None:
        from crowdscale.bulk import Job
        from crowdscale.cli.bulk import count_in_bulk, refuse_with_out

        refuse_with_out(save=save, csv=csv_file, json=json_file, points=points_file)
        options = replace(options, keep_map=False)
        job = Job(
            tuple(photos), model, backend, options, engine, workers, threads, address, _read_zones(zones)
        )
        raise typer.Exit(count_in_bulk(job, out, table_format, part, quiet))
    _refuse_without_out(photos, engine != "local", address)
    _check_points_suffix(points_file)
    check_targets((csv_file, json_file, points_file), save)
    known = _read_zones(zones)
    found, outcomes, others = _find(photos)
    stopped = False
    if found:
        from crowdscale.backends import share_cores
        from crowdscale.counting.predictor import load

        if len(found) > 1:  # one photo has all threads
            workers, threads = share_cores(backend, device, workers, threads, len(found))
        with terminated_like_ctrl_c():
            predictor = load(model, backend=backend, device=device, threads=threads, options=options)
            stopped = _count_all(found, predictor, save, quiet, outcomes, known, max(1, workers))
    unwritten = report(outcomes, Files(csv_file, json_file, points_file, decimals), quiet)
    if others and not quiet:
        typer.echo(told_others(others), err=True)
    raise typer.Exit(INTERRUPTED if stopped else _exit_code(outcomes, unwritten))


def _refuse_without_out(photos: list[str], *bulk: object) -> None:
    """Refuse what the engines of many photos do alone."""
    addresses = [photo for photo in photos if "://" in photo]
    if addresses or any(bulk):
        came = addresses[0] if addresses else "--engine or --address"
        raise OptionError("expected --out", f"{came} without it", "Name a folder for the results: --out DIR")


def _exit_code(outcomes: list[Outcome], unwritten: bool) -> int:
    if outcomes and all(outcome.prediction is None for outcome in outcomes):
        return NOTHING_DONE
    return SOME_FAILED if unwritten or any(outcome.error for outcome in outcomes) else 0


def _options(
    refine: bool, factor: float | None, merge: str, megapixels: float, base: float | None
) -> PredictOptions:
    from crowdscale.counting.predictor import PredictOptions

    if factor is not None and not refine:
        raise OptionError(
            "expected --factor or --no-refine", "both", "Without a second look nothing is enlarged"
        )
    if not 0.01 <= megapixels <= 400:
        raise OptionError(
            "expected --max-megapixels from 0.01 to 400",
            f"{megapixels:g}",
            "Larger photos cannot be read at all",
        )
    return PredictOptions(refine, factor, merge=merge, max_pixels=round(megapixels * 1e6), read_scale=base)  # type: ignore[arg-type]


def _check_points_suffix(path: Path | None) -> None:
    if path is not None and path.suffix.lower() not in (*POINT_SUFFIXES, ""):
        raise OptionError(f"expected --points as a file with {', '.join(POINT_SUFFIXES)}", str(path))


def _read_zones(path: Path | None) -> Zones | None:
    if path is None:
        return None
    from crowdscale.zones.files import read_zones

    return read_zones(path)


def _find(sources: list[str]) -> tuple[list[Path], list[Outcome], Counter[str]]:
    """Return the photos of all sources, each once, an outcome for each source without any, and suffixes left out."""
    from crowdscale.files.finding import find_images

    found: dict[str, Path] = {}
    others: dict[str, str] = {}
    failed = []

    def leave_out(path: Path) -> None:
        others[os.path.realpath(path)] = path.suffix.lower()

    for source in sources:
        try:
            for photo in find_images([source], leave_out):
                found.setdefault(os.path.realpath(photo), photo)
        except CrowdscaleError as error:
            failed.append(Outcome(Path(source), error=str(error)))
    return list(found.values()), failed, Counter(others.values())


def _count_all(
    photos: list[Path],
    predictor: Predictor,
    save: Path | None,
    quiet: bool,
    outcomes: list[Outcome],
    zones: Zones | None,
    workers: int,
) -> bool:
    """Add an outcome for each photo, in their order, several counted at a time; returns whether Ctrl-C cut it short.

    What is done by then is kept.
    """
    names, stopped = picture_names(photos), False
    pool, waiting = ThreadPoolExecutor(workers), list[Future[Outcome]]()
    with _progress(len(photos), quiet) as advance:
        try:
            for photo in photos:
                pictures = save / names[photo] if save else None
                waiting.append(pool.submit(_count_one, photo, predictor, pictures, zones))
            for done in as_completed(waiting):
                done.result()
                advance()
        except KeyboardInterrupt:
            stopped = True
            # Told again, what is done is reported without what is under way.
            with suppress(KeyboardInterrupt):
                if not quiet:
                    typer.echo("Finishing the photos under way; again to leave them out.", err=True)
                pool.shutdown(cancel_futures=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    outcomes += [done.result() for done in waiting if done.done() and not done.cancelled()]
    return stopped


def _count_one(path: Path, predictor: Predictor, pictures: Path | None, zones: Zones | None) -> Outcome:
    """Count one photo and draw it; what is wrong with it, or with its pictures, becomes a sentence."""
    from crowdscale.counting.predictor import open_photo
    from crowdscale.files.storage import read_photo_bytes

    try:
        photo = open_photo(read_photo_bytes(str(path)), predictor.options.max_pixels)
        prediction = predictor.predict_photo(photo)
        counts = tuple(zones.count(prediction)) if zones is not None else ()
        if zones is not None:
            prediction = zones.limit(prediction)
    except CrowdscaleError as error:
        return Outcome(path, error=str(error).replace("the bytes given", str(path)))
    except (OSError, MemoryError) as error:
        return Outcome(path, error=f"expected to count {path}, but got {error or 'too little memory'}.")
    sentence = ""
    if pictures is not None:
        try:
            _save(photo.pixels, prediction, pictures, zones, counts)
        except CrowdscaleError as error:
            sentence = str(error)
        except (OSError, MemoryError) as error:
            sentence = f"expected to save the pictures of {path}, but got {error or 'too little memory'}."
    # Maps of a thousand photos would fill the memory.
    return Outcome(path, replace(prediction, map=None), sentence, counts)


def _save(
    pixels: Pixels, prediction: Prediction, pictures: Path, zones: Zones | None, counts: tuple[ZoneCount, ...]
) -> None:
    """Write the pictures of a photo, a large one reduced; the zoom's only where there is one."""
    from crowdscale.drawing.heads import annotate, draw_heat, draw_zoom, drawable
    from crowdscale.files.images import write_image

    pixels = drawable(pixels)
    height, width = pixels.shape[:2]
    overlay = None
    if zones is not None:
        from crowdscale.zones.pictures import draw_zones

        fitted = zones.fit(prediction.size).resized((width, height), prediction.size)
        overlay = partial(draw_zones, zones=fitted, counts=counts)
    write_image(pictures.with_name(f"{pictures.name}_people.jpg"), annotate(pixels, prediction, overlay))
    people: Points | NDArray[np.float32] | None = prediction.density
    if prediction.points is not None:
        people = prediction.points.scale(width / prediction.size[0], height / prediction.size[1])
    if people is not None:
        write_image(pictures.with_name(f"{pictures.name}_heat.jpg"), draw_heat(pixels, people))
    if prediction.regions:
        write_image(pictures.with_name(f"{pictures.name}_zoom.jpg"), draw_zoom(pixels, prediction))


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show one live line on stderr for several photos, where stderr is a terminal."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()
    with Progress("Counting", *columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, rate="")

        def advance() -> None:
            progress.advance(task)
            elapsed = progress.tasks[0].elapsed or 0.0
            if elapsed > 0:
                progress.update(task, rate=f"{progress.tasks[0].completed / elapsed:.2g} photos/s")

        yield advance
