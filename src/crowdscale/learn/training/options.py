"""Options of a training: length, rates, device (AutoScale §4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from crowdscale.errors import OptionError
from crowdscale.learn.crops.transforms import CropOptions

__all__ = ["Plan", "TrainOptions"]


CHOICES = {"optimizer": ("adamw", "adam"), "schedule": ("cosine", "constant"), "select": ("mae", "domains")}
"""Options with a choice of words."""


@dataclass(frozen=True)
class TrainOptions:
    """Length, rates and device of a training."""

    crops: int = 60_000
    """Crops of the first phase, the counting network; 0 starts with learning to scale."""
    l2s_crops: int = 8_000
    """Crops of the second phase, with scale net and second pass; 0 leaves it out."""
    batch: int = 8
    """Crops per step and process; 1 with --crop 0 is the papers' batch of one whole photo."""
    l2s_batch: int = 4
    """Crops per step and process in the second phase."""
    l2s_crop: int = 384
    """Side of a crop in pixels in the second phase."""
    optimizer: str = "adamw"
    """adamw or adam."""
    lr: float = 1e-3
    """Peak learning rate of all but the backbone."""
    backbone_lr: float = 3e-4
    """Peak learning rate of the backbone."""
    l2s_lr: float = 2e-4
    """Peak learning rate of the counting network in the second phase; the scale net keeps --lr."""
    weight_decay: float = 1e-4
    """Weight decay."""
    beta1: float = 0.9
    """Decay of the first moment (the papers' momentum 0.95)."""
    skip_blocks: float = 0.0
    """Share of crops that skip a Lite backbone's last residual block, evenly less before (stochastic depth)."""
    warmup: int = 100
    """Steps over which the learning rate rises; 0 for none."""
    schedule: str = "cosine"
    """cosine, down to 0.003 of the peak, or constant, as published."""
    freeze_norm: bool = False
    """Keep normalisation statistics in the first phase, too, to train on from a trained model."""
    freeze_stride: int = 0
    """Do not train the backbone's layers up to this stride, which halves the time of a step; 0 trains all."""
    l2s_frozen: bool = False
    """Second phase: train the scale net alone, by the centre loss; the counting network stays."""
    clip: float = 5.0
    """Largest norm of the gradient, separately for counting network and scale net; 0: no limit."""
    ema: float = 0.998
    """Decay per step of the averaged weights, which are validated and kept; 0 keeps the last ones."""
    seed: int = 0
    """Seed of the crops and the first weights."""
    validate_every: int = 6_000
    """Crops between validations, the epoch of this trainer; the state is saved then, too."""
    l2s_validate_every: int = 2_000
    """Crops between validations in the second phase."""
    save_every: int = 150
    """Steps between further saves of the state; 0 for none."""
    select: str = "mae"
    """Score that chooses the best weights: ``mae`` over all held-out photos, or ``domains``, the mean over sets of the
    sum of absolute errors divided by the set's people."""
    workers: int = 1
    """Processes that cut crops."""
    device: str = "cpu"
    """cpu, cuda or auto."""
    devices: int = 1
    """Number of processes or GPUs."""
    precision: str = "auto"
    """bf16-mixed, 32-true or auto: bf16-mixed where the processor or GPU computes in bfloat16, else 32-true."""
    pictures: int = 3
    """Validation photos to draw at every --pictures-every-th validation."""
    pictures_every: int = 5
    """Validations between pictures; 0 for none."""
    crop_options: CropOptions = field(default_factory=CropOptions)
    """Cutting and variation of crops."""

    def __post_init__(self) -> None:
        if self.crops < 0 or self.l2s_crops < 0 or self.crops + self.l2s_crops == 0:
            raise OptionError(
                "expected --crops and --l2s-crops of at least 0 and not both 0",
                f"{self.crops}, {self.l2s_crops}",
            )
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise OptionError(f"expected --{name} as {' or '.join(choices)}", repr(getattr(self, name)))
        if self.batch < 1 or self.validate_every < 1:
            raise OptionError(
                "expected --batch and --validate-every of at least 1", f"{self.batch}, {self.validate_every}"
            )
        for option, share in (("--ema", self.ema), ("--skip-blocks", self.skip_blocks)):
            if not 0 <= share < 1:
                raise OptionError(f"expected {option} from 0 to below 1", str(share))
        self._check_whole_photos()

    def _check_whole_photos(self) -> None:
        for crop, batch in ((self.crop_options.crop, self.batch), (self.l2s_crop, self.l2s_batch)):
            if crop == 0 and batch > 1:
                raise OptionError("expected batches of 1 with whole photos (crop 0)", str(batch))

    def check_steps(self) -> None:
        """Refuse a phase with crops, but fewer than one batch of all processes."""
        for crops, batch, name in ((self.crops, self.batch, ""), (self.l2s_crops, self.l2s_batch, "l2s-")):
            if 0 < crops < batch * self.devices:
                raise OptionError(
                    f"expected --{name}crops of at least a batch, {batch * self.devices}", str(crops)
                )

    def plan(self, phase: str) -> Plan:
        """Return the length and the batches of a phase."""
        if phase == "count":
            return Plan(self.crops, self.batch, self.validate_every, self.crop_options)
        cut = replace(self.crop_options, crop=self.l2s_crop)
        return Plan(self.l2s_crops, self.l2s_batch, self.l2s_validate_every, cut)


@dataclass(frozen=True)
class Plan:
    """Length and batches of one phase."""

    crops: int
    batch: int
    validate_every: int
    crop_options: CropOptions

    def steps(self, processes: int) -> int:
        """Return the number of steps."""
        return self.crops // (self.batch * processes)
