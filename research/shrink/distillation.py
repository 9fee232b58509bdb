"""Distillation: a copy of a trained model without its finest level, which a small head replaces.

The level at stride 2 and the probabilities of labels there take a third of the time of an 8-bit pass, and only locate
heads: people are counted from stride 8 on. The copy has labels at stride 4 and a ``SubpixelHead``. Both learn the whole
model's mean labels and their slopes on crops of training photos (Hinton et al., 2015), without annotations. Then the scale
net of the copy, which reads coarser features, learns the whole model's factors of regions. All coarser levels stay, and so
do the counts of a first pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from crowdscale.data.sample import Sample
from crowdscale.errors import DataError, ModelError, OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.learn.crops.batches import Crop
from crowdscale.learn.crops.transforms import CropOptions, Crops
from crowdscale.learn.export.graph import expected_labels, fuse
from crowdscale.learn.losses.labels import LEAST, NEAR
from crowdscale.learn.model import AutoScale, decode
from crowdscale.learn.networks.fpn import CountingNetwork, SideLevel
from crowdscale.learn.scaling import pool_regions
from crowdscale.learn.store import (
    WEIGHTS,
    build_model,
    open_to_change,
    read_weights,
    save_weights,
    write_description,
)
from crowdscale.models.description import ModelConfig
from crowdscale.models.finding import find_model
from research.shrink.channels import slimmed

__all__ = ["DistillOptions", "distill_model"]

SCALE_INPUT = "scale_net.convolutions.0.weight"

SLOPES, LABELS = 2.0, 0.3
"""Weights of the errors of slopes and of the cross entropy of labels; errors of mean labels weigh 1."""

COARSER = 16
"""Pixels per cell of the features for the copy's scale net, which pools regions to 14 × 14 cells."""

REGIONS = 3
"""Most dense regions of a view that train the scale net."""

PROGRESS, KEPT_EVERY = "distilling.pt", 200
"""State of an interrupted run, and the steps between two writings of it; removed at the end."""


@dataclass(frozen=True)
class DistillOptions:
    """Sizes and schedule of a distillation."""

    channels: int = 32
    """Channels of the head."""
    width: int = 0
    """Channels of the copy's finest level, at stride 4; 0 keeps them."""
    crops: int = 9_600
    """Crops that train the labels."""
    views: int = 400
    """Views of whole photos whose regions train the scale net."""
    crop: int = 384
    """Side of a crop in pixels."""
    batch: int = 4
    """Crops per step."""
    rate: float = 2e-3
    """Peak of the learning rate, which falls to zero along a cosine."""
    scale_steps: int = 1000
    """Steps of 32 regions for the scale net."""
    seed: int = 0
    """Draws crops and views."""
    start: str = ""
    """Name or folder of a copy whose finest level and head are trained on; empty begins anew."""

    def __post_init__(self) -> None:
        few = self.channels < 1 or self.width < 0 or self.crops < 4 * self.batch or self.views < 1
        if few or self.crop < 64 or self.crop % 32:
            raise OptionError(
                f"expected channels and views of at least 1, crops of at least {4 * self.batch}, "
                "their side a multiple of 32 from 64 on",
                f"{self.channels}, {self.views}, {self.crops}, {self.crop}",
            )


Report = Callable[[str, int, int, str], object]
"""Receives the kind of work, its units done, all its units, and a text about the error."""


