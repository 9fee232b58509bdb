"""``crowdscale quantize``: a model in 8 bits, calibrated on training photos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["quantize"]


def quantize(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or a model folder.")],
    data: Annotated[list[str], typer.Option(help="Training photos: NAME[/SPLIT]:PATH; repeat for several.")],
    out: Annotated[Path, typer.Option(help="The model folder to write.")],
    validation: Annotated[
        Path | None, typer.Option(help="List of photos to leave out, SET/NAME a line.")
    ] = None,
    photos: Annotated[int, typer.Option(min=1, help="Photos to calibrate on, drawn from all.")] = 64,
    seed: Annotated[int, typer.Option(help="Draws the photos and a crop of each.")] = 0,
) -> None:
    """Write a model whose convolutions compute in 8 bits, twice as fast: check its scores with evaluate before using it.

    Its intervals and warnings are not those of the original: calibrate and acquaint it.
    """
    from crowdscale.cli.extras import need_learn

    need_learn("crowdscale quantize")
    from crowdscale.data.opening import open_samples
    from crowdscale.learn.export.quantization import QuantizeOptions, quantize_folder
    from crowdscale.models.finding import find_model

    samples = open_samples(data, validation)
    drift = quantize_folder(find_model(model), out, samples, QuantizeOptions(photos, seed=seed))
    typer.echo(f"Wrote {out}: counts of the calibration crops differ by {drift:.2%} from float32")
