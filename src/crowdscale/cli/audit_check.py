"""``crowdscale audit --check``: what holds of a report, printed a line each."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from crowdscale.errors import DataError

if TYPE_CHECKING:
    from crowdscale.trust.audit import AuditRecord
    from crowdscale.trust.audit.check import Finding, PhotoFacts

__all__ = ["check_report"]

FAILED = 1
"""Exit code of a check that does not hold."""


def check_report(report: Path, photos: list[str], model: tuple[str, str, str, int] | None) -> int:
    """Print what holds of a report; returns the exit code.

    Args:
        report: HTML or JSON.
        photos: Files and folders to compare.
        model: Name, backend, device and threads of the model to run again; None: it is not run.
    """
    from crowdscale.trust.audit.check import check_audit
    from crowdscale.trust.audit.wording import headline

    try:
        text = report.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("expected a report that can be read", f"{report} ({error})") from error
    facts = {name: _facts(name) for name in _files(photos)}
    record, findings = check_audit(text, facts)
    if model is not None:
        findings.append(_predicted_again(record, facts, model))
    signs = {True: "holds  ", False: "WRONG  ", None: "unknown"}
    for finding in findings:
        typer.echo(f"{signs[finding.holds]}  {finding.sentence}")
    wrong = sum(finding.holds is False for finding in findings)
    result = f"{wrong} of {len(findings)} findings are wrong." if wrong else headline(record.estimate())
    typer.echo(result)
    return FAILED if wrong else 0


def _files(photos: list[str]) -> list[str]:
    """Return files and the photos of folders."""
    from crowdscale.files.finding import find_images

    files: list[str] = []
    for name in photos:
        files += [str(path) for path in find_images([name])] if Path(name).is_dir() else [name]
    return files


def _facts(name: str) -> PhotoFacts:
    """Return the sha256 and size of a photo; of a video a size of zero."""
    from crowdscale.files.finding import IMAGE_SUFFIXES
    from crowdscale.files.images import read_image
    from crowdscale.trust.audit.check import PhotoFacts

    try:
        digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    except OSError as error:
        raise DataError("expected a photo that can be read", f"{name} ({error.strerror})") from error
    if Path(name).suffix.lower() not in IMAGE_SUFFIXES:
        return PhotoFacts(digest, 0, 0)
    return PhotoFacts(digest, *read_image(name).size, lambda: read_image(name).pixels)


def _predicted_again(
    record: AuditRecord, facts: dict[str, PhotoFacts], model: tuple[str, str, str, int]
) -> Finding:
    """Run the model on the photos of an audit and compare it with the record."""
    from crowdscale.counting.audit import AuditInput, model_of, predictions_agree
    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.trust.audit.check import Finding

    paths = {fact.sha256: Path(name) for name, fact in facts.items() if fact.width}
    if not all(photo.sha256 in paths for photo in record.plan.photos):
        return Finding(None, "The model was not run again: that needs each photo of the audit.")
    name, backend, device, threads = model
    usual = PredictOptions(keep_map=False)
    predictor = load(name, backend=backend, device=device, threads=threads, options=usual)
    if model_of(predictor) != record.model:
        return Finding(
            None,
            f"The model was not run again: {name} is another model, version or setting than the record's.",
        )
    photos = [AuditInput.of_file(paths[photo.sha256], photo.name) for photo in record.plan.photos]
    return Finding(
        predictions_agree(predictor, record, photos), "The model predicts the same people in the same tiles."
    )
