"""A job: photos in, a folder of results out, by the chosen runner."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import Any

from crowdscale.backends import share_cores
from crowdscale.bulk.local import count_local
from crowdscale.bulk.results import ResultFolder
from crowdscale.counting.predictor import PredictOptions, load
from crowdscale.counting.table import PhotoRow
from crowdscale.errors import OptionError, unknown_name
from crowdscale.files.clipboard import CLIPBOARD
from crowdscale.files.names import shown_name
from crowdscale.files.pages import each_page
from crowdscale.files.storage import find_photos
from crowdscale.models.description import read_config
from crowdscale.models.finding import find_model
from crowdscale.zones.files import zones_json
from crowdscale.zones.zone import Zones

__all__ = ["RUNNERS", "Job", "Summary", "run_job"]

RUNNERS = ("local", "ray")

NO_TURN = ("turn", "off")
"""The option at its default, which folders of results of the release before do not name."""


@dataclass(frozen=True)
class Job:
    """The photos of a job and the way they are counted."""

    sources: tuple[str, ...]
    """Photos, folders and patterns, local or as addresses."""
    model: str = "lite"
    backend: str = "onnx"
    options: PredictOptions = field(default_factory=PredictOptions)
    runner: str = "local"
    workers: int = 0
    """Photos counted in parallel: threads, or Ray actors; 0 is one a core, at most four, and one actor."""
    threads: int = 0
    """Threads of each prediction; 0 divides the cores by the workers."""
    address: str | None = None
    """Address of a Ray cluster."""
    zones: Zones | None = None
    """Zones to count in."""
    pages: bool = False
    """Count each page of each file."""

    def __post_init__(self) -> None:
        if self.runner not in RUNNERS:
            raise unknown_name("--runner", self.runner, RUNNERS)
        if self.workers < 0:
            raise OptionError("expected --workers >= 0", str(self.workers))
        if lone := {"-", CLIPBOARD} & set(self.sources):
            raise OptionError.plain(f"{lone.pop()} and --out exclude each other", "Count it without --out")
        if self.address and self.runner != "ray":
            raise OptionError("expected --address with --runner ray", f"--runner {self.runner}")

    def identity(self) -> dict[str, Any]:
        """Return everything that decides the rows: a restart with another identity is refused."""
        config = read_config(find_model(self.model))
        pages = {"pages": True} if self.pages else {}
        return {
            **pages,
            "sources": [shown_name(source) for source in self.sources],
            "model": config.name,
            "files": dict(config.files),
            "options": {
                name: value for name, value in asdict(self.options).items() if (name, value) != NO_TURN
            },
            "zones": None if self.zones is None else json.loads(json.dumps(zones_json(self.zones))),
        }


@dataclass(frozen=True)
class Summary:
    """The sums of a job over all of its runs."""

    photos: int
    count: float
    """People in all photos."""
    broken: int
    interrupted: bool
    added: int
    """Photos of this run, with and without a count."""
    others: Counter[str] = field(default_factory=Counter)
    """Files that are left out, by suffix."""


def run_job(job: Job, results: ResultFolder, on_row: Callable[[PhotoRow], object] | None = None) -> Summary:
    """Count the photos that are not in the results yet, and return the sums.

    After Ctrl-C or an error the folder keeps the finished photos; the same call resumes.

    Args:
        job: What to count.
        results: Where to.
        on_row: Called with each row.

    Raises:
        OptionError: The folder belongs to another job or process, or cannot be written.
        ImageError: A source holds no photos.
    """
    added, interrupted, others = 0, False, Counter[str]()
    with results.opened(job.identity()):
        todo = _todo(job, frozenset(results.done), others)
        try:
            for counted in _rows(job, todo):
                row = _shown(counted)
                results.add(row)
                added += 1
                if on_row is not None:
                    on_row(row)
        except KeyboardInterrupt:
            interrupted = True
    sums = results.manifest()
    return Summary(sums["photos"], sums["count"], sums["broken"], interrupted, added, others)


def _todo(job: Job, done: frozenset[str], others: Counter[str]) -> Iterator[str]:
    def leave_out(path: str) -> None:
        others[PurePath(path).suffix.lower()] += 1

    photos = find_photos(job.sources, leave_out)
    named = each_page(photos) if job.pages else photos
    return (photo for photo in named if shown_name(photo) not in done)


def _shown(row: PhotoRow) -> PhotoRow:
    """Return a row whose texts any table holds: no password, no bytes that are no text."""
    return replace(row, photo=shown_name(row.photo), error=shown_name(row.error))


def _rows(job: Job, photos: Iterable[str]) -> Iterator[PhotoRow]:
    if job.runner == "ray":
        from crowdscale.bulk.ray import count_ray

        model = str(find_model(job.model).absolute())
        return count_ray(photos, model, job.backend, job.options, job.zones, job.workers or 1, job.address)
    workers, threads = share_cores(job.backend, workers=job.workers, threads=job.threads)
    predictor = load(job.model, backend=job.backend, threads=threads, options=job.options)
    return count_local(predictor, photos, workers, job.zones)
