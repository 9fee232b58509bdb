"""UCF_CC_50: fifty photos with their points and the five-fold protocol."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from crowdscale.data.checks import check_points
from crowdscale.data.protocol import Card, Protocol
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
from crowdscale.errors import DataError
from crowdscale.points import Points

__all__ = ["UCFCC50"]

TREE = """
UCF_CC_50/
  1.jpg  1_ann.mat  2.jpg  2_ann.mat  …  50.jpg  50_ann.mat
"""

PHOTOS, FOLDS = 50, 5


class UCFCC50(Reader):
    """UCF_CC_50: fifty grey photos of very dense crowds, 94 to 4,543 heads each, 63,974 in all.

    ``N.jpg`` with ``N_ann.mat`` (variable ``annPoints``, (n, 2) x, y), as the set's page describes. The layout
    was confirmed on the real files; four photos have one or two heads outside.

    The protocol is a five-fold cross-validation. The set names no folds; as most papers do, fold k holds
    the photos 10(k-1)+1 … 10k. ``foldK`` is the held-out ten, ``trainK`` the other forty; ``all`` is
    everything. A result is the mean of the five folds' scores.

    Licence: for research. Where to get it: https://www.crcv.ucf.edu/data/ucf-cc-50/. Citation: H. Idrees, I.
    Saleemi, C. Seibert, M. Shah, Multi-Source Multi-Scale Counting in Extremely Dense Crowd Images, CVPR 2013.

    Args:
        root: The folder with the photos, or the one above it.
        split: ``"all"``, ``"train1"`` … ``"train5"``, ``"fold1"`` … ``"fold5"``.

    Raises:
        DataError: A photo or an annotation is missing or damaged, or there are not fifty.
    """

    card: ClassVar[Card] = Card(
        "UCF_CC_50", "50 grey web photos of very dense crowds, 94 to 4,543 heads", "points on heads", "research",
        "https://www.crcv.ucf.edu/data/ucf-cc-50/", "Idrees et al., CVPR 2013", confirmed="all files",
    )  # fmt: skip
    protocol: ClassVar[Protocol] = Protocol(
        ("all", *(f"train{k}" for k in range(1, FOLDS + 1)), *(f"fold{k}" for k in range(1, FOLDS + 1))),
        folds=FOLDS,
    )

    def __init__(self, root: str | Path, split: str = "all") -> None:
        self.split = check_split(self.protocol.splits, split, "UCF_CC_50")
        base = find_root(root, ("UCF_CC_50", "UCF_CC_50_data"), ("1.jpg", "1_ann.mat", "01.jpg"), TREE)
        pairs = pair_files(base, _numbered_photos(base), _numbered_truths(base), "N.jpg", "N_ann.mat")
        if len(pairs) != PHOTOS:
            raise DataError(f"expected {PHOTOS} photos of UCF_CC_50 in {base}", f"{len(pairs)}")
        about = {"set": "cc50", "split": split}
        self.samples = [
            Sample(name, photo, _read_points(truth), attributes={**about, "fold": str(fold_of(int(name)))})
            for name, photo, truth in pairs
            if _belongs(int(name), split)
        ]


def fold_of(number: int) -> int:
    """Return the fold, 1 to 5, in which a photo's number is held out."""
    return (number - 1) * FOLDS // PHOTOS + 1


def _numbered_photos(base: Path) -> dict[str, Path]:
    """Return the photos in a folder by their number, without leading zeros."""
    photos = photos_by_stem(base.iterdir())
    return {stem.lstrip("0"): path for stem, path in photos.items() if stem.isdigit()}


def _numbered_truths(base: Path) -> dict[str, Path]:
    """Return the annotations in a folder by their photo's number, without leading zeros."""
    return {
        path.stem.removesuffix("_ann").lstrip("0"): path
        for path in base.glob("*_ann.mat")
        if path.stem.removesuffix("_ann").isdigit()
    }


def _belongs(number: int, split: str) -> bool:
    if split == "all":
        return True
    held_out = fold_of(number) == int(split[-1])
    return held_out if split.startswith("fold") else not held_out


def _read_points(path: Path) -> Points:
    return check_points(
        points_array(load_mat(path, "annPoints", "an annotation of UCF_CC_50"), path), None, path
    )