def distill_model(
    model: str | Path, samples: Sequence[Sample], out: Path, options: DistillOptions, report: Report
) -> ModelConfig:
    """Write a model folder without the finest level of a model; ``export_folder`` writes its graphs.

    The same call resumes a run that was stopped.

    Args:
        model: A model of labels by the network ``fpn``, with a level at stride 2 and a scale net, by name or folder.
        samples: Training photos.
        out: The folder to write.
        options: Sizes and schedule.
        report: Called after each step.

    Raises:
        OptionError: It is not such a model, or ``out`` is its folder or holds another run.
        ModelError: The model is quantised.
        DataError: There are no photos, or no dense region in any.
    """
    whole, config = open_to_change(model, out, "distill")
    if not isinstance(whole.network, CountingNetwork) or whole.network.subpixel or not config.refines:
        raise OptionError(
            "expected a model of the network fpn with all its levels and a scale net to distill", config.name
        )
    if not samples:
        raise DataError("expected training photos to distill by", "none", "Name some with --data")
    training = {**config.training, "distilled": {"from": config.name, **asdict(options)}}
    training.pop("validation", None)  # holds for the whole model alone
    finest, width, *coarser = whole.network.widths
    if options.width > width:
        raise OptionError(f"expected --width of at most {width}", str(options.width))
    narrower = whole
    if 0 < options.width < width:
        levels = (finest, options.width, *coarser)
        narrower = slimmed(whole, replace(config, widths=levels), samples, options.seed)
    described = replace(
        config.unmeasured(),
        widths=cast(CountingNetwork, narrower.network).widths[1:],
        subpixel=options.channels,
        feature_stride=COARSER,
        training=training,
        files={},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        small = build_model(described)
    small.load_state_dict(_beginning(narrower, small))
    if options.start:
        _take_finest(small, options.start)
    for module in (whole, small):
        module.eval().requires_grad_(False)
    out.mkdir(parents=True, exist_ok=True)
    _train_labels(whole, small, samples, out / PROGRESS, options, report)
    _train_factors(whole, small, samples, options, report)
    save_weights(small.state_dict(), out)
    described = replace(described, feature_channels=small.network.feature_channels)
    written = write_description(described, out, (WEIGHTS,))
    (out / PROGRESS).unlink(missing_ok=True)
    return written


def _beginning(whole: AutoScale, small: AutoScale) -> dict[str, Tensor]:
    """Return the state of ``small`` with all weights that ``whole`` has, too, under the names of ``small``."""
    theirs, state = whole.state_dict(), small.state_dict()
    network = cast(CountingNetwork, whole.network)
    finest, classes = network.widths[0], network.classes
    for name in state:
        if name.startswith("network.levels."):
            number, rest = name.removeprefix("network.levels.").split(".", 1)
            state[name] = theirs[f"network.levels.{int(number) + 1}.{rest}"]
        elif name in theirs and theirs[name].shape == state[name].shape:
            state[name] = theirs[name]
    weight = theirs["network.fuse.weight"]
    state["network.fuse.weight"] = weight[:, classes:]
    side = cast(Tensor, cast(SideLevel, network.levels[0]).side.bias)
    state["network.fuse.bias"] = theirs["network.fuse.bias"] + weight[:, :classes, 0, 0] @ side
    state[SCALE_INPUT] = theirs[SCALE_INPUT][:, finest:]
    return state


def _take_finest(small: AutoScale, start: str) -> None:
    """Copy the trained parameters of another copy into ``small``; raises ModelError if their shapes differ."""
    taught = read_weights(find_model(start) / WEIGHTS)
    with torch.no_grad():
        for name, value in _trained(small).items():
            theirs = taught.get(f"network.{name}")
            if theirs is None or theirs.shape != value.shape:
                raise ModelError("expected a copy of the same sizes to start from", f"{start} ({name})")
            value.copy_(theirs)


def _trained(small: AutoScale) -> dict[str, nn.Parameter]:
    """Return the trained parameters: finest level, bias of the fusion and head; none of them changes the count."""
    parts = ("levels.0.", "fuse.bias", "subpixel.")
    return {name: value for name, value in small.network.named_parameters() if name.startswith(parts)}


def _train_labels(
    whole: AutoScale,
    small: AutoScale,
    samples: Sequence[Sample],
    kept: Path,
    options: DistillOptions,
    report: Report,
) -> None:
    """Train the labels; normalisations keep their statistics."""
    trained = _trained(small)
    optimizer = torch.optim.AdamW(trained.values(), options.rate, weight_decay=1e-4)
    steps = options.crops // options.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.rate, steps, pct_start=min(0.5, 50 / steps)
    )
    done = _resume(kept, options, trained, optimizer, schedule)
    for value in trained.values():
        value.requires_grad_(True)
    run: list[float] = []
    for step, images in enumerate(_batches(samples, options, done), done + 1):
        loss = _label_loss(whole, small, images)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        schedule.step()
        run = [*run[-99:], float(loss.detach())]
        if step % KEPT_EVERY == 0:
            state = {name: value.detach() for name, value in trained.items()}
            held: dict[str, Any] = {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
            held |= {"options": asdict(options), "step": step, "taught": state}
            write_atomic(kept, partial(torch.save, held))
        report("crops", step * options.batch, steps * options.batch, f"loss {np.mean(run):.3f}")


def _resume(
    kept: Path, options: DistillOptions, trained: dict[str, nn.Parameter], optimizer: Any, schedule: Any
) -> int:
    """Read the state of a run that was stopped and return its steps; 0 without one."""
    if not kept.is_file():
        return 0
    held = torch.load(kept, weights_only=True)
    if held["options"] != asdict(options):
        raise OptionError(
            "expected the options of the run that was stopped",
            f"others than in {kept}",
            "Remove it to begin anew",
        )
    with torch.no_grad():
        for name, value in trained.items():
            value.copy_(held["taught"][name])
    optimizer.load_state_dict(held["optimizer"])
    schedule.load_state_dict(held["schedule"])
    return int(held["step"])


def _batches(samples: Sequence[Sample], options: DistillOptions, done: int) -> Iterable[Tensor]:
    """Return crops at the scales of first and second passes, (batch, 3, h, w) in 0…1, from a step on."""
    cut = CropOptions(options.crop, scale_low=0.6, scale_high=2.4, jitter=0.1)
    crops = Crops(samples, [1.0] * len(samples), cut, options.crops, options.seed)
    order = range(done * options.batch, options.crops // options.batch * options.batch)
    return DataLoader(crops, options.batch, sampler=order, collate_fn=_collate)


def _collate(crops: Sequence[Crop]) -> Tensor:
    images = torch.from_numpy(np.stack([crop.pixels for crop in crops])).permute(0, 3, 1, 2).float() / 255
    return images.contiguous(memory_format=torch.channels_last)


def _label_loss(whole: AutoScale, small: AutoScale, images: Tensor) -> Tensor:
    """Return the error of the labels of ``small`` against those of ``whole``."""
    teacher, pupil = (cast(CountingNetwork, each.network) for each in (whole, small))
    with torch.no_grad():
        features = teacher.backbone((images - teacher.mean) / teacher.std)
        probabilities, wanted = expected_labels(fuse(teacher, teacher.descend(features)))
        probabilities = functional.avg_pool2d(probabilities, 2)
        weight = (-wanted / NEAR).exp() + LEAST
    sides = pupil.descend(features)
    scores = fuse(pupil, sides)
    assert pupil.subpixel is not None
    predicted = pupil.subpixel(sides[0], expected_labels(scores)[1])
    error = predicted - wanted
    off = (weight * error.abs()).sum()
    for axis in (2, 3):
        slopes = error.diff(dim=axis).abs()
        off = off + SLOPES * (weight.narrow(axis, 0, slopes.shape[axis]) * slopes).sum()
    labels = -(probabilities * scores.float().log_softmax(1)).sum(1).mean()
    loss: Tensor = off / weight.sum() + LABELS * labels
    return loss


@torch.no_grad()
def _regions(
    whole: AutoScale, small: AutoScale, samples: Sequence[Sample], options: DistillOptions, report: Report
) -> tuple[Tensor, Tensor]:
    """Return the (m, c, 14, 14) pooled features of ``small`` in dense regions, and log q of ``whole`` there."""
    cut = CropOptions(0, scale_low=0.7, scale_high=1.6, jitter=0.1)
    views = Crops(samples, [1.0] * len(samples), cut, options.views, options.seed + 1)
    read, factors = list[Tensor](), list[Tensor]()
    for number in range(len(views)):
        images = _collate([views[number]])
        theirs, ours = whole.network(images), small.network(images)
        output = decode(theirs.fused)[0].numpy()
        boxes = [(0, box) for box in whole.rule.find(output, REGIONS)]
        if boxes:
            strides = small.network.feature_stride, whole.network.feature_stride
            read.append(pool_regions(ours.features, boxes, strides[0]).half())
            factors.append(whole.scale_net(pool_regions(theirs.features, boxes, strides[1])))
        report("views", number + 1, len(views), f"{sum(map(len, factors))} regions")
    if not factors:
        raise DataError("expected dense regions in the training photos", "none", "Name photos of crowds")
    return torch.cat(read), torch.cat(factors).log()


def _train_factors(
    whole: AutoScale, small: AutoScale, samples: Sequence[Sample], options: DistillOptions, report: Report
) -> None:
    """Train the scale net on the factors of regions."""
    read, wanted = _regions(whole, small, samples, options, report)
    net = small.scale_net.requires_grad_(True)
    optimizer = torch.optim.AdamW(net.parameters(), 5e-4, weight_decay=1e-3)
    steps = options.scale_steps
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    random = torch.Generator().manual_seed(options.seed)
    run: list[float] = []
    for step in range(1, steps + 1):
        chosen = torch.randint(len(read), (32,), generator=random)
        error = net(read[chosen].float()).log() - wanted[chosen]
        optimizer.zero_grad()
        error.square().mean().backward()
        optimizer.step()
        schedule.step()
        run = [*run[-99:], float(error.detach().abs().mean())]
        report("steps of the scale net", step, steps, f"q off by {np.expm1(np.mean(run)):.1%}")
