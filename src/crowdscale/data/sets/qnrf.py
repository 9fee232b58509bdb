"""UCF-QNRF: the folders and .mat files of the release to samples."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol, SizeLimits
from crowdscale.data.sample import Sample
from crowdscale.data.sets.layout import (
    Reader,
    check_split,
    find_root,
    load_mat,
    pair_files,
    photos_by_stem,
    points_array,
)
from crowdscale.points import Points

__all__ = ["UCFQNRF"]

TREE = """
UCF-QNRF_ECCV18/
  Train/  img_0001.jpg  img_0001_ann.mat  …
  Test/   img_0001.jpg  img_0001_ann.mat  …
"""

FOLDERS = {"train": "Train", "test": "Test"}


class UCFQNRF(Reader):
    """UCF-QNRF: 1,535 photos of crowds from the web, 49 to 12,865 heads each, 1,251,642 in all.

    1,201 photos to train and 334 to test. Photos and annotations lie side by side in ``Train`` and
    ``Test``: ``img_NNNN.jpg`` and ``img_NNNN_ann.mat`` with the variable ``annPoints``, (n, 2) x, y, as the
    set's own page and its paper describe. One real annotation was read; folders and names follow the description.

    Protocol: kernel σ 6 (AutoScale, section 4.2); longest side 2,048 for localization, 1,024 for AutoScale's
    regression; precision, recall and F averaged over 1…100 px (Idrees et al., section 5).

    Licence: for research. Where to get it: https://www.crcv.ucf.edu/data/ucf-qnrf/. Citation: H. Idrees et
    al., Composition Loss for Counting, Density Map Estimation and Localization in Dense Crowds, ECCV 2018.

    Args:
        root: The folder with ``Train`` and ``Test``, or the one above it.
        split: ``"train"`` or ``"test"``.

    Raises:
        DataError: A folder, a photo or an annotation is missing or damaged.
    """

    card: ClassVar[Card] = Card(
        "UCF-QNRF", "1,535 web photos of crowds, 49 to 12,865 heads", "points on heads", "research",
        "https://www.crcv.ucf.edu/data/ucf-qnrf/", "Idrees et al., ECCV 2018", confirmed="one annotation",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("train", "test"), sigma=6.0, limits=SizeLimits(longest=2048), thresholds=("4px", "8px", "16px"),
        averaged=(1, 100),
    )  # fmt: skip

    def __init__(self, root: str | Path, split: str = "train") -> None:
        self.split = check_split(self.protocol.splits, split, "UCF-QNRF")
        base = find_root(root, ("UCF-QNRF_ECCV18", "UCF-QNRF"), (FOLDERS[split],), TREE) / FOLDERS[split]
        photos = photos_by_stem(base.glob("img_*"))
        truths = {path.stem.removesuffix("_ann"): path for path in base.glob("img_*_ann.mat")}
        about = {"set": "qnrf", "split": split}
        self.samples = [
            Sample(name, photo, _read_points(truth), attributes=about)
            for name, photo, truth in pair_files(base, photos, truths, "img_NNNN.jpg", "img_NNNN_ann.mat")
        ]


def _read_points(path: Path) -> Points:
    return check_points(
        points_array(load_mat(path, "annPoints", "an annotation of UCF-QNRF"), path), None, path
    )
