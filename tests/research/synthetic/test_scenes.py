"""Synthetic scenes: exact points, the law of perspective, occlusion, and scenes on disk."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdscale.data import Folder
from crowdscale.errors import DataError, OptionError
from research.synthetic import (
    Camera,
    Person,
    Scene,
    SceneOptions,
    compose_scene,
    draw_scene,
    write_scenes,
    writing,
)
from research.synthetic.light import Light, noise_tile
from research.synthetic.people import draw_person

SMALL = SceneOptions(width=320, height=240, people=(30, 30))

SCENES = {
    "street": SceneOptions(kind="sparse", seed=3),
    "crowd": SceneOptions(kind="dense", seed=1),
    "eye level": SceneOptions(people=(150, 150), camera_height=1.6, horizon=0.4, seed=7),
    "from a roof": SceneOptions(people=(300, 300), camera_height=14, horizon=-0.3, seed=8),
}


@pytest.fixture(scope="module", params=SCENES, ids=list(SCENES))
def scene(request: pytest.FixtureRequest) -> Scene:
    return compose_scene(SCENES[request.param])


def numbers_at_points(scene: Scene) -> list[int]:
    """Return whose pixel each point's own pixel is."""
    columns, rows = np.rint(scene.points.xy).astype(int).T
    return scene.ids[rows, columns].tolist()


def test_each_point_shows_its_own_person(scene: Scene) -> None:
    assert len(scene.points) > 2
    assert numbers_at_points(scene) == list(range(1, len(scene.points) + 1))


def test_nobody_is_in_the_picture_without_a_point(scene: Scene) -> None:
    numbers = set(np.unique(scene.ids).tolist()) - {0, -1}
    assert numbers == set(range(1, len(scene.points) + 1))


def test_points_and_boxes_fit_the_photo(scene: Scene) -> None:
    height, width = scene.pixels.shape[:2]
    assert scene.pixels.dtype == np.uint8
    assert scene.pixels.shape == (768, 1024, 3)
    assert scene.sizes.shape == (len(scene.points), 2)
    assert ((scene.points.xy >= 0) & (scene.points.xy <= (width - 1, height - 1))).all()
    assert (scene.sizes[:, 1] >= 3).all()
    assert (scene.sizes[:, 1] <= 80).all()
    np.testing.assert_allclose(scene.sizes[:, 0] / scene.sizes[:, 1], 0.8)


def test_only_nearer_people_hide_a_head(scene: Scene) -> None:
    depths = [person.z for person in scene.people]
    assert depths == sorted(depths)
    for number, ((x, y), (wide, tall)) in enumerate(zip(scene.points.xy, scene.sizes, strict=True), 1):
        left, top = max(0, int(x - wide)), max(0, int(y - tall))
        near = scene.ids[top : int(y + tall) + 1, left : int(x + wide) + 1]
        rows, columns = np.indices(near.shape)
        core = ((columns + left - x) / wide) ** 2 + ((rows + top - y) / tall) ** 2 < 0.3**2
        seen = near[core]  # safely inside the head
        assert len(seen)
        assert ((seen == -1) | ((seen > 0) & (seen <= number))).all(), number


@pytest.mark.parametrize(("horizon", "elevation"), [(0.3, 2.5), (0.1, 6.0), (-0.4, 12.0), (0.45, 1.3)])
def test_heads_shrink_with_the_rows_to_the_horizon(horizon: float, elevation: float) -> None:
    """On one plane, size is linear in row - horizon: the slope is the same for everybody."""
    options = SceneOptions(people=(120, 120), horizon=horizon, camera_height=elevation, seed=5)
    scene = compose_scene(options)
    assert len(scene.points) > 20
    below = scene.points.xy[:, 1] - horizon * options.height
    metres = np.array([person.head for person in scene.people])
    drop = elevation - np.array([person.height - person.head / 2 for person in scene.people])
    slopes = scene.sizes[:, 1] / metres * drop / below
    np.testing.assert_allclose(slopes, slopes[0], rtol=1e-9)
    tilt = math.atan((383.5 - horizon * 768) / scene.camera.focal)
    assert slopes[0] == pytest.approx(math.cos(tilt))


