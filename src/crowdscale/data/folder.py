"""Your own photos and points: a folder of photos, annotated in any of the common formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from crowdscale.data.checks import Outside, check_outside_choice, check_points, is_outside, photo_size
from crowdscale.data.formats import Label
from crowdscale.data.recognition import TABLE_NAME
from crowdscale.data.sample import Sample, SampleSequence
from crowdscale.data.scanning import Scan, scan_folder
from crowdscale.errors import DataError, unknown_name

__all__ = ["Folder"]

HOW_TO = (
    "Put the points (x, y in pixels) beside each photo as NAME.csv or NAME.json, or of all photos into "
    f"{TABLE_NAME} with the columns image,x,y; an empty NAME.csv or the row 'image,,' says that nobody is there. "
    "COCO, YOLO, Pascal VOC, Label Studio, CVAT, LabelMe, VIA and more are read as well (crowdscale data list)"
)


class Folder(SampleSequence):
    """A folder of your own photos with the positions of the heads in them.

    The folder and its sub-folders are searched for photos. The points of ``NAME.jpg`` stand in one of

    - ``NAME.csv`` beside it: columns x,y (and width,height) with a header, or x,y without; an empty file
      means nobody;
    - ``NAME.json`` beside it: ``[[x, y], …]``, ``{"points": [[x, y], …]}`` or LabelMe's;
    - ``NAME.mat``, ``NAME_ann.mat`` or ``GT_NAME.mat`` beside it or in ``ground_truth``;
    - ``points.csv`` in the root: the columns image,x,y, where image is the path from the root,
      with or without its suffix; the row ``NAME.jpg,,`` means nobody;
    - ``NAME.xml`` (Pascal VOC) beside it or in ``Annotations``, ``NAME.txt`` (YOLO) beside it or in ``labels``;
    - one file for many photos in the root, a photo's folder or ``annotations``, recognised by its content: COCO,
      Label Studio, CVAT, VIA, DotDotGoose, makesense.ai, ``_annotations.csv``.

    x runs to the right and y down, in pixels of the upright photo, the first pixel's centre at 0. Of boxes
    the centre is the point. A sample's name is the photo's path from the root without suffix. Annotations made
    on the photo at another size are scaled (``notes`` says so). Licence and citation are yours.

    Args:
        root: The folder.
        unlabelled: What happens with a photo without points: ``"error"`` or ``"skip"``.
        outside: What happens with points outside their photo: ``"error"``, ``"drop"`` or ``"keep"``.
        annotations: The annotation's file or folder, where it is not to be searched for.
        format: Its format by name, where the file is ambiguous.
        classes: The classes that are read, ``("all",)`` for all; needed where there are several.

    Attributes:
        samples: The photos with their points.
        notes: Sentences on what was scaled, turned or left out.
        unread: Files that might hold annotations and were not recognised.

    Raises:
        DataError: The folder is missing, photos have no points, there are several classes, or a file of points
            is not sound.
        ImageError: The folder holds no photo, or one that cannot be opened.
    """

    def __init__(
        self,
        root: str | Path,
        unlabelled: Literal["error", "skip"] = "error",
        outside: Outside = "error",
        annotations: str | Path | None = None,
        format: str | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        if unlabelled not in ("error", "skip"):
            raise unknown_name("choice for unlabelled photos", unlabelled, ("error", "skip"))
        check_outside_choice(outside)
        self.root = Path(root)
        scan = scan_folder(self.root, annotations, format, classes)
        if scan.problems:
            raise scan.problems[0][1]
        if scan.lacking and unlabelled == "error":
            raise _unlabelled_error(scan)
        self.unread = scan.unread
        self.notes = [sentence for _, sentence in scan.notes]
        self.samples = [
            _sample(name, self.root, scan.photos[name], *scan.labels[name], outside)
            for name in scan.photos
            if name in scan.labels
        ]


def _unlabelled_error(scan: Scan) -> DataError:
    """Return the error for photos without points."""
    lacking = scan.lacking
    first = ", ".join(lacking[:5]) + (" …" if len(lacking) > 5 else "")
    received = f"{len(lacking)} of {len(scan.photos)} without: {first}"
    files = ", ".join(str(path.relative_to(scan.root)) for path in scan.unread[:3])
    unread = f" (not recognised as annotations: {files})" if files else ""
    return DataError(f"expected points for each photo in {scan.root}", received + unread, HOW_TO)


def _sample(name: str, root: Path, photo: Path, source: str, label: Label, outside: Outside) -> Sample:
    size = None if outside == "keep" or not len(label.points) else photo_size(photo)
    points = check_points(label.points, size, source, outside)
    sizes = label.sizes
    if sizes is not None and size is not None and len(points) != len(label.points):
        sizes = sizes[~is_outside(label.points, size)]
    about = {"set": "folder", "folder": root.resolve().name}
    return Sample(name, photo, points, sizes, about, mask=label.areas(photo)).without_ignored()
