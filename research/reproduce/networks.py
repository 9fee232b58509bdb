"""The networks of a table: each is trained once, if it is missing, and resumes after a stop."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from crowdscale.data.sample import Sample
from crowdscale.errors import OptionError
from crowdscale.files.writing import write_atomic
from crowdscale.learn.backend import TorchBackend
from crowdscale.learn.scaling import closeness, start_centre
from crowdscale.learn.training.loop import train
from crowdscale.learn.training.preparation import Gathered, start_model
from crowdscale.learn.training.settings import Settings, choose_settings
from crowdscale.models.description import ModelConfig, read_config
from crowdscale.models.finding import find_model
from crowdscale.points import Box, Points
from research.reproduce.budget import Budget
from research.reproduce.machine import describe_machine
from research.reproduce.recipe import Line, Variant

__all__ = ["Trained", "Trainer"]

SPACINGS: Mapping[str, float] = {"points": 13.0, "density": 14.0}
"""S̄ in pixels for the law S·r, chosen on validation photos of ShanghaiTech A (research/logs)."""

SIGMAS: Mapping[str, float] = {"sha": 4.0, "shb": 8.0, "qnrf": 6.0, "nwpu": 6.0, "jhu": 8.0}
"""Kernels of density maps in pixels: AutoScale §4.2; the last two from the authors' test code."""

USUAL: Mapping[str, Any] = {"pictures": 0, "save_every": 150, "l2s_lr": 2e-4}


@dataclass(frozen=True)
class Trained:
    """A trained network and its training."""

    folder: str
    """The model folder."""
    crops: int
    """Crops of the first phase."""
    l2s_crops: int
    """Crops of the second phase; 0 for a baseline."""
    seed: int
    data: tuple[str, ...]
    """Training data: name, split, release, photos."""
    machine: str
    minutes: float
    """Minutes of training in the call that finished it."""
    centre_start: float
    """S̄ in pixels before the second phase; NaN for a baseline."""
    centre_end: float
    """S̄ in pixels in the kept weights."""

    @classmethod
    def read(cls, path: Path) -> Trained | None:
        """Return the record of a finished training, None if it has not finished."""
        if not path.is_file():
            return None
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "data": tuple(values["data"])})


@dataclass(frozen=True)
class Trainer:
    """Trains the networks of a study below one folder."""

    out: Path
    budget: Budget
    gather: Callable[[str], Gathered]
    """Short name of a data set → its photos."""
    options: Mapping[str, Any]
    """Options that override those of every recipe: device, workers, …"""
    report: Callable[[str], object]
    """Receives a sentence on the progress."""

    def network(self, line: Line, seed: int) -> Trained:
        """Return the network of a line; train it now if it is missing."""
        base = self._train(line.variant, line.train, seed, None)
        return self._train(line.variant, line.train, seed, base) if line.refined else base

    def find(self, line: Line, seed: int) -> Trained | None:
        """Return the network of a line, None if its training has not finished."""
        base = Trained.read(self._place(line.variant, line.train, seed, None)[0] / "trained.json")
        if base is None or not line.refined:
            return base
        return Trained.read(self._place(line.variant, line.train, seed, base)[0] / "trained.json")

    def _place(
        self, variant: Variant, data: str, seed: int, base: Trained | None
    ) -> tuple[Path, dict[str, Any]]:
        """Return the folder of a network and its training options."""
        phase = "l2s" if base else "count"
        chosen = self._chosen(variant, data, seed, phase)
        return self.out / "networks" / self._name(variant, data, seed, phase, chosen, base), chosen

    def _train(self, variant: Variant, data: str, seed: int, base: Trained | None) -> Trained:
        folder, chosen = self._place(variant, data, seed, base)
        done = Trained.read(folder / "trained.json")
        if done is not None:
            return done
        self.report(f"training {folder.name}")
        gathered = self.gather(data)
        init = {"init": base.folder} if base else {}
        settings = choose_settings(self.budget.regime, **chosen, **init, name=folder.name)
        if base:
            settings = _with_centre(settings, gathered, base, self.budget.regime)
        started = time.perf_counter()
        model, config = start_model(settings.start, gathered, settings.centre, settings.losses)
        centre_start = float(model.centre.value)
        train(model, config, gathered.samples, gathered.weights, gathered.held_out, folder, settings.train)
        result = Trained(
            folder=str(folder / "best"),
            crops=self.budget.crops,
            l2s_crops=self.budget.l2s_crops if base else 0,
            seed=seed,
            data=tuple(gathered.sets),
            machine=describe_machine(settings.train.device),
            minutes=round((time.perf_counter() - started) / 60, 2),
            centre_start=centre_start,
            centre_end=_kept_centre(folder / "best"),
        )
        text = (json.dumps(asdict(result), indent=1) + "\n").encode()
        write_atomic(folder / "trained.json", lambda stream: stream.write(text))
        return result

    def check(self, variants: Sequence[Variant]) -> None:
        """Refuse options that the budget or the study sets, or in which the lines differ.

        Raises:
            OptionError: There is such an option, an unknown one, or a value of another type.
        """
        varied = {name for variant in variants for name in (*variant.options, *variant.l2s)}
        for name in self.options:
            if name in RESERVED:
                raise OptionError(f"expected --set of other options than {name}", name, RESERVED[name])
            if name in varied:
                raise OptionError(
                    "expected --set of what the lines share",
                    name,
                    "Leave it out, or choose lines with --only",
                )
        choose_settings(self.budget.regime, **self.options)

    def _chosen(self, variant: Variant, data: str, seed: int, phase: str) -> dict[str, Any]:
        """Return the training options of a phase by name."""
        usual = dict(USUAL) if self.budget.regime == "ours" else {"pictures": 0}
        chosen = {**usual, **self.budget.options(phase), **variant.options}
        if chosen.get("method") == "density" and data in SIGMAS:
            chosen.setdefault("sigma", SIGMAS[data])
        if phase == "l2s":
            chosen |= variant.l2s
        return {**chosen, **self.options, "seed": seed}

    def _name(
        self,
        variant: Variant,
        data: str,
        seed: int,
        phase: str,
        chosen: Mapping[str, Any],
        base: Trained | None,
    ) -> str:
        """Return the folder's name: readable, with a digest of all options that change the result."""
        lasting = {name: value for name, value in chosen.items() if name not in MACHINE}
        parent = Path(base.folder).parent.name if base else ""
        gathered = self.gather(data)
        photos = [gathered.sets, *([s.name for s in part] for part in (gathered.samples, gathered.held_out))]
        facts = json.dumps([lasting, data, self.budget.regime, photos, parent], sort_keys=True, default=str)
        digest = hashlib.sha256(facts.encode()).hexdigest()[:8]
        return f"{variant.name}-{data}-{phase}-s{seed}-{digest}"


