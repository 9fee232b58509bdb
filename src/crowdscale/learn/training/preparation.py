"""Preparation: data sets → training photos and held-out photos; options → the model to start with."""

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
from crowdscale.data.protocol import SizeLimits
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
"""Least share of photos with a dense region in the true map that gives a reliable start of the centre."""

__all__ = ["Gathered", "Start", "gather", "region_spacings", "start_model"]


@dataclass(frozen=True)
class Gathered:
    """The photos of a run."""

    samples: list[Sample]
    """Photos to train on."""
    weights: list[float]
    """Relative frequency of each photo."""
    held_out: list[Sample]
    """Photos to validate on."""
    sets: list[str]
    """Name, split, release and photos of each data set."""


@dataclass(frozen=True)
class Start:
    """The model that a run starts from."""

    name: str = "mine"
    """Name of the model."""
    method: str = "points"
    """``points``, ``density`` or ``hybrid`` (people in blocks give the count, labels locate heads)."""
    network: str = "fpn"
    """``fpn``, or another network of ``NETWORKS``: ``mcnn``, ``csrnet``, ``bl``, your own."""
    backbone: str = "lite"
    """Of ``fpn``: ``nano``, ``lite``, ``lite1``, ``lite2`` or ``vgg16``."""
    backbone_weights: str | None = None
    """ImageNet weights: a file or a URL; None takes the installed package, ``none`` starts at random."""
    init: str | None = None
    """A trained model, by name or folder, with its weights and description."""
    inherit: str | None = None
    """A trained model, by name or folder, that gives all weights that fit by name and shape (lite to nano). A backbone
    with other first layers than the giver's starts from ``backbone_weights``."""
    sigma: float = 4.0
    """Kernel of a density model in pixels."""
    adaptive: bool = False
    """Geometry-adaptive kernels of a density model."""
    density_cell: int = 8
    """Of ``fpn`` for density: the layers' values are people per cell of this many pixels squared; 1 as published. A model
    given by ``init`` or ``inherit`` keeps its own."""
    dots: bool = False
    """Locate heads at the local maxima of a density model, beside its count."""
    area_low: float | None = None
    """Smallest area factor q = r² of the zoom; None: 0.5, or that of ``init``."""
    area_high: float | None = None
    """Largest area factor q; None: 5 for labels, 9 for density, or that of ``init``."""
    gain: float | None = None
    """The learned side factor is multiplied by this; None: 1, or that of ``init`` unless a centre is given."""
    region_minimum: float | None = None
    """Smallest region as a share J of the photo; None: 0.02 for labels, 0.1 for density, or that of ``init``."""
    region_below: int | None = None
    """Labels: a pixel of a lower class is dense; None: 8, or that of ``init``."""
    region_times: float | None = None
    """Density: a pixel above this many times the mean is dense; None: 2, or that of ``init``."""
    region_by: str | None = None
    """Density: ``region`` measures the region against J, ``box`` its box; None: region, or that of ``init``."""
    region_code: bool | None = None
    """Density: the threshold of the authors' test code, min(4·mean/max, 150/255)·max; None: no, or as ``init``."""
    blocks: bool = True
    """Give the network the auxiliary head of block counts (``fpn`` alone)."""
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
        data: Texts ``NAME[/SPLIT]:PATH``.
        weights: Relative frequency of each set's photos; None: equal.
        listed: File with the held-out photos, one ``set/name`` per line.
        share: Share to hold out of each set without a list.
        seed: Seed of that choice.
        limit_size: Resize photos to the limits of each set's protocol.
        cache: Folder that keeps resized photos; None resizes at each read.
        borders: Share of a side to cut off the edges of each set's photos; None: nothing.
        only: File with the photos to train on, one ``set/name`` per line; None: all but the held-out ones.

    Raises:
        DataError: A set cannot be read, or no photo is left to train on or to hold out.
        OptionError: The number of weights or borders differs from that of data sets.
    """
    _check_number("--weight", weights, data)
    _check_number("--border", borders, data)
    names, wanted = _names(listed), _names(only)
    gathered = Gathered([], [], [], [])
    for place, dataset in enumerate(map(open_dataset, data)):
        rest, chosen = _hold_out(dataset, names, share, seed, wanted)
        limits = dataset.protocol.limits if limit_size else None
        border = borders[place] if borders else 0.0
        rest, chosen = (_resized(part, limits, cache, border) for part in (rest, chosen))
        gathered.samples.extend(rest)
        gathered.held_out.extend(chosen)
        gathered.weights.extend([weights[place] if weights else 1.0] * len(rest))
        gathered.sets.append(f"{_set_name(dataset)}: {len(rest)} + {len(chosen)} held out")
    if not gathered.samples or not gathered.held_out:
        raise DataError(
            "expected photos to train on and photos to hold out",
            f"{len(gathered.samples)} and {len(gathered.held_out)}",
            "Give more photos, another --hold-out list or another --hold-out-share",
        )
    return gathered


def _check_number(option: str, values: Sequence[float] | None, data: Sequence[str]) -> None:
    """Refuse a number of values other than that of data sets."""
    if values and len(values) != len(data):
        raise OptionError(f"expected one {option} for each --data", f"{len(values)} for {len(data)}")


def _resized(
    samples: list[Sample], limits: SizeLimits | None, cache: Path | None, border: float
) -> list[Sample]:
    """Return photos within the limits of size, without their borders."""
    if limits is not None:
        samples = list(limit_sizes(samples, limits, cache))
    if border:
        samples = [sample.trimmed(border, sample.size or photo_size(sample.image_path)) for sample in samples]
    return samples


def _names(path: Path | None) -> list[str] | None:
    return read_list(path) if path else None


def _set_name(dataset: Dataset) -> str:
    """Return the name of a set in a model's description; for own photos that of the folder."""
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
    """Return the model to train and its description; the data give the centre's start value.

    A model that starts from a trained one (``init``) keeps that one's centre unless ``centre`` gives another. Without
    ``losses`` a density model sums over pixels and a points model takes the mean.
    """
    torch.manual_seed(start.seed)
    if start.init and centre.centre and start.gain is None:
        start = replace(start, gain=1.0)  # the given centre is the spacing to reach
    config = _describe(start, gathered)
    if centre.centre == 0 and not start.init:
        centre = _centre_from(gathered.samples, config, centre)
    model = build_model(config, centre, losses)
    if isinstance(model.network, CountingNetwork) and config.codec.channels == 1:
        model.network.choose_cell(start.density_cell)
    _fill(model, start, centre)
    network = model.network
    return model, replace(
        config, mean=tuple(network.mean.flatten().tolist()), stride=network.stride,
        feature_stride=network.feature_stride, feature_channels=network.feature_channels,
    )  # fmt: skip


