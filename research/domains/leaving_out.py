"""Leave one domain out: train on the others at a small budget, score on the photos of the one left out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from crowdscale.counting.predictor import Predictor
from crowdscale.data.checks import photo_size
from crowdscale.data.lists import domain_of, read_list, split_samples
from crowdscale.data.opening import open_dataset
from crowdscale.errors import OptionError
from crowdscale.learn.backend import TorchBackend
from crowdscale.learn.store import WEIGHTS, build_model, load_weights
from crowdscale.learn.training.loop import train
from crowdscale.learn.training.preparation import Gathered, gather, start_model
from crowdscale.learn.training.settings import KINDS, choose_settings
from research.domains.rows import PhotoRow, predict_rows

__all__ = ["domain_names", "leave_out", "parse_options"]


def domain_names(data: Sequence[str]) -> list[str]:
    """Return the domain of each data set."""
    return [domain_of(open_dataset(text).samples[0]) for text in data]


def parse_options(texts: Sequence[str]) -> dict[str, Any]:
    """Return training options of texts such as ``journeys=0.6``, as the type of each default.

    Raises:
        OptionError: A text has no ``=``, or no option has that name.
    """
    defaults = {field.name: field.default for kind in KINDS for field in fields(kind)}
    options: dict[str, Any] = {}
    for text in texts:
        name, given, value = text.partition("=")
        if not given or name not in defaults:
            raise OptionError("expected NAME=VALUE of a training option", repr(text))
        options[name] = value if isinstance(defaults[name], str) else _plain(value)
    return options


def _plain(text: str) -> Any:
    """A number or truth value, or the text itself where it is neither."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def leave_out(
    left: str,
    data: Sequence[str],
    weights: Sequence[float],
    borders: Mapping[str, float],
    listed: Path,
    options: Mapping[str, Any],
    out: Path,
    report: Callable[[str], object],
) -> list[PhotoRow]:
    """Return the rows of a domain's held-out photos, by a model that saw no photo of it.

    A stopped training resumes, and photos that were scored are not scored again.

    Args:
        left: The domain that is left out.
        data: All data sets, the one left out among them.
        weights: How often photos of each are drawn.
        borders: Share of a side left out along the edges of a domain's photos.
        listed: List of the held-out photos of all domains.
        options: Training options by name.
        out: Folder for the training and the rows.
        report: Called with a line now and then.
    """
    names = domain_names(data)
    if left not in names:
        raise OptionError(f"expected a domain out of {', '.join(names)}", repr(left))
    rest = [place for place, name in enumerate(names) if name != left]
    settings = choose_settings(**options)
    gathered = gather(
        [data[place] for place in rest], [weights[place] for place in rest], listed, 0.1, settings.train.seed,
        borders=[borders.get(names[place], 0.0) for place in rest],
    )  # fmt: skip
    model, config = start_model(settings.start, gathered, settings.centre, settings.losses)
    held_out = _few(gathered)
    config = train(model, config, gathered.samples, gathered.weights, held_out, out / "run", settings.train)
    best = build_model(config)
    load_weights(best, out / "run" / "best" / WEIGHTS)
    predictor = Predictor(TorchBackend.from_model(best.eval(), config), config)
    unseen = _held_out(data[names.index(left)], listed, borders.get(left, 0.0))
    return predict_rows(predictor, {left: unseen}, out / "rows.jsonl", report)


def _few(gathered: Gathered) -> list[Any]:
    """A few held-out photos of the domains that are trained on: nothing is chosen by them at a small budget."""
    return gathered.held_out[:: max(1, len(gathered.held_out) // 4)]


def _held_out(text: str, listed: Path, border: float) -> list[Any]:
    chosen = split_samples(open_dataset(text).samples, read_list(listed))[1]
    if not border:
        return chosen
    return [each.trimmed(border, each.size or photo_size(each.image_path)) for each in chosen]