MACHINE = {"device", "workers", "pictures", "pictures_every", "save_every"}
"""Options that change the speed of a training, not its result."""


RESERVED: Mapping[str, str] = {
    "crops": "Use --budget",
    "l2s_crops": "Use --budget",
    "seed": "Use --seeds",
    "name": "Folders are named after what is trained in them",
    "init": "AutoScale starts from the baseline of its line",
}
"""Options that the study sets, with the way to change them."""

SAMPLED = 100
"""Most training photos whose dense regions are measured."""


def _with_centre(settings: Settings, gathered: Gathered, base: Trained, regime: str) -> Settings:
    """Return the settings with a start of S̄ that gives the same median factor for any law.

    The law S·r with closeness by distance starts at ``SPACINGS``. Other laws and measures start where the baseline's
    regions get the same median factor, so that a comparison is one of laws, not of enlargements. In the paper's regime
    the factor is ``wanted_factor``. A given ``centre`` stays.
    """
    centre = settings.centre
    if centre.centre:
        return settings
    config = read_config(find_model(base.folder))
    usual = SPACINGS.get(config.method, 0.0) if regime == "ours" else 0.0
    if usual and centre.law == "spacing" and centre.closeness == "distance":
        return replace(settings, centre=replace(centre, centre=usual))
    regions = _dense_regions(Path(base.folder), config, gathered.samples)
    wanted = centre.wanted_factor
    if usual:
        wanted = usual / start_centre([closeness(points, box) for points, box in regions], 1.0, "spacing")
    spacings = [closeness(points, box, centre.closeness) for points, box in regions]
    return replace(settings, centre=replace(centre, centre=start_centre(spacings, wanted, centre.law)))


def _dense_regions(folder: Path, config: ModelConfig, samples: Sequence[Sample]) -> list[tuple[Points, Box]]:
    """Return the dense regions that a network predicts in training photos, with the heads of each photo."""
    backend = TorchBackend(folder, config)
    labelled = [sample for sample in samples if sample.points]
    regions = []
    for sample in labelled[:: max(1, len(labelled) // SAMPLED)]:
        points = sample.points or Points()
        boxes = config.rule.find(backend.predict(sample.read()).output)
        regions += [(points, box) for box in boxes if len(points.inside(box)) > 1]
    return regions


def _kept_centre(folder: Path) -> float:
    from safetensors.numpy import load_file

    return float(load_file(folder / "weights.safetensors")["centre.value"])
