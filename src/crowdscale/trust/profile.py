"""Profile: measures of the training photos, so that an unusual photo gets a warning.

Each measure has a limit that one of 400 training photos exceeds. A photo beyond it gets a sentence. The last measure is the
distance of the mean of the network's features from those of the training photos: Mahalanobis' distance in their main
directions, and the rest beside these. The same mean separates turned photos from upright ones (``upright``).

Gravel, leaves and coins read as upright in no orientation, as do a few crowds. Crowds from elsewhere may lie far from the training
photos. So a count must not be used where no orientation reads as upright, and a second sign agrees (``Judgement``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdscale.errors import DataError
from crowdscale.trust.appearance import FeatureCloud, Floats, ProfiledPhoto
from crowdscale.trust.upright import (
    DOUBT,
    FEWEST_TURNED,
    TurnLook,
    Uprightness,
    best_turn,
    learn_uprightness,
    read_turns,
)

__all__ = [
    "LEAST_PHOTOS",
    "TURNED",
    "Alarms",
    "Judgement",
    "Profile",
    "learn_profile",
    "turn_of",
]

AS_TURNED = 1.0
"""How turned a photo looks: 1 as turned training photos do, -1 as upright ones. Of 158 held-out photos of people none looks
above 0.7 in its most upright orientation; gravel and a photo from the air look above 1.2 (benchmarks.nobody)."""

TAIL = 0.0025
"""Share of the training photos beyond each limit; twice of it alarmed on 5 of 70 validation photos, this on 3."""

LEAST_PHOTOS = 50

SENTENCES: dict[str, tuple[str, str]] = {
    "luminance": ("low", "The photo is darker than those the model was trained on; many people may be missed"),
    "glare": ("high", "The photo is brighter than those the model was trained on; the count may be wrong"),
    "contrast": ("low", "The photo has less contrast than those the model was trained on, as in fog; the count may be wrong"),
    "sharpness": ("low", "The photo is blurred, out of focus or enlarged; people may be missed"),
    "side": ("low", "The photo has fewer pixels than any the model was trained on; heads may be too small to count"),
    "spacing": ("low", "Heads lie closer together than the model knows, as from a drone; the count may be too low"),
    "confidence": ("low", "Hardly any head is seen clearly: too large, blurred, or no heads at all"),
    "people": ("high", "More people are counted than in any photo the model was trained on"),
    "distance": ("high", "The photo is unlike those the model was trained on; the count may be wrong"),
}  # fmt: skip
"""The unusual side of each measure's limit, and its sentence. The last one is used only without any other."""

TURNED = {
    1: "The photo seems to lie on its side: turn it by 90° counter-clockwise, or many people are missed",
    2: "The photo seems to be upside down: turn it, or many people are missed",
    3: "The photo seems to lie on its side: turn it by 90° clockwise, or many people are missed",
}
"""The sentence of a photo that is upright after these quarters of a turn, counter-clockwise."""


UNLIKE = "The photo is unlike all training photos, in any orientation: do not use the number"
"""The sentence that leads where the count must not be used."""


def turn_of(warnings: Sequence[str]) -> int:
    """Return the quarters of a turn that the warnings of a photo name; 0 without."""
    return next((turn for turn, sentence in TURNED.items() if f"{sentence}." in warnings), 0)


class Judgement(NamedTuple):
    """What the profile finds in a photo."""

    warnings: tuple[str, ...]
    """A sentence for each way in which the photo differs from the training photos."""
    usable: bool
    """Whether the count may be used: False for a photo that is unlike all training photos."""


@dataclass(frozen=True)
class Alarms:
    """On how many photos there was a warning."""

    data: str
    images: int
    alarmed: int


