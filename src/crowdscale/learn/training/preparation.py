"""Before training: data sets → photos to learn from and to hold out; options → the model to start with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from crowdscale.data.checks import photo_size
from crowdscale.data.lists import domain_of, read_list, split_samples, stratified_names
from crowdscale.data.opening import FOLDER, Dataset, open_dataset
from crowdscale.data.sample import Sample
from crowdscale.data.sizing import limit_sizes
from crowdscale.errors import DataError, OptionError, unknown_name
from crowdscale.learn.losses import LossOptions
from crowdscale.learn.model import AutoScale
from crowdscale.learn.networks.backbones import BACKBONES, VGG16, Lite
from crowdscale.learn.networks.building import FPN, NETWORKS, load_imagenet
from crowdscale.learn.networks.fpn import CountingNetwork
from crowdscale.learn.scaling import CentreOptions, Measure, closeness, start_centre
from crowdscale.learn.store import WEIGHTS, build_model, inherit_weights, load_weights
from crowdscale.maps import METHODS
from crowdscale.maps.methods import new_codec
from crowdscale.models.description import Method, ModelConfig, ZoomOptions, read_config
from crowdscale.models.finding import find_model

logger = logging.getLogger(__name__)

FEW = 0.2
"""Below this share of the photos, dense regions of true maps are too few to tell where the centre should start."""

__all__ = ["Gathered", "Start", "gather", "region_spacings", "start_model"]


@dataclass(frozen=True)
class Gathered:
    """The photos of a run."""

    samples: list[Sample]
    """Photos to train on."""
    weights: list[float]
    """How often each is drawn, relative to the others."""
    held_out: list[Sample]
    """Photos to validate on."""
    sets: list[str]
    """What each data set is: name, split, release, photos."""


@dataclass(frozen=True)
class Start:
    """What a run starts from."""

    name: str = "mine"
    """Name of the model."""
    method: str = "points"
    """``points``, ``density`` or ``hybrid`` (people in blocks give the count, labels the dots)."""
    network: str = "fpn"
    """``fpn``, or another network of ``NETWORKS``: ``mcnn``, ``csrnet``, ``bl``, your own."""
    backbone: str = "lite"
    """Of ``fpn``: ``nano``, ``lite``, ``lite1``, ``lite2`` or ``vgg16``."""
    backbone_weights: str | None = None
    """ImageNet weights: a file or an URL; None takes the usual place, ``none`` starts at random."""
    init: str | None = None
    """A trained model, by name or folder, whose weights and description are taken instead."""
    inherit: str | None = None
    """A trained model, by name or folder, that gives every weight that fits by name and shape (lite to nano); a backbone
    that does not begin as the giver's starts by ``backbone_weights``."""
    sigma: float = 4.0
    """Kernel of a density model in pixels."""
    adaptive: bool = False
    """Geometry-adaptive kernels of a density model."""
    density_cell: int = 8
    """Of ``fpn`` for density: the layers' own values are people a cell of this many pixels squared; 1 as published;
    that of ``init`` or ``inherit`` where one is given."""
    dots: bool = False
    """Read the local maxima of a density model as heads, beside its count."""
    area_low: float | None = None
    """Smallest area factor q = r² of the zoom; None: 0.5, or that of ``init``."""
    area_high: float | None = None
    """Largest area factor q; None: 5 for labels, 9 for density, or that of ``init``."""
    gain: float | None = None
    """The learned side factor is multiplied by this; None: 1, or that of ``init`` unless a centre is given."""
    region_minimum: float | None = None
    """Share J of the photo below which a region is none; None: 0.02 for labels, 0.1 for density, or that of ``init``."""
    region_below: int | None = None
    """Labels: a pixel of a lower class is dense; None: 8, or that of ``init``."""
    region_times: float | None = None
    """Density: a pixel above this many times the mean is dense; None: 2, or that of ``init``."""
    region_by: str | None = None
    """Density: ``region`` measures the region against J, ``box`` its box; None: region, or that of ``init``."""
    region_code: bool | None = None
    """Density: threshold as the authors' test code does, min(4·mean/max, 150/255)·max; None: no, or as ``init``."""
    blocks: bool = True
    """Whether the network has the auxiliary head of block counts, which ``fpn`` alone can have."""
    seed: int = 0
    """Seed of the first weights."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise OptionError("expected --method as points, density or hybrid", repr(self.method))
        counts_blocks = METHODS[self.method].codec.counts_blocks
        if counts_blocks and not self.blocks:
            raise OptionError("expected --blocks with --method hybrid", "--no-blocks")
        if counts_blocks and self.network != FPN:
            raise OptionError(
                "expected --network fpn with --method hybrid", repr(self.network), "It alone counts blocks"
            )
        if self.network not in (FPN, *NETWORKS):
            raise unknown_name("network", self.network, [FPN, *NETWORKS])
        if self.backbone not in BACKBONES:
            raise unknown_name("backbone", self.backbone, BACKBONES)
        if self.density_cell < 1:
            raise OptionError("expected --density-cell of at least 1", str(self.density_cell))


def gather(
    data: Sequence[str],
    weights: Sequence[float] | None,
    listed: Path | None,
    share: float,
    seed: int,
    limit_size: bool = False,
    cache: Path | None = None,
    borders: Sequence[float] | None = None,
    only: Path | None = None,
) -> Gathered:
    """Open data sets and hold photos out: those of a list, or a stratified share of each set.

    Args:
        data: ``NAME[/SPLIT]:PATH`` each.
        weights: How often photos of each set are drawn; all alike where None.
        listed: File with the held-out photos, one ``set/name`` a line.
        share: Share held out of each set where no list is given.
        seed: Seed of that choice.
        limit_size: Resize photos to the limits of each set's protocol.
        cache: Folder that keeps resized photos; None resizes at each read.
        borders: Share of a side that is left out along the edges of photos of each set; none where None.
        only: File with the photos to train on, one ``set/name`` a line; all but the held-out ones where None.

    Raises:
        DataError: A set cannot be read, or nothing is left to train on.
    """
    if weights and len(weights) != len(data):
        raise OptionError("expected one --weight for each --data", f"{len(weights)} for {len(data)}")
    if borders and len(borders) != len(data):
        raise OptionError("expected one --border for each --data", f"{len(borders)} for {len(data)}")
    names, wanted = _names(listed), _names(only)
    samples: list[Sample] = []
    chances: list[float] = []
    held: list[Sample] = []
    sets = []
    ones, none = [1.0] * len(data), [0.0] * len(data)
    for dataset, weight, border in zip(
        map(open_dataset, data), weights or ones, borders or none, strict=True
    ):
        rest, chosen = _hold_out(dataset, names, share, seed, wanted)
        if limit_size:
            rest, chosen = (
                list(limit_sizes(part, dataset.protocol.limits, cache)) for part in (rest, chosen)
            )
        if border:
            rest, chosen = (
                [sample.trimmed(border, sample.size or photo_size(sample.image_path)) for sample in part]
                for part in (rest, chosen)
            )
        samples += rest
        held += chosen
        chances += [weight] * len(rest)
        sets.append(f"{_set_name(dataset)}: {len(rest)} + {len(chosen)} held out")
    if not samples or not held:
        raise DataError(
            "expected photos to train on and photos to hold out", f"{len(samples)} and {len(held)}",
            "Give more photos, another --hold-out list or another --hold-out-share",
        )  # fmt: skip
    return Gathered(samples, chances, held, sets)


def _names(path: Path | None) -> list[str] | None:
    return read_list(path) if path else None


def _set_name(dataset: Dataset) -> str:
    """What a set is called in a model's description; of your own photos the folder's name."""
    if dataset.name == FOLDER:
        return f"{FOLDER} {domain_of(dataset.samples[0])}" if dataset.samples else FOLDER
    return f"{dataset.name}/{dataset.split} {dataset.release}"


def _hold_out(
    dataset: Dataset, names: list[str] | None, share: float, seed: int, wanted: list[str] | None
) -> tuple[list[Sample], list[Sample]]:
    """Return the samples to train on, of the wanted ones, and those held out: the named ones or a share."""
    if names is not None:
        rest, chosen = split_samples(dataset.samples, names)
        return (rest if wanted is None else split_samples(rest, wanted)[1]), chosen
    samples = dataset.samples if wanted is None else split_samples(dataset.samples, wanted)[1]
    return split_samples(samples, stratified_names(samples, share, seed))


def start_model(
    start: Start, gathered: Gathered, centre: CentreOptions, losses: LossOptions | None = None
) -> tuple[AutoScale, ModelConfig]:
    """Return the model to train and its description; the centre's start value follows from the data.

    A model that goes on from another keeps that one's centre, unless one is given.

    Without ``losses`` a density model sums over pixels and a points model takes the mean.
    """
    torch.manual_seed(start.seed)
    if start.init and centre.centre and start.gain is None:
        start = replace(start, gain=1.0)  # the centre asked for is the spacing to reach
    config = _describe(start, gathered)
    if centre.centre == 0 and not start.init:
        spacings = region_spacings(gathered.samples, config, centre.closeness)
        if len(spacings) < FEW * len(gathered.samples):
            logger.warning(
                "Only %d of %d training photos have a dense region by their true maps, from which the centre starts; "
                "give --centre, the spacing in pixels to reach, to be sure.", len(spacings), len(gathered.samples)
            )  # fmt: skip
        centre = replace(centre, centre=start_centre(spacings, centre.wanted_factor, centre.law))
    model = build_model(config, centre, losses)
    if isinstance(model.network, CountingNetwork) and config.codec.channels == 1:
        model.network.choose_cell(start.density_cell)
    if start.init:
        load_weights(model, find_model(start.init) / WEIGHTS)
        if centre.centre:
            model.centre.value.fill_(centre.centre)
    elif start.inherit:
        _inherit(model, start)
    elif start.backbone_weights != "none":
        load_imagenet(model.network, start.backbone, start.backbone_weights)
    network = model.network
    return model, replace(
        config, mean=tuple(network.mean.flatten().tolist()), stride=network.stride,
        feature_stride=network.feature_stride, feature_channels=network.feature_channels,
    )  # fmt: skip


def _inherit(model: AutoScale, start: Start) -> None:
    """Take over what fits; a backbone that does not begin as the giver's starts as if nothing were inherited."""
    assert start.inherit is not None
    folder = find_model(start.inherit)
    giver = read_config(folder)
    fpn = start.network == FPN
    begins = giver.network == FPN and _begins_as(BACKBONES[start.backbone], BACKBONES[giver.backbone])
    inherit_weights(model, folder / WEIGHTS, backbone=begins or not fpn)
    if fpn and not begins and start.backbone_weights != "none":
        load_imagenet(model.network, start.backbone, start.backbone_weights)


