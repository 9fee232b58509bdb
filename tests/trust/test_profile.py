"""Familiarity: impressions add up over tiles, limits come from training photos, strange photos are told."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from crowdscale.errors import DataError
from crowdscale.points import Points
from crowdscale.trust.appearance import Appearance, FeatureCloud, ProfiledPhoto
from crowdscale.trust.profile import SENTENCES, TURNED, UNLIKE, Alarms, Profile, learn_profile, turn_of

SIZE = (640, 480)


def photo(seed: int) -> np.ndarray:
    """A photo of blobs, about as bright and sharp as the next one."""
    random = np.random.default_rng(seed)
    noise = cv2.resize(random.uniform(0, 255, (60, 80, 3)).astype(np.float32), (320, 240))
    return np.clip(noise * random.uniform(0.8, 1.1) + random.normal(0, 8, noise.shape), 0, 255).astype(
        np.uint8
    )


def features(pixels: np.ndarray) -> np.ndarray:
    """(6, 30, 40) features that follow the colours and how they change."""
    small = cv2.resize(pixels, (40, 30), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    maps = np.concatenate([small, small**2], axis=2)
    return np.ascontiguousarray(maps.transpose(2, 0, 1))


def seen(
    pixels: np.ndarray, spacing: float = 12.0, sure: float = 0.5, people: float = 40.0, size=SIZE
) -> ProfiledPhoto:
    grid = [[x * spacing, y * spacing] for x in range(8) for y in range(5)]
    heads = Points(grid, np.full(len(grid), sure))
    return ProfiledPhoto(Appearance.of(pixels, features(pixels)), heads, people, size)


@pytest.fixture(scope="module")
def familiar() -> Profile:
    random = np.random.default_rng(0)
    return learn_profile(
        [
            seen(photo(i), random.uniform(8, 40), random.uniform(0.3, 0.6), random.uniform(5, 90))
            for i in range(80)
        ]
    )


def test_an_impression_is_what_it_says():
    pixels = photo(3)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(float)
    found = Appearance.of(pixels, features(pixels))
    assert found.light == pytest.approx(grey.mean())
    assert found.square == pytest.approx((grey**2).mean())
    assert found.features == pytest.approx(features(pixels).mean(axis=(1, 2)), rel=1e-5)


def test_impressions_of_tiles_add_up_to_that_of_the_photo():
    pixels, maps = photo(4), features(photo(4))
    whole = Appearance.of(pixels, maps)
    parts = [
        Appearance.of(pixels[rows, columns], maps[:, fr, fc])
        for rows, fr in ((slice(0, 80), slice(0, 10)), (slice(80, 240), slice(10, 30)))
        for columns, fc in ((slice(0, 160), slice(0, 20)), (slice(160, 320), slice(20, 40)))
    ]
    joined = Appearance.joined(parts)
    assert joined.pixels == whole.pixels
    assert joined.light == pytest.approx(whole.light)
    assert joined.square == pytest.approx(whole.square)
    assert joined.features == pytest.approx(whole.features, rel=1e-5)
    assert joined.detail == pytest.approx(whole.detail, rel=0.05)  # the borders of tiles have no neighbours


def test_a_photo_like_those_trained_on_is_not_warned_of(familiar):
    assert sum(bool(familiar.warnings(seen(photo(i)))) for i in range(100, 140)) <= 2


@pytest.mark.parametrize(
    ("strange", "measure"),
    [
        (seen((photo(5) * 0.1).astype(np.uint8)), "luminance"),
        (seen(np.full((240, 320, 3), 250, np.uint8)), "glare"),
        (seen((photo(5) * 0.2 + 100).astype(np.uint8)), "contrast"),
        (seen(cv2.GaussianBlur(photo(5), (0, 0), 6)), "sharpness"),
        (seen(photo(5), size=(100, 80)), "side"),
        (seen(photo(5), spacing=3.0), "spacing"),
        (seen(photo(5), sure=0.05), "confidence"),
        (seen(photo(5), people=5000), "people"),
        (replace_features := seen(photo(5))._replace(
            appearance=replace(seen(photo(5)).appearance, features=np.array([0.9, 0.1, 0.9, 0.1, 0.9, 0.1]))
        ), "distance"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_strange_is_told(familiar, strange, measure):
    assert f"{SENTENCES[measure][1]}." in familiar.warnings(strange)


def test_the_general_warning_stands_alone(familiar):
    dark = familiar.warnings(seen((photo(5) * 0.05).astype(np.uint8)))
    assert dark
    assert not any(SENTENCES["distance"][1] in sentence for sentence in dark)


def test_no_heads_are_no_reason_to_warn_of_heads(familiar):
    empty = seen(photo(6))._replace(heads=Points(), people=0.0)
    assert familiar.warnings(empty) == ()
    assert familiar.warnings(empty._replace(heads=None)) == ()


def test_distance_is_mahalanobis_where_all_directions_are_kept():
    rows = np.random.default_rng(1).normal(0, [1, 5, 0.2], (500, 3)) + 7
    cloud = FeatureCloud.around(rows)
    inverse = np.linalg.inv(np.cov(rows.T, bias=True))
    for row in rows[:5]:
        away = row - rows.mean(axis=0)
        assert cloud.distance(row) == pytest.approx((away @ inverse @ away / 3) ** 0.5, rel=1e-6)


def test_it_comes_back_from_json_and_says_the_same(familiar):
    told = replace(familiar, alarms=(Alarms("others", 40, 1),))
    back = Profile.from_dict(json.loads(json.dumps(asdict(told))))
    assert back == told
    assert len(json.dumps(asdict(told))) < 2000


def upright_photos(number: int, sky: float = 0.8) -> list[ProfiledPhoto]:
    """Photos whose first feature is the light of their upper half."""
    random = np.random.default_rng(2)
    base = [seen(photo(i)) for i in range(number)]
    rows = np.array([sky, 1 - sky, 0.5, 0.5, 0.4, 0.4]) + random.normal(0, 0.02, (number, 6))
    return [
        each._replace(appearance=replace(each.appearance, features=row))
        for each, row in zip(base, rows, strict=True)
    ]


def turned_familiar() -> Profile:
    """What learns of every second photo how it looks turned: with little light above."""
    turned = [each.appearance.features for each in upright_photos(60, 0.25)]
    return learn_profile(upright_photos(60), {i: np.stack(turned[i : i + 2]) for i in range(0, 60, 2)})


def looked_at(familiar: Profile, one: ProfiledPhoto) -> bool:
    """Whether a photo is looked at at each turn, as those in doubt are; it looks the same at all."""
    looks = []

    def look(pixels: np.ndarray) -> tuple[np.ndarray, float]:
        looks.append(pixels)
        return one.appearance.features, 5.0

    assert familiar.turn(one, photo(1), look) == 0
    assert len(looks) in (0, 4)
    return bool(looks)


def test_turned_photos_are_told_unless_something_else_is():
    familiar = turned_familiar()
    features = np.array([0.3, 0.7, 0.5, 0.5, 0.4, 0.4])
    lying = seen(photo(70))._replace(appearance=replace(seen(photo(70)).appearance, features=features))
    assert looked_at(familiar, lying)
    upright = upright_photos(1)[0].appearance.features
    looks = iter([(features, 5.0), (features, 6.0), (upright, 9.0), (features, 6.0)])
    assert familiar.turn(lying, photo(1), lambda _: next(looks)) == 2
    assert not looked_at(familiar, lying._replace(people=0.2))
    for turn, words in {1: "counter-clockwise", 2: "upside down", 3: "by 90° clockwise"}.items():
        (sentence,) = familiar.warnings(lying, turn)
        assert words in sentence
        assert turn_of((sentence,)) == turn
        assert f"{TURNED[turn]}." not in familiar.warnings(lying._replace(size=(100, 80)), turn)
        unclear = lying._replace(heads=Points(lying.heads.xy, np.full(len(lying.heads), 0.05)))
        assert familiar.warnings(unclear, turn) == (sentence, f"{SENTENCES['confidence'][1]}.")
    assert all(f"{each}." not in familiar.warnings(lying) for each in TURNED.values())
    back = Profile.from_dict(json.loads(json.dumps(asdict(familiar))))
    assert back == familiar
    assert looked_at(back, lying)


def test_few_usual_photos_are_in_doubt():
    familiar = turned_familiar()
    assert 0 < sum(looked_at(familiar, each) for each in upright_photos(60)) <= 9


def test_without_turned_photos_nothing_is_said_of_them(familiar):
    assert familiar.reading is None
    assert not looked_at(familiar, seen(photo(1)))


def test_few_training_photos_are_refused():
    with pytest.raises(DataError, match="50 training photos"):
        learn_profile([seen(photo(0))] * 10)


FAR = np.array([0.3, 0.7, 0.5, 0.5, 0.4, 0.4])
"""Features far from those of all training photos, which do not read as upright."""


def leaning(familiar: Profile, step: float = 0.05) -> np.ndarray:
    """Features near those of the training photos, which read as a little less upright than most."""
    mean = np.mean([each.appearance.features for each in upright_photos(60)], axis=0)
    slopes = familiar.reading.slopes
    return mean + step * slopes / np.linalg.norm(slopes)


@pytest.mark.parametrize(
    ("limits", "reading", "usable"),
    [
        ({"distance": 1e9}, 0.5, True),  # a crowd that reads as upright in no orientation
        ({"distance": 1e9}, 1.1, False),  # gravel: each orientation reads as turned photos do
        ({"distance": 1e9, "confidence": 0.9}, 0.5, False),  # coins: hardly any head is located for sure
        ({"distance": 1e9, "confidence": 0.9}, -0.9, True),
    ],
)
def test_a_photo_near_the_training_photos_needs_a_second_sign(limits, reading, usable):
    familiar = replace(turned_familiar(), limits=limits, doubt=-0.5)
    at_rest = familiar.reading.turned(leaning(familiar, 0.0))
    step = familiar.reading.turned(leaning(familiar, 1.0)) - at_rest
    features = leaning(familiar, (reading - at_rest) / step)
    one = seen(photo(70), people=19.0, sure=0.5)
    one = one._replace(appearance=replace(one.appearance, features=features))
    judged = familiar.judge(one, photo(70), lambda _: (features, 5.0))
    assert judged.usable == usable
    assert (f"{UNLIKE}." in judged.warnings[:1]) == (not usable)


@pytest.mark.parametrize(
    ("upright_after", "people", "near", "usable"),
    [
        (None, 40.0, False, False),  # gravel: far, and upright in no orientation
        (2, 40.0, False, True),  # a crowd from elsewhere that lies upside down
        (None, 0.2, False, True),  # nobody is counted: there is nothing to mark
        (None, 40.0, True, True),  # like the training photos in all but its orientation
    ],
)
def test_a_count_of_nothing_known_must_not_be_used(upright_after, people, near, usable):
    familiar = turned_familiar()
    features = leaning(familiar) if near else FAR
    one = seen(photo(70), people=people)
    one = one._replace(appearance=replace(one.appearance, features=features))
    views = [features] * 4
    if upright_after is not None:
        views[upright_after] = upright_photos(1)[0].appearance.features
    looks = iter([(view, 5.0 + (turn == upright_after)) for turn, view in enumerate(views)])
    judged = familiar.judge(one, photo(70), lambda _: next(looks))
    assert judged.usable == usable
    assert (f"{UNLIKE}." in judged.warnings[:1]) == (not usable)
    assert usable or f"{SENTENCES['distance'][1]}." not in judged.warnings
