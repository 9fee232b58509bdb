"""The description of a model: read, verified, written.

A model folder holds this description as ``model.json``, the graphs ``network.onnx`` and ``scale.onnx``, and the training
weights ``weights.safetensors`` (float16, or int8 with steps). A ``.crowdscale`` file holds all of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, cast, get_type_hints

from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.files.documents import parse_json
from crowdscale.files.writing import write_atomic
from crowdscale.maps import METHODS, Density, DistanceLabels
from crowdscale.maps.methods import read_as
from crowdscale.maps.regions import DensityRule, LabelRule
from crowdscale.models.package import WEIGHTS, file_sha256
from crowdscale.models.schema import check_values
from crowdscale.trust.confidence import HeadConfidence
from crowdscale.trust.intervals import Calibration
from crowdscale.trust.profile import Profile

__all__ = [
    "DESCRIPTION",
    "Method",
    "ModelConfig",
    "ZoomOptions",
    "read_config",
    "write_config",
]

DESCRIPTION = "model.json"
FORMAT = 1


Method = Literal["points", "density", "hybrid"]


@dataclass(frozen=True)
class ZoomOptions:
    """How the learned zoom of a region is applied."""

    area_low: float = 0.5
    """Smallest zoom_area, the square of the zoom."""
    area_high: float = 5.0
    """Largest zoom_area: 5 for localization, 9 for regression."""
    context: int = 16
    """Pixels around a region that its second pass reads but does not own."""
    max_pixels: int = 4_000_000
    """Largest enlarged region in pixels; a smaller zoom keeps it below."""
    gain: float = 1.0
    """Multiplies the learned zoom, within its limits. By the law S·r, the centre S̄ moves by the same factor."""
    doubt: float = 0.0
    """Growth of a region's count, as log(after / before), at which the second pass counts half; 0 trusts it always."""
    least: float = 0.0
    """A region with a smaller zoom keeps its first pass: read again at its own scale, it gains nothing."""

    def __post_init__(self) -> None:
        if not 0 < self.area_low <= self.area_high:
            raise OptionError("expected 0 < area-low <= area-high", f"{self.area_low}, {self.area_high}")
        if not 0.1 <= self.gain <= 10:
            raise OptionError("expected a gain from 0.1 to 10", str(self.gain))
        if not 0 <= self.least <= 10:
            raise OptionError("expected a least zoom from 0 to 10", str(self.least))
        if not 0 <= self.doubt <= 10:
            raise OptionError("expected a doubt from 0 to 10", str(self.doubt))
        if self.context < 0 or self.max_pixels < 1024:
            raise OptionError(
                "expected context >= 0 and max-pixels >= 1024", f"{self.context}, {self.max_pixels}"
            )


@dataclass(frozen=True)
class ModelConfig:
    """A model: its network, how its output is read, its training data and licence."""

    name: str
    method: Method
    backbone: str
    """Backbone of the network ``fpn``; other networks have their own."""
    codec: DistanceLabels | Density
    rule: LabelRule | DensityRule
    zoom: ZoomOptions = field(default_factory=ZoomOptions)
    network: str = "fpn"
    """``fpn``, ``mcnn``, ``csrnet``, ``bl``, or the name of your own."""
    refines: bool = True
    """Whether the model has a scale net."""
    block_counts: bool = False
    """Whether the network has the head of block counts, which a hybrid model reads."""
    widths: tuple[int, ...] = ()
    """Channels of the levels of ``fpn``, finest first; empty for the usual ones."""
    hidden: tuple[int, ...] = ()
    """Channels inside the backbone's blocks, from the image on; empty for the published ones."""
    subpixel: int = 0
    """Channels of the head that predicts labels at stride 2 in place of a level of ``fpn``; 0 with all levels."""
    stride: int = 32
    feature_stride: int = 8
    feature_channels: int = 0
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB in 0…1 that pads photos to a multiple of the stride."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Data, release, seed, number of crops, validation scores."""
    precision: str = "float32"
    """Number format of the graph: ``float32`` or ``int8``."""
    licence: str = ""
    enlarge_below: int = 0
    """Photos of fewer pixels are enlarged to about this many as they are read, at most to twice the side; 0 for never."""
    offset: tuple[float, float] = (0.0, 0.0)
    """(x, y) in pixels of the photo by which located heads are moved, to where annotators put points."""
    calibration: Calibration | None = None
    """Intervals of its counts; None if they were not measured."""
    confidence: HeadConfidence | None = None
    """Turns confidences of heads into probabilities; None if they are uncalibrated."""
    familiar: Profile | None = None
    """Profile of its training photos, for warnings; None if it was not measured."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """More for its card: ``scores``, ``limits``, ``pictures``, ``seconds``; see ``crowdscale.models.card``."""
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each file of the folder."""

    def read_as(self, method: str) -> ModelConfig:
        """Return the description that reads the same weights as ``points`` or ``hybrid``.

        Raises:
            OptionError: The weights do not allow this method.
        """
        codec = read_as(self.codec, method)
        if codec is self.codec:
            return self
        if codec.counts_blocks and not self.block_counts:
            raise OptionError(
                "expected a model with block counts for --method hybrid", f"{self.name} without"
            )
        return replace(self.unmeasured(), method=cast(Method, method), codec=codec)

    def unmeasured(self) -> ModelConfig:
        """Return the description without measurements, for other weights or another method.

        The offset stays: weights derived from others locate heads at the same positions.
        """
        return replace(self, calibration=None, confidence=None, familiar=None, notes={})

    def to_json(self) -> str:
        """Return the description as written to ``model.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "the text") -> ModelConfig:
        """Return the description read from JSON. Raises ModelError for other texts."""
        try:
            values = parse_json(text, origin)
            if values.pop("format") != FORMAT:
                raise ValueError("another format")
            codec, rule = METHODS[values["method"]]
            check_values(values, {**get_type_hints(cls), "codec": codec, "rule": rule})
            values["codec"] = codec(**_tuples(values["codec"]))
            values["rule"] = rule(**values["rule"])
            values["zoom"] = ZoomOptions(**values["zoom"])
            right, down = map(float, values.get("offset", (0, 0)))
            values["offset"] = right, down
            if values.get("calibration"):
                values["calibration"] = Calibration.from_dict(values["calibration"])
            if values.get("confidence"):
                values["confidence"] = HeadConfidence.from_dict(values["confidence"])
            if values.get("familiar"):
                values["familiar"] = Profile.from_dict(values["familiar"])
            return cls(**_tuples(values))
        except (DataError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            names = ", ".join(f.name for f in fields(cls))
            raise ModelError(
                f"expected a model description of format {FORMAT} with {names}", f"{origin} ({error!r})"
            ) from error


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def read_config(folder: Path, verify: bool = True, apart: Collection[str] = ()) -> ModelConfig:
    """Return a model folder's description, after comparing the sha256 of each file.

    Args:
        folder: The model folder.
        verify: Whether files are compared.
        apart: Names of files that are not compared, because they are about to be written.

    Raises:
        ModelError: The description cannot be read, or a file is missing or differs from its sha256. Only the
            training weights may be missing: ``find_weights`` reports them.
    """
    try:
        text = (folder / DESCRIPTION).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ModelError.plain(f"no {DESCRIPTION} in {folder}") from None
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


def write_config(folder: Path, config: ModelConfig) -> None:
    """Write a model's description into its folder, atomically."""
    content = config.to_json().encode()
    write_atomic(folder / DESCRIPTION, lambda stream: stream.write(content))