def _begins_as(ours: type[Lite | VGG16], theirs: type[Lite | VGG16]) -> bool:
    """Whether one backbone's layers are the other's first ones."""
    if issubclass(ours, Lite) and issubclass(theirs, Lite):
        usual = ours.usual_hidden()
        return usual == theirs.usual_hidden()[: len(usual)]
    return ours is theirs


def _describe(start: Start, gathered: Gathered) -> ModelConfig:
    training: dict[str, Any] = {"data": gathered.sets, "seed": start.seed}
    if start.init:
        parent = _with_all_levels(read_config(find_model(start.init)))
        training["init"] = parent.name
        return _with_choices(
            # Small photos are trained on as they are, and so read as they are until something else is chosen;
            # where other annotators put heads is not known yet.
            replace(
                parent.unmeasured(),
                name=start.name,
                training=training,
                files={},
                enlarge_below=0,
                offset=(0.0, 0.0),
            ),
            start,
        )
    widths: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()
    if start.inherit:
        giver = _with_all_levels(read_config(find_model(start.inherit)))
        training["inherited"] = giver.name
        widths, hidden = _shared_widths(giver, start)
    codec = new_codec(start.method, start.sigma, start.adaptive)
    fpn = start.network == FPN
    config = ModelConfig(
        name=start.name,
        method=cast(Method, start.method),
        network=start.network,
        backbone=start.backbone if fpn else "none",
        codec=codec,
        rule=METHODS[start.method].rule(),
        zoom=ZoomOptions(area_high=codec.largest_area),
        block_counts=start.blocks and fpn,
        widths=widths,
        hidden=hidden,
        training=training,
    )
    return _with_choices(config, start)


