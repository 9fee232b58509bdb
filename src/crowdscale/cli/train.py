"""``crowdscale train``: your photos and points in, a model folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from crowdscale.data.sample import Sample

__all__ = ["train"]


def train(
    ctx: typer.Context,
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH, such as sha/train:DIR; repeat for several sets.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; where it holds a state, the run goes on.")],
    weight: Annotated[
        list[float] | None, typer.Option(help="How often photos of each --data are drawn; default 1.")
    ] = None,
    border: Annotated[
        list[float] | None,
        typer.Option(help="Share of a side left out along the edges of photos of each --data; default 0."),
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
    regime: Annotated[
        str, typer.Option(help="ours, or paper: defaults as published; options given count all the same.")
    ] = "ours",
    name: Annotated[str, typer.Option(help="Name of the model.")] = "mine",
    method: Annotated[
        str, typer.Option(help="points (distance labels), hybrid (and block counts) or density.")
    ] = "points",
    network: Annotated[str, typer.Option(help="fpn, mcnn, csrnet, bl, or your own as module:Class.")] = "fpn",
    backbone: Annotated[str, typer.Option(help="Of fpn: nano, lite, lite1, lite2 or vgg16.")] = "lite",
    backbone_weights: Annotated[
        str | None, typer.Option(help="ImageNet weights: a file, an URL, or none.")
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Start from this trained model: a name or a folder.")
    ] = None,
    inherit: Annotated[
        str | None,
        typer.Option(
            help="Take what fits of this trained model's weights (lite to nano); another backbone starts by --backbone-weights."
        ),
    ] = None,
    sigma: Annotated[float, typer.Option(help="Density: width of a head's Gaussian in pixels.")] = 4.0,
    adaptive: Annotated[bool, typer.Option(help="Density: geometry-adaptive kernels.")] = False,
    density_cell: Annotated[
        int,
        typer.Option(
            help="Density of fpn: side of the layers' unit in pixels; 1 as published; ignored with --init."
        ),
    ] = 8,
    dots: Annotated[
        bool, typer.Option("--dots", help="Density: read local maxima of the map as heads.")
    ] = False,
    blocks: Annotated[bool, typer.Option(help="Add the head that counts 16-pixel blocks (fpn).")] = True,
    block_weight: Annotated[float, typer.Option(help="Weight of the block counts' loss.")] = 0.3,
    block_squares: Annotated[
        bool, typer.Option(help="Block counts: absolute errors of squares, too, beside the likelihood.")
    ] = True,
    area_low: Annotated[
        float | None, typer.Option(help="Smallest area factor of the zoom; default 0.5.")
    ] = None,
    area_high: Annotated[
        float | None, typer.Option(help="Largest area factor; default 5, density 9.")
    ] = None,
    gain: Annotated[
        float | None,
        typer.Option(help="Multiplies the learned side factor; default 1, or of --init without --centre."),
    ] = None,
    region_minimum: Annotated[
        float | None,
        typer.Option(help="Share of the photo below which a region is none; default 0.02, density 0.1."),
    ] = None,
    region_below: Annotated[
        int | None, typer.Option(help="Points: a lower class is dense; default 8.")
    ] = None,
    region_times: Annotated[
        float | None, typer.Option(help="Density: more than this times the mean is dense; default 2.")
    ] = None,
    region_by: Annotated[
        str | None, typer.Option(help="Density: region or box is measured; default region.")
    ] = None,
    region_code: Annotated[
        bool | None, typer.Option("--region-code", help="Density: threshold as the authors' test code.")
    ] = None,
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
    crowded: Annotated[
        float,
        typer.Option(help="Share of the crops that are cut around a head, so that crowds are seen more."),
    ] = 0.0,
    mosaic: Annotated[
        float, typer.Option(help="Share of the crops that are put together of parts of four photos.")
    ] = 0.0,
    negatives: Annotated[
        float, typer.Option(help="Share of the crops that show nobody: empty windows of the photos.")
    ] = 0.0,
    quilt: Annotated[
        float,
        typer.Option(help="Share of the crops that are put together of nine reduced photos: dense crowds."),
    ] = 0.0,
    journeys: Annotated[
        float,
        typer.Option(
            help="Share of the crops that are rescaled, sharpened, blurred, compressed or grained, as shared photos are."
        ),
    ] = 0.0,
    least_spacing: Annotated[
        float,
        typer.Option(help="Photos are not reduced below this mean distance of heads in pixels; 0: no limit."),
    ] = 0.0,
    variety: Annotated[
        float,
        typer.Option(
            help="0 to 1: stretch, colour casts, blur and JPEG, as of other cameras, in training crops."
        ),
    ] = 0.0,
    points_right: Annotated[
        float,
        typer.Option(
            help="How far points of all --data lie to the right of heads, in pixels as read; ShanghaiTech's 0.8. After it: tune --offset."
        ),
    ] = 0.0,
    points_below: Annotated[float, typer.Option(help="How far they lie below; ShanghaiTech's 1.1.")] = 0.0,
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
    skip_blocks: Annotated[
        float, typer.Option(help="Share of crops that skip a Lite's last residual block; less before it.")
    ] = 0.0,
    warmup: Annotated[int, typer.Option(help="Steps of warm-up.")] = 100,
    schedule: Annotated[str, typer.Option(help="cosine or constant learning rate.")] = "cosine",
    clip: Annotated[float, typer.Option(help="Largest norm of the gradient; 0 for no limit.")] = 5.0,
    ema: Annotated[float, typer.Option(help="Decay of the averaged weights; 0 keeps the last ones.")] = 0.998,
    loss: Annotated[
        str,
        typer.Option(
            help="Points: dynamic, ce, focal, ordinal. Density: mse, bayesian, dm. auto: dynamic; mse, of bl bayesian."
        ),
    ] = "auto",
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
    bracket_gradient: Annotated[
        bool,
        typer.Option("--bracket-gradient/--detach-bracket", help="Gradient through the bracket of Eq. 7."),
    ] = True,
    focus: Annotated[float, typer.Option(help="Focal loss: its exponent.")] = 2.0,
    bayesian_sigma: Annotated[float, typer.Option(help="Bayesian loss: width of a head in pixels.")] = 8.0,
    bayesian_background: Annotated[
        float, typer.Option(help="Bayesian loss: reach of heads, as a share of the shorter side.")
    ] = 0.15,
    transport_weight: Annotated[float, typer.Option(help="dm: weight of optimal transport.")] = 0.1,
    variation_weight: Annotated[float, typer.Option(help="dm: weight of total variation.")] = 0.01,
    transport_smoothing: Annotated[float, typer.Option(help="dm: smoothing in square pixels.")] = 10.0,
    transport_iterations: Annotated[int, typer.Option(help="dm: iterations of transport.")] = 100,
    side_weight: Annotated[float, typer.Option(help="Weight of each side output's loss (fpn).")] = 0.1,
    centre_weight: Annotated[float, typer.Option(help="Weight of the centre loss.")] = 1.0,
    law: Annotated[
        str, typer.Option(help="spacing: S*r reaches the centre; paper: S*r^2 (Eq. 2).")
    ] = "spacing",
    centre: Annotated[
        float, typer.Option(help="Start value of the centre in pixels; 0 follows from the data.")
    ] = 0.0,
    wanted_factor: Annotated[
        float, typer.Option(help="Median side factor that the centre from data aims at.")
    ] = 1.5,
    centre_rate: Annotated[float, typer.Option(help="Learning rate of the centre (Eq. 4).")] = 1e-3,
    closeness: Annotated[
        str, typer.Option(help="distance (Eq. 1), or density as in the conference version.")
    ] = "distance",
    keep_low: Annotated[
        float, typer.Option(help="Area factors below are left out of training (journal version).")
    ] = 0.0,
    keep_high: Annotated[float, typer.Option(help="The same above.")] = float("inf"),
    farthest: Annotated[
        float, typer.Option(help="Regions are taught as if heads were at most this many centres apart.")
    ] = float("inf"),
    scaled_kernel: Annotated[
        bool, typer.Option("--scaled-kernel", help="Kernels and label edges grow with the zoom.")
    ] = False,
    canvas: Annotated[
        int, typer.Option(help="Side of the second pass's view in training; 0 shows whole regions.")
    ] = 256,
    train_regions: Annotated[int, typer.Option(help="Dense regions of a crop enlarged in training.")] = 1,
    zoom_gradient: Annotated[
        bool, typer.Option(help="Second pass's loss reaches the scale net (journal version).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of weights and crops.")] = 0,
    validate_every: Annotated[int, typer.Option(help="Crops between validations, an epoch here.")] = 6_000,
    l2s_validate_every: Annotated[int, typer.Option(help="The same in the second phase.")] = 2_000,
    save_every: Annotated[int, typer.Option(help="Steps between further saves of the state.")] = 150,
    select: Annotated[
        str,
        typer.Option(help="The best weights have the least mae, or relative error over sets (domains)."),
    ] = "mae",
    workers: Annotated[int, typer.Option(help="Processes that cut crops.")] = 1,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "cpu",
    devices: Annotated[int, typer.Option(help="Processes (CPU) or GPUs.")] = 1,
    precision: Annotated[str, typer.Option(help="bf16-mixed or 32-true.")] = "bf16-mixed",
    pictures: Annotated[int, typer.Option(help="Validation photos drawn each few epochs.")] = 3,
) -> None:
    """Train a model on photos with points; a run that was stopped goes on with the same command."""
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale train")
    from crowdscale.learn.networks.building import register_network
    from crowdscale.learn.training.loop import train as run
    from crowdscale.learn.training.preparation import gather, start_model
    from crowdscale.learn.training.settings import choose_settings

    register_network(network)
    settings = choose_settings(regime, **_given(ctx))
    gathered = gather(data, weight, validation, validation_share, seed, limit_size, cache, border)
    model, config = start_model(settings.start, gathered, settings.centre, settings.losses)
    best = run(model, config, gathered.samples, gathered.weights, gathered.held_out, out, settings.train)
    typer.echo(f"Best model: {out / 'best'} ({best.training['validation']})")
    _export(out / "best", gathered.held_out)


ABOUT_DATA = {
    "data",
    "out",
    "weight",
    "border",
    "validation",
    "validation_share",
    "limit_size",
    "cache",
    "regime",
}


def _given(ctx: typer.Context) -> dict[str, Any]:
    """Return the training options that were typed; the others are the regime's."""
    typed = {name for name in ctx.params if getattr(ctx.get_parameter_source(name), "name", "") != "DEFAULT"}
    return {name: value for name, value in ctx.params.items() if name in typed - ABOUT_DATA}


def _export(folder: Path, held_out: list[Sample]) -> None:
    """Write the best model's graphs beside its weights and check them on held-out photos."""
    from crowdscale.learn.export.onnx import export_folder

    difference = export_folder(folder, held_out)
    typer.echo(f"Exported {folder}: largest difference from torch {difference}")
