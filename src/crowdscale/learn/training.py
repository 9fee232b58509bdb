"""Training: options and one readable loop on Lightning Fabric, for both phases.

Phase ``count`` trains the counting network; phase ``l2s`` adds the scale net and the second pass, with
normalisation statistics frozen. The whole state is a file: what a killed run would have seen next is
what the resumed one sees, since each crop depends on its number alone.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn
from torch.utils.data import DataLoader

from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.learn.journal import Journal
from crowdscale.learn.model import AutoScale, Losses
from crowdscale.learn.store import load_weights, save_weights, write_description
from crowdscale.learn.transforms import Batch, CropOptions, Crops, collate
from crowdscale.learn.validation import Validation, validate
from crowdscale.weights import ModelConfig

__all__ = ["TrainOptions", "train"]

STATE = "state.pt"


@dataclass(frozen=True)
class TrainOptions:
    """How long, how fast and where a network is trained."""

    crops: int = 60_000
    """Crops that the counting network sees; 0 goes straight to learning to scale."""
    l2s_crops: int = 8_000
    """Crops of the second phase, with scale net and second pass; 0 leaves it out."""
    batch: int = 8
    """Crops a step and process; 1 with --crop 0 is the papers' batch of one whole photo."""
    l2s_batch: int = 4
    """The same in the second phase."""
    l2s_crop: int = 384
    """Side of a crop in pixels in the second phase."""
    optimizer: str = "adamw"
    """adamw or adam."""
    lr: float = 1e-3
    """Peak learning rate of all but the backbone."""
    backbone_lr: float = 3e-4
    """Peak learning rate of the backbone."""
    l2s_lr: float = 1e-4
    """Peak learning rate of the counting network in the second phase; the scale net keeps --lr."""
    weight_decay: float = 1e-4
    """Weight decay."""
    beta1: float = 0.9
    """First moment's decay (the papers' momentum 0.95)."""
    warmup: int = 100
    """Steps over which the learning rate rises; a cosine to 0.003 of the peak follows."""
    freeze_norm: bool = False
    """Keep normalisation statistics as they are in the first phase, too: for going on from a trained model."""
    freeze_stride: int = 0
    """The backbone's layers up to this stride are not trained: half the time of a step; 0 trains all."""
    l2s_frozen: bool = False
    """Second phase: train the scale net alone, by the centre loss; the counting network stays as it is."""
    clip: float = 5.0
    """Largest norm of the gradient, of counting network and scale net apart; 0 for no limit."""
    ema: float = 0.998
    """Decay a step of the averaged weights that are validated and kept; 0 keeps the last ones."""
    seed: int = 0
    """Seed of the crops and the first weights."""
    validate_every: int = 6_000
    """Crops between validations, which is this trainer's epoch; the state is saved then, too."""
    l2s_validate_every: int = 2_000
    """The same in the second phase."""
    save_every: int = 0
    """Steps between further saves of the state; 0 for none."""
    workers: int = 1
    """Processes that cut crops."""
    device: str = "cpu"
    """cpu, cuda or auto."""
    devices: int = 1
    """Number of processes or GPUs."""
    precision: str = "bf16-mixed"
    """bf16-mixed or 32-true."""
    pictures: int = 3
    """Validation photos drawn each --pictures-every validations."""
    pictures_every: int = 5
    """Validations between pictures; 0 for none."""
    crop_options: CropOptions = field(default_factory=CropOptions)
    """How crops are cut."""

    def __post_init__(self) -> None:
        if self.crops < 0 or self.l2s_crops < 0 or self.crops + self.l2s_crops == 0:
            raise OptionError(
                "expected --crops and --l2s-crops of at least 0 and not both 0",
                f"{self.crops}, {self.l2s_crops}",
            )
        if self.optimizer not in ("adamw", "adam"):
            raise OptionError("expected --optimizer as adamw or adam", repr(self.optimizer))
        if self.batch < 1 or self.validate_every < 1:
            raise OptionError(
                "expected --batch and --validate-every of at least 1", f"{self.batch}, {self.validate_every}"
            )
        if not 0 <= self.ema < 1:
            raise OptionError("expected --ema from 0 to below 1", str(self.ema))
        for crop, batch in ((self.crop_options.crop, self.batch), (self.l2s_crop, self.l2s_batch)):
            if crop == 0 and batch > 1:
                raise OptionError("expected batches of 1 with whole photos (crop 0)", str(batch))

    def plan(self, phase: str) -> Plan:
        """How long and in what pieces a phase trains."""
        if phase == "count":
            return Plan(self.crops, self.batch, self.validate_every, self.crop_options)
        cut = replace(self.crop_options, crop=self.l2s_crop)
        return Plan(self.l2s_crops, self.l2s_batch, self.l2s_validate_every, cut)


@dataclass(frozen=True)
class Plan:
    """One phase's length and pieces."""

    crops: int
    batch: int
    validate_every: int
    crop_options: CropOptions

    def steps(self, processes: int) -> int:
        """Number of steps."""
        return self.crops // (self.batch * processes)


