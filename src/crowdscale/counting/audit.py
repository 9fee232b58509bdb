"""Audits of counted photos: from predictions to the plan of an audit, and heads that people marked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crowdscale import __version__
from crowdscale.counting.prediction import Prediction
from crowdscale.counting.predictor import PredictOptions, Predictor
from crowdscale.data.scanning import scan_folder
from crowdscale.errors import DataError
from crowdscale.files.images import Pixels, read_image
from crowdscale.points import Points
from crowdscale.trust.audit import AuditModel, AuditOptions, AuditRecord, PeopleMap, plan_audit
from crowdscale.trust.audit.design import derived_seed
from crowdscale.trust.audit.record import Heads
from crowdscale.trust.audit.tiles import TileView

__all__ = [
    "AuditInput",
    "heads_of_photos",
    "heads_of_tiles",
    "model_of",
    "people_map",
    "predictions_agree",
    "start_audit",
    "tile_corrections",
]

PLAIN = (bool, int, float, str)

AGREEMENT = 0.01
"""Sum of differences, relative to all people, up to which two runs of a model are alike."""


@dataclass(frozen=True)
class AuditInput:
    """A photo, or a frame of a video, to audit."""

    name: str
    sha256: str
    """Of the file."""
    read: Callable[[], Pixels]
    """Returns the (h, w, 3) RGB pixels, upright."""

    @classmethod
    def of_file(cls, path: Path, name: str = "") -> AuditInput:
        """Return a photo's file. Raises ImageError where there is none."""
        data = _bytes(path)
        return cls(name or path.name, hashlib.sha256(data).hexdigest(), lambda: read_image(path).pixels)

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> AuditInput:
        """Return a photo that was received."""
        return cls(name, hashlib.sha256(data).hexdigest(), lambda: read_image(data).pixels)


def _bytes(path: Path) -> bytes:
    from crowdscale.files.storage import read_photo_bytes

    return read_photo_bytes(str(path))


def people_map(prediction: Prediction, name: str, sha256: str = "") -> PeopleMap:
    """Return where the people of a prediction are: in its blocks, or by its heads where it has no blocks."""
    blocks = prediction.blocks()
    if blocks is None:
        xy = prediction.points.xy if prediction.points is not None else np.zeros((0, 2))
        return PeopleMap.from_points(name, prediction.size, xy, sha256)
    people = np.maximum(blocks.people, 0)
    return PeopleMap(name, prediction.size, people, blocks.x_edges, blocks.y_edges, sha256)


def model_of(predictor: Predictor) -> AuditModel:
    """Return the model of a predictor and the settings that differ from the usual ones."""
    config, usual, chosen = predictor.config, PredictOptions(), predictor.options
    digest = config.files.get("network.onnx") or hashlib.sha256(config.to_json().encode()).hexdigest()
    settings: dict[str, Any] = {
        key: value
        for key, value in vars(chosen).items()
        if isinstance(value, PLAIN) and value != getattr(usual, key) and key != "keep_map"
    }
    return AuditModel(config.name, digest, __version__, settings)


def start_audit(
    predictor: Predictor,
    photos: Iterable[AuditInput],
    seed: str | None = None,
    options: AuditOptions | None = None,
    on_photo: Callable[[], object] = lambda: None,
    store: Path | None = None,
) -> AuditRecord:
    """Return the record of an audit that begins: photos predicted and cut, nothing counted yet.

    Args:
        predictor: Counts the photos.
        photos: One or more.
        seed: Fixes the draw; None: follows from the model and the photos.
        options: How tiles are cut.
        on_photo: Called after each photo.
        store: Folder that keeps each photo's prediction, so that a long start resumes after a stop.

    Raises:
        ImageError: A photo cannot be read.
        DataError: There is no photo.
    """
    model, maps, heads = model_of(predictor), list[PeopleMap](), list[Heads]()
    for photo in photos:
        people, located = _predicted(predictor, photo, model, store)
        maps.append(people)
        heads.append(located)
        on_photo()
    seed = derived_seed([model.sha256, *(each.sha256 for each in maps)]) if seed is None else seed
    return AuditRecord(plan_audit(maps, seed, options), model=model, model_heads=tuple(heads))


def _predicted(
    predictor: Predictor, photo: AuditInput, model: AuditModel, store: Path | None
) -> tuple[PeopleMap, Heads]:
    """Return the map and the heads of a photo, from the store where they lie there."""
    key = hashlib.sha256(f"{photo.name}\n{photo.sha256}\n{model}".encode()).hexdigest()[:24]
    file = None if store is None else store / f"{key}.npz"
    if file is not None and file.is_file():
        with np.load(file) as kept:
            people = PeopleMap(
                photo.name, tuple(kept["size"].tolist()), kept["people"], kept["x"], kept["y"], photo.sha256
            )
            return people, _rounded(kept["heads"])
    prediction = predictor.predict(photo.read())
    people = people_map(prediction, photo.name, photo.sha256)
    xy = prediction.points.xy if prediction.points is not None else np.zeros((0, 2))
    if file is not None:
        _keep(file, people, xy)
    return people, _rounded(xy)


def _keep(file: Path, people: PeopleMap, xy: np.ndarray) -> None:
    from crowdscale.files.writing import write_atomic

    values: dict[str, Any] = {"people": people.people, "x": people.x_edges, "y": people.y_edges}
    values |= {"size": np.array(people.size), "heads": xy}
    write_atomic(file, lambda stream: np.savez(stream, allow_pickle=False, **values))


def _rounded(xy: np.ndarray) -> Heads:
    return tuple((round(x, 2), round(y, 2)) for x, y in xy.tolist())


def predictions_agree(predictor: Predictor, record: AuditRecord, photos: Iterable[AuditInput]) -> bool:
    """Return whether a model cuts the same tiles and predicts the same people in them as a record says, to 1 %.

    Args:
        predictor: Of the record's model.
        record: The audit.
        photos: Its photos, in the record's order.
    """
    again = start_audit(predictor, photos, record.plan.seed, record.plan.options).plan
    slack = AGREEMENT * record.plan.predicted
    return [cell.box for cell in again.cells] == [cell.box for cell in record.plan.cells] and (
        sum(abs(a.predicted - b.predicted) for a, b in zip(again.cells, record.plan.cells, strict=True))
        <= slack
    )


def heads_of_tiles(folder: Path, record: AuditRecord) -> dict[int, Heads]:
    """Return the heads that were marked on the pictures of tiles, by the tile's number.

    Annotations lie beside the pictures in any format that a folder of photos may have. Heads in the darkened margin
    belong to other tiles and are left out.

    Raises:
        DataError: An annotation cannot be read.
    """
    if not folder.is_dir():
        return {}
    scan = scan_folder(folder, drawn=True)
    if scan.problems:
        raise scan.problems[0][1]
    marked = {}
    for tile, index in enumerate(record.plan.order(), start=1):
        label = scan.labels.get(f"tile_{tile:03d}")
        if label is None:
            continue
        cell = record.plan.cells[index]
        photo = record.plan.photos[cell.photo]
        view = TileView.of(cell.box, (photo.width, photo.height))
        xy = np.round(view.to_photo(label[1].points.xy), 2)
        marked[tile] = _rounded(xy[cell.box.contains(xy)])
    return marked


def heads_of_photos(heads: dict[str, Points], record: AuditRecord, tiles: int) -> dict[int, Heads]:
    """Return the heads of whole photos that lie in the first tiles, by the tile's number.

    Args:
        heads: All heads of each photo, by its name.
        record: The audit.
        tiles: Number of tiles.

    Raises:
        DataError: A photo with a drawn tile has no heads here.
    """
    marked = {}
    for tile, index in enumerate(record.plan.order(tiles), start=1):
        cell = record.plan.cells[index]
        photo = record.plan.photos[cell.photo]
        if photo.name not in heads:
            raise DataError(
                f"expected annotated heads of {photo.name}", "none", "Annotate it, or count its tiles"
            )
        xy = np.round(heads[photo.name].within(photo.width, photo.height).xy, 2)
        marked[tile] = _rounded(xy[cell.box.contains(xy)])
    return marked


def tile_corrections(record: AuditRecord) -> dict[int, dict[str, Any]]:
    """Return ``heads`` and ``only``, the counted tiles, of each photo by its index, as corrections are saved.

    A tile with a number and no marks is left out, unless its number is 0.
    """
    corrections: dict[int, dict[str, Any]] = {}
    for answer in record.answers:
        if answer.heads is None and answer.count > 0:
            continue
        cell = record.plan.cells[answer.cell]
        content = corrections.setdefault(cell.photo, {"heads": [], "only": []})
        content["heads"] += [list(head) for head in answer.heads or ()]
        content["only"].append(list(cell.box.as_tuple()))
    return dict(sorted(corrections.items()))
