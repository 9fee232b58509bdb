"""All options of a training run by their names on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from crowdscale.errors import unknown_name
from crowdscale.learn.model import LossOptions
from crowdscale.learn.preparation import Start
from crowdscale.learn.scaling import CentreOptions
from crowdscale.learn.training import TrainOptions
from crowdscale.learn.transforms import CropOptions

__all__ = ["Settings", "choose_settings"]


@dataclass(frozen=True)
class Settings:
    """What a run starts from and how it is trained."""

    start: Start
    train: TrainOptions
    losses: LossOptions
    centre: CentreOptions


def choose_settings(regime: str = "ours", **chosen: Any) -> Settings:
    """Return the settings of a regime with what was chosen on top."""
    if regime != "ours":
        raise unknown_name("--regime", regime, ("ours",))
    known = {field.name for kind in KINDS for field in fields(kind)} - {"crop_options"}
    for name in chosen:
        if name not in known:
            raise unknown_name("training option", name, known)
    crops = CropOptions(**_of(CropOptions, chosen))
    return Settings(
        Start(**_of(Start, chosen)),
        TrainOptions(**_of(TrainOptions, chosen), crop_options=crops),
        LossOptions(**_of(LossOptions, chosen)),
        CentreOptions(**_of(CentreOptions, chosen)),
    )


KINDS: tuple[type[Any], ...] = (Start, TrainOptions, CropOptions, LossOptions, CentreOptions)


def _of(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that this kind of options has."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
