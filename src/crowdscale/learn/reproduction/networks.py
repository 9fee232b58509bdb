"""The networks of a table: each is trained once, where it is missing, and goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from crowdscale.images import write_atomic
from crowdscale.learn.preparation import Gathered, region_spacings, start_model
from crowdscale.learn.reproduction.budget import Budget
from crowdscale.learn.reproduction.machine import describe_machine
from crowdscale.learn.reproduction.recipe import Line, Variant
from crowdscale.learn.scaling import start_centre
from crowdscale.learn.settings import Settings, choose_settings
from crowdscale.learn.training import train
from crowdscale.weights import find_model, read_config

__all__ = ["Trained", "Trainer"]

SPACINGS: Mapping[str, float] = {"points": 13.0, "density": 14.0}
"""S̄ in pixels by the law S·r: chosen on validation photos of ShanghaiTech A, see docs/training."""

SIGMAS: Mapping[str, float] = {"sha": 4.0, "shb": 8.0, "qnrf": 6.0, "nwpu": 6.0, "jhu": 8.0}
"""Kernels of density maps in pixels: [A] §4.2, and for the last two the authors' test code."""

USUAL: Mapping[str, Any] = {"pictures": 0, "save_every": 150, "l2s_lr": 2e-4}


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came about."""

    folder: str
    """The model folder."""
    crops: int
    """Crops of the first phase."""
    l2s_crops: int
    """Crops of the second; 0 for a baseline."""
    seed: int
    data: tuple[str, ...]
    """What was trained on: name, split, release, photos."""
    machine: str
    minutes: float
    """Of training, in the call that finished it."""
    centre_start: float
    """S̄ in pixels before the second phase; NaN for a baseline."""
    centre_end: float
    """And in the weights that were kept."""

    @classmethod
    def read(cls, path: Path) -> Trained | None:
        """Return what a finished training wrote; None where it has not finished."""
        if not path.is_file():
            return None
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "data": tuple(values["data"])})


@dataclass(frozen=True)
class Trainer:
    """Trains the networks of a study below one folder; each line asks for the one it needs."""

    out: Path
    budget: Budget
    gather: Callable[[str], Gathered]
    """Short name of a data set → its photos."""
    options: Mapping[str, Any]
    """Options that stand above those of every recipe: device, workers, …"""
    say: Callable[[str], object]

    def network(self, line: Line, seed: int) -> Trained:
        """Return the network of a line, trained now where it is missing."""
        base = self._train(line.variant, line.train, seed, None)
        return self._train(line.variant, line.train, seed, base) if line.refined else base

    def find(self, line: Line, seed: int) -> Trained | None:
        """Return the network of a line where its training has finished."""
        base = Trained.read(self._place(line.variant, line.train, seed, None)[0] / "trained.json")
        if base is None or not line.refined:
            return base
        return Trained.read(self._place(line.variant, line.train, seed, base)[0] / "trained.json")

    def _place(
        self, variant: Variant, data: str, seed: int, base: Trained | None
    ) -> tuple[Path, dict[str, Any]]:
        """Return the folder of a network and the options that it is trained with."""
        phase = "l2s" if base else "count"
        chosen = self._chosen(variant, data, seed, phase)
        return self.out / "networks" / self._name(variant, data, seed, phase, chosen, base), chosen

    def _train(self, variant: Variant, data: str, seed: int, base: Trained | None) -> Trained:
        folder, chosen = self._place(variant, data, seed, base)
        done = Trained.read(folder / "trained.json")
        if done is not None:
            return done
        self.say(f"training {folder.name}")
        gathered = self.gather(data)
        init = {"init": base.folder} if base else {}
        settings = choose_settings(self.budget.regime, **chosen, **init, name=folder.name)
        if base:
            settings = _with_centre(settings, gathered, base)
        started = time.perf_counter()
        model, config = start_model(settings.start, gathered, settings.centre, settings.losses)
        begun = float(model.centre.value)
        train(model, config, gathered.samples, gathered.weights, gathered.held_out, folder, settings.train)
        result = Trained(
            folder=str(folder / "best"),
            crops=self.budget.crops,
            l2s_crops=self.budget.l2s_crops if base else 0,
            seed=seed,
            data=tuple(gathered.sets),
            machine=describe_machine(settings.train.device),
            minutes=round((time.perf_counter() - started) / 60, 2),
            centre_start=begun,
            centre_end=_kept_centre(folder / "best"),
        )
        text = (json.dumps(asdict(result), indent=1) + "\n").encode()
        write_atomic(folder / "trained.json", lambda stream: stream.write(text))
        return result

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
        """Return the folder's name: readable, and another one for any option that changes the result."""
        told = {name: value for name, value in chosen.items() if name not in MACHINE}
        parent = Path(base.folder).parent.name if base else ""
        facts = json.dumps(
            [told, data, self.budget.regime, self.budget.photos, parent], sort_keys=True, default=str
        )
        digest = hashlib.sha256(facts.encode()).hexdigest()[:8]
        return f"{variant.name}-{data}-{phase}-s{seed}-{digest}"


MACHINE = {"device", "workers", "pictures", "pictures_every", "save_every"}
"""Options that change how fast a network is trained, not what comes out."""


def _with_centre(settings: Settings, gathered: Gathered, base: Trained) -> Settings:
    """Start S̄ where it was asked for; else at the spacing that suits, or where the data put it (Eq. 2)."""
    centre = settings.centre
    if centre.centre:
        return settings
    config = read_config(find_model(base.folder))
    if centre.law == "spacing" and centre.closeness == "distance":
        return replace(settings, centre=replace(centre, centre=SPACINGS[config.method]))
    spacings = region_spacings(gathered.samples, config, centre.closeness)
    value = start_centre(spacings, centre.wanted_factor, centre.law)
    return replace(settings, centre=replace(centre, centre=value))


def _kept_centre(folder: Path) -> float:
    from safetensors.numpy import load_file

    return float(load_file(folder / "weights.safetensors")["centre.value"])
