"""``crowdscale train``: your photos and points in, a model folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crowdscale.data.sample import Sample

__all__ = ["train"]


def train(
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH, such as sha/train:DIR; repeat for several sets.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; where it holds a state, the run goes on.")],
    weight: Annotated[
        list[float] | None, typer.Option(help="How often photos of each --data are drawn; default 1.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="List of held-out photos, one SET/NAME a line.")
    ] = None,
    validation_share: Annotated[
        float, typer.Option(help="Share held out, by count strata, without --validation.")
    ] = 0.1,
    limit_size: Annotated[
        bool, typer.Option("--limit-size", help="Resize photos to the limits of each set's protocol.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep resized photos here for the next time.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the model.")] = "mine",
    method: Annotated[
        str, typer.Option(help="points (distance labels), hybrid (and block counts) or density.")
    ] = "points",
    backbone: Annotated[str, typer.Option(help="nano, lite, lite1, lite2 or vgg16.")] = "lite",
    backbone_weights: Annotated[
        str | None, typer.Option(help="ImageNet weights: a file, an URL, or none.")
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Start from this trained model: a name or a folder.")
    ] = None,
    inherit: Annotated[
        str | None, typer.Option(help="Take what fits of this trained model's weights (lite to nano).")
    ] = None,
    sigma: Annotated[float, typer.Option(help="Density: width of a head's Gaussian in pixels.")] = 4.0,
    adaptive: Annotated[bool, typer.Option(help="Density: geometry-adaptive kernels.")] = False,
    blocks: Annotated[bool, typer.Option(help="Add the head that counts 16-pixel blocks.")] = True,
    block_weight: Annotated[float, typer.Option(help="Weight of the block counts' loss.")] = 0.3,
    crops: Annotated[
        int, typer.Option(help="Crops of the first phase, the counting network alone.")
    ] = 60_000,
    l2s_crops: Annotated[
        int, typer.Option(help="Crops of the second phase, with learning to scale.")
    ] = 8_000,
    crop: Annotated[int, typer.Option(help="Side of a crop in pixels; 0 takes whole photos.")] = 256,
    l2s_crop: Annotated[int, typer.Option(help="Side of a crop in the second phase.")] = 384,
    scale_low: Annotated[float, typer.Option(help="Smallest random enlargement.")] = 0.7,
    scale_high: Annotated[float, typer.Option(help="Largest random enlargement.")] = 1.6,
    negatives: Annotated[
        float, typer.Option(help="Share of the crops that show nobody: empty windows, drawn textures, text.")
    ] = 0.0,
    batch: Annotated[int, typer.Option(help="Crops a step and process.")] = 8,
    l2s_batch: Annotated[int, typer.Option(help="The same in the second phase.")] = 4,
    optimizer: Annotated[str, typer.Option(help="adamw or adam.")] = "adamw",
    lr: Annotated[float, typer.Option(help="Peak learning rate of all but the backbone.")] = 1e-3,
    backbone_lr: Annotated[float, typer.Option(help="Peak learning rate of the backbone.")] = 3e-4,
    l2s_lr: Annotated[
        float, typer.Option(help="Peak rate of the counting network in the second phase.")
    ] = 2e-4,
    weight_decay: Annotated[float, typer.Option(help="Weight decay.")] = 1e-4,
    beta1: Annotated[float, typer.Option(help="Decay of the first moment.")] = 0.9,
    warmup: Annotated[int, typer.Option(help="Steps of warm-up.")] = 100,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights; 0 keeps the last ones.")] = 0.998,
    thinning: Annotated[int, typer.Option(help="The labels' loss reads every n-th pixel each way.")] = 1,
    freeze_norm: Annotated[
        bool,
        typer.Option("--freeze-norm", help="Keep normalisation statistics: to go on from trained weights."),
    ] = False,
    freeze_stride: Annotated[
        int, typer.Option(help="Do not train the backbone's layers up to this stride; 0 trains all.")
    ] = 0,
    l2s_frozen: Annotated[
        bool, typer.Option("--l2s-frozen", help="Second phase: teach the scale net alone.")
    ] = False,
    reduction: Annotated[
        str, typer.Option(help="Of losses over pixels: sum or mean; auto sums density only.")
    ] = "auto",
    detach_bracket: Annotated[bool, typer.Option(help="No gradient through the bracket of Eq. 7.")] = False,
    law: Annotated[
        str, typer.Option(help="spacing: S*r reaches the centre; paper: S*r^2 (Eq. 2).")
    ] = "spacing",
    centre: Annotated[
        float, typer.Option(help="Start value of the centre in pixels; 0 follows from the data.")
    ] = 0.0,
    wanted_factor: Annotated[
        float, typer.Option(help="Median side factor that the centre from data aims at.")
    ] = 1.5,
    zoom_gradient: Annotated[
        bool, typer.Option(help="Second pass's loss reaches the scale net (journal version).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of weights and crops.")] = 0,
    validate_every: Annotated[int, typer.Option(help="Crops between validations, an epoch here.")] = 6_000,
    l2s_validate_every: Annotated[int, typer.Option(help="The same in the second phase.")] = 2_000,
    save_every: Annotated[int, typer.Option(help="Steps between further saves of the state.")] = 150,
    workers: Annotated[int, typer.Option(help="Processes that cut crops.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    devices: Annotated[int, typer.Option(help="Processes (CPU) or GPUs.")] = 1,
    precision: Annotated[str, typer.Option(help="bf16-mixed or 32-true.")] = "bf16-mixed",
    pictures: Annotated[int, typer.Option(help="Validation photos drawn each few epochs.")] = 3,
) -> None:
    """Train a model on photos with points; a run that was stopped goes on with the same command."""
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale train")
    from crowdscale.learn.model import LossOptions
    from crowdscale.learn.preparation import Start, gather, start_model
    from crowdscale.learn.scaling import CentreOptions
    from crowdscale.learn.training import TrainOptions
    from crowdscale.learn.training import train as run
    from crowdscale.learn.transforms import CropOptions

    options = TrainOptions(
        crops=crops, l2s_crops=l2s_crops, batch=batch, l2s_batch=l2s_batch, optimizer=optimizer, lr=lr,
        backbone_lr=backbone_lr, l2s_lr=l2s_lr, weight_decay=weight_decay, beta1=beta1, warmup=warmup, ema=ema,
        seed=seed, validate_every=validate_every,
        l2s_validate_every=l2s_validate_every, save_every=save_every, workers=workers, device=device,
        devices=devices, precision=precision, pictures=pictures,
        freeze_norm=freeze_norm, freeze_stride=freeze_stride, l2s_frozen=l2s_frozen,
        crop_options=CropOptions(crop=crop, scale_low=scale_low, scale_high=scale_high, negatives=negatives),
        l2s_crop=l2s_crop,
    )  # fmt: skip
    losses = LossOptions(
        reduction=None if reduction == "auto" else reduction,  # type: ignore[arg-type]
        bracket_gradient=not detach_bracket,
        block_weight=block_weight,
        thinning=thinning,
        zoom_gradient=zoom_gradient,
    )
    gathered = gather(data, weight, validation, validation_share, seed, limit_size, cache)
    start = Start(name, method, backbone, backbone_weights, init, inherit, sigma, adaptive, blocks, seed)
    centre_options = CentreOptions(law=law, centre=centre, wanted_factor=wanted_factor)  # type: ignore[arg-type]
    model, config = start_model(start, gathered, centre_options, losses)
    best = run(model, config, gathered.samples, gathered.weights, gathered.held_out, out, options)
    typer.echo(f"Best model: {out / 'best'} ({best.training['validation']})")
    _export(out / "best", gathered.held_out)


def _export(folder: Path, held_out: list[Sample]) -> None:
    """Write the best model's graphs beside its weights and check them on held-out photos."""
    from crowdscale.learn.export import export_folder

    difference = export_folder(folder, held_out)
    typer.echo(f"Exported {folder}: largest difference from torch {difference}")
