"""Photos resized at load: limits, points and boxes with them, the cache and its several workers."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdscale.data import Sample, SizeLimits, limit_sizes
from crowdscale.errors import OptionError
from crowdscale.points import Points
from tests.support.layouts import write_photo


@pytest.mark.parametrize(
    ("limits", "size", "expected"),
    [
        (SizeLimits(), (900, 600), (900, 600)),
        (SizeLimits(longest=450), (900, 600), (450, 300)),
        (SizeLimits(longest=2048, shortest=512), (400, 300), (683, 512)),
        (SizeLimits(longest=2048, shortest=512), (9000, 1000), (4608, 512)),
        (SizeLimits(longest=2048), (2048, 10), (2048, 10)),
    ],
)
def test_limits(limits: SizeLimits, size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert limits.fit(size) == expected


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(64, 2048))
def test_the_longest_side_holds_and_the_aspect_stays(width: int, height: int, longest: int) -> None:
    w, h = SizeLimits(longest).fit((width, height))
    assert max(w, h) <= max(longest, 1)
    assert abs(w * height - h * width) <= max(width, height)


def test_limits_have_limits() -> None:
    with pytest.raises(OptionError, match="longest side of at least 1"):
        SizeLimits(0)


def sample(folder: Path) -> Sample:
    photo = write_photo(folder / "a.jpg", (80, 40))
    return Sample("a", photo, Points([[39.5, 19.5]]), np.array([[8.0, 4.0]]))


def test_photo_points_and_boxes_shrink_together(tmp_path: Path) -> None:
    (small,) = limit_sizes([sample(tmp_path)], SizeLimits(longest=40))
    assert small.read().shape == (20, 40, 3)
    assert small.points == Points([[19.5, 9.5]])
    assert small.sizes is not None
    assert small.sizes.tolist() == [[4, 2]]
    (same,) = limit_sizes([sample(tmp_path)], SizeLimits(longest=400))
    assert same.size is None


def test_the_cache_is_read_and_follows_the_photo(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (small,) = limit_sizes([sample(tmp_path)], SizeLimits(longest=40), cache)
    first = small.read()
    (kept,) = cache.iterdir()
    stamp = kept.stat().st_mtime_ns
    assert np.array_equal(small.read(), first)
    assert kept.stat().st_mtime_ns == stamp, "not written again"
    time.sleep(0.01)
    write_photo(tmp_path / "a.jpg", (80, 40))
    small.read()
    assert len(list(cache.iterdir())) == 2, "a changed photo is resized anew"


def read_shared(task: tuple[Path, Path]) -> int:
    photo, cache = task
    (small,) = limit_sizes([Sample("a", photo, Points())], SizeLimits(longest=40), cache)
    return int(small.read().sum())


def test_several_workers_share_a_cache(tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "a.jpg", (80, 40))
    with ProcessPoolExecutor(4) as pool:
        sums = set(pool.map(read_shared, [(photo, tmp_path / "cache")] * 40))
    assert len(sums) == 1
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".png"], "no scraps are left"
