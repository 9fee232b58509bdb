"""Stands for ``python -m crowdscale`` in tests of teaching: trains and measures in no time, or as slowly as a file says.

``trainer.json`` beside the corrections: ``model`` (what training leaves), ``steps``, ``seconds`` a step, ``errors``
(old and new absolute error of each photo), ``fail`` (a sentence). Every run is noted in ``trainer.log``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path


def main(words: list[str]) -> None:
    options = (
        dict(zip(words[1::2], words[2::2], strict=False))
        if words[0] == "train"
        else dict(zip(words[2::2], words[3::2], strict=False))
    )
    corrections = Path(options["--data"].removeprefix("folder:"))
    plan = json.loads((corrections.parent / "trainer.json").read_text())
    with (corrections.parent / "trainer.log").open("a") as log:
        log.write(json.dumps(words) + "\n")
    if plan.get("fail"):
        print(f"Error: {plan['fail']}", file=sys.stderr)
        raise SystemExit(2)
    if words[0] == "train":
        _train(Path(options["--out"]), options["--name"], plan)
    else:
        _measure(Path(options["--only"]), Path(options["--json"]), plan)


def _train(out: Path, name: str, plan: dict) -> None:
    """Take up where an earlier run stopped."""
    out.mkdir(parents=True, exist_ok=True)
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # as a loader of crops
    (out / "worker.pid").write_text(str(worker.pid))
    kept = out / "step.txt"
    for step in range(int(kept.read_text()) if kept.exists() else 0, plan["steps"]):
        values = {
            "phase": "l2s",
            "step": step + 1,
            "steps": plan["steps"],
            "crops_per_second": 2.5,
            "seconds_left": 9.0,
        }
        scratch = out / "step.new"
        scratch.write_text(json.dumps(values))
        scratch.replace(out / "progress.json")  # whole at any moment, as a real training writes it
        scratch.write_text(str(step + 1))
        scratch.replace(kept)  # it may be killed at any moment
        time.sleep(plan["seconds"])
    worker.kill()
    shutil.copytree(plan["model"], out / "best", dirs_exist_ok=True)
    description = json.loads((out / "best" / "model.json").read_text())
    (out / "best" / "model.json").write_text(json.dumps({**description, "name": name}))


def _measure(listed: Path, target: Path, plan: dict) -> None:
    from crowdscale.data.lists import read_list
    from crowdscale.metrics import ImageRow, Scoring

    error = plan["errors"][target.stem == "new"]
    rows = [
        ImageRow(entry.partition("/")[2], "folder", 20 + number, 20.0 + number + error + number % 2).to_dict()
        for number, entry in enumerate(read_list(listed))
    ]
    target.write_text(json.dumps({"scoring": Scoring().to_dict(), "rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1:])
