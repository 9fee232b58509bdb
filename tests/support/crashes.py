"""A disk that loses power: which names and bytes have surely reached it after each step."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class Disk:
    """Records the writes below a folder and makes images of the folder after a power cut.

    The worst case of journalled file systems: a name that was given is there, but only bytes that were synced
    before are; a file that was never synced is empty.
    """

    def __init__(self, root: Path, monkeypatch) -> None:
        self.root = root.resolve()
        self.bytes: dict[int, bytes] = {}
        self.synced_folders: list[Path] = []
        self.images: list[dict[str, bytes]] = []
        fsync, replace = os.fsync, os.replace

        def record_sync(handle: int) -> None:
            fsync(handle)
            place = Path(f"/proc/self/fd/{handle}").readlink()
            if place.is_dir():
                self.synced_folders.append(place)
            else:
                self.bytes[os.fstat(handle).st_ino] = place.read_bytes()
            self._photograph()

        def record_replace(source, target) -> None:
            replace(source, target)
            self._photograph()

        monkeypatch.setattr(os, "fsync", record_sync)
        monkeypatch.setattr(os, "replace", record_replace)

    def _photograph(self) -> None:
        files = [path for path in self.root.rglob("*") if path.is_file()]
        self.images.append(
            {str(path.relative_to(self.root)): self.bytes.get(path.stat().st_ino, b"") for path in files}
        )

    def restore(self, image: dict[str, bytes], folder: Path) -> Path:
        """Write an image into a folder, as the machine would show it after the cut."""
        shutil.rmtree(folder, ignore_errors=True)
        for name, data in image.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder
