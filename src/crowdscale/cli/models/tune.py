"""``crowdscale models tune``: options that need no training, chosen on validation photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.options import COUNTING, Data, HoldOut, ModelArgument, Only, Write, option
from crowdscale.errors import OptionError

if TYPE_CHECKING:
    from crowdscale.counting.predictor import Predictor
    from crowdscale.data.sample import Sample
    from crowdscale.evaluation.tuning import Trial
    from crowdscale.models.description import ModelConfig

__all__ = ["tune"]

WINDOWS, CEILINGS = (3, 5), (5.0, 5.5, 6.0, 6.5, 7.0)
"""What is tried unless an option names values."""

HEADER = "| window | ceiling | gain | enlarged below | first MAE | MAE | bias | F 4px | F 8px |"


def tune(
    model: ModelArgument,
    data: Data,
    only: Only = None,
    hold_out: HoldOut = None,
    window: Annotated[
        list[int] | None, option("--window", panel=COUNTING, metavar="PIXELS", help="Window of a local minimum; repeat.")
    ] = None,
    ceiling: Annotated[
        list[float] | None,
        option("--ceiling", panel=COUNTING, metavar="LABEL", help="Largest expected label of a head; repeat."),
    ] = None,
    gain: Annotated[
        list[float] | None,
        option("--gain", panel=COUNTING, metavar="FACTOR", help="Multiplies the learned zoom; repeat."),
    ] = None,
    enlarge_below: Annotated[
        list[int] | None,
        option(
            "--enlarge-below", panel=COUNTING, metavar="PIXELS",
            help="Enlarge photos of fewer pixels to about as many, 0 for never; repeat.",
        ),
    ] = None,
    offset: Annotated[
        bool, option("--offset", panel=COUNTING, help="Measure how far annotated points lie from located heads.")
    ] = False,
    write: Write = False,
) -> None:  # fmt: skip
    """Try values on validation photos and print their errors; --write keeps the values of least MAE.

    Without values, windows 3 and 5 and ceilings 5 to 7 are tried. --offset alone tries nothing: later heads move
    to where annotators put points, and counts stay. Use no test set.
    """
    from crowdscale.cli.photos import open_chosen
    from crowdscale.counting.predictor import load
    from crowdscale.models.description import write_config
    from crowdscale.models.finding import find_folder, find_model

    folder = find_folder(model) if write else find_model(model)
    values = _values(window, ceiling, gain, enlarge_below, offset)
    samples = [sample for _, part in open_chosen(data, only, hold_out) for sample in part]
    predictor = load(folder)
    config = predictor.config
    if offset:
        config = _with_offset(predictor, samples)
    if any(values):
        config = _best(predictor, config, samples, values)
    if write:
        write_config(folder, config)


Values = tuple[Sequence[int], Sequence[float], Sequence[float], Sequence[int]]


def _values(
    window: Sequence[int] | None,
    ceiling: Sequence[float] | None,
    gain: Sequence[float] | None,
    enlarge_below: Sequence[int] | None,
    offset: bool,
) -> Values:
    """Return the values to try. Raises OptionError."""
    values: Values = window or (), ceiling or (), gain or (), enlarge_below or ()
    if min(values[3], default=0) < 0:
        raise OptionError("expected --enlarge-below of at least 0 pixels", str(min(values[3])))
    return values if any(values) or offset else (WINDOWS, CEILINGS, (), ())


def _with_offset(predictor: Predictor, samples: list[Sample]) -> ModelConfig:
    """Return the description with the measured offset; scores of other positions go."""
    from crowdscale.cli.progress import progress
    from crowdscale.evaluation.tuning import measure_offset

    config = predictor.config
    with progress("Measuring the offset", len(samples)) as live:
        offset = measure_offset(predictor, samples, live.advance)
    x, y = offset.xy
    typer.echo(
        f"Annotated points lie ({x:+g}, {y:+g}) px from located heads (medians of {offset.pairs:,} pairs)"
    )
    if offset.xy == config.offset:
        return config
    notes = {name: note for name, note in config.notes.items() if name != "scores"}
    return replace(config, offset=offset.xy, notes=notes)


def _best(predictor: Predictor, config: ModelConfig, samples: list[Sample], values: Values) -> ModelConfig:
    """Print the errors of all trials and return the best description; a changed one loses its measurements."""
    from crowdscale.cli.progress import progress
    from crowdscale.evaluation.tuning import tune as run

    with progress("Tuning", len(samples)) as live:
        trials = run(predictor.with_options(config=config), samples, *values, live.advance)
    typer.echo(f"{HEADER}\n|{'---|' * HEADER.count(' | ')}---|")
    for trial in trials:
        typer.echo(f"| {' | '.join(_cells(trial))} |")
    return config if trials[0].config == config else trials[0].config.unmeasured()


def _cells(trial: Trial) -> list[str]:
    config, evaluation = trial.config, trial.evaluation
    first, scores = evaluation.counting("first"), evaluation.counting("refined")
    settings, places = config.codec.settings(), evaluation.localization("refined")
    read = [f"{settings[name]:g}" if name in settings else "–" for name in ("window", "ceiling")]
    shares = [f"{100 * places[name].f:.1f}" if name in places else "–" for name in ("4px", "8px")]
    errors = f"{first.mae:.1f}", f"{scores.mae:.1f}", f"{scores.bias:+.1f}"
    return [*read, f"{config.zoom.gain:g}", f"{config.enlarge_below:,}", *errors, *shares]
