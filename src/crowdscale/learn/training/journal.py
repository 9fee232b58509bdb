"""The journal of a run: a live line, a CSV row per epoch, TensorBoard curves."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from crowdscale.files.writing import write_atomic
from crowdscale.learn.model import Losses
from crowdscale.learn.training.validation import Validation

__all__ = ["PROGRESS", "Journal"]

LINE_EVERY = 25
"""Steps between updates of the live line."""
PROGRESS = "progress.json"
"""What another program may read while a training runs: phase, step, steps, crops a second, seconds left."""
PROGRESS_EVERY = 1.0
"""Seconds between its updates."""


class Journal:
    """Writes losses and validations to ``out/log.csv`` and ``out/tensorboard``; does nothing unless enabled."""

    def __init__(self, out: Path, enabled: bool = True) -> None:
        self.enabled, self.path = enabled, out / "log.csv"
        self.sums: defaultdict[str, list[float]] = defaultdict(list)
        self.started = self.lap = time.perf_counter()
        self.crops = self.epochs = 0
        self.reported = -PROGRESS_EVERY
        self.board = None
        if enabled:
            out.mkdir(parents=True, exist_ok=True)
            self.board = SummaryWriter(str(out / "tensorboard"))

    def step(self, phase: str, step: int, total: int, losses: Losses, crops: int) -> None:
        """Record a step's losses and update the live line now and then."""
        if not self.enabled:
            return
        for name, value in losses._asdict().items():
            self.sums[name].append(float(value.detach()))
        self.crops += crops
        rate = self.crops / max(1e-9, time.perf_counter() - self.lap)
        left = (total - step) * crops / max(rate, 1e-9)
        self._report(phase, step, total, rate, left)
        if step % LINE_EVERY == 0:
            means = " ".join(f"{name} {np.mean(v[-LINE_EVERY:]):.3f}" for name, v in self.sums.items())
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"{phase} {step}/{total}  {means}  {rate:.1f} crops/s  {left / 60:.0f} min left", end=end,
                  file=sys.stderr, flush=True)  # fmt: skip

    def _report(self, phase: str, step: int, total: int, rate: float, left: float) -> None:
        """Write the progress into its file, not more than once a second but for the last step."""
        now = time.perf_counter()
        if now - self.reported < PROGRESS_EVERY and step < total:
            return
        self.reported = now
        values = {"phase": phase, "step": step, "steps": total, "crops_per_second": round(rate, 2)}
        text = json.dumps({**values, "seconds_left": round(left, 1)})
        write_atomic(self.path.with_name(PROGRESS), lambda stream: stream.write(text.encode()))

    def epoch(self, phase: str, crops: int, result: Validation, centre: float) -> None:
        """Record a validation: one CSV row, the curves and a line."""
        row: dict[str, float | str | None] = {"phase": phase, "crops": crops}
        row["minutes"] = round((time.perf_counter() - self.started) / 60, 2)
        row |= {f"loss_{name}": round(float(np.mean(values)), 5) for name, values in self.sums.items()}
        row |= {**result.to_dict(), "centre": round(centre, 4)}
        is_new = not self.path.exists()
        with self.path.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        for name, value in row.items():
            if self.board is not None and isinstance(value, (int, float)):
                self.board.add_scalar(f"{phase}/{name}", value, crops)
        print(
            f"{phase} {crops} crops: MAE {result.mae:.1f} (first pass {result.first_mae:.1f})",
            file=sys.stderr,
            flush=True,
        )
        self.sums.clear()
        self.epochs += 1
        self.crops, self.lap = 0, time.perf_counter()

    def wants_pictures(self, every: int) -> bool:
        """Return whether the next validation draws pictures."""
        return bool(every) and (self.epochs + 1) % every == 0

    def close(self) -> None:
        """Close the file of curves."""
        if self.board is not None:
            self.board.close()