def _centre_from(samples: Sequence[Sample], config: ModelConfig, centre: CentreOptions) -> CentreOptions:
    """Return the options with the centre that follows from the dense regions of the true maps."""
    spacings = region_spacings(samples, config, centre.closeness)
    if len(spacings) < FEW * len(samples):
        logger.warning(
            "Only %d of %d training photos have a dense region in their true maps, from which the centre starts; "
            "give --centre, the spacing in pixels to reach, to be sure.", len(spacings), len(samples)
        )  # fmt: skip
    return replace(centre, centre=start_centre(spacings, centre.wanted_factor, centre.law))


def _fill(model: AutoScale, start: Start, centre: CentreOptions) -> None:
    """Load the weights that a model starts from."""
    if start.init:
        load_weights(model, find_model(start.init) / WEIGHTS)
        if centre.centre:
            model.centre.value.fill_(centre.centre)
    elif start.inherit:
        _inherit(model, start)
    elif start.backbone_weights != "none":
        load_imagenet(model.network, start.backbone, start.backbone_weights)


def _inherit(model: AutoScale, start: Start) -> None:
    """Copy all weights that fit; a backbone with other first layers than the giver's starts from ImageNet weights."""
    assert start.inherit is not None
    folder = find_model(start.inherit)
    giver = read_config(folder)
    fpn = start.network == FPN
    begins = giver.network == FPN and _begins_as(BACKBONES[start.backbone], BACKBONES[giver.backbone])
    inherit_weights(model, folder / WEIGHTS, backbone=begins or not fpn)
    if fpn and not begins and start.backbone_weights != "none":
        load_imagenet(model.network, start.backbone, start.backbone_weights)


def _begins_as(ours: type[Lite | VGG16], theirs: type[Lite | VGG16]) -> bool:
    """Return whether one backbone's layers are the first layers of the other."""
    if issubclass(ours, Lite) and issubclass(theirs, Lite):
        usual = ours.usual_hidden()
        return usual == theirs.usual_hidden()[: len(usual)]
    return ours is theirs


def _describe(start: Start, gathered: Gathered) -> ModelConfig:
    training: dict[str, Any] = {"data": gathered.sets, "seed": start.seed}
    if start.init:
        parent = read_config(find_model(start.init))
        training["init"] = parent.name
        return _with_choices(
            # Training reads small photos at their own size, so the model does, too, until tuning chooses otherwise.
            # The offset of other annotators is unknown.
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
    """Return the description of a model to inherit from; refuse a distilled one, whose levels have other places."""
    if config.subpixel:
        remedy = "Inherit from the model that it was distilled from, or start from this one with --init"
        raise OptionError(
            "expected a model with all its levels to inherit from", f"{config.name}, distilled", remedy
        )
    return config


def _shared_widths(giver: ModelConfig, start: Start) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the giver's channels of levels and inside blocks, for the parts that both networks have."""
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
    """Return the description with the chosen options of zoom, regions and heads.

    Raises:
        OptionError: An option belongs to another kind of map.
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
    """Return the closeness S in pixels of each dense region in the photos' true maps."""
    spacings = []
    for each in samples:
        sample = each.without_ignored()
        if sample.points is None or not len(sample.points):
            continue
        width, height = np.ceil(sample.points.xy.max(axis=0)).astype(int) + 1
        # The true map up to the last head is enough: no photo needs decoding.
        truth = config.codec.encode(sample.points, max(1, int(width)), max(1, int(height)))
        for box in config.rule.find(_as_output(truth)):
            spacings.append(closeness(sample.points, box, measure))
    return spacings


def _as_output(truth: NDArray[Any]) -> NDArray[np.float32]:
    channels = 2 if truth.dtype == np.uint8 else 1
    return np.repeat(truth[None].astype(np.float32), channels, axis=0)
