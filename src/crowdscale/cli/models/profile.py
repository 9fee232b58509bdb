"""``crowdscale models profile``: learn what the training photos look like, so that unusual photos get a warning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crowdscale.cli.options import INPUT, Data, HoldOut, ModelArgument, Only, Threads, Write, option
from crowdscale.cli.progress import tracked

if TYPE_CHECKING:
    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.predictor import Predictor
    from crowdscale.data.sample import Sample
    from crowdscale.trust.profile import Alarms, Profile

__all__ = ["profile"]


def profile(
    model: ModelArgument,
    data: Data,
    only: Only = None,
    hold_out: HoldOut = None,
    turned: Annotated[
        int,
        option(
            "--turned", panel=INPUT, metavar="N", min=0,
            help="Photos read in all four orientations, to detect turned ones; 0 for none.",
        ),
    ] = 200,
    write: Write = False,
    threads: Threads = 0,
) -> None:  # fmt: skip
    """Learn what the training photos look like, so that unusual photos get a warning.

    --data and --only name the training photos. Warnings are counted on the photos of --hold-out.
    """
    from crowdscale.counting.predictor import load
    from crowdscale.evaluation.profiling import drawn_evenly, measured, turned_features, uncalibrated
    from crowdscale.models.description import write_config
    from crowdscale.models.finding import find_folder, find_model
    from crowdscale.trust.profile import learn_profile

    folder = find_folder(model) if write else find_model(model)
    trained, others = _parts(data, only, hold_out)
    predictor = load(model, threads=threads)
    plain = uncalibrated(predictor)
    upright = [measured(each) for each in _predict(plain, trained, "Training photos")]
    indices = drawn_evenly(len(trained), turned)
    features = turned_features(predictor, trained, tracked(indices, "Turned photos", len(indices)))
    familiar = learn_profile(upright, features)
    _print(familiar)
    if others:
        label = f"{len(others)} photos of {hold_out.name if hold_out else ''}"
        warning = predictor.with_options(config=replace(predictor.config, familiar=familiar))
        familiar = replace(familiar, alarms=(_warnings(_predict(warning, others, "Held-out photos"), label),))
    if write:
        write_config(folder, replace(predictor.config, familiar=familiar))


def _parts(
    data: Sequence[str], only: Path | None, hold_out: Path | None
) -> tuple[list[Sample], list[Sample]]:
    """Return the training photos and the held-out photos."""
    from crowdscale.cli.photos import open_chosen
    from crowdscale.data.lists import read_list, split_samples

    trained: list[Sample] = []
    others: list[Sample] = []
    for _, samples in open_chosen(data, None):
        named = split_samples(samples, read_list(only))[1] if only else samples
        held_out = split_samples(samples, read_list(hold_out))[1] if hold_out else []
        trained += [sample for sample in named if not any(sample is each for each in held_out)]
        others += held_out
    return trained, others


def _print(familiar: Profile) -> None:
    for name, limit in familiar.limits.items():
        typer.echo(f"{name}: limit {limit:.4g}")
    if familiar.upright:
        typer.echo(f"turned: in doubt beyond {familiar.doubt:.4g}")


def _predict(predictor: Predictor, samples: Sequence[Sample], what: str) -> list[Prediction]:
    return [predictor.predict(sample.read()) for sample in tracked(samples, what, len(samples))]


def _warnings(predictions: list[Prediction], label: str) -> Alarms:
    """Print how often each warning appears and return their number."""
    from crowdscale.trust.profile import Alarms

    warned = sum(bool(prediction.warnings) for prediction in predictions)
    alarms = Alarms(label, len(predictions), warned)
    typer.echo(f"Warnings on {alarms.alarmed} of {alarms.data}")
    typer.echo(
        f"Counts that must not be used: {sum(not each.usable for each in predictions)} of {len(predictions)}"
    )
    sentences = Counter(sentence for each in predictions for sentence in each.warnings)
    for sentence, number in sentences.most_common():
        typer.echo(f"  {number}: {sentence}")
    return alarms
