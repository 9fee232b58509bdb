"""Training: one readable loop on Lightning Fabric, for both phases.

Phase ``count`` trains the counting network. Phase ``l2s`` adds the scale net and the second pass, with normalisation
statistics frozen. A file holds the whole state. A resumed run gets the same crops as an uninterrupted one, since each
crop depends on its number alone.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import filelock
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.files.writing import make_folder
from crowdscale.learn.crops.batches import Batch, collate
from crowdscale.learn.crops.transforms import Crops
from crowdscale.learn.model import AutoScale, Losses
from crowdscale.learn.networks.backbones import Lite
from crowdscale.learn.store import WEIGHTS, load_weights, save_weights, write_description
from crowdscale.learn.training.journal import Journal
from crowdscale.learn.training.optimizing import new_optimizer
from crowdscale.learn.training.options import TrainOptions
from crowdscale.learn.training.speed import choose_precision, keep_depthwise_exact
from crowdscale.learn.training.validation import Validation, validate
from crowdscale.models.description import ModelConfig

__all__ = ["TrainOptions", "train"]

STATE = "state.pt"


@dataclass
class State:
    """Progress of a run, saved beside weights and optimiser."""

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
    """Train a model, write the best by validation to ``out/best``, and resume a run that stopped in ``out``.

    Args:
        model: The model, with the weights to start from.
        config: Its description.
        samples: Training photos with points.
        weights: Relative frequency of each photo.
        held_out: Validation photos, apart from the training photos.
        out: Folder of the run: state, journal, pictures and the best model.
        options: Schedule, rates and device.

    Returns:
        The description of the best model.

    Raises:
        DataError: A validation photo is among the training photos.
        OptionError: A phase has crops, but fewer than a batch, or another training runs in ``out``.
        ModelError: The loss is not finite.
    """
    options.check_steps()
    options = replace(options, precision=choose_precision(options.precision, options.device))
    if {s.image_path for s in samples} & {s.image_path for s in held_out}:
        raise DataError("expected validation photos apart from training photos", "some in both lists")
    cv2.setNumThreads(0)
    fabric = _fabric(options)
    torch.manual_seed(options.seed)
    with _only_writer(out) if fabric.global_rank == 0 else nullcontext():
        return _run(fabric, model, config, samples, weights, held_out, out, options)


@contextmanager
def _only_writer(out: Path) -> Iterator[None]:
    """Hold a run's folder for this process. Raises OptionError where another one trains in it."""
    make_folder(out)
    try:
        with filelock.FileLock(out / ".lock", timeout=0):
            yield
    except filelock.Timeout:
        raise OptionError(
            f"Another training runs in {out}", "", "Wait for its end, or choose another --out"
        ) from None


def _run(
    fabric: Fabric,
    model: AutoScale,
    config: ModelConfig,
    samples: Sequence[Sample],
    weights: Sequence[float],
    held_out: Sequence[Sample],
    out: Path,
    options: TrainOptions,
) -> ModelConfig:
    """Train the phases that are left; see ``train``."""
    journal = Journal(out, enabled=fabric.global_rank == 0)
    saved = _read_state(out / STATE)
    if not saved:
        _sanity_check(model, config, held_out)
    for phase in _phases_left(saved, options):
        plan = options.plan(phase)
        if plan.steps(fabric.world_size):
            crops = Crops(samples, weights, plan.crop_options, plan.crops, options.seed + (phase == "l2s"))
            run = Run(fabric, model, config, crops, held_out, out, options, phase, journal)
            run.begin(saved)
            run.loop()
    journal.close()
    return ModelConfig.from_json((out / "best" / "model.json").read_text(encoding="utf-8"))


def _phases_left(saved: dict[str, Any] | None, options: TrainOptions) -> tuple[str, ...]:
    """Return the phases from the saved one on, or those that the options ask for."""
    phases = ("count", "l2s")
    first = saved["state"]["phase"] if saved else ("count" if options.crops else "l2s")
    return phases[phases.index(first) :]