@dataclass(frozen=True)
class Profile:
    """What a model's training photos look like."""

    limits: Mapping[str, float]
    """Of each measure."""
    photos: int
    """Training photos that the limits come from."""
    channels: int
    beside: float
    cloud: str
    """``FeatureCloud`` as text."""
    alarms: tuple[Alarms, ...] = ()
    """Warnings on photos that were not trained on."""
    upright: str = ""
    """``Uprightness`` as text; empty if turned photos are not detected."""
    doubt: float = 0.0
    """Reading beyond which a photo is checked in all four orientations."""

    @property
    def reading(self) -> Uprightness | None:
        """The reading that detects turned photos; None without one."""
        return Uprightness.from_text(self.upright) if self.upright else None

    def turn(
        self,
        seen: ProfiledPhoto,
        pixels: NDArray[np.uint8],
        look: Callable[[NDArray[np.uint8]], tuple[Floats, float]],
    ) -> int:
        """Return the quarters of a turn, counter-clockwise, after which a photo would stand upright; 0 without doubt.

        Args:
            seen: The photo.
            pixels: (h, w, 3) RGB of it.
            look: Pixels to the (c,) mean features of the network and the sum of confidences of the heads.
        """
        readings = self._read_turns(seen, pixels, look)
        return best_turn(readings) if readings else 0

    def judge(
        self,
        seen: ProfiledPhoto,
        pixels: NDArray[np.uint8],
        look: Callable[[NDArray[np.uint8]], tuple[Floats, float]],
    ) -> Judgement:
        """Return the warnings of a photo, and whether its count may be used.

        It must not be used where no orientation reads as upright, and one of these agrees: the features lie farther
        from those of the training photos than their limit, hardly any head is located for sure, or each
        orientation reads as turned photos do. A photo in which nobody is counted needs no such mark.

        Args: those of ``turn``.
        """
        readings = self._read_turns(seen, pixels, look)
        turn = best_turn(readings) if readings else 0
        sentences = self.warnings(seen, turn)
        if not readings or not self._is_nowhere(seen, min(each.reading for each in readings)):
            return Judgement(sentences, True)
        others = [
            each for each in sentences if each not in (f"{SENTENCES['distance'][1]}.", f"{TURNED.get(turn)}.")
        ]
        return Judgement((f"{UNLIKE}.", *others), False)

    def _is_nowhere(self, seen: ProfiledPhoto, reading: float) -> bool:
        """Return whether a photo whose most upright orientation has this reading is like no training photo."""
        return reading > self.doubt and (
            reading >= AS_TURNED
            or self._strange("distance", self._distance(seen))
            or self._strange("confidence", seen.measures()["confidence"])
        )

    def _read_turns(
        self,
        seen: ProfiledPhoto,
        pixels: NDArray[np.uint8],
        look: Callable[[NDArray[np.uint8]], tuple[Floats, float]],
    ) -> list[TurnLook]:
        """Return the looks of a photo in doubt after 0 to 3 quarters of a turn; none without doubt."""
        reading = self.reading
        if reading is None or seen.people < 1 or reading.turned(seen.appearance.features) <= self.doubt:
            return []
        return read_turns(reading, pixels, look)

    def _distance(self, seen: ProfiledPhoto) -> float:
        """Return the distance of a photo's features from those of the training photos."""
        cloud = FeatureCloud.from_text(self.cloud, self.channels, self.beside)
        return cloud.distance(seen.appearance.features)

    def warnings(self, seen: ProfiledPhoto, turn: int = 0) -> tuple[str, ...]:
        """Return a sentence for each measure of a photo beyond its limit.

        Args:
            seen: The photo.
            turn: Quarters of a turn, counter-clockwise, after which it would stand upright.
        """
        measures = seen.measures()
        strange = [name for name, value in measures.items() if self._strange(name, value)]
        sentences = [SENTENCES[name][1] for name in strange]
        if turn and set(strange) <= {"confidence"}:  # the turn is the cause; a dark photo has no clear turn
            sentences.insert(0, TURNED[turn])
        if not sentences and "distance" in self.limits and self._strange("distance", self._distance(seen)):
            sentences.append(SENTENCES["distance"][1])
        return tuple(f"{sentence}." for sentence in sentences)

    def widened(self, photos: Sequence[ProfiledPhoto]) -> Profile:
        """Return the profile of a model that was trained further on a few more photos: they lie within its limits.

        The network has changed, so what its features measure is left out: the distance, and turned photos.
        """
        columns = _measure_columns(photos) if photos else {}
        limits = {}
        for name, limit in self.limits.items():
            if name != "distance":
                values = columns.get(name, np.zeros(0))
                reached = np.append(values[np.isfinite(values)], limit)
                limits[name] = float(reached.min() if SENTENCES[name][0] == "low" else reached.max())
        return replace(
            self, limits=limits, photos=self.photos + len(photos), alarms=(), upright="", doubt=0.0
        )

    def _strange(self, name: str, value: float) -> bool:
        limit = self.limits.get(name, float("nan"))
        return value < limit if SENTENCES[name][0] == "low" else value > limit

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Profile:
        """Return what ``dataclasses.asdict`` took apart, from JSON."""
        return cls(**{**values, "alarms": tuple(Alarms(**each) for each in values.get("alarms", ()))})


def learn_profile(seen: Sequence[ProfiledPhoto], turned: Mapping[int, Floats] | None = None) -> Profile:
    """Return what training photos look like.

    Args:
        seen: The photos.
        turned: (k, c) mean features of the same photo turned, by its place; without, turned photos are not detected.

    Raises:
        DataError: There are too few photos.
    """
    if len(seen) < LEAST_PHOTOS:
        raise DataError(f"expected {LEAST_PHOTOS} training photos or more", str(len(seen)), "Name more data")
    features = np.stack([each.appearance.features for each in seen])
    cloud = FeatureCloud.around(features)
    text = cloud.to_text()
    cloud = FeatureCloud.from_text(text, features.shape[1], cloud.beside)  # as it will be read
    columns = _measure_columns(seen)
    columns["distance"] = np.array([cloud.distance(row) for row in features])
    upright, doubt = _learn_doubt(features, turned)
    limits = _finite_limits(columns)
    return Profile(limits, len(seen), features.shape[1], cloud.beside, text, (), upright, doubt)


def _measure_columns(photos: Sequence[ProfiledPhoto]) -> dict[str, Floats]:
    """Return each measure's values over the photos."""
    tables = [photo.measures() for photo in photos]
    return {name: np.array([table[name] for table in tables]) for name in tables[0]}


def _learn_doubt(features: Floats, turned: Mapping[int, Floats] | None) -> tuple[str, float]:
    """Return the reading of turned photos as text and the doubt; empty and 0 for too few turned photos."""
    if not turned or len(turned) < FEWEST_TURNED:
        return "", 0.0
    reading, readings = learn_uprightness(features, turned)
    return reading.to_text(), float(np.quantile(readings, DOUBT))


def _finite_limits(columns: Mapping[str, Floats]) -> dict[str, float]:
    """Return the limit of each measure that has one."""
    limits = {name: _limit(name, values) for name, values in columns.items()}
    return {name: limit for name, limit in limits.items() if np.isfinite(limit)}


def _limit(name: str, values: Floats) -> float:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan")
    if name in ("side", "people"):  # sizes and crowds beyond all of training, not beyond most of it
        return float(known.min() if name == "side" else known.max())
    return float(np.quantile(known, TAIL if SENTENCES[name][0] == "low" else 1 - TAIL))
