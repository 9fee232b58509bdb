"""Result files of a command: checked before the work, each written whatever becomes of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from crowdscale.cli.tables import counted
from crowdscale.errors import CrowdscaleError, OptionError
from crowdscale.files.kinds import FILM_SUFFIXES

__all__ = ["STDOUT", "as_target", "check_targets", "others_sentence", "write_each"]

STDOUT = Path("/dev/stdout")


def as_target(path: Path | None) -> Path | None:
    """Return the path of a result file: ``-`` is stdout."""
    return STDOUT if path == Path("-") else path


def check_targets(files: Iterable[Path | None], folder: Path | None = None) -> None:
    """Refuse result files, and a folder of them, that cannot be written before hours of work, not after.

    Raises:
        OptionError: One of them cannot be written.
    """
    from crowdscale.files.writing import check_writable

    for path in files:
        check_writable(path)
    if folder is not None:
        if folder.is_file():
            raise OptionError.plain(f"{folder} is a file, and pictures need a folder")
        check_writable(folder / "picture.jpg")


def write_each(writers: Iterable[tuple[Path | None, Callable[[Path], object]]]) -> list[str]:
    """Write the files that are wanted and can be written; returns a sentence for each of the others."""
    failed = []
    for path, write in writers:
        try:
            if path is not None:
                write(path)
        except CrowdscaleError as error:
            failed.append(str(error))
        except OSError as error:
            failed.append(f"{path} cannot be written ({error.strerror or error})")
    return failed


def others_sentence(others: Counter[str]) -> str:
    """Return a sentence on the files left out by suffix; empty without any."""
    if not others:
        return ""
    kinds = ", ".join(f"{number:,} {suffix or 'without suffix'}" for suffix, number in sorted(others.items()))
    films = " Count films with crowdscale watch." if any(each in FILM_SUFFIXES for each in others) else ""
    return f"Left out {counted(others.total(), 'other file')} by suffix: {kinds}.{films}"
