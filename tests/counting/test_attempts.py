"""Work on a photo returns its result or one sentence; a defect is raised."""

from __future__ import annotations

import pytest

from crowdscale.counting.attempts import attempt, read_file
from crowdscale.errors import ImageError
from crowdscale.files.images import write_image
from tests.support.commands import FEW
from tests.support.fakes import label_photo


def fail(error):
    def work():
        raise error

    return work


def test_a_result_comes_without_a_sentence():
    assert attempt("a.jpg", lambda: 3) == (3, "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImageError("expected a JPEG", "the file given"), "expected a JPEG, but got a.jpg."),
        (OSError("disk gone"), "cannot count a.jpg: disk gone"),
        (MemoryError(), "cannot count a.jpg: too little memory"),
    ],
    ids=["photo", "file system", "memory"],
)
def test_an_error_is_a_sentence_with_the_photo(error, sentence):
    assert attempt("a.jpg", fail(error)) == (None, sentence)


def test_a_defect_is_raised():
    with pytest.raises(ZeroDivisionError):
        attempt("a.jpg", fail(ZeroDivisionError()))


def test_a_file_is_read_and_reduced(tmp_path):
    write_image(tmp_path / "few.png", label_photo(FEW, 240, 200))
    assert read_file(str(tmp_path / "few.png"), 240 * 200).pixels.shape == (200, 240, 3)
    assert read_file(str(tmp_path / "few.png"), 12_000).pixels.shape == (100, 120, 3)