@dataclass
class State:
    """Everything a run needs to go on: what it has reached, beside weights and optimiser."""

    phase: str = "count"
    step: int = 0
    best: float = float("inf")


def train(
    model: AutoScale,
    config: ModelConfig,
    samples: Sequence[Sample],
    weights: Sequence[float],
    held_out: Sequence[Sample],
    out: Path,
    options: TrainOptions,
) -> ModelConfig:
    """Train a model and write the best by validation MAE to ``out/best``; goes on where ``out`` stopped.

    Args:
        model: The model, with the weights to start from.
        config: Its description.
        samples: Training photos with points.
        weights: How often each is drawn, relative to the others.
        held_out: Validation photos; none of them is trained on.
        out: Folder of the run: state, journal, pictures and the best model.
        options: How to train.

    Returns:
        The description of the best model.

    Raises:
        DataError: A validation photo is among the training photos.
    """
    if {s.image_path for s in samples} & {s.image_path for s in held_out}:
        raise DataError("expected validation photos apart from training photos", "some in both lists")
    cv2.setNumThreads(0)
    fabric = _fabric(options)
    torch.manual_seed(options.seed)
    journal = Journal(out, enabled=fabric.global_rank == 0)
    saved = _read_state(out / STATE)
    if not saved:
        _sanity_check(model, config, held_out)
    first = saved["state"]["phase"] if saved else ("count" if options.crops else "l2s")
    for phase in ("count", "l2s")[("count", "l2s").index(first) :]:
        plan = options.plan(phase)
        if plan.steps(fabric.world_size):
            crops = Crops(samples, weights, plan.crop_options, plan.crops, options.seed + (phase == "l2s"))
            run = Run(fabric, model, config, crops, held_out, out, options, phase, journal)
            if saved and saved["state"]["phase"] == phase:
                run.restore(saved)
            elif saved or phase == "l2s":
                run.take_best()
            run.loop()
        saved = None if saved and saved["state"]["phase"] == phase else saved
    journal.close()
    return ModelConfig.from_json((out / "best" / "model.json").read_text(encoding="utf-8"))


def _fabric(options: TrainOptions) -> Fabric:
    """Start the processes. Buffers stay each process's own: the sums of Eq. 4 are added up by ``Centre``."""
    several = options.devices > 1
    fabric = Fabric(
        accelerator=options.device,
        devices=options.devices,
        precision=options.precision,  # type: ignore[arg-type]
        strategy=DDPStrategy(broadcast_buffers=False) if several else "auto",
    )
    fabric.launch()
    return fabric


