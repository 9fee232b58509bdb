"""Photos of one command counted in parallel threads: an outcome for each, pictures beside it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crowdscale.cli.count_report import Files, Outcome, report
from crowdscale.cli.errors import INTERRUPTED, NOTHING_DONE, SOME_FAILED, terminated_like_ctrl_c
from crowdscale.cli.parallel import in_parallel
from crowdscale.cli.photo_sources import PhotoSource, find_sources
from crowdscale.cli.picture_names import picture_names
from crowdscale.cli.progress import progress
from crowdscale.cli.result_files import check_targets, others_sentence

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.predictor import PredictOptions, Predictor
    from crowdscale.files.images import Pixels
    from crowdscale.zones.zone import ZoneCount, Zones

__all__ = ["Request", "count_here"]


@dataclass(frozen=True)
class Request:
    """How the photos are counted."""

    model: str
    backend: str
    device: str
    threads: int
    workers: int
    options: PredictOptions
    zones: Zones | None = None
    save: Path | None = None
    """Folder of the pictures."""
    quiet: bool = False
    verbose: bool = False
    pages: str = "main"
    """``main``, or ``all`` for each page of each file."""

    def load(self, photos: int) -> tuple[Predictor, int]:
        """Return the predictor for a number of photos, and the photos to count in parallel."""
        from crowdscale.backends import share_cores
        from crowdscale.counting.predictor import load

        workers, threads = self.workers, self.threads
        if photos > 1:  # a single photo takes all threads
            workers, threads = share_cores(self.backend, self.device, workers, threads, photos)
        predictor = load(
            self.model, backend=self.backend, device=self.device, threads=threads, options=self.options
        )
        return predictor, max(1, workers)


def count_here(sources: Sequence[str], request: Request, files: Files) -> int:
    """Count the photos of all sources, print and write the results, and return the exit code."""
    check_targets((files.csv, files.json, files.points), request.save)
    found = find_sources(sources, request.pages)
    outcomes, others, stopped = (
        [Outcome(name, error=text) for name, text in found.faults],
        found.others,
        False,
    )
    if found.photos:
        with terminated_like_ctrl_c():
            predictor, workers = request.load(len(found.photos))
            counted, stopped = _count_all(found.photos, predictor, workers, request)
            outcomes += counted
    unwritten = report(outcomes, files, request.quiet, request.verbose)
    if others and not request.quiet:
        typer.echo(others_sentence(others), err=True)
    return INTERRUPTED if stopped else _exit_code(outcomes, unwritten)


def _exit_code(outcomes: Sequence[Outcome], unwritten: bool) -> int:
    if outcomes and all(outcome.prediction is None for outcome in outcomes):
        return NOTHING_DONE
    return SOME_FAILED if unwritten or any(outcome.error for outcome in outcomes) else 0


def _count_all(
    photos: list[PhotoSource], predictor: Predictor, workers: int, request: Request
) -> tuple[list[Outcome], bool]:
    """Return an outcome for each photo, in order, and whether Ctrl-C stopped the work."""
    names = picture_names([photo.name for photo in photos], twins=True)

    def work(photo: PhotoSource) -> Outcome:
        pictures = request.save / names[photo.name] if request.save else None
        return _count_one(photo, predictor, pictures, request)

    def on_stop() -> None:
        if not request.quiet:
            typer.echo("Finishing the photos in work; Ctrl-C again leaves them out.", err=True)

    with progress("Counting", len(photos), quiet=request.quiet or len(photos) < 2) as live:
        return in_parallel(photos, work, workers, live.advance, on_stop)


def _count_one(source: PhotoSource, predictor: Predictor, pictures: Path | None, request: Request) -> Outcome:
    """Count one photo and draw its pictures; an error becomes a sentence."""
    from crowdscale.counting.attempts import attempt

    zones = request.zones

    def count() -> tuple[Pixels, Prediction, tuple[ZoneCount, ...]]:
        photo = source.open(predictor.options.max_pixels)
        prediction = predictor.predict_photo(photo)
        photo = photo.turned(prediction.turn)
        if zones is None:
            return photo.pixels, prediction, ()
        return photo.pixels, zones.limit(prediction), tuple(zones.count(prediction))

    counted, sentence = attempt(source.name, count)
    if counted is None:
        return Outcome(source.name, error=sentence)
    pixels, prediction, counts = counted
    saved: list[Path] | None = None
    if pictures is not None:
        draw = partial(_save, pixels, prediction, pictures, source, zones, counts, request.verbose)
        saved, sentence = attempt(source.name, draw, "save the pictures of")
    # a thousand maps would fill the memory
    return Outcome(source.name, replace(prediction, map=None), sentence, counts, tuple(saved or ()))


def _save(
    pixels: Pixels,
    prediction: Prediction,
    pictures: Path,
    source: PhotoSource,
    zones: Zones | None,
    counts: tuple[ZoneCount, ...],
    verbose: bool,
) -> list[Path]:
    """Write the pictures of a photo, reduced if it is large, and return their paths.

    The zoom picture is written only on request, and if there is a region.
    """
    from crowdscale.drawing.heads import drawable
    from crowdscale.drawing.pictures import draw_picture
    from crowdscale.files.images import write_image
    from crowdscale.files.pages import split_page
    from crowdscale.files.taken import date_taken

    pixels = drawable(pixels)
    height, width = pixels.shape[:2]
    overlay, square_metres = None, None
    if zones is not None:
        from crowdscale.zones.pictures import draw_zones

        fitted = zones.fit(prediction.size).resized((width, height), prediction.size)
        overlay = partial(draw_zones, zones=fitted, counts=counts)
        square_metres = None if fitted.ground is None else fitted.ground.pixel_areas(width, height)
    taken = date_taken(io.BytesIO(source.data) if source.data else split_page(source.address)[0])
    kinds = ["people", "heat", *(["zoom"] if verbose and prediction.regions else [])]
    paths = [pictures.with_name(f"{pictures.name}_{kind}.jpg") for kind in kinds]
    for kind, path in zip(kinds, paths, strict=True):
        drawn = draw_picture(kind, pixels, prediction, taken, overlay, square_metres)
        write_image(path, drawn, drawn=True)
    return paths