def _fabric(options: TrainOptions) -> Fabric:
    """Start the processes. Each process keeps its own buffers: ``Centre`` adds up the sums of Eq. 4."""
    if options.device in ("cuda", "gpu") and not torch.cuda.is_available():
        raise OptionError("expected a CUDA device", "a machine without one", "Use the device cpu")
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
    """One phase of a run: model, optimiser, averaged weights and progress."""

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
        if fabric.device.type == "cpu":
            keep_depthwise_exact(self.model)
        self.state = State(phase)
        _skip_blocks(self.model, options.skip_blocks)
        wrapped, self.optimizer = fabric.setup(self.model, new_optimizer(self.model, options, phase))
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
        torch.backends.cudnn.benchmark = False

    def _loader(self) -> Any:
        """Return the batches from the current step on; each process takes every world-size-th batch."""
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
            pin_memory=self.fabric.device.type == "cuda",
        )
        return self.fabric.setup_dataloaders(loader, use_distributed_sampler=False)

    def _step(self, batch: Batch) -> Losses:
        if self.options.skip_blocks:  # a resumed run skips the same blocks
            torch.manual_seed((self.options.seed << 32) + self.state.step)
        images = (batch["images"].float() / 255).contiguous(memory_format=torch.channels_last)
        losses: Losses = self.wrapped.losses(
            images, batch, self.phase == "l2s", self.options.l2s_frozen and self.phase == "l2s"
        )
        if not bool(torch.isfinite(losses.total)):
            raise ModelError(
                f"expected a finite loss in step {self.state.step + 1} of phase {self.phase}",
                f"{float(losses.total.detach())}",
                "Give a lower --lr, --backbone-lr or --l2s-lr; the best weights so far are kept",
            )
        self.optimizer.zero_grad()
        self.fabric.backward(losses.total)
        if self.options.clip:
            for part in (self.model.network, self.model.scale_net):
                nn.utils.clip_grad_norm_(part.parameters(), self.options.clip)
        self.optimizer.step()
        return losses

    def _set_rates(self, total: int) -> None:
        """Set the rates: linear warm-up, then a cosine down to 0.003 of the peak, or the peak itself."""
        share = min(1.0, (self.state.step + 1) / max(1, self.options.warmup))
        if self.options.schedule == "cosine":
            share = max(share * 0.5 * (1 + math.cos(math.pi * self.state.step / total)), 0.003)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.options.ema, (1 + self.state.step) / (10 + self.state.step))
        averages, values = [], []
        for name, value in self.model.state_dict().items():
            if value.dtype.is_floating_point and not name.startswith("centre."):
                averages.append(self.average[name])
                values.append(value)
            else:
                self.average[name].copy_(value)
        # Few calls for hundreds of tensors.
        get_ema_multi_avg_fn(decay)(averages, values, self.state.step)  # type: ignore[no-untyped-call]

    def _train_mode(self) -> None:
        # Benchmarks pay if all inputs have one size: crops do; photos and numbers of enlarged regions vary.
        torch.backends.cudnn.benchmark = self.phase == "count" and self.plan.crop_options.crop > 0
        self.model.train()
        learned = self.options.crops > 0 or "init" in self.config.training
        if self.options.freeze_norm or (self.phase == "l2s" and learned):
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _end_epoch(self) -> None:
        """Move the centre (Eq. 4), validate the averaged weights, keep the best, save the state."""
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
            score = result.domains if self.options.select == "domains" else result.mae
            if score < self.state.best:
                self.state.best = score
                self._keep_best(result)
        self.save()
        self.fabric.barrier()

    def _validate(self) -> Validation:
        torch.backends.cudnn.benchmark = False
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
        cut = self.plan.crop_options
        if cut.points_right or cut.points_below:
            training["points_aside"] = [cut.points_right, cut.points_below]
        write_description(replace(self.config, training=training), folder, (WEIGHTS,))

    def save(self) -> None:
        """Write the whole state atomically; every process calls this."""
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

    def begin(self, saved: dict[str, Any] | None) -> None:
        """Resume this phase if the run stopped in it, or start it from the best weights of an earlier phase."""
        if saved and saved["state"]["phase"] == self.phase:
            self.restore(saved)
        elif self.phase == "l2s":
            self.take_best()

    def restore(self, saved: dict[str, Any]) -> None:
        """Resume from a saved state of the same phase."""
        self.state = State(**saved["state"])
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.average = {name: value.to(self.fabric.device) for name, value in saved["average"].items()}
        if self.fabric.global_rank != 0:
            self.model.centre.forget()  # rank 0 holds the sums of all

    def take_best(self) -> None:
        """Start from the best weights of an earlier phase, if there are any."""
        best = self.out / "best" / WEIGHTS
        if best.exists():
            centre = self.model.centre.value.clone()
            load_weights(self.model, best)
            self.model.centre.value.copy_(centre)
            self.average = {name: value.clone() for name, value in self.model.state_dict().items()}


def _skip_blocks(model: AutoScale, share: float) -> None:
    """Let the backbone skip residual blocks in training.

    Raises:
        OptionError: The network's backbone has no such blocks.
    """
    backbone = model.network.backbone
    if isinstance(backbone, Lite):
        backbone.skip_blocks(share)
    elif share:
        raise OptionError("expected --skip-blocks 0 for a backbone without residual blocks", str(share))


def _sanity_check(model: AutoScale, config: ModelConfig, held_out: Sequence[Sample]) -> None:
    """Validate two photos first, so that a failure shows before hours of training."""
    if held_out:
        validate(model, replace(config, refines=False), held_out[:2], None, 0)


def _read_state(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises errors of many kinds here
        raise ModelError(
            "expected a whole training state", f"{path} ({error})", "Remove it to start anew"
        ) from error
    return saved
