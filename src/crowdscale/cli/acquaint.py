"""``crowdscale acquaint``: tell a model what its training photos look like, so that it warns of photos unlike them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from crowdscale.counting.prediction import Prediction
    from crowdscale.counting.predictor import Predictor
    from crowdscale.data.sample import Sample
    from crowdscale.trust.profile import Alarms, Seen

__all__ = ["acquaint"]


def acquaint(
    model: Annotated[str, typer.Argument(help="A bundled model's name, or the path of a model folder.")],
    data: Annotated[
        list[str], typer.Option(help="NAME[/SPLIT]:PATH of the photos trained on; repeat for several.")
    ],
    held_out: Annotated[
        Path | None, typer.Option(help="List of the photos that were not: on these warnings are counted.")
    ] = None,
    turned: Annotated[
        int,
        typer.Option(
            min=0, help="Photos, evenly drawn, also seen turned, so that turned ones are told; 0 for none."
        ),
    ] = 200,
    write: Annotated[
        bool, typer.Option("--write", help="Write the result into the model's description.")
    ] = False,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the engine; 0 leaves it the choice.")] = 0,
) -> None:
    """Measure the photos a model was trained on: what lies beyond nearly all of them will be warned of."""
    from dataclasses import replace

    from crowdscale.counting.predictor import Predictor, load
    from crowdscale.data.lists import read_list, split_samples
    from crowdscale.data.opening import open_dataset
    from crowdscale.files.writing import write_atomic
    from crowdscale.models.description import DESCRIPTION, read_config
    from crowdscale.models.finding import find_folder, find_model
    from crowdscale.trust.profile import learn_familiar

    folder = find_folder(model) if write else find_model(model)
    names = read_list(held_out) if held_out else []
    trained: list[Sample] = []
    others: list[Sample] = []
    for text in data:
        rest, kept = split_samples(open_dataset(text).samples, names)
        trained, others = trained + rest, others + kept
    predictor = load(model, threads=threads)
    seen = [_seen(p) for p in _predict(predictor, trained, "training photos")]
    known = learn_familiar(seen, _turned(model, trained, turned, threads))
    for name, limit in known.limits.items():
        typer.echo(f"{name}: limit {limit:.4g}")
    if known.upright:
        typer.echo(f"turned: in doubt beyond {known.doubt:.4g}")
    if others:
        label = f"{len(others)} photos of {held_out.name if held_out else ''}"
        warning = Predictor(predictor.backend, replace(predictor.config, familiar=known))
        known = replace(known, alarms=(_alarms(_predict(warning, others, "others"), label),))
    if write:
        described = replace(read_config(folder), familiar=known).to_json().encode()
        write_atomic(folder / DESCRIPTION, lambda stream: stream.write(described))


def _predict(predictor: Predictor, samples: Sequence[Sample], what: str) -> list[Prediction]:
    return [predictor.predict(sample.read()) for sample in _shown(samples, what)]


def _shown(samples: Sequence[Sample], what: str) -> Iterable[Sample]:
    """The photos, with a bar that says how many are done."""
    from rich.console import Console
    from rich.progress import track

    silent = not sys.stderr.isatty()
    return track(samples, f"{what}:", console=Console(stderr=True), disable=silent, transient=True)


def _turned(
    model: str, samples: Sequence[Sample], number: int, threads: int
) -> dict[int, NDArray[np.float64]]:
    """Mean features of ``number`` of the photos, evenly drawn, at each turn; by their places."""
    import numpy as np

    from crowdscale.counting.predictor import PredictOptions, load
    from crowdscale.trust.upright import TURNS

    first = load(model, threads=threads, options=PredictOptions(refine=False))
    places = sorted(
        {*np.linspace(0, len(samples) - 1, min(number, len(samples))).round().astype(int).tolist()}
    )
    found = {}
    for place, sample in zip(places, _shown([samples[place] for place in places], "turned"), strict=True):
        pixels = sample.read()
        seen = [_seen(first.predict(np.ascontiguousarray(np.rot90(pixels, turn)))) for turn in TURNS]
        found[place] = np.stack([each.impression.features for each in seen])
    return found


def _seen(prediction: Prediction) -> Seen:
    """What is measured of a photo, from its prediction."""
    from crowdscale.errors import ModelError
    from crowdscale.trust.profile import Seen

    heads = prediction.points
    if heads is not None and prediction.read_scale != 1:
        heads = heads.scale(prediction.read_scale)
    if prediction.impression is None:
        raise ModelError("expected an engine that gives features", f"{prediction.model} without")
    return Seen(prediction.impression, heads, prediction.count, prediction.size)


def _alarms(predictions: list[Prediction], label: str) -> Alarms:
    from crowdscale.trust.profile import Alarms

    said = [prediction.warnings for prediction in predictions]
    alarms = Alarms(label, len(said), sum(map(bool, said)))
    typer.echo(f"Warnings on {alarms.alarmed} of {alarms.data}")
    for sentence, number in Counter(s for each in said for s in each).most_common():
        typer.echo(f"  {number}: {sentence}")
    return alarms
