"""Each guide can be pasted from top to bottom: its blocks run in order, in a new folder that holds the examples."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.guides import DOCS, NOTE, ROOT, Reader, blocks, clone, guides, shape
from tests.support.stand_ins import STAND_INS

SLOW = {"guides/training"}  # trains, if only on a few crops
LARGE = {"guides/films", "guides/marches", "guides/zones"}  # name places in the examples, in pixels

pages = pytest.mark.parametrize("name", guides())
pasted = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in guides()]
)


def read(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pasted
def test_it_runs_from_top_to_bottom(name, bundled, tmp_path):
    share = 1.0 if name in LARGE else 0.5
    reader, printed, ran = Reader(clone(tmp_path, share), STAND_INS.get(name, {})), "", 0
    for block in blocks(read(name)):
        if block.runs:
            printed, ran = reader.paste(block), ran + 1
        elif block.language == "text":
            assert shape(block.code) in shape(printed), block.line
    assert ran, "a guide has something to run"


@pages
def test_it_begins_with_what_it_makes_and_ends_with_next(name):
    title, result, picture, *_, last = [part for part in read(name).split("\n\n") if part.strip()]
    assert title.startswith("# ")
    assert result.startswith("**Result**: ")
    (drawn,) = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", picture)
    assert (DOCS / f"{name}.md").parent.joinpath(drawn).is_file()
    assert last.startswith("**Next**: ")


@pages
def test_extras_that_it_installs_exist(name):
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    for line in re.findall(r"^pip install .*$", read(name), re.M):
        for named in re.findall(r"(?:crowdscale|\.)\[([a-z,]+)\]", line):
            assert set(named.split(",")) <= set(extras), line


def test_a_block_that_fails_is_seen(tmp_path):
    reader = Reader(clone(tmp_path))
    good, bad = blocks("```sh\ncrowdscale --version\n```\n\n```sh\ncrowdscale count none.jpg\ntrue\n```\n")
    assert reader.paste(good).strip()
    with pytest.raises(AssertionError, match="no such photo"):
        reader.paste(bad)


def test_a_reason_belongs_to_the_block_below_it():
    text = "*Not tested: it needs\na camera.*\n\n```sh\na\n```\n\nText.\n\n```sh\nb\n```\n"
    first, second = blocks(text)
    assert (first.runs, second.runs) == (False, True)
    assert NOTE.fullmatch(first.note).group(2) == "it needs\na camera"
