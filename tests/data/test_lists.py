"""Validation lists: files, splitting, and the draw, which must give the list that the release names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crowdscale.data import (
    Sample,
    ShanghaiTech,
    list_entry,
    read_list,
    split_samples,
    stratified_names,
    write_list,
)
from crowdscale.data.lists import domain_of
from crowdscale.errors import DataError, OptionError
from crowdscale.points import Points

VALIDATION = Path(__file__).resolve().parents[2] / "research" / "lists" / "validation.txt"


def sample(name: str, count: int = 0, set_name: str = "sha") -> Sample:
    return Sample(name, Path(f"{name}.jpg"), Points(np.zeros((count, 2))), attributes={"set": set_name})


SAMPLES = [sample(f"IMG_{number}", 1000 - 7 * number) for number in range(1, 46)]


def test_list_file_there_and_back(tmp_path: Path) -> None:
    entries = ["sha/IMG_2", "shb/IMG_1", "folder/trip/a#1"]
    write_list(tmp_path / "new" / "list.txt", entries, "two lines\n\nof comment")
    assert (tmp_path / "new" / "list.txt").read_text().startswith("# two lines\n#\n# of comment\nsha/IMG_2\n")
    assert read_list(tmp_path / "new" / "list.txt") == entries


def test_comments_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# head\n\n  sha/IMG_1  # dense\n  # more\nfolder/a#1\n")
    assert read_list(tmp_path / "list.txt") == ["sha/IMG_1", "folder/a#1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sha/IMG_1\nIMG_2\n", r"set/name .*line 2, but got 'IMG_2'"),
        ("/IMG_2\n", "set/name"),
        ("sha/\n", "set/name"),
        ("sha/IMG_1\nsha/IMG_1\n", "once .* again in line 2"),
    ],
)
def test_unsound_lists(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_list(tmp_path / "list.txt")


def test_missing_list(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"list\.txt"):
        read_list(tmp_path / "list.txt")


@pytest.mark.parametrize("entry", ["IMG_1", "sha/a\nb", "sha/a # b", " sha/a", "#sha/a"])
def test_entries_that_would_not_come_back_are_not_written(tmp_path: Path, entry: str) -> None:
    with pytest.raises(DataError, match="set/name"):
        write_list(tmp_path / "list.txt", [entry])


def test_split_keeps_the_order_and_passes_other_sets_over() -> None:
    rest, chosen = split_samples(SAMPLES[:4], ["sha/IMG_4", "shb/IMG_99", "sha/IMG_2"])
    assert [one.name for one in rest] == ["IMG_1", "IMG_3"]
    assert [one.name for one in chosen] == ["IMG_2", "IMG_4"]


def test_split_names_what_is_not_there() -> None:
    with pytest.raises(DataError, match="1 that are not there: sha/IMG_99"):
        split_samples(SAMPLES, ["sha/IMG_2", "sha/IMG_99"])


def test_entry_of_a_sample_without_set() -> None:
    assert list_entry(Sample("trip/a", Path("a.jpg"), None)) == "folder/trip/a"


class TestStratified:
    @pytest.mark.parametrize(
        ("share", "expected"), [(0.1, 5), (0.2, 9), (0.5, 23), (2 / 3, 30), (0.8, 36), (1.0, 45), (0.001, 1)]
    )
    def test_draws_one_of_each_group(self, share: float, expected: int) -> None:
        names = stratified_names(SAMPLES, share)
        assert len(set(names)) == expected
        split_samples(SAMPLES, names)

    def test_spreads_over_the_counts_whatever_the_order(self) -> None:
        names = stratified_names(SAMPLES)
        ranks = [45 - int(name.removeprefix("sha/IMG_")) for name in names]
        assert [rank // 10 for rank in ranks] == [0, 1, 2, 3, 4]
        assert stratified_names(SAMPLES[::-1]) == names

    def test_seed_decides(self) -> None:
        assert stratified_names(SAMPLES, seed=1) == stratified_names(SAMPLES, seed=1)
        assert stratified_names(SAMPLES, seed=1) != stratified_names(SAMPLES, seed=2)

    def test_near_duplicates_stay_in_training(self) -> None:
        pair = [sample("IMG_167"), sample("IMG_169")]
        assert stratified_names(pair, share=0.5) == []
        assert stratified_names([*pair, sample("IMG_1")]) == ["sha/IMG_1"]
        assert len(stratified_names([sample("IMG_167", set_name="shb")])) == 1

    def test_errors(self) -> None:
        for share in (0.0, 1.5, float("nan")):
            with pytest.raises(OptionError, match="share"):
                stratified_names(SAMPLES, share)
        with pytest.raises(DataError, match="folder/a without"):
            stratified_names([Sample("a", Path("a.jpg"), None)])


def test_shipped_list_is_sound() -> None:
    entries = read_list(VALIDATION)
    assert sum(entry.startswith("sha/") for entry in entries) == 30
    assert sum(entry.startswith("shb/") for entry in entries) == 40
    assert not {"sha/IMG_167", "sha/IMG_169"} & set(entries)


@pytest.mark.realdata
def test_shipped_list_is_what_the_draw_gives(shanghaitech_root: Path) -> None:
    drawn = [stratified_names(ShanghaiTech(shanghaitech_root, part).samples) for part in "AB"]
    assert drawn[0] + drawn[1] == read_list(VALIDATION)
    rest, chosen = split_samples(ShanghaiTech(shanghaitech_root).samples, read_list(VALIDATION))
    assert (len(rest), len(chosen)) == (264, 30)


def own(name: str, folder: str) -> Sample:
    return Sample(name, Path(f"{name}.jpg"), Points(), attributes={"set": "folder", "folder": folder})


def test_photos_of_a_folder_are_listed_by_its_name_or_as_folder() -> None:
    samples = [own("a", "web"), own("b", "web")]
    assert [s.name for s in split_samples(samples, ["web/a", "other/a"])[1]] == ["a"]
    assert [s.name for s in split_samples(samples, ["folder/b"])[1]] == ["b"]
    with pytest.raises(DataError, match="web/c"):
        split_samples(samples, ["web/c"])
    assert [domain_of(s) for s in (samples[0], sample("x"))] == ["web", "sha"]
