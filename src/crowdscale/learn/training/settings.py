"""All options of a training run by name, and the regimes that set many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Any

from crowdscale.errors import OptionError, unknown_name
from crowdscale.learn.crops.transforms import CropOptions
from crowdscale.learn.losses import LossOptions
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.training.options import TrainOptions
from crowdscale.learn.training.preparation import Start

__all__ = ["FEW_PHOTOS", "REGIMES", "Settings", "choose_settings", "usual_regime"]

PAPER: Mapping[str, Any] = MappingProxyType({
    "backbone": "vgg16",
    "density_cell": 1,
    "blocks": False,
    "crops": 0,  # both passes from the start; a baseline is --crops 30000 --l2s-crops 0
    "l2s_crops": 30_000,  # 100 epochs of ShanghaiTech A; the papers give no number
    "validate_every": 300,
    "l2s_validate_every": 300,
    "batch": 1,
    "l2s_batch": 1,
    "crop": 0,  # whole photos
    "l2s_crop": 0,
    "canvas": 0,  # whole regions
    "optimizer": "adam",
    "beta1": 0.95,
    "weight_decay": 5e-4,
    "schedule": "constant",
    "warmup": 0,
    "clip": 0.0,
    "ema": 0.0,
    "precision": "32-true",
    "reduction": "sum",
    "side_weight": 1.0,
    "centre_weight": 1.0,
    "law": "paper",
    "centre_rate": 1e-3,
})  # fmt: skip
"""Training as published (§4.2); options that the papers do not give keep their defaults."""

TEACH: Mapping[str, Any] = MappingProxyType({
    "crops": 0,  # the model counts already: both passes from the start
    "l2s_crops": 200,
    "l2s_validate_every": 200,  # once, at the end: held-out photos choose nothing
    "l2s_crop": 256,
    "warmup": 10,
    "lr": 2e-4,  # of the scale net, as the rest
    "freeze_stride": 16,  # few photos say little about edges and textures, and a step takes half the time
})  # fmt: skip
"""A lesson: few photos of a new camera, from a trained model (``research/lesson.py``)."""

FEW_PHOTOS = 100
"""Photos up to which a training from a trained model is a lesson, unless a regime is chosen."""

RATES: Mapping[str, float] = MappingProxyType({"points": 1e-4, "hybrid": 1e-4, "density": 1e-7})
"""The published learning rate of each kind of map, for the whole network."""

REGIMES = ("ours", "paper", "teach")


@dataclass(frozen=True)
class Settings:
    """The start of a run, its training, its losses and its centre."""

    start: Start
    train: TrainOptions
    losses: LossOptions
    centre: CentreOptions


def choose_settings(regime: str = "ours", **chosen: Any) -> Settings:
    """Return the settings of a regime with the chosen options on top.

    Args:
        regime: ``ours``, the defaults; ``paper``, as published: whole photos one at a time, sums over pixels,
            Adam at a constant rate; or ``teach``: a trained model and few photos.
        chosen: Options of ``crowdscale train`` by name, ``l2s_crops`` for ``--l2s-crops``.

    Raises:
        OptionError: An option is unknown, its value cannot be used, or ``teach`` comes without ``init``.
    """
    if regime not in REGIMES:
        raise unknown_name("--regime", regime, REGIMES)
    _check(chosen)
    if regime == "teach" and not chosen.get("init"):
        raise OptionError("expected --init, a trained model, with --regime teach", "none")
    values = {**_presets(regime, chosen), **chosen}
    crops = CropOptions(**_of(CropOptions, values))
    settings = Settings(
        Start(**_of(Start, values)),
        TrainOptions(**_of(TrainOptions, values), crop_options=crops),
        LossOptions(**_of(LossOptions, values)),
        CentreOptions(**_of(CentreOptions, values)),
    )
    if settings.losses.consistency:
        _check_twins(settings)
    return settings


def _check_twins(settings: Settings) -> None:
    """Refuse a consistency of crops that are no pairs, or of a network without block counts."""
    if not settings.train.crop_options.twins:
        raise OptionError.plain("--consistency needs --twins, which makes crops in pairs")
    if not settings.start.blocks:
        raise OptionError.plain("--consistency needs --blocks: it compares the people counted in them")
    if settings.train.batch % 2 or settings.train.l2s_batch % 2:
        raise OptionError(
            "expected an even --batch and --l2s-batch with --consistency",
            f"{settings.train.batch}, {settings.train.l2s_batch}",
        )


KINDS: tuple[type[Any], ...] = (Start, TrainOptions, CropOptions, LossOptions, CentreOptions)


def _check(chosen: Mapping[str, Any]) -> None:
    """Refuse unknown options and values of another type."""
    defaults = {field.name: field.default for kind in KINDS for field in fields(kind)}
    del defaults["crop_options"]
    for name, value in chosen.items():
        if name not in defaults:
            raise unknown_name("training option", name, defaults)
        if not _fits(defaults[name], value):
            raise OptionError(f"expected {name} as {type(defaults[name]).__name__}", repr(value))


def usual_regime(init: str | None, photos: int) -> str:
    """Return ``teach`` for a training from a trained model on at most ``FEW_PHOTOS`` photos, else ``ours``."""
    return "teach" if init and photos <= FEW_PHOTOS else "ours"


def _presets(regime: str, chosen: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a regime sets."""
    if regime == "paper":
        return _paper(chosen.get("method", Start.method))
    return TEACH if regime == "teach" else {}


def _paper(method: str) -> dict[str, Any]:
    rate = RATES.get(method, 1e-4)
    return {**PAPER, "lr": rate, "backbone_lr": rate, "l2s_lr": rate}


def _fits(usual: Any, value: Any) -> bool:
    """Return whether a value has the type of the default; whole numbers fit floats."""
    if usual is None or usual is MISSING or value is None:
        return True
    if isinstance(usual, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is type(usual)


def _of(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that belong to this kind of options."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
