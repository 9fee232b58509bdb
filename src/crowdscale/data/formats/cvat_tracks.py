"""Tracks of CVAT for video: shapes by frame, filled in between the frames that the file lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Tree

from crowdscale.data.formats.cvat_shapes import number, shape_marks
from crowdscale.data.formats.label import Entry, Mark, mark_of, read_size
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
    total = 0
    for track in root.iter("track"):
        for frame, marks in _filled(_listed(track, path)):
            total += 1
            if total > MOST_MARKS:
                raise DataError(f"expected at most {MOST_MARKS:,} shapes in the tracks of {path}", "more")
            frames.setdefault(frame, []).extend(marks)
    size = _size(root, path)
    return {
        f"frame_{frame:06}": Entry(
            marks, size, f", frame {frame}", (f"{frame:06}", f"frame_{frame}"), optional=True
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
    for shape in track:
        if shape.get("frame") is None:
            continue
        frame = number(shape, "frame", str(path))
        if not 0 <= frame < MOST_FRAMES or frame != int(frame):
            raise DataError(f"expected a frame's number in {path}", repr(shape.get("frame")))
        where = f"frame {int(frame)} in {path}"
        marks = [] if _left(shape) else list(shape_marks(shape, track.get("label", ""), where))
        shapes.append((int(frame), marks))
    return sorted(shapes, key=lambda each: each[0])


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
        mark_of([a + (b - a) * share for a, b in zip(one[:4], two[:4], strict=True)], one.label)._replace(
            refused=one.refused
        )
        for one, two in zip(first, second, strict=True)
    ]
