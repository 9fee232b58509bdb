"""``crowdscale models quantize``: a model in 8 bits."""

from __future__ import annotations

from typing import Annotated

import typer

from crowdscale.cli.options import INPUT, Data, HoldOut, ModelArgument, ModelOut, Only, Seed, option

__all__ = ["quantize"]


def quantize(
    model: ModelArgument,
    data: Data,
    out: ModelOut,
    only: Only = None,
    hold_out: HoldOut = None,
    photos: Annotated[
        int,
        option(
            "--photos", panel=INPUT, metavar="N", min=1, help="Training photos that set the ranges of 8 bits."
        ),
    ] = 64,
    seed: Seed = 0,
) -> None:
    """Write a copy of a model that computes its convolutions in 8 bits: about twice as fast.

    Check its scores with `crowdscale evaluate`. Intervals and warnings are not copied: run calibrate and profile.
    """
    from crowdscale.errors import need_learn

    need_learn("crowdscale models quantize")
    from crowdscale.cli.photos import open_chosen
    from crowdscale.learn.export.quantization import QuantizeOptions, quantize_folder
    from crowdscale.models.finding import find_model

    samples = [sample for _, part in open_chosen(data, only, hold_out) for sample in part]
    drift = quantize_folder(find_model(model), out, samples, QuantizeOptions(photos, seed=seed))
    typer.echo(f"Wrote {out}: counts of the training crops differ by {drift:.2%} from float32")