class Run:
    """One phase of a run: model, optimiser, averaged weights and where it stands."""

    def __init__(
        self,
        fabric: Fabric,
        model: AutoScale,
        config: ModelConfig,
        crops: Crops,
        held_out: Sequence[Sample],
        out: Path,
        options: TrainOptions,
        phase: str,
        journal: Journal,
    ) -> None:
        self.fabric, self.options, self.phase, self.journal = fabric, options, phase, journal
        self.plan = options.plan(phase)
        self.config = replace(config, refines=phase == "l2s")
        self.crops, self.held_out, self.out = crops, held_out, out
        self.model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.state = State(phase)
        wrapped, self.optimizer = fabric.setup(self.model, _optimizer(self.model, options, phase))
        wrapped.mark_forward_method("losses")
        self.wrapped = wrapped
        self.average = {name: value.clone() for name, value in self.model.state_dict().items()}

    def loop(self) -> None:
        """Train to the end of the phase."""
        total = self.plan.steps(self.fabric.world_size)
        every = max(1, self.plan.validate_every // (self.plan.batch * self.fabric.world_size))
        self._train_mode()
        for batch in self._loader():
            self._set_rates(total)
            losses = self._step(batch)
            self.state.step += 1
            self._update_average()
            self.journal.step(self.phase, self.state.step, total, losses, len(batch["images"]))
            done = self.state.step == total
            if self.state.step % every == 0 or done:
                self._end_epoch()
            elif self.options.save_every and self.state.step % self.options.save_every == 0:
                self.save()
            if done:
                break

    def _loader(self) -> Any:
        """Batches from the step where the run stands; each process takes every world-size-th batch."""
        batch, world, rank = self.plan.batch, self.fabric.world_size, self.fabric.global_rank
        start = self.state.step * batch * world
        numbers = [i for i in range(start, len(self.crops)) if (i // batch) % world == rank]
        loader = DataLoader(
            self.crops,
            batch_size=batch,
            sampler=numbers,
            num_workers=self.options.workers,
            collate_fn=collate(self.model.codec),
            drop_last=True,
        )
        return self.fabric.setup_dataloaders(loader, use_distributed_sampler=False)

    def _step(self, batch: Batch) -> Losses:
        images = (batch["images"].float() / 255).contiguous(memory_format=torch.channels_last)
        losses: Losses = self.wrapped.losses(
            images, batch, self.phase == "l2s", self.options.l2s_frozen and self.phase == "l2s"
        )
        self.optimizer.zero_grad()
        self.fabric.backward(losses.total)
        if self.options.clip:
            for part in (self.model.network, self.model.scale_net):
                nn.utils.clip_grad_norm_(part.parameters(), self.options.clip)
        self.optimizer.step()
        return losses

    def _set_rates(self, total: int) -> None:
        """Linear warm-up, then a cosine down to 0.003 of the peak."""
        warm = min(1.0, (self.state.step + 1) / max(1, self.options.warmup))
        cosine = 0.5 * (1 + math.cos(math.pi * self.state.step / total))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * max(warm * cosine, 0.003)

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.options.ema, (1 + self.state.step) / (10 + self.state.step))
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point and not name.startswith("centre."):
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def _train_mode(self) -> None:
        self.model.train()
        if self.phase == "l2s" or self.options.freeze_norm:
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _end_epoch(self) -> None:
        """Move the centre (Eq. 4), validate the averaged weights, keep them if best, save the state."""
        if self.phase == "l2s":
            self.model.centre.update()
            self.average["centre.value"].copy_(self.model.centre.value)
        if self.fabric.global_rank == 0:
            result = self._validate()
            self.journal.epoch(
                self.phase,
                self.state.step * self.plan.batch * self.fabric.world_size,
                result,
                float(self.model.centre.value),
            )
            if result.mae < self.state.best:
                self.state.best = result.mae
                self._keep_best(result)
        self.save()
        self.fabric.barrier()

    def _validate(self) -> Validation:
        live = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        pictures = self.options.pictures if self.journal.wants_pictures(self.options.pictures_every) else 0
        result = validate(
            self.model,
            self.config,
            self.held_out,
            self.out / "pictures",
            pictures,
            bf16=self.options.precision.startswith("bf16"),
        )
        self.model.load_state_dict(live)
        self._train_mode()
        return result

    def _keep_best(self, result: Validation) -> None:
        folder = self.out / "best"
        save_weights(self.average, folder)
        training = {
            **self.config.training,
            "validation": result.to_dict(),
            "phase": self.phase,
            "crops_in_phase": self.state.step * self.plan.batch * self.fabric.world_size,
        }
        write_description(replace(self.config, training=training), folder, ("weights.safetensors",))

    def save(self) -> None:
        """Write the whole state, atomically; every process calls this."""
        self.model.centre.collect(self.fabric.global_rank)
        if self.fabric.global_rank != 0:
            return
        whole = {
            "state": vars(self.state),
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }
        self.out.mkdir(parents=True, exist_ok=True)
        scratch = self.out / f".{STATE}.{os.getpid()}"
        torch.save(whole, scratch)
        scratch.replace(self.out / STATE)

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from a saved state of the same phase."""
        self.state = State(**saved["state"])
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.average = saved["average"]
        if self.fabric.global_rank != 0:
            self.model.centre.forget()  # rank 0 holds the sums of all

    def take_best(self) -> None:
        """Start from the run's best weights where an earlier phase left some."""
        best = self.out / "best" / "weights.safetensors"
        if best.exists():
            centre = self.model.centre.value.clone()
            load_weights(self.model, best)
            self.model.centre.value.copy_(centre)
            self.average = {name: value.clone() for name, value in self.model.state_dict().items()}


def _optimizer(model: AutoScale, options: TrainOptions, phase: str) -> torch.optim.Optimizer:
    """Backbone, rest of the network and scale net with their own peaks; the second phase is gentle."""
    for layer in model.network.backbone.early(options.freeze_stride):
        layer.requires_grad_(False)
    backbone = [p for p in model.network.backbone.parameters() if p.requires_grad]
    rest = [p for name, p in model.network.named_parameters() if not name.startswith("backbone.")]
    gentle = phase == "l2s"
    peaks = (options.l2s_lr, options.l2s_lr) if gentle else (options.backbone_lr, options.lr)
    groups = [
        {"params": backbone, "lr": peaks[0], "peak": peaks[0]},
        {"params": rest, "lr": peaks[1], "peak": peaks[1]},
    ]
    for parameter in model.scale_net.parameters():
        parameter.requires_grad_(gentle)
    if gentle:
        groups.append({"params": list(model.scale_net.parameters()), "lr": options.lr, "peak": options.lr})
    kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
    made: torch.optim.Optimizer = kinds[options.optimizer](
        groups, betas=(options.beta1, 0.999), weight_decay=options.weight_decay
    )
    return made


def _sanity_check(model: AutoScale, config: ModelConfig, held_out: Sequence[Sample]) -> None:
    """Validate two photos before hours are spent: what would fail at the end fails now."""
    if held_out:
        validate(model, replace(config, refines=False), held_out[:2], None, 0)


def _read_state(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damage causes
        raise ModelError(
            "expected a whole training state", f"{path} ({error})", "Remove it to start anew"
        ) from error
    return saved