def test_size_is_inverse_to_depth_for_a_level_camera() -> None:
    camera = Camera.with_horizon((640, 480), 500, 1.5, 239.5)
    scales = camera.project(0.0, 0.0, np.array([2.0, 4.0, 20.0]))[2]
    np.testing.assert_allclose(scales, [250, 125, 25])
    assert camera.pitch == 0


@given(
    column=st.floats(0, 639), row=st.floats(1, 479), pitch=st.floats(0.35, 1.2), elevation=st.floats(1.5, 20)
)
def test_ground_undoes_project(column: float, row: float, pitch: float, elevation: float) -> None:
    camera = Camera(640, 480, 900, elevation, pitch)
    x, z = camera.ground(column, row)
    back = camera.project(x, 0.0, z)
    np.testing.assert_allclose(back[:2], (column, row), atol=1e-6)


def test_every_size_of_head_is_reached() -> None:
    many = [
        draw_scene(SceneOptions(people=(250, 250), camera_height=2.2, horizon=0.25, seed=seed))[2][:, 1]
        for seed in (2, 3)
    ]
    tall = np.concatenate(many)
    assert tall.min() < 3.6
    assert tall.max() > 72


def test_asked_sizes_of_heads_hold() -> None:
    sizes = draw_scene(SceneOptions(people=(60, 60), heads=(20, 30), seed=2))[2]
    assert len(sizes) > 20
    assert sizes[:, 1].min() >= 20
    assert sizes[:, 1].max() <= 30


@pytest.mark.parametrize("seed", range(3))
def test_an_empty_scene_has_things_and_nobody(seed: int) -> None:
    scene = compose_scene(SceneOptions(kind="empty", seed=seed))
    assert (len(scene.points), scene.sizes.shape, scene.people) == (0, (0, 2), ())
    assert scene.ids.max() == 0
    assert scene.ids.min() == -1
    assert len(scene.things) > 0


@pytest.mark.parametrize(
    ("kind", "seed", "low", "high"),
    [("dense", 0, 400, 1500), ("dense", 1, 400, 1500), *(("sparse", seed, 3, 60) for seed in range(3))],
)
def test_kinds_have_their_numbers(kind: str, seed: int, low: int, high: int) -> None:
    assert low <= len(draw_scene(SceneOptions(kind=kind, seed=seed))[1]) <= high


@pytest.mark.parametrize("people", [1, 40, 900])
def test_as_many_people_as_asked(people: int) -> None:
    options = SceneOptions(people=(people, people), camera_height=6, horizon=0.1, seed=people)
    assert len(draw_scene(options)[1]) == people


def test_mixed_scenes_differ_and_some_are_empty() -> None:
    counts = [len(draw_scene(SceneOptions(320, 240, number=number))[1]) for number in range(24)]
    assert 1 <= counts.count(0) <= 8
    assert max(counts) > 60
    assert min(count for count in counts if count) < 20


def test_equal_options_draw_equal_scenes() -> None:
    one, other = compose_scene(SMALL), compose_scene(replace(SMALL))
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_array_equal(one.ids, other.ids)
    assert one.points == other.points
    assert one.people == other.people


def test_the_global_generator_is_left_alone() -> None:
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    draw_scene(SMALL)
    after = np.random.get_state(legacy=False)  # noqa: NPY002
    np.testing.assert_equal(after, before)


def test_seeds_share_no_scene() -> None:
    """Number 1 of seed 0 is not number 0 of seed 1: one set may train what the other tests."""
    pictures = [
        draw_scene(replace(SMALL, seed=seed, number=number))[0].tobytes()
        for seed in range(2)
        for number in range(2)
    ]
    assert len(set(pictures)) == 4


