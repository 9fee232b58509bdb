"""``crowdscale serve --cameras``: the cameras of a file, watched by the service with its own model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crowdscale.cli.watch_several import LOOK, leave, open_publisher, publish_status, published, teller

if TYPE_CHECKING:
    from crowdscale.serve.counter import Counter
    from crowdscale.video.several import Cameras

__all__ = ["watched_cameras"]


@contextmanager
def watched_cameras(path: Path | None, counter: Counter) -> Iterator[Cameras | None]:
    """Yield the cameras of a file, which the service starts and stops; None without a file.

    Their rows are those of ``crowdscale watch --cameras``: either command continues the files of the other.
    A camera that never answers ends with the process.

    Raises:
        CrowdscaleError: The file cannot be read, or a camera in it cannot be.
    """
    if path is None:
        yield None
        return
    from crowdscale.cli.cameras_file import read_cameras
    from crowdscale.video.frame import SourceOptions
    from crowdscale.video.several import Cameras
    from crowdscale.video.watch import WatchOptions

    described, broker = read_cameras(path, WatchOptions(), SourceOptions(retries=None))
    tell = teller(quiet=False)
    with ExitStack() as stack:
        publisher = open_publisher(stack, broker, lambda sentence: tell("mqtt", sentence))
        on_count = None if publisher is None else published(publisher, described)
        several = Cameras(
            described, counter.for_cameras(), tell, on_count, counter.turns,
            model=counter.config.name, second_pass=True, read_scale=None,
        )  # fmt: skip
        ended = threading.Event()

        def renew() -> None:
            while publisher is not None and not ended.wait(LOOK):
                publish_status(publisher, several)

        threading.Thread(target=renew, name="camera status", daemon=True).start()
        try:
            yield several
        finally:
            ended.set()
    leave(several, 0)
