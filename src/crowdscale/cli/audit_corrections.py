"""``crowdscale audit --corrections``: the counted tiles as training data, as the page's “Save for training” writes them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crowdscale.cli.errors import SOME_FAILED, print_errors
from crowdscale.errors import CrowdscaleError, DataError

if TYPE_CHECKING:
    from crowdscale.cli.audit_sources import Sources
    from crowdscale.files.images import Pixels
    from crowdscale.trust.audit import AuditRecord

__all__ = ["save_tiles"]


def save_tiles(
    record: AuditRecord, sources: Sources, pixels: Callable[[int], Pixels], folder: Path
) -> list[str]:
    """Save the photos of an audit with the heads of their counted tiles; return sentences for the user.

    A photo that cannot be saved does not stop the others: its error is printed, and the command ends with 1.

    Args:
        record: The audit.
        sources: Its photos, or its video.
        pixels: Returns the pixels of a photo or frame by its index.
        folder: Of corrections.

    Raises:
        DataError: No counted tile has marks.
        Exit: A photo was not saved.
    """
    from crowdscale.counting.audit import tile_corrections
    from crowdscale.data.corrections import save_correction

    corrections = tile_corrections(record)
    if not corrections:
        raise DataError(
            "expected marked heads for --corrections", "numbers alone", "Put annotations beside the tiles"
        )
    problems = []
    for index, content in corrections.items():
        name = record.plan.photos[index].name
        photo = sources.photo_bytes(name) or _png(pixels(index))
        try:
            save_correction(folder, Path(name).name, photo, json.dumps(content))
        except CrowdscaleError as error:
            problems.append(f"{name}: {error}")
    print_errors(problems)
    if problems:
        raise typer.Exit(SOME_FAILED)
    saved = f"{len(corrections):,} photo" + "s" * (len(corrections) > 1)
    numbers = sum(answer.heads is None and answer.count > 0 for answer in record.answers)
    sentences = [f"Saved the tiles of {saved} for training in {folder}."]
    if numbers:
        sentences.append(f"{numbers:,} tiles with a number and no marks were left out.")
    return [*sentences, f"Train: crowdscale train --data folder:{folder} --init {record.model.name}"]


def _png(pixels: Pixels) -> bytes:
    """Return a frame as a photo."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