@pytest.mark.parametrize("heading", [0.0, 0.8, math.pi / 2, 2.4, math.pi, -math.pi / 2])
@pytest.mark.parametrize(("elevation", "z"), [(1.6, 7.0), (9.0, 14.0)])
def test_the_drawn_head_is_where_the_box_is(heading: float, elevation: float, z: float) -> None:
    """The outline of the drawn figure, not the projection, says where the crown and the sides are."""
    camera = Camera.with_horizon((400, 400), 500, elevation, 60)
    light = Light.draw(np.random.default_rng(0))
    for look in range(12):
        person = Person(0.3, z, 1.75, heading, look)
        patch = draw_person(camera, person, light, noise_tile(np.random.default_rng(0), 512, 2), 0.0)
        assert patch is not None
        x, y, scale = map(float, camera.project(0.3, person.head_centre, z))
        tall = person.head * scale
        rows, columns = np.nonzero(patch.alpha > 0.5)
        assert patch.alpha[round(y) - patch.top, round(x) - patch.left] > 0.99
        assert rows.min() + patch.top - 0.5 == pytest.approx(y - tall / 2, abs=0.1 * tall + 1)
        above = rows + patch.top < y - tall * 0.2  # hair, hats and arms are lower or not much wider
        middle = (columns[above].min() + columns[above].max()) / 2 + patch.left
        assert middle == pytest.approx(x, abs=0.16 * tall + 1)


def test_a_figure_is_a_person_high() -> None:
    camera = Camera.with_horizon((400, 400), 500, 1.6, 150)
    light = Light.draw(np.random.default_rng(0))
    folds = noise_tile(np.random.default_rng(0), 512, 2)
    patch = draw_person(camera, Person(0.0, 6.0, 1.8, math.pi, 3), light, folds, 0.0)
    assert patch is not None
    rows = np.nonzero((patch.alpha > 0.5).any(axis=1))[0]
    feet, crown = (float(camera.project(0.0, up, 6.0)[1]) for up in (0.0, 1.8))
    assert rows[-1] - rows[0] == pytest.approx(feet - crown, rel=0.06)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"width": 20}, "expected width from 64 to 8192, but got 20"),
        ({"height": 9000}, "expected height from 64 to 8192, but got 9000"),
        ({"kind": "busy"}, "unknown kind of scene 'busy'. Choose one of dense, empty, mixed, sparse"),
        ({"seed": -1}, "expected seed and number of at least 0, but got -1 and 0"),
        ({"number": -2}, "expected seed and number of at least 0, but got 0 and -2"),
        ({"people": (5, 2)}, "expected people as two rising numbers from 0 to 20000, but got (5, 2)"),
        ({"people": (-1, 2)}, "expected people as two rising numbers from 0 to 20000, but got (-1, 2)"),
        (
            {"kind": "empty", "people": (1, 2)},
            "expected no people in an empty scene, but got (1, 2). Leave people out, or choose another kind",
        ),
        ({"heads": (80, 3)}, "expected heads as two rising numbers of pixels from 2 to 200, but got (80, 3)"),
        (
            {"heads": (0.5, 3)},
            "expected heads as two rising numbers of pixels from 2 to 200, but got (0.5, 3)",
        ),
        ({"horizon": 0.9}, "expected horizon from -1 to 0.8, but got 0.9"),
        ({"camera_height": math.nan}, "expected camera_height from 1.2 to 60, but got nan"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_bad_options_are_refused(options: dict, sentence: str) -> None:
    with pytest.raises(OptionError, match=re.escape(sentence)):
        SceneOptions(**options)


@settings(max_examples=25, deadline=None)
@given(
    width=st.integers(64, 300),
    height=st.integers(64, 300),
    horizon=st.floats(-1, 0.8),
    elevation=st.floats(1.2, 60),
    people=st.integers(0, 200),
    seed=st.integers(0, 2**40),
)
def test_any_camera_gives_a_sound_scene(
    width: int, height: int, horizon: float, elevation: float, people: int, seed: int
) -> None:
    options = SceneOptions(
        width, height, seed=seed, people=(people, people), horizon=horizon, camera_height=elevation
    )
    scene = compose_scene(options)
    assert scene.pixels.shape == (height, width, 3)
    assert len(scene.points) <= people
    assert numbers_at_points(scene) == list(range(1, len(scene.points) + 1))


def test_a_folder_reads_back(tmp_path: Path) -> None:
    told: list[int] = []
    counts = write_scenes(tmp_path / "new" / "set", 3, replace(SMALL, seed=4), done=told.append)
    samples = Folder(tmp_path / "new" / "set").samples
    assert [sample.name for sample in samples] == ["scene_0001", "scene_0002", "scene_0003"]
    assert [len(sample.points or ()) for sample in samples] == counts == told
    for number, sample in enumerate(samples):
        pixels, points, sizes = draw_scene(replace(SMALL, seed=4, number=number))
        assert sample.points is not None
        np.testing.assert_allclose(sample.points.xy, points.xy, atol=0.0006)
        assert np.abs(sample.read().astype(int) - pixels).mean() < 6  # JPEG
        rows = np.loadtxt(sample.image_path.with_suffix(".csv"), delimiter=",", skiprows=1, ndmin=2)
        np.testing.assert_allclose(rows[:, 2:], sizes, atol=0.0006)


def test_an_empty_scene_reads_back_as_nobody(tmp_path: Path) -> None:
    assert write_scenes(tmp_path, 2, SceneOptions(64, 64, kind="empty")) == [0, 0]
    assert (tmp_path / "scene_0001.csv").read_text() == "x,y,width,height\n"
    assert [len(sample.points or ()) for sample in Folder(tmp_path)] == [0, 0]


def test_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "scene_0001.jpg").write_text("mine")
    with pytest.raises(DataError, match=r"expected a new or empty folder at .*, but got one with 1 entries"):
        write_scenes(tmp_path, 1, SMALL)
    assert (tmp_path / "scene_0001.jpg").read_text() == "mine"


