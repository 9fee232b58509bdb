"""Tracks of CVAT for video: shapes by frame, filled in between the frames that the file lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree as Tree

from crowdscale.data.areas import Area
from crowdscale.data.formats.cvat_shapes import is_crowd, number, shape_area, shape_marks
from crowdscale.data.formats.label import Entry, Mark, read_size
from crowdscale.errors import DataError

__all__ = ["read_tracks"]

MOST_FRAMES = 1_000_000
"""Frames of a film: 9 hours at 30 a second."""

MOST_MARKS = 5_000_000
"""Marks of all frames together, those filled in included."""


def read_tracks(root: Tree.Element, path: Path) -> dict[str, Entry]:
    """Return entries by ``frame_NNNNNN``, as CVAT names the frames that it exports.

    A frame between two that the file lists has the shape in between, as CVAT shows it. A frame of the film
    without a shape has nobody.

    Raises:
        DataError: A number is none, or tracks are longer than a film can be.
    """
    frames: dict[int, list[Mark]] = {frame: [] for frame in range(_frames(root, path))}
    ignored: dict[int, list[Area]] = {}
    total = 0
    for track in root.iter("track"):
        of_track: Iterator[tuple[int, Sequence[Mark | Area]]]
        of_track = chain(_filled(_listed(track, path)), _crowds(track, path))
        for frame, shapes in of_track:
            total += 1
            if total > MOST_MARKS:
                raise DataError(f"expected at most {MOST_MARKS:,} shapes in the tracks of {path}", "more")
            frames.setdefault(frame, []).extend(each for each in shapes if isinstance(each, Mark))
            ignored.setdefault(frame, []).extend(each for each in shapes if isinstance(each, Area))
    size = _size(root, path)
    return {
        f"frame_{frame:06}": Entry(
            marks,
            size,
            f", frame {frame}",
            (f"{frame:06}", f"frame_{frame}"),
            optional=True,
            ignored=ignored.get(frame, ()),
        )
        for frame, marks in sorted(frames.items())
    }


def _frames(root: Tree.Element, path: Path) -> int:
    """Return the film's frames by the file; 0 where it has no number."""
    text = root.findtext("meta/task/size") or root.findtext("meta/job/size") or "0"
    if not text.strip().isdecimal() or len(text) > 12 or int(text) > MOST_FRAMES:
        raise DataError(f"expected a number of frames up to {MOST_FRAMES:,} in {path}", repr(text[:40]))
    return int(text)


def _size(root: Tree.Element, path: Path) -> tuple[int, int] | None:
    sides_of_photo = next((each for each in root.iter("original_size")), None)
    if sides_of_photo is None:
        return None
    sides = Tree.Element("size", {each.tag: each.text or "" for each in sides_of_photo})
    return read_size(number(sides, "width", str(path), 0.0), number(sides, "height", str(path), 0.0))


def _listed(track: Tree.Element, path: Path) -> list[tuple[int, list[Mark]]]:
    """Return (frame, marks) of a track in order; a shape outside its frame has none."""
    shapes = []
    for frame, shape in _shapes(track, path):
        where = f"frame {frame} in {path}"
        gone = _left(shape) or is_crowd(shape) or is_crowd(track)
        marks = [] if gone else list(shape_marks(shape, track.get("label", ""), where, track))
        shapes.append((frame, marks))
    return shapes


def _shapes(track: Tree.Element, path: Path) -> list[tuple[int, Tree.Element]]:
    """Return (frame, shape) of a track in order."""
    shapes = []
    for shape in track:
        if shape.get("frame") is not None:
            frame = number(shape, "frame", str(path))
            if not 0 <= frame < MOST_FRAMES or frame != int(frame):
                raise DataError(f"expected a frame's number in {path}", repr(shape.get("frame")))
            shapes.append((int(frame), shape))
    return sorted(shapes, key=lambda each: each[0])


def _crowds(track: Tree.Element, path: Path) -> Iterator[tuple[int, list[Area]]]:
    """Yield (frame, areas) of the shapes with the attribute ``is_crowd``, each until the next one of its track."""
    shapes = _shapes(track, path)
    for index, (frame, shape) in enumerate(shapes):
        if shape.get("outside") != "1" and (is_crowd(shape) or is_crowd(track)):
            end = shapes[index + 1][0] if index + 1 < len(shapes) else frame + 1
            areas = list(shape_area(shape, track.get("label", ""), f"frame {frame} in {path}"))
            yield from ((each, areas) for each in range(frame, max(end, frame + 1)))


def _left(shape: Tree.Element) -> bool:
    """Return whether a skeleton has left the frame: all of its points are outside."""
    points = list(shape.iter("points")) if shape.tag == "skeleton" else []
    return bool(points) and all(point.get("outside") == "1" for point in points)


def _filled(listed: list[tuple[int, list[Mark]]]) -> Iterator[tuple[int, list[Mark]]]:
    """Return the listed frames and those between them within a track."""
    for index, (frame, marks) in enumerate(listed):
        yield frame, marks
        after, later = listed[index + 1] if index + 1 < len(listed) else (frame, [])
        for between in range(frame + 1, after if marks else frame):
            share = (between - frame) / (after - frame)
            yield between, _between(marks, later, share)


def _between(first: list[Mark], second: list[Mark], share: float) -> list[Mark]:
    """Return the marks at a share of the way; where their numbers differ, the first stay where they are."""
    if len(first) != len(second):
        return first
    return [
        one._replace(
            x=one.x + (two.x - one.x) * share,
            y=one.y + (two.y - one.y) * share,
            width=one.width + (two.width - one.width) * share,
            height=one.height + (two.height - one.height) * share,
        )
        for one, two in zip(first, second, strict=True)
    ]
