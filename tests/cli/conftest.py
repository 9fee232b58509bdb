"""Two photos of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdscale.files.images import write_image
from tests.support.commands import CROWD, FEW
from tests.support.fakes import label_photo


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a crowd of 96 people and, below it, a photo of two."""
    folder = tmp_path_factory.mktemp("photos")
    write_image(folder / "crowd.png", label_photo(CROWD, 240, 200))
    write_image(folder / "deep" / "few.png", label_photo(FEW, 240, 200))
    return folder