def test_overwriting_replaces_scenes_and_nothing_else(tmp_path: Path) -> None:
    write_scenes(tmp_path, 3, SceneOptions(64, 64))
    for name in ("notes.txt", "scene_0009.csv.bak", "my_scene_0009.csv"):
        (tmp_path / name).write_text("keep")
    write_scenes(tmp_path, 1, SceneOptions(96, 64), overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "my_scene_0009.csv",
        "notes.txt",
        "scene_0001.csv",
        "scene_0001.jpg",
        "scene_0009.csv.bak",
    ]
    assert Folder(tmp_path)[0].read().shape == (64, 96, 3)


@pytest.mark.parametrize("count", [0, -3, 10_000])
def test_bad_counts_are_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(OptionError, match=f"expected from 1 to 9999 scenes, but got {count}"):
        write_scenes(tmp_path / "new", count)
    assert not (tmp_path / "new").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="expected a folder to write scenes into, but got the file"):
        write_scenes(tmp_path / "file", 1, overwrite=True)


def test_what_breaks_off_leaves_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second photo cannot be written: the first scene is whole, no temporary file is left."""
    true = writing.write_image

    def fail(path: Path, pixels: np.ndarray) -> None:
        if path.stem == "scene_0002":
            raise OSError("disk full")
        true(path, pixels)

    monkeypatch.setattr(writing, "write_image", fail)
    with pytest.raises(OSError, match="disk full"):
        write_scenes(tmp_path, 3, SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "scene_0001.csv",
        "scene_0001.jpg",
        "scene_0002.csv",
    ]
    assert [sample.name for sample in Folder(tmp_path)] == ["scene_0001"]