def _with_all_levels(config: ModelConfig) -> ModelConfig:
    """Return the description of a model to start from, which is not a distilled one: no loss teaches its head."""
    if config.subpixel:
        remedy = "Start from the model that it was distilled from, then distill"
        raise OptionError(
            "expected a model with all its levels to train on", f"{config.name}, distilled", remedy
        )
    return config


def _shared_widths(giver: ModelConfig, start: Start) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Channels of levels and inside blocks that a model takes over: the giver's, where both have the same finest ones."""
    if start.network != FPN or giver.network != FPN:
        return (), ()
    ours, theirs = (BACKBONES[name] for name in (start.backbone, giver.backbone))
    widths: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()
    if ours.strides == theirs.strides[: len(ours.strides)]:
        widths = giver.widths[: len(ours.strides)]
    if issubclass(ours, Lite) and issubclass(theirs, Lite) and _begins_as(ours, theirs):
        hidden = giver.hidden[: len(ours.usual_hidden())]
    return widths, hidden


def _with_choices(config: ModelConfig, start: Start) -> ModelConfig:
    """Return the description with what was chosen of the zoom, the regions and the dots.

    Raises:
        OptionError: A choice is of the other kind of map.
    """
    zoom = _chosen(area_low=start.area_low, area_high=start.area_high, gain=start.gain)
    rule = _chosen(
        minimum=start.region_minimum, below=start.region_below, times_mean=start.region_times,
        by=start.region_by, published_code=start.region_code,
    )  # fmt: skip
    codec = _chosen(dots=True if start.dots else None)
    for part, chosen in ((config.rule, rule), (config.codec, codec)):
        foreign = [name for name in chosen if not hasattr(part, name)]
        if foreign:
            raise OptionError(f"expected options of a {config.method} model", ", ".join(foreign))
    return replace(
        config,
        zoom=replace(config.zoom, **zoom),
        rule=replace(config.rule, **rule),
        codec=replace(config.codec, **codec),
    )


def _chosen(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def region_spacings(
    samples: Sequence[Sample], config: ModelConfig, measure: Measure = "distance"
) -> list[float]:
    """Return the closeness S in pixels of the dense region of each photo's true map, where there is one."""
    found = []
    for sample in samples:
        if sample.points is None or not len(sample.points):
            continue
        width, height = np.ceil(sample.points.xy.max(axis=0)).astype(int) + 1
        # The true map up to the last head stands in for the photo's: no photo is decoded for it.
        truth = config.codec.encode(sample.points, max(1, int(width)), max(1, int(height)))
        for box in config.rule.find(_as_output(truth)):
            found.append(closeness(sample.points, box, measure))
    return found


def _as_output(truth: NDArray[Any]) -> NDArray[np.float32]:
    channels = 2 if truth.dtype == np.uint8 else 1
    return np.repeat(truth[None].astype(np.float32), channels, axis=0)
