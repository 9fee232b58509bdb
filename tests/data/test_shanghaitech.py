"""ShanghaiTech: the layouts, the leaked photos, the release, each error; the real set where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crowdscale.data import LEAKED, ShanghaiTech, check_points, open_dataset
from crowdscale.data.checks import is_outside, photo_size
from crowdscale.data.sets import shanghaitech
from crowdscale.errors import CrowdscaleError, DataError, ImageError, OptionError
from crowdscale.points import Points
from tests.support.layouts import SIZE, write_mat, write_photo, write_shanghaitech

PHOTOS = {10: [(3.5, 4.25), (10.0, 20.0)], 1: [], 3: [(7.0, 8.0)]}


@pytest.mark.parametrize("part_spelling", ["part_{}", "part_{}_final"])
@pytest.mark.parametrize("truth_spelling", ["ground-truth", "ground_truth"])
@pytest.mark.parametrize("nesting", ["parent", "own"])
@pytest.mark.parametrize("part", ["A", "B"])
def test_reads_each_layout(
    tmp_path: Path, part_spelling: str, truth_spelling: str, nesting: str, part: str
) -> None:
    base = write_shanghaitech(tmp_path, PHOTOS, part, "test", part_spelling, truth_spelling)
    opened = ShanghaiTech(tmp_path if nesting == "parent" else base.parent, part, "test")
    assert len(opened) == 3
    assert [sample.name for sample in opened] == ["IMG_1", "IMG_3", "IMG_10"], "by number, not by text"
    assert [len(sample.points or []) for sample in opened] == [0, 1, 2]
    assert opened[2].points == Points(np.array(PHOTOS[10]))
    assert opened[0].points == Points()
    assert opened[0].attributes == {"set": f"sh{part.lower()}", "part": part, "split": "test"}
    assert opened[0].read().shape == (SIZE[1], SIZE[0], 3)


def test_reads_a_part_in_a_folder_of_another_name(tmp_path: Path) -> None:
    base = write_shanghaitech(tmp_path, PHOTOS, part_spelling="mine_{}")
    assert len(ShanghaiTech(base.parent, "A")) == 3


def test_reads_an_annotation_of_shape_0_2_and_passes_foreign_files_over(tmp_path: Path) -> None:
    base = write_shanghaitech(tmp_path, PHOTOS)
    write_mat(base / "ground-truth" / "GT_IMG_1.mat", np.zeros((0, 2)))  # type: ignore[arg-type]
    for name in ("images/._IMG_1.jpg", "images/Thumbs.db", "ground-truth/notes.txt"):
        (base / name).write_bytes(b"x")
    assert ShanghaiTech(tmp_path)[0].points == Points()


def test_no_photo_is_decoded_when_opening(tmp_path: Path) -> None:
    base = write_shanghaitech(tmp_path, PHOTOS)
    (base / "images" / "IMG_3.jpg").write_bytes(b"damaged")
    sample = ShanghaiTech(tmp_path)[1]
    with pytest.raises(ImageError, match="IMG_3"):
        sample.read()


def test_leaked_photos_are_left_out_of_a_train_only(tmp_path: Path) -> None:
    photos = {1: [], 2: [(1.0, 1.0)], 60: [], 154: []}
    for part, split in (("A", "train"), ("A", "test"), ("B", "train")):
        write_shanghaitech(tmp_path, photos, part, split)
    assert [sample.name for sample in ShanghaiTech(tmp_path)] == ["IMG_1"]
    assert len(ShanghaiTech(tmp_path, leaked=True)) == 4
    assert len(ShanghaiTech(tmp_path, "A", "test")) == 4
    assert len(ShanghaiTech(tmp_path, "B", "train")) == 4
    assert len(LEAKED) == 6


def test_release_comes_from_the_split_total_leaked_photos_included(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shanghaitech, "SPLIT_TOTALS", {("A", "train"): {3: "2015", 2: "2016"}})
    write_shanghaitech(tmp_path, {1: [(1.0, 1.0)], 2: [(1.0, 1.0), (2.0, 2.0)]})
    assert ShanghaiTech(tmp_path).release == "2015"
    assert ShanghaiTech(tmp_path, leaked=True).release == "2015"


def test_release_comes_from_the_part_total_where_the_split_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shanghaitech.PART_TOTALS, "B", {5: "2015"})
    write_shanghaitech(tmp_path, PHOTOS, "B", "train")
    assert ShanghaiTech(tmp_path, "B").release == "unknown", "the other split is not here"
    write_shanghaitech(tmp_path, {7: [(1.0, 1.0), (2.0, 2.0)]}, "B", "test")
    assert ShanghaiTech(tmp_path, "B").release == "2015"
    assert ShanghaiTech(tmp_path, "B", "test").release == "2015"


def test_release_totals_agree_with_each_other() -> None:
    splits, parts = shanghaitech.SPLIT_TOTALS, shanghaitech.PART_TOTALS
    for release in ("2015", "2016"):
        heads = [
            total for split in ("train", "test") for total, r in splits["A", split].items() if r == release
        ]
        assert parts["A"][sum(heads)] == release
    assert parts["B"][sum(next(iter(splits["B", split])) for split in ("train", "test"))] == "2016"
    assert sum(parts["A"]) + sum(parts["B"]) == 2 * (241_677 + 88_488) - 618


def test_points_outside_their_photo_are_kept_and_counted(tmp_path: Path) -> None:
    write_shanghaitech(tmp_path, {1: [(-3.0, 5.0), (64.0, 48.0), (64.1, 5.0)], 3: [(1.0, 1.0)]})
    opened = ShanghaiTech(tmp_path)
    assert len(opened[0].points or []) == 3
    assert opened.count_outside() == 2


class TestErrors:
    def test_root_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"expected part_A or part_A_final .* no such folder"):
            ShanghaiTech(tmp_path / "nowhere")

    def test_root_holds_something_else(self, tmp_path: Path) -> None:
        write_photo(tmp_path / "holiday.jpg")
        with pytest.raises(DataError, match=r"but got holiday\.jpg"):
            ShanghaiTech(tmp_path)

    def test_root_is_the_other_part(self, tmp_path: Path) -> None:
        base = write_shanghaitech(tmp_path, PHOTOS, "B")
        with pytest.raises(DataError, match="expected part_A"):
            ShanghaiTech(base.parent, "A")

    def test_split_is_missing(self, tmp_path: Path) -> None:
        write_shanghaitech(tmp_path, PHOTOS)
        with pytest.raises(DataError, match="test_data, but got train_data"):
            ShanghaiTech(tmp_path, "A", "test")

    @pytest.mark.parametrize(("folder", "named"), [("images", "images"), ("ground-truth", "ground_truth")])
    def test_folder_of_the_split_is_missing(self, tmp_path: Path, folder: str, named: str) -> None:
        base = write_shanghaitech(tmp_path, PHOTOS)
        (base / folder).rename(base / "elsewhere")
        with pytest.raises(DataError, match=f"expected the folder .*{named}.* elsewhere"):
            ShanghaiTech(tmp_path)

    def test_no_photos(self, tmp_path: Path) -> None:
        base = write_shanghaitech(tmp_path, PHOTOS)
        for photo in (base / "images").iterdir():
            photo.unlink()
        with pytest.raises(DataError, match=r"expected photos IMG_n\.jpg .* an empty folder"):
            ShanghaiTech(tmp_path)

    def test_photo_without_annotation(self, tmp_path: Path) -> None:
        base = write_shanghaitech(tmp_path, PHOTOS)
        (base / "ground-truth" / "GT_IMG_3.mat").unlink()
        with pytest.raises(DataError, match=r"an annotation .* for each photo .* 1 without: IMG_3"):
            ShanghaiTech(tmp_path)

    def test_annotation_without_photo(self, tmp_path: Path) -> None:
        base = write_shanghaitech(tmp_path, PHOTOS)
        (base / "images" / "IMG_10.jpg").unlink()
        with pytest.raises(DataError, match=r"a photo .* for each annotation .* 1 without: IMG_10"):
            ShanghaiTech(tmp_path)

    @pytest.mark.parametrize("damage", ["empty", "cut", "text", "other", "flat"])
    def test_damaged_mat(self, tmp_path: Path, damage: str) -> None:
        path = write_shanghaitech(tmp_path, PHOTOS) / "ground-truth" / "GT_IMG_10.mat"
        whole = path.read_bytes()
        if damage in ("other", "flat"):
            from scipy.io import savemat

            savemat(path, {"image_info" if damage == "flat" else "something": np.zeros((3, 2))})
        else:
            path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "text": b"no .mat" * 99}[damage])
        with pytest.raises(DataError, match=r"GT_IMG_10\.mat"):
            ShanghaiTech(tmp_path)

    def test_nan(self, tmp_path: Path) -> None:
        write_shanghaitech(tmp_path, {1: [(1.0, 2.0), (float("nan"), 3.0)]})
        with pytest.raises(DataError, match=r"GT_IMG_1\.mat, but got 1 of 2 points with NaN"):
            ShanghaiTech(tmp_path)

    def test_points_of_a_wrong_shape(self, tmp_path: Path) -> None:
        write_shanghaitech(tmp_path, {1: [(1.0, 2.0, 3.0)]})  # type: ignore[list-item]
        with pytest.raises(DataError, match=r"\(n, 2\) .*GT_IMG_1\.mat, but got shape \(1, 3\)"):
            ShanghaiTech(tmp_path)

    @pytest.mark.parametrize("names", [("C", "train"), ("A", "val")])
    def test_unknown_part_or_split(self, tmp_path: Path, names: tuple[str, str]) -> None:
        with pytest.raises(OptionError, match=r"unknown (part|split) of ShanghaiTech"):
            ShanghaiTech(tmp_path, *names)


class TestCheckPoints:
    XY = ((-0.6, 1.0), (-0.5, -0.5), (64.0, 48.0), (1.0, 48.1))

    @pytest.mark.parametrize(("outside", "left"), [("keep", 4), ("drop", 2)])
    def test_keeps_or_drops(self, outside: str, left: int) -> None:
        checked = check_points(self.XY, SIZE, "a.csv", outside)  # type: ignore[arg-type]
        assert len(checked) == left
        assert not (outside == "drop" and is_outside(checked, SIZE).any())

    def test_refuses(self) -> None:
        with pytest.raises(
            DataError, match=r"a\.csv has 2 of \d heads outside its 64×48 photo, the first at \(-0\.6, 1\)"
        ):
            check_points(self.XY, SIZE, "a.csv", "error")

    def test_takes_points_and_keeps_their_confidence(self) -> None:
        points = Points(np.array(self.XY), np.array([0.1, 0.2, 0.3, 0.4]))
        assert check_points(points, SIZE, "a.csv", "drop").confidence is not None

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_refuses_what_is_not_finite(self, bad: float) -> None:
        with pytest.raises(DataError, match=r"finite coordinates in a\.csv"):
            check_points([[bad, 1.0]], SIZE, "a.csv")

    @pytest.mark.parametrize("bad", [[["a", "b"]], [[1.0], [1.0, 2.0]]])
    def test_refuses_what_is_no_number(self, bad: list[list[object]]) -> None:
        with pytest.raises(DataError, match=r"pairs of numbers .* in a\.csv"):
            check_points(bad, SIZE, "a.csv")  # type: ignore[arg-type]

    def test_refuses_an_unknown_choice(self) -> None:
        with pytest.raises(OptionError, match="drop, error, keep"):
            check_points([], SIZE, "a.csv", "clip")  # type: ignore[arg-type]


@pytest.mark.parametrize(("orientation", "size"), [(1, (64, 48)), (6, (48, 64))])
def test_photo_size_is_that_of_the_upright_photo(
    tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    assert photo_size(write_photo(tmp_path / "a.jpg", orientation=orientation)) == size


def test_photo_size_of_no_photo(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a\.jpg"):
        photo_size(tmp_path / "a.jpg")


class TestOpening:
    def test_opens_by_name_and_split(self, tmp_path: Path) -> None:
        write_shanghaitech(tmp_path, PHOTOS, "B", "test")
        opened = open_dataset(f"shb/test:{tmp_path}")
        assert (opened.name, opened.split, opened.release) == ("shb", "test", "unknown")
        assert [sample.name for sample in opened] == ["IMG_1", "IMG_3", "IMG_10"]
        assert len(opened) == 3
        assert opened[1] is opened.samples[1]

    def test_split_is_train_unless_named(self, tmp_path: Path) -> None:
        write_shanghaitech(tmp_path, PHOTOS)
        assert open_dataset(f"sha:{tmp_path}").split == "train"

    @pytest.mark.parametrize("start", ["", "folder:"])
    def test_bare_path_is_a_folder(self, tmp_path: Path, start: str) -> None:
        write_photo(tmp_path / "a:b" / "a.jpg").with_suffix(".csv").write_text("1,2\n")
        opened = open_dataset(f"{start}{tmp_path / 'a:b'}")
        assert (opened.name, opened.split, opened.release, len(opened)) == ("folder", "", "", 1)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("citys:/data", r"unknown data set 'citys'\. Choose one of cc50, .*shb"),
            ("sha/val:/data", r"unknown split of ShanghaiTech 'val'\. Choose one of test, train"),
            ("sha:", r"NAME\[/SPLIT\]:PATH"),
            ("folder/train:/data", "A folder has no splits"),
            ("/no/such/folder", "no such folder: /no/such/folder"),
            ("C:/photos", "no such folder: C:/photos"),
        ],
    )
    def test_errors(self, text: str, message: str) -> None:
        with pytest.raises(CrowdscaleError, match=message):
            open_dataset(text)


@pytest.mark.realdata
class TestRealData:
    def test_a_train(self, shanghaitech_root: Path) -> None:
        opened = ShanghaiTech(shanghaitech_root)
        assert (len(opened), opened.release) == (294, "2016")
        assert len(ShanghaiTech(shanghaitech_root, leaked=True)) == 300

    def test_a_test(self, shanghaitech_root: Path) -> None:
        opened = ShanghaiTech(shanghaitech_root, "A", "test")
        assert (len(opened), opened.release) == (182, "2016")
        assert sum(len(sample.points or []) for sample in opened) == 78_862
        assert opened.count_outside() == 0

    def test_b_train(self, shanghaitech_root: Path) -> None:
        opened = open_dataset(f"shb:{shanghaitech_root}")
        assert (len(opened), opened.release) == (400, "2016")
