"""Models that describe themselves: find, verify, read the description; those that come with the package.

A model folder holds ``model.json`` (this description), ``network.onnx``, ``scale.onnx`` and
``weights.safetensors`` (float16, or int8 and steps, from which training goes on); a ``.crowdscale`` file holds all of that.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from crowdscale.errors import ModelError, OptionError
from crowdscale.maps import Density, DistanceLabels, HybridLabels
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.models.package import WEIGHTS, file_sha256
from crowdscale.trust.intervals import Calibration
from crowdscale.trust.profile import Familiar

__all__ = [
    "DESCRIPTION",
    "ModelConfig",
    "ZoomOptions",
    "read_config",
]

DESCRIPTION = "model.json"
FORMAT = 1


Method = Literal["points", "density", "hybrid"]


@dataclass(frozen=True)
class ZoomOptions:
    """How a region's learned factor is applied."""

    area_low: float = 0.5
    """Smallest area factor q = r²."""
    area_high: float = 5.0
    """Largest area factor q: 5 for localization, 9 for regression."""
    context: int = 16
    """Pixels of the photo around a region that its second pass sees but does not own."""
    max_pixels: int = 4_000_000
    """An enlarged region is kept below this many pixels by a smaller factor."""
    gain: float = 1.0
    """The learned side factor is multiplied by this, within its limits: by the law S·r the centre S̄ moves by as much."""
    doubt: float = 0.0
    """Growth of a region's count, as log(after / before), at which the second pass counts half; 0 trusts it always."""

    def __post_init__(self) -> None:
        if not 0 < self.area_low <= self.area_high:
            raise OptionError("expected 0 < area-low <= area-high", f"{self.area_low}, {self.area_high}")
        if not 0.1 <= self.gain <= 10:
            raise OptionError("expected a gain from 0.1 to 10", str(self.gain))
        if not 0 <= self.doubt <= 10:
            raise OptionError("expected a doubt from 0 to 10", str(self.doubt))
        if self.context < 0 or self.max_pixels < 1024:
            raise OptionError(
                "expected context >= 0 and max-pixels >= 1024", f"{self.context}, {self.max_pixels}"
            )


@dataclass(frozen=True)
class ModelConfig:
    """What a model is, how its output is read and where it comes from."""

    name: str
    method: Method
    backbone: str
    """Of the network ``fpn``; others have their own."""
    codec: DistanceLabels | Density
    rule: LabelRule | DensityRule
    zoom: ZoomOptions = field(default_factory=ZoomOptions)
    network: str = "fpn"
    """``fpn``, ``mcnn``, ``csrnet``, ``bl``, or the name of one plugged in."""
    refines: bool = True
    """Whether the model has a scale net."""
    block_counts: bool = False
    """Whether the network has the head of block counts, which a hybrid model reads."""
    widths: tuple[int, ...] = ()
    """Channels of the levels of ``fpn``, finest first; the usual ones where none are given."""
    hidden: tuple[int, ...] = ()
    """Channels inside the backbone's blocks, from the image on; as published where none are given."""
    subpixel: int = 0
    """Channels of the head that tells labels at stride 2 in place of a level of ``fpn``; 0 where all levels are there."""
    stride: int = 32
    feature_stride: int = 8
    feature_channels: int = 0
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB in 0…1 with which photos are padded to whole strides."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Data, release, seed, crops seen, validation scores."""
    precision: str = "float32"
    """What the network computes in, by its graph: ``float32`` or ``int8``."""
    licence: str = ""
    enlarge_below: int = 0
    """Photos of fewer pixels are read enlarged to about as many, at most at twice the side; 0 reads them as they are."""
    offset: tuple[float, float] = (0.0, 0.0)
    """(x, y) in pixels of the photo that each dot is moved by: where annotated heads lie beside those found."""
    calibration: Calibration | None = None
    """How far its counts may be off; None where that was not measured."""
    familiar: Familiar | None = None
    """What its training photos look like; None where that was not measured."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What its card says beside all this: ``scores``, ``limits``, ``pictures``, ``seconds``; see crowdscale.models.card."""
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each file of the folder."""

    def read_as(self, method: str) -> ModelConfig:
        """Return the description with another way to read the same weights: ``points`` or ``hybrid``.

        Raises:
            OptionError: The weights cannot be read so.
        """
        if method == self.method:
            return self
        if method not in ("points", "hybrid") or not isinstance(self.codec, DistanceLabels):
            raise OptionError(
                "expected --method points or hybrid for a model of distance labels", repr(method)
            )
        if method == "points":
            return replace(self.unmeasured(), method="points", codec=DistanceLabels(self.codec.edges))
        if not self.block_counts:
            raise OptionError(
                "expected a model with block counts for --method hybrid", f"{self.name} without"
            )
        return replace(self.unmeasured(), method="hybrid", codec=HybridLabels(self.codec.edges))

    def unmeasured(self) -> ModelConfig:
        """Return the description without what was measured, for other weights or another way to read them.

        The offset stays: weights made of others put heads where those did.
        """
        return replace(self, calibration=None, familiar=None, notes={})

    def to_json(self) -> str:
        """Return the description as written to ``model.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "the text given") -> ModelConfig:
        """Return the description read from JSON. Raises ModelError where it is none of ours."""
        try:
            values = json.loads(text)
            if values.pop("format") != FORMAT:
                raise ValueError("another format")
            codec, rule = CODECS[values["method"]]
            values["codec"] = codec(**_tuples(values["codec"]))
            values["rule"] = rule(**values["rule"])
            values["zoom"] = ZoomOptions(**values["zoom"])
            right, down = map(float, values.get("offset", (0, 0)))
            values["offset"] = right, down
            if values.get("calibration"):
                values["calibration"] = Calibration.from_dict(values["calibration"])
            if values.get("familiar"):
                values["familiar"] = Familiar.from_dict(values["familiar"])
            return cls(**_tuples(values))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            known = ", ".join(f.name for f in fields(cls))
            raise ModelError(
                f"expected a model description of format {FORMAT} with {known}", f"{origin} ({error!r})"
            ) from error


CODECS: dict[str, tuple[type[Any], type[Any]]] = {
    "points": (DistanceLabels, LabelRule),
    "density": (Density, DensityRule),
    "hybrid": (HybridLabels, LabelRule),
}
"""How each method's map is read and where it is dense."""


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def read_config(folder: Path, verify: bool = True, apart: Collection[str] = ()) -> ModelConfig:
    """Return a model folder's description, having compared each file's sha256 with it.

    Args:
        folder: The model folder.
        verify: Whether files are compared.
        apart: Names of files that are not: they are about to be written.

    Raises:
        ModelError: The description cannot be read, or a file is missing or not the one described. Only the
            training weights may be missing: ``find_weights`` reports them.
    """
    try:
        text = (folder / DESCRIPTION).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ModelError(f"expected a model folder with {DESCRIPTION}", f"none at {folder}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"expected {DESCRIPTION} in {folder}", str(error)) from error
    config = ModelConfig.from_json(text, str(folder / DESCRIPTION))
    for name, expected in config.files.items() if verify else ():
        path = folder / name
        if name in apart or (name == WEIGHTS and not path.exists()):
            continue
        if not path.is_file():
            raise ModelError(
                f"expected the file {name} in {folder}", "none", "Copy the whole model folder again"
            )
        if file_sha256(path) != expected:
            raise ModelError(
                f"expected sha256 {expected[:12]}… for {path}",
                "another file",
                "It was changed or cut short: copy the model folder again",
            )
    return config
